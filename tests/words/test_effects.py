"""The effect beside a verdict, and a line for each metric: never against what the verdict says."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_plan
from labcoat.stats import readout as reading
from labcoat.stats.results import Crossing, Estimate, Finding, Held, Readout, Reason, Since, Verdict
from labcoat.words import effects, verdicts
from readouts import (
    BIG,
    ORDERS,
    REFUNDS,
    SMALL,
    a_look,
    a_photo_plan,
    a_win_and_a_harm,
    an_estimate,
    as_stored_before,
    called,
)
from usecases.storing import a_sample

ALONE = a_photo_plan(BIG)
WIN = called(BIG, Verdict.WIN, Finding.GOOD_SIDE, metric=ORDERS)


def _held(estimate: Estimate, low: float, high: float, *, look: int = 2, day: float = 14) -> Estimate:
    """Give it a running intersection, in percent; control's mean is 1, so that it is the difference's too."""
    held = Held(low=low / 100, high=high / 100, lift_low=low / 100, lift_high=high / 100, look=look, day=day)
    return replace(estimate, held=held)


def _headline(one: Estimate, verdict: Verdict = Verdict.WIN, *findings: Finding, value: float | None = None) -> str:
    said = called(BIG, verdict, *findings, metric=one.metric, value=value)
    return verdicts.headline(a_look(said, estimates=(one,)), ALONE)


def test_an_effect_goes_with_its_interval_and_unit_first() -> None:
    said = reading.read(a_plan().rule(), a_sample(treated=600), day=20, past=())
    assert isinstance(said, Readout)
    (line,) = effects.lines(said)

    assert line.startswith("orders per user (goal): +20 % (")
    assert line.endswith("10.00 % to 12.00 %, n 5,000 / 5,000")


def test_an_interval_of_an_earlier_look_says_of_which_day_it_is() -> None:
    newest = an_estimate(lift=(12.68, -0.01, 27.16))

    assert _headline(_held(newest, 2.0, 25.0)) == "Win: +13 % orders per user (2 to 25, as of day 14)"
    assert _headline(_held(newest, 2.0, 25.0, look=3)) == "Win: +13 % orders per user (2 to 25)"


def test_an_interval_of_an_earlier_look_on_the_same_day_says_of_which_look_it_is() -> None:
    stopped_at_noon = _held(an_estimate(lift=(12.68, -0.01, 27.16)), 2.0, 25.0, day=20.9)

    assert _headline(stopped_at_noon) == "Win: +13 % orders per user (2 to 25, as of look 2)"


def test_an_effect_that_moved_is_shown_as_it_is_now_with_the_units_since() -> None:
    since = Since(look=2, day=14, difference=-0.003, low=-0.011, high=0.005)
    one = replace(_held(an_estimate(lift=(0.4, -2.1, 2.9)), 3.0, 7.0), has_moved=True, since=since)

    said = _headline(one, Verdict.WIN_EFFECT_MOVED, Finding.EFFECT_MOVED)

    assert said == (
        "It won, but the effect has moved since: now +0.4 % orders per user (-2.1 to 2.9); "
        "units since day 14: -0.0030 (-0.0110 to 0.0050)"
    )


def test_a_value_that_keeps_growing_shows_the_look_that_called_it_and_the_newest() -> None:
    crossing = Crossing(
        look=2, day=14, is_good=True, difference=0.15, low=0.02, high=0.28, lift=0.15, lift_low=0.02, lift_high=0.28
    )
    one = replace(an_estimate(lift=(12.68, -0.01, 27.16)), crossing=crossing)

    assert _headline(one) == "Win: +15 % orders per user (2 to 28) on day 14; now +12.68 % (-0.01 to 27.16)"


def test_a_win_that_an_earlier_version_called_says_at_which_look() -> None:
    one = an_estimate(lift=(12.0, -1.0, 27.0))

    assert _headline(one, Verdict.WIN, Finding.CROSSED_EARLIER, value=2) == (
        "Win: orders per user, shown at look 2; now +12 % (-1 to 27)"
    )
    assert _headline(one) == "Win"  # nothing beside it that would say the opposite


def test_data_that_came_after_the_decision_are_not_shown_as_its_ground() -> None:
    look = replace(a_look(WIN, estimates=(an_estimate(lift=(-9.0, -15.0, -2.0)),)), is_after_final=True)

    assert verdicts.headline(look, ALONE) == (
        "Win (decided at the final look): later data say -9.0 % orders per user (-15.0 to -2.0)"
    )


def test_no_meaningful_effect_is_said_against_the_smallest_effect_in_its_unit() -> None:
    one = an_estimate(difference=(0.001, -0.02, 0.022))

    assert _headline(one, Verdict.NO_EFFECT, Finding.INSIDE_MINIMUM) == (
        "No meaningful effect: +0.001 orders per user (-0.020 to 0.022), smallest effect worth having 0.050"
    )
    assert _headline(replace(one, low=-0.2), Verdict.NO_GAIN, Finding.FUTILE).startswith(
        "No gain worth having; a loss is possible: 0.00 orders per user (-0.20 to 0.02)"
    )


@pytest.mark.parametrize(
    ("points", "state"),
    [
        ((0.05, -0.10, 0.20), "+0.05 points (-0.10 to 0.20), margin 0.30 points: safe"),
        ((0.15, -0.10, 0.40), "+0.15 points (-0.10 to 0.40), margin 0.30 points: open"),
        ((0.50, 0.35, 0.65), "+0.50 points (0.35 to 0.65), margin 0.30 points: harmed"),
        ((0.10, -0.0984, 0.2984), "+0.100 points (-0.098 to 0.298), margin 0.300 points: safe"),
        (None, "no number yet: open"),
    ],
)
def test_a_guardrail_is_shown_on_the_scale_of_its_margin(points: tuple[float, float, float] | None, state: str) -> None:
    one = an_estimate(BIG, REFUNDS, points=points)
    (line,) = effects.lines(a_look(WIN, estimates=(one,)), a_photo_plan(BIG, margin=0.003))

    assert line.startswith(f"refunds (guardrail): {state}")


def test_a_margin_is_never_written_so_that_it_hides_which_side_an_end_is_on() -> None:
    plan = a_photo_plan(BIG, margin=0.003)
    for high in (0.2999, 0.29999, 0.3001, 0.30001):
        (line,) = effects.lines(a_look(WIN, estimates=(an_estimate(BIG, REFUNDS, points=(0.1, -0.1, high)),)), plan)
        written = [float(number) for number in re.findall(r"to ([\d.]+)\), margin ([\d.]+)", line)[0]]

        assert (written[0] < written[1]) is (": safe" in line), line


def test_a_guardrail_without_a_margin_is_never_called_safe() -> None:
    look = a_look(WIN, estimates=(an_estimate(BIG, REFUNDS, points=(0.05, -0.10, 0.20)),))

    assert effects.guardrail_state(look, look.estimates[0], ALONE) == "no harm seen"


@pytest.mark.parametrize("finding", [Finding.GUARDRAIL_WITHOUT_DATA, Finding.UNEVEN_ANALYSED, Finding.GUARDRAIL_OPEN])
def test_a_guardrail_that_the_statistics_left_open_is_open(finding: Finding) -> None:
    one = called(BIG, Verdict.WIN_GUARDRAIL_OPEN, finding, metric=REFUNDS)
    look = a_look(one, estimates=(an_estimate(BIG, REFUNDS, points=(0.05, -0.10, 0.20)),))

    assert effects.guardrail_state(look, look.estimates[0], a_photo_plan(BIG, margin=0.003)) == "open"


def test_a_metric_that_is_not_valid_shows_no_number() -> None:
    reason = Reason(finding=Finding.UNEVEN_ANALYSED, metric=ORDERS, treatment=BIG, value=0.0004)
    one = replace(called(BIG, Verdict.INCONCLUSIVE), reasons=(reason,))
    (line,) = effects.lines(a_look(one, estimates=(an_estimate(lift=(20, 10, 30)),)), ALONE)

    assert line == (
        "orders per user (goal): not valid, because the units it was measured on are not split as planned (p 0.0004)"
    )


def test_lines_begin_with_the_treatment_that_comes_first() -> None:
    look = a_win_and_a_harm()
    turned = replace(look, estimates=look.estimates[::-1])

    assert [line.split(" (")[0] for line in effects.lines(turned)] == [
        f"refunds, {BIG}",
        f"orders per user, {BIG}",
        f"refunds, {SMALL}",
        f"orders per user, {SMALL}",
    ]


_ends = st.floats(min_value=-0.9, max_value=3.0, allow_nan=False).map(lambda value: round(value, 6))


@st.composite
def _intervals(draw: st.DrawFn) -> tuple[float, float, float]:
    low, middle, high = sorted(draw(st.tuples(_ends, _ends, _ends)))
    return middle, low, high


@st.composite
def _estimates(draw: st.DrawFn) -> Estimate:
    metric = draw(st.sampled_from([ORDERS, REFUNDS]))
    middle, low, high = draw(_intervals())
    has_lift = draw(st.booleans())
    one = replace(
        an_estimate(BIG, metric),
        difference=middle,
        low=low,
        high=high,
        lift=middle if has_lift else None,
        lift_low=low if has_lift else None,
        lift_high=high if has_lift else None,
        has_moved=draw(st.booleans()),
    )
    if draw(st.booleans()):
        _, low, high = draw(_intervals())
        held = Held(low=low, high=high, lift_low=low, lift_high=high, look=draw(st.integers(1, 3)), day=14)
        one = replace(one, held=held)
    if draw(st.booleans()):
        middle, low, high = draw(_intervals())
        crossing = Crossing(
            look=draw(st.integers(1, 3)),
            day=14,
            is_good=draw(st.booleans()),
            difference=middle,
            low=low,
            high=high,
            lift=middle if has_lift else None,
            lift_low=low if has_lift else None,
            lift_high=high if has_lift else None,
        )
        one = replace(one, crossing=crossing)
    return one


@given(
    one=_estimates(),
    verdict=st.sampled_from([one for one in Verdict if one.is_harm or (one.is_win and "moved" not in one)]),
    findings=st.sets(st.sampled_from([Finding.GOOD_SIDE, Finding.BAD_SIDE, Finding.CROSSED_EARLIER])),
    knows_the_plan=st.booleans(),
    is_late=st.booleans(),
)
def test_no_headline_contradicts_itself(
    one: Estimate, verdict: Verdict, findings: set[Finding], knows_the_plan: bool, is_late: bool
) -> None:
    """An interval beside a win or a harm lies on its side of 0, or the headline says when it did."""
    look = a_look(called(BIG, verdict, *sorted(findings), metric=one.metric, value=2), estimates=(one,))

    look = replace(look, is_after_final=is_late)

    said = verdicts.headline(look, ALONE if knows_the_plan else None)

    first = re.search(r"\(([-+\d.,e]+) to ([-+\d.,e]+)", said)
    if first is None or "shown at look 2; now" in said or "(decided at the final look): later data say" in said:
        return
    low, high = (float(end.strip(",").replace(",", "")) for end in first.groups())
    assert low > 0 or high < 0, said
    if knows_the_plan:  # orders are good when they rise, refunds when they fall
        assert (low > 0) is (verdict.is_win is (one.metric == ORDERS)), said


def test_in_a_look_of_an_earlier_version_the_harm_of_one_treatment_is_not_the_others() -> None:
    look = a_win_and_a_harm()
    before = as_stored_before(replace(look, verdict=Verdict.GUARDRAIL_HARM, reasons=look.treatments[1].reasons))
    guardrails = {one.treatment: one for one in look.estimates if one.metric == REFUNDS}
    plan = a_photo_plan(margin=0.003)

    states = {name: effects.guardrail_state(before, one, plan) for name, one in guardrails.items()}

    assert states == {BIG: "safe", SMALL: "harmed"}
