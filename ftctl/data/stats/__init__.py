"""Rows go in, one at a time; what a file holds and what training on it takes comes out."""

from ftctl.data.stats.answers import LONGEST_LABEL, Answer, Answers, answer_of
from ftctl.data.stats.collect import Collector, default_epochs
from ftctl.data.stats.distribution import Bin, Distribution, histogram
from ftctl.data.stats.row_tokens import BaseModel, TokensOfRow, training_context
from ftctl.data.stats.stats_as_json import statistics_document
from ftctl.data.stats.stats_as_svg import histogram_svg
from ftctl.data.stats.stats_as_text import statistics_text
from ftctl.data.stats.summary import Price, Statistics, Tokens, Training, prices

__all__ = [
    "LONGEST_LABEL",
    "Answer",
    "Answers",
    "BaseModel",
    "Bin",
    "Collector",
    "Distribution",
    "Price",
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
