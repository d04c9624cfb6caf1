"""Rows go in, one at a time; what a file holds and what training on it takes comes out."""

from ftctl.data.stats.answers import LONGEST_LABEL, Answer, Answers, answer_of
from ftctl.data.stats.collect import Collector
from ftctl.data.stats.document import statistics_document
from ftctl.data.stats.measure import BaseModel, TokensOfRow, training_context
from ftctl.data.stats.picture import histogram_svg
from ftctl.data.stats.spread import Bin, Spread, histogram
from ftctl.data.stats.summary import Statistics, Tokens, Training
from ftctl.data.stats.training import Price, default_epochs, prices
from ftctl.data.stats.view import statistics_text

__all__ = [
    "LONGEST_LABEL",
    "Answer",
    "Answers",
    "BaseModel",
    "Bin",
    "Collector",
    "Price",
    "Spread",
    "Statistics",
    "Tokens",
    "TokensOfRow",
    "Training",
    "answer_of",
    "default_epochs",
    "histogram",
    "histogram_svg",
    "prices",
    "statistics_document",
    "statistics_text",
    "training_context",
]
