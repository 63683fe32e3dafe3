"""Numbers are rounded so that what is read agrees with the verdict."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labcoat.stats.results import Estimate
from labcoat.stats.rule import MetricKind, Role
from labcoat.words import numbers

ENDS = st.floats(min_value=-1e9, max_value=1e9)

ESTIMATE = Estimate(
    metric="orders per user",
    role=Role.GOAL,
    kind=MetricKind.PROPORTION,
    treatment="treatment",
    control_count=5000,
    treatment_count=5000,
    control_mean=0.1,
    treatment_mean=0.12,
    information=2500,
    difference=0.02,
    low=0.007,
    high=0.033,
)


def _number(text: str) -> float:
    return float(text.replace(",", ""))


@given(st.tuples(ENDS, ENDS, ENDS).map(sorted))
def test_property_rounding_keeps_the_side_of_zero_and_the_order(ends: list[float]) -> None:
    low, value, high = ends
    shown_value, shown_low, shown_high = (_number(text) for text in numbers.with_interval(value, low, high))

    for end, shown in ((low, shown_low), (high, shown_high)):
        assert (shown > 0) == (end > 0)
        assert (shown < 0) == (end < 0)
    assert shown_value * value >= 0
    assert shown_low <= shown_value <= shown_high


@given(st.tuples(ENDS, ENDS, ENDS).map(sorted))
def test_property_rounding_moves_an_end_by_a_tenth_of_the_width_at_most(ends: list[float]) -> None:
    low, value, high = ends
    assume(high - low > 1e-6)

    _, shown_low, shown_high = (_number(text) for text in numbers.with_interval(value, low, high))

    assert abs(shown_low - low) <= 0.1 * (high - low)
    assert abs(shown_high - high) <= 0.1 * (high - low)


@given(st.tuples(ENDS, ENDS, ENDS).map(sorted))
def test_property_swapping_the_arms_flips_the_signs(ends: list[float]) -> None:
    low, value, high = ends

    there = numbers.with_interval(value, low, high)
    back = numbers.with_interval(-value, -high, -low)

    assert [_number(text) for text in there] == [-_number(text) for text in (back[0], back[2], back[1])]


@pytest.mark.parametrize(
    ("low", "value", "high", "shown"),
    [
        (0.4, 1.8, 3.2, ("+1.8", "+0.4", "+3.2")),
        (-1.3282, -0.8194, -0.3107, ("-0.82", "-1.33", "-0.31")),
        (-5.0, 0.0, 5.0, ("0.0", "-5.0", "+5.0")),
        (1200.0, 5600.0, 10000.0, ("+5,600", "+1,200", "+10,000")),
        (0.0, 0.5, 1.0, ("+0.50", "0.00", "+1.00")),
        (0.5, 0.5, 0.5, ("+0.5", "+0.5", "+0.5")),
        (1e-12, 1.0, 2.0, ("+1.00000000", "+1e-12", "+2.00000000")),
        (0.0, 0.0, 0.0, ("0", "0", "0")),
    ],
)
def test_intervals_have_the_decimals_their_width_deserves(
    low: float, value: float, high: float, shown: tuple[str, str, str]
) -> None:
    assert numbers.with_interval(value, low, high) == shown


def test_a_proportions_difference_is_in_points() -> None:
    assert numbers.effect(ESTIMATE) == "+2.0 points (0.7 to 3.3)"


def test_the_relative_effect_goes_first_where_there_is_one() -> None:
    estimate = replace(ESTIMATE, lift=0.2, lift_low=0.07, lift_high=0.35)

    assert numbers.effect(estimate) == "+20 % (7 to 35)"


def test_without_an_interval_there_is_no_effect_to_show() -> None:
    assert numbers.effect(replace(ESTIMATE, difference=None)) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (0.125, "0.125"),
        (1234.5, "1,234.5"),
        (999_999.9, "1,000,000"),
        (-999_999.9, "-1,000,000"),
        (1_234_567.8, "1,234,568"),
    ],
)
def test_a_plain_number_has_no_needless_digits_and_no_exponent(value: float, text: str) -> None:
    assert numbers.plain(value) == text


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (0.19, MetricKind.PROPORTION, "19.00 %"),
        (0.0123, MetricKind.MEAN, "0.0123"),
        (42.5, MetricKind.MEAN, "42.50"),
        (12_345.67, MetricKind.MEAN, "12,345.67"),
        (-3.25, MetricKind.MEAN, "-3.25"),
        (0.0, MetricKind.MEAN, "0"),
    ],
)
def test_a_mean_is_in_the_metrics_unit(value: float, kind: MetricKind, text: str) -> None:
    assert numbers.mean(value, kind) == text


@given(st.floats(min_value=0, max_value=1))
def test_property_a_p_value_is_never_written_as_zero(p: float) -> None:
    text = numbers.probability(p)

    assert text == "below 0.0001" or float(text) > 0


@pytest.mark.parametrize(("value", "text"), [(1.0, "1 day"), (0.0, "0 days"), (2.5, "2.5 days")])
def test_days_are_counted_in_words(value: float, text: str) -> None:
    assert numbers.days(value) == text


@given(st.text(max_size=60), st.integers(min_value=2, max_value=40))
def test_property_a_shortened_text_fits_in_one_line(text: str, longest: int) -> None:
    line = numbers.shortened(text, longest)

    assert len(line) <= longest
    assert line == " ".join(line.split())


@given(st.text(max_size=30))
def test_property_any_text_reads_inside_a_sentence(text: str) -> None:
    assert not numbers.in_sentence(text).endswith(".")


def test_values_read_as_their_metric_is_written() -> None:
    """By hand: +1.20 with 0.40 to 2.00 on either side."""
    spent = replace(ESTIMATE, kind=MetricKind.MEAN, difference=1.2, low=0.4, high=2.0)

    assert numbers.difference(spent, format_="€ {}") == "+€ 1.20 (€ 0.40 to € 2.00)"
    assert numbers.effect(replace(spent, difference=-1.2, low=-2.0, high=-0.4), format_="{} s") == (
        "-1.20 s (-2.00 s to -0.40 s)"
    )
    assert numbers.difference(ESTIMATE, format_="€ {}") == numbers.difference(ESTIMATE)
