"""Numbers and names are told in one way, and no figure says more or less than there is."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftctl.text.format import (
    CENT,
    count_range,
    duration,
    joined,
    listed,
    percent,
    percent_alike,
    percent_of,
    plain_number,
    plural,
    plural_range,
    rounded_up,
    size,
    usd,
    usd_limit,
    usd_range,
    usd_rate,
    usd_up,
)

often = settings(max_examples=300, deadline=None, derandomize=True, database=None)
dollars = st.decimals(-(10**18), 10**18, allow_nan=False, allow_infinity=False)


# Counts.


def test_one_has_no_s_and_thousands_have_commas() -> None:
    assert [plural(count, "job") for count in (0, 1, 2, 2_000)] == [
        "0 jobs", "1 job", "2 jobs", "2,000 jobs",
    ]  # fmt: skip
    assert [plural(count, "entry", "entries") for count in (1, 2)] == ["1 entry", "2 entries"]


def test_two_figures_that_are_the_same_are_one() -> None:
    assert count_range(98_319, 102_639) == "98,319 to 102,639"
    assert count_range(1_000, 1_000) == "1,000"
    assert plural_range(1, 1, "epoch") == "1 epoch"
    assert plural_range(3, 3, "epoch") == "3 epochs"
    assert plural_range(1, 50, "epoch") == "1 to 50 epochs"


# Names.


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abcd", "a, b, c and d")]
)
def test_names_are_joined_as_in_a_sentence(names: list[str], text: str) -> None:
    assert joined(names) == text
    assert joined(names, "or") == text.replace(" and ", " or ")


def test_of_many_names_the_rest_is_counted() -> None:
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed([str(number) for number in range(1_500)], 1) == "0 and 1,499 more"
    assert listed([], 2) == ""


# Bytes and times.


def test_sizes_and_times_are_short() -> None:
    sizes = [size(count) for count in (0, 999, 1_000, 999_949, 999_951, 5_000_000, 7_250_000_000)]
    times = [duration(seconds) for seconds in (0.4, 89, 90, 5_399, 5_400)]

    assert sizes == ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "5.0 MB", "7.2 GB"]
    assert times == ["0 s", "89 s", "2 min", "90 min", "1.5 h"]


# Money.


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "$0.00"), ("0.000001", "< $0.01"), ("0.0099", "< $0.01"), ("0.01", "$0.01"),
        ("0.485", "$0.49"), ("0.484999", "$0.48"), ("1234.5", "$1,234.50"), ("-3", "-$3.00"),
        ("-0.001", "> -$0.01"), ("999999999999.995", "$1,000,000,000,000.00"),
        ("999999999999999", "$999,999,999,999,999.00"), ("1e15", "$1.00e+15"),
        ("1e30", "$1.00e+30"), ("-1e30", "-$1.00e+30"),
    ],
)  # fmt: skip
def test_dollars_are_rounded_only_in_words(amount: str, words: str) -> None:
    assert usd(Decimal(amount)) == words


def test_two_amounts_that_read_the_same_are_one() -> None:
    assert usd_range(Decimal("0.491"), Decimal("0.494")) == "$0.49"
    assert usd_range(Decimal("0.49"), Decimal("0.51")) == "$0.49 to $0.51"
    assert usd_range(Decimal("0.001"), Decimal("0.02")) == "< $0.01 to $0.02"


@often
@given(dollars)
def test_no_amount_is_told_wrong_by_more_than_half_a_cent(amount: Decimal) -> None:
    words = usd(amount)

    if "<" not in words and ">" not in words and "e" not in words:
        told = Decimal(words.replace("$", "").replace(",", ""))
        assert abs(told - amount) <= Decimal("0.005")


def test_a_price_keeps_the_parts_of_a_cent_that_count() -> None:
    rates = ["5.00", "0.4", "0.075", "0.0004", "0", "1e400"]

    assert [usd_rate(Decimal(rate)) for rate in rates] == [
        "$5.00", "$0.40", "$0.075", "$0.0004", "$0.00", "$1.00e+400",
    ]  # fmt: skip


@often
@given(dollars, dollars)
def test_what_is_over_a_limit_reads_as_over_it(amount: Decimal, limit: Decimal) -> None:
    def told(words: str) -> Decimal:
        return Decimal(words.replace("$", "").replace(",", ""))

    if amount > limit and limit == rounded_up(limit, CENT):
        assert told(usd_up(amount)) > told(usd_limit(limit)) == limit
    assert told(usd_up(amount)) - CENT < amount <= told(usd_up(amount))


def test_a_limit_is_told_as_it_was_written() -> None:
    limits = ["10", "1234.5", "0.005", "1e3"]

    assert [usd_limit(Decimal(limit)) for limit in limits] == [
        "$10.00", "$1,234.50", "$0.005", "$1,000.00",
    ]  # fmt: skip


# Shares.


def test_a_number_has_no_exponent_and_no_needless_zeros() -> None:
    numbers = ["0.40", "1e-7", "3.0", "100", "1E+2"]

    assert [plain_number(Decimal(number)) for number in numbers] == [
        "0.4", "0.0000001", "3", "100", "100",
    ]  # fmt: skip


def test_shares_are_exact_where_they_are_known() -> None:
    assert percent(Decimal("0.375")) == "37.5 %"
    assert percent(Decimal(1)) == "100 %"


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 10, "0 %"), (1, 100_000, "under 0.1 %"), (1, 1_999, "0.1 %"), (3, 1_000, "0.3 %"),
        (1, 100, "1 %"), (1, 3, "33 %"), (999, 1_000, "99 %"), (10, 10, "100 %"),
    ],
)  # fmt: skip
def test_a_share_is_never_nothing_or_all_where_it_is_not(part: int, whole: int, words: str) -> None:
    assert percent_of(part, whole) == words


def test_what_is_not_the_same_is_never_wholly_alike() -> None:
    assert [percent_alike(alike) for alike in (0.874, 0.999, 1.0)] == [
        "about 87 %", "about 99 %", "about 99 %",
    ]  # fmt: skip
