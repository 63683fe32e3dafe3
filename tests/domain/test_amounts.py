"""Numbers as people type them: understood, or refused under their field, never guessed."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import refused
from labcoat.domain.amounts import (
    LARGEST_COUNT,
    Amount,
    read_baseline,
    read_count,
    read_days,
    read_effect,
    read_number,
    read_positive,
)
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.rule import MetricKind

MEAN, PROPORTION = MetricKind.MEAN, MetricKind.PROPORTION
NO_NUMBER, TOO_LARGE, NEGATIVE, NOT_POSITIVE = (
    Reason.NOT_A_NUMBER,
    Reason.TOO_LARGE,
    Reason.NEGATIVE,
    Reason.NOT_POSITIVE,
)
HUGE = "9" * 400


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("-3", -3),
        ("+3", 3),
        (".5", 0.5),
        ("5.", 5),
        ("0.5", 0.5),
        ("0,5", 0.5),
        ("-0,5", -0.5),
        ("0,125", 0.125),
        ("1,5", 1.5),
        ("1,200", 1200),
        ("1,234,567", 1234567),
        ("1 200", 1200),
        ("1\u00a0200", 1200),
        ("1'200", 1200),
        ("1_200", 1200),
        ("1e3", 1000),
    ],
)
def test_what_people_write_is_understood(text: str, number: float) -> None:
    assert read_number(text, field="n") == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("lots", NO_NUMBER),
        ("", NO_NUMBER),
        (" ", NO_NUMBER),
        ("NaN", NO_NUMBER),
        ("inf", NO_NUMBER),
        ("-Infinity", NO_NUMBER),
        ("٣", NO_NUMBER),
        ("١٢٣ ٤٥٦", NO_NUMBER),
        ("1,2,3", NO_NUMBER),
        ("1.200,5", NO_NUMBER),
        ("0x10", NO_NUMBER),
        ("1/2", NO_NUMBER),
        ("--3", NO_NUMBER),
        ("1e4000", NO_NUMBER),
        ("1e400", TOO_LARGE),
        ("-1e400", TOO_LARGE),
        (HUGE, TOO_LARGE),
        ("1000000000001", TOO_LARGE),
    ],
)
def test_what_is_no_number_is_refused_under_its_field(text: str, reason: Reason) -> None:
    with refused(reason, "n", text=text.strip()[:60]):
        read_number(text, field="n")


@given(st.text(max_size=20))
def test_any_text_gives_a_finite_number_or_a_refusal(text: str) -> None:
    with suppress(Refusal):
        assert abs(read_number(text, field="n")) <= LARGEST_COUNT


@given(st.text(alphabet="0123456789 .,%+-ponits", max_size=12), st.sampled_from(MetricKind))
def test_any_text_gives_an_effect_above_zero_or_a_refusal(text: str, kind: MetricKind) -> None:
    with suppress(Refusal):
        assert read_effect(text, kind=kind, field="effect").size > 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [("-3", NEGATIVE), ("0,5", NO_NUMBER), ("2.5", NO_NUMBER), ("1e13", TOO_LARGE), ("lots", NO_NUMBER)],
)
def test_a_count_is_a_whole_number_from_0(text: str, reason: Reason) -> None:
    with refused(reason, "n"):
        read_count(text, field="n")

    assert read_count("1,200", field="n") == 1200
    assert read_count("0", field="n") == 0


@pytest.mark.parametrize(
    ("text", "reason"), [("0", NOT_POSITIVE), ("-3", NOT_POSITIVE), ("100001", TOO_LARGE), ("", NO_NUMBER)]
)
def test_a_positive_number_is_above_0(text: str, reason: Reason) -> None:
    with refused(reason, "cap"):
        read_positive(text, field="cap")


@pytest.mark.parametrize(("text", "reason"), [("-3", NEGATIVE), ("100001", TOO_LARGE), ("NaN", NO_NUMBER)])
def test_days_are_0_or_more(text: str, reason: Reason) -> None:
    with refused(reason, "spent"):
        read_days(text, field="spent")

    assert read_days("0", field="spent") == 0


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("5 %", MEAN, Amount(size=0.05, is_relative=True)),
        ("5%", PROPORTION, Amount(size=0.05, is_relative=True)),
        ("2 percent", MEAN, Amount(size=0.02, is_relative=True)),
        ("-5 %", MEAN, Amount(size=0.05, is_relative=True)),
        ("0,5 points", PROPORTION, Amount(size=0.005, is_relative=False)),
        ("1 pp", PROPORTION, Amount(size=0.01, is_relative=False)),
        ("0.01", PROPORTION, Amount(size=0.01, is_relative=False)),
        ("3", MEAN, Amount(size=3, is_relative=False)),
        ("1,200", MEAN, Amount(size=1200, is_relative=False)),
    ],
)
def test_effects_are_relative_or_in_the_metrics_unit(text: str, kind: MetricKind, amount: Amount) -> None:
    assert read_effect(text, kind=kind, field="effect") == amount


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("lots", MEAN, Reason.NOT_AN_EFFECT),
        ("", MEAN, Reason.NOT_AN_EFFECT),
        ("5 euros", MEAN, Reason.NOT_AN_EFFECT),
        ("1e400", MEAN, Reason.NOT_AN_EFFECT),
        ("NaN", MEAN, Reason.NOT_AN_EFFECT),
        ("0.5 points", MEAN, Reason.NOT_AN_EFFECT),
        ("3", PROPORTION, Reason.NOT_AN_EFFECT),
        ("150 points", PROPORTION, Reason.NOT_AN_EFFECT),
        ("0 %", MEAN, NOT_POSITIVE),
        ("٣ %", MEAN, NO_NUMBER),
        ("1.2.3", MEAN, NO_NUMBER),
        ("999999 %", MEAN, TOO_LARGE),
    ],
)
def test_what_is_no_effect_is_refused(text: str, kind: MetricKind, reason: Reason) -> None:
    with refused(reason, "effect"):
        read_effect(text, kind=kind, field="effect")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("", MEAN, None),
        (" ", PROPORTION, None),
        ("19 %", PROPORTION, 0.19),
        ("0,19", PROPORTION, 0.19),
        ("42", MEAN, 42),
    ],
)
def test_a_baseline_may_be_unknown(text: str, kind: MetricKind, value: float | None) -> None:
    assert read_baseline(text, kind=kind, field="baseline") == value


@pytest.mark.parametrize("text", ["19", "0", "1", "100 %", "-5 %", "lots"])
def test_a_baseline_of_a_proportion_lies_between_0_and_1(text: str) -> None:
    with refused(NO_NUMBER, "baseline"):
        read_baseline(text, kind=PROPORTION, field="baseline")
