"""A verdict for each treatment: as that of an experiment with two arms, in any order; and after one is dropped."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labcoat.stats.results import Estimate, Finding, Readout, TreatmentVerdict, Verdict
from labcoat.stats.rule import Design, Direction, Dropped, Moments, Role, Rule, Sample
from stats.builders import a_guardrail, a_look, a_metric, a_rule, events

ARMS = ("control", "small", "big")
DAYS = (14.0, 21.0, 28.0)
RATES = st.integers(300, 700)
LOOKS = st.lists(st.tuples(RATES, RATES, RATES), min_size=3, max_size=3)


def _rule(*, design: Design = Design.GROUP_SEQUENTIAL, is_complete: bool = True, alpha: float = 0.05) -> Rule:
    goal = a_metric(minimum_effect=0.005, is_complete=is_complete)
    guardrail = a_guardrail(margin=0.01, direction=Direction.DOWN, is_complete=is_complete)
    return a_rule(goal, guardrail, design=design, variants=ARMS, planned_units=36_000, alpha=alpha)


def _samples(looks: list[tuple[int, int, int]]) -> list[Sample]:
    """Totals of looks at which each arm had so many orders, and as many refunds the other way round, in 4,000 more."""
    totals, given = [0, 0, 0], []
    for number, orders in enumerate(looks, start=1):
        totals = [sum(pair) for pair in zip(totals, orders, strict=True)]
        goal = tuple(events(one, of=4000 * number) for one in totals)
        given.append(Sample(exposed=(4000 * number,) * 3, moments={"orders": goal, "refunds": goal[::-1]}))
    return given


def _path(rule: Rule, samples: list[Sample]) -> list[Readout]:
    past: tuple[Readout, ...] = ()
    for day, sample in zip(DAYS, samples, strict=True):
        past = (*past, a_look(rule, sample, day=day, past=past))
    return list(past)


def _only(rule: Rule, samples: list[Sample], place: int) -> tuple[Rule, list[Sample]]:
    """The experiment with one treatment, each of whose intervals has the alpha that it has among two."""
    two = replace(
        rule,
        variants=(rule.variants[0], rule.variants[place]),
        weights=(0.5, 0.5),
        alpha=rule.alpha / 2,
        planned_units=24_000,
    )
    return two, [
        Sample(
            exposed=(one.exposed[0], one.exposed[place]),
            moments={name: (arms[0], arms[place]) for name, arms in one.moments.items()},
        )
        for one in samples
    ]


@settings(max_examples=60, deadline=None)
@given(looks=LOOKS, design=st.sampled_from(Design), is_complete=st.booleans())
def test_property_a_treatments_verdict_is_that_of_the_experiment_with_it_alone(
    looks: list[tuple[int, int, int]], design: Design, is_complete: bool
) -> None:
    rule, samples = _rule(design=design, is_complete=is_complete), _samples(looks)
    days = DAYS[-1:] if design is Design.ONE_LOOK else DAYS
    samples = samples[-len(days) :]

    past: tuple[Readout, ...] = ()
    alone: dict[int, tuple[Readout, ...]] = {1: (), 2: ()}
    for day, sample in zip(days, samples, strict=True):
        past = (*past, a_look(rule, sample, day=day, past=past))
        for place, name in ((1, "small"), (2, "big")):
            two, (own,) = _only(rule, [sample], place)
            alone[place] = (*alone[place], a_look(two, own, day=day, past=alone[place]))
            mine, its = past[-1].find(name), alone[place][-1].headline

            assert mine is not None
            assert its is not None
            assert (mine.verdict, mine.metric, mine.reasons) == (its.verdict, its.metric, its.reasons)
            assert [_ends(one) for one in past[-1].estimates if one.treatment == name] == [
                pytest.approx(_ends(one), nan_ok=True) for one in alone[place][-1].estimates
            ]


def _ends(one: Estimate) -> tuple[float, ...]:
    shown = one.shown
    ends = (one.low, one.high, shown.low, shown.high, one.lift_low, one.lift_high)
    return tuple(float("nan") if end is None else end for end in ends)


@settings(max_examples=40, deadline=None)
@given(looks=LOOKS, is_complete=st.booleans())
def test_property_the_order_of_arms_and_metrics_changes_nothing_but_the_order(
    looks: list[tuple[int, int, int]], is_complete: bool
) -> None:
    rule, samples = _rule(is_complete=is_complete), _samples(looks)
    arms, metrics = (0, 2, 1), tuple(reversed(rule.metrics))
    turned = replace(rule, variants=tuple(rule.variants[place] for place in arms), metrics=metrics)
    turned_samples = [
        Sample(
            exposed=tuple(one.exposed[place] for place in arms),
            moments={name: tuple(given[place] for place in arms) for name, given in one.moments.items()},
        )
        for one in samples
    ]

    for one, other in zip(_path(rule, samples), _path(turned, turned_samples), strict=True):
        assert {each.treatment: (each.verdict, each.metric, set(each.reasons)) for each in one.treatments} == {
            each.treatment: (each.verdict, each.metric, set(each.reasons)) for each in other.treatments
        }
        assert one.verdict is other.verdict
        if one.verdict.is_win:
            assert one.treatments[0].treatment == other.treatments[0].treatment


@pytest.mark.parametrize("order", list(permutations((1, 2))))
def test_a_treatment_that_wins_comes_before_one_that_is_harmed(order: tuple[int, int]) -> None:
    arms = {"control": 2400, "small": 1900, "big": 2900}
    names = ("control", *(list(arms)[place] for place in order))
    rule = replace(_rule(), variants=names)
    goal = tuple(events(arms[name], of=24_000) for name in names)
    flat = (events(1200, of=24_000),) * 3

    look = a_look(rule, Sample(exposed=(24_000,) * 3, moments={"orders": goal, "refunds": flat}), day=28)

    assert (look.verdict, look.treatments[0].treatment, look.treatments[0].metric) == (Verdict.WIN, "big", "orders")
    assert look.find("small") == TreatmentVerdict(
        treatment="small",
        verdict=Verdict.GOAL_HARM,
        reasons=look.treatments[1].reasons,
        metric="orders",
    )
    assert all(reason.metric and reason.treatment for one in look.treatments for reason in one.reasons)


def test_p_and_interval_agree_with_several_arms_and_goals() -> None:
    """One look, two goals and two treatments: p is four times the two-sided p of the difference."""
    goals = (a_metric(minimum_effect=0.005), a_metric("baskets", minimum_effect=0.005))
    rule = a_rule(*goals, design=Design.ONE_LOOK, variants=ARMS)
    arms = tuple(events(one, of=10_000) for one in (1000, 1090, 1000))

    look = a_look(rule, Sample(exposed=(10_000,) * 3, moments={"orders": arms, "baskets": arms}), day=28)

    z = 0.009 / (0.1 * 0.9 / 10_000 + 0.109 * 0.891 / 10_000) ** 0.5
    one = look.estimates[0]
    assert one.unadjusted_p_value == pytest.approx(2 * stats.norm.sf(z))
    assert one.p_value == pytest.approx(4 * 2 * stats.norm.sf(z))
    assert one.p_value is not None
    assert one.unadjusted_p_value is not None
    assert one.low is not None
    # .037 alone would read as an effect, the interval that four comparisons share contains 0.
    assert one.unadjusted_p_value < 0.05 < one.p_value
    assert one.low < 0
    assert look.estimates[1].p_value == 1.0


@settings(max_examples=80, deadline=None)
@given(
    orders=st.tuples(*[st.integers(0, 3000)] * 3),
    design=st.sampled_from([Design.ONE_LOOK, Design.CONFIDENCE_SEQUENCE]),
    units=st.tuples(*[st.integers(3000, 9000)] * 3),
)
def test_property_p_is_below_alpha_exactly_when_the_interval_excludes_0(
    orders: tuple[int, int, int], design: Design, units: tuple[int, int, int]
) -> None:
    rule = a_rule(a_metric(), design=design, variants=ARMS)
    arms = tuple(events(one, of=size) for one, size in zip(orders, units, strict=True))

    for one in a_look(rule, Sample(exposed=units, moments={"orders": arms}), day=28).estimates:
        if one.p_value is not None and one.low is not None and one.high is not None:
            assert (one.p_value < rule.alpha) == (one.low > 0 or one.high < 0)


# Dropped treatments.


def _dropped(rule: Rule, name: str, *, after_look: int) -> Rule:
    return replace(rule, dropped=(Dropped(treatment=name, after_look=after_look),))


def _three(*orders: int, units: tuple[int, int, int] = (8000, 8000, 8000)) -> Sample:
    goal = tuple(events(one, of=size) for one, size in zip(orders, units, strict=True))
    refunds = tuple(events(size // 20, of=size) for size in units)
    return Sample(exposed=units, moments={"orders": goal, "refunds": refunds})


def test_a_dropped_treatment_keeps_its_verdict_and_its_numbers() -> None:
    rule = _rule()
    first = a_look(rule, _three(800, 600, 850), day=14)

    later = a_look(
        _dropped(rule, "small", after_look=1),
        _three(1600, 600, 1720, units=(16_000, 8000, 16_000)),
        day=21,
        past=(first,),
    )

    kept = later.find("small")
    assert kept is not None
    assert (kept.verdict, kept.is_dropped) == (Verdict.GOAL_HARM, True)
    assert kept.reasons[-1].finding is Finding.DROPPED
    assert [one for one in later.estimates if one.treatment == "small"] == [
        one for one in first.estimates if one.treatment == "small"
    ]
    assert later.treatments[0].treatment == "big"


def test_the_split_after_a_drop_is_of_the_remaining_arms() -> None:
    rule = _rule()
    first = a_look(rule, _three(800, 600, 850), day=14)
    sample = _three(1600, 600, 1720, units=(16_000, 8000, 16_000))

    # The stopped arm would read as a mismatch: 8,000 of 40,000, where a third was planned.
    assert a_look(rule, sample, day=21, past=(first,)).verdict is Verdict.INVALID
    assert a_look(_dropped(rule, "small", after_look=1), sample, day=21, past=(first,)).verdict.is_valid


def test_a_split_of_the_remaining_arms_that_is_uneven_is_seen() -> None:
    rule = _rule()
    first = a_look(rule, _three(800, 600, 850), day=14)
    sample = _three(1600, 600, 1720, units=(17_000, 8000, 15_000))

    assert a_look(_dropped(rule, "small", after_look=1), sample, day=21, past=(first,)).verdict is Verdict.INVALID


def test_a_mismatch_of_the_dropped_arm_alone_goes_with_it() -> None:
    rule = _rule()
    uneven = a_look(rule, _three(800, 600, 850, units=(8000, 6000, 8000)), day=14)
    sample = _three(1600, 600, 1720, units=(16_000, 6000, 16_000))

    after = a_look(_dropped(rule, "small", after_look=1), sample, day=21, past=(uneven,))

    assert uneven.verdict is Verdict.INVALID
    assert after.verdict.is_valid
    kept = after.find("small")
    assert kept is not None
    assert kept.verdict is Verdict.INVALID


def test_a_mismatch_of_the_remaining_arms_stays_when_another_is_dropped() -> None:
    rule = _rule()
    uneven = a_look(rule, _three(800, 600, 850, units=(8000, 7000, 6000)), day=14)
    sample = _three(1600, 600, 1720, units=(16_000, 7000, 14_500))

    assert a_look(_dropped(rule, "small", after_look=1), sample, day=21, past=(uneven,)).verdict is Verdict.INVALID


def test_the_alpha_of_a_dropped_treatment_is_not_given_away() -> None:
    rule = _rule()
    first = a_look(rule, _three(800, 600, 850), day=14)
    sample = _three(1600, 1200, 1720, units=(16_000, 16_000, 16_000))

    with_it = a_look(rule, sample, day=21, past=(first,))
    without = a_look(_dropped(rule, "small", after_look=1), sample, day=21, past=(first,))

    def of_big(look: Readout) -> list[float | None]:
        return [one.multiplier for one in look.estimates if one.treatment == "big"]

    assert of_big(without) == of_big(with_it)


def test_a_confidence_sequence_stays_tuned_to_what_was_planned() -> None:
    rule = _rule(design=Design.CONFIDENCE_SEQUENCE)
    sample = _three(1600, 1200, 1720, units=(16_000, 16_000, 16_000))

    with_it, without = (a_look(one, sample, day=21) for one in (rule, _dropped(rule, "small", after_look=0)))

    assert [one.low for one in without.estimates if one.treatment == "big"] == [
        one.low for one in with_it.estimates if one.treatment == "big"
    ]


@pytest.mark.parametrize("units", [0, 1, 500])
def test_a_dropped_arm_may_vanish_from_the_data(units: int) -> None:
    rule = _rule()
    first = a_look(rule, _three(800, 600, 850), day=14)
    gone = Moments(count=0, mean=0.0, variance=0.0)
    sample = _three(1600, 600, 1720, units=(16_000, 8000, 16_000))
    sample = Sample(
        exposed=(16_000, units, 16_000),
        moments={name: (arms[0], gone, arms[2]) for name, arms in sample.moments.items()},
    )

    look = a_look(_dropped(rule, "small", after_look=1), sample, day=21, past=(first,))

    assert look.verdict.is_valid
    assert look.sample_ratio.exposed == (16_000, units, 16_000)


def test_a_treatment_dropped_before_any_look_has_no_numbers() -> None:
    look = a_look(_dropped(_rule(), "small", after_look=0), _three(800, 600, 850), day=14)

    said = look.find("small")
    assert said is not None
    assert (said.verdict, said.metric, said.is_dropped) == (Verdict.TOO_EARLY, None, True)
    assert [one.treatment for one in look.estimates] == ["big", "big"]


def test_a_harmed_treatment_that_was_dropped_leaves_the_headline_to_the_others() -> None:
    rule = _rule()
    first = a_look(rule, _three(800, 600, 810), day=14)

    later = a_look(
        _dropped(rule, "small", after_look=1),
        _three(1600, 600, 1610, units=(16_000, 8000, 16_000)),
        day=21,
        past=(first,),
    )

    assert first.treatments[0].treatment == "small"
    assert later.treatments[0].treatment == "big"
    assert later.verdict is not Verdict.GOAL_HARM
    assert all(one.role in Role for one in later.estimates)
