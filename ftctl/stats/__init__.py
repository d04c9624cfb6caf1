"""Rows go in, one at a time; what a file holds and what training on it takes comes out."""

from ftctl.stats.answers import LONGEST_LABEL, Answer, Answers, answer_of
from ftctl.stats.collect import Collector
from ftctl.stats.document import statistics_document
from ftctl.stats.measure import BaseModel, TokensOfRow, training_context
from ftctl.stats.picture import histogram_svg
from ftctl.stats.spread import Bin, Spread, histogram
from ftctl.stats.summary import Statistics, Tokens, Training
from ftctl.stats.training import Price, default_epochs, prices
from ftctl.stats.view import statistics_text

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
