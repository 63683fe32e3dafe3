"""What looks say together: the running intersection, effects that move, wrong data that heal, a cause that is fixed."""

from dataclasses import replace
from math import exp, sqrt

import pytest
from scipy import stats

from labcoat.stats.results import Finding, Readout, Reason, Verdict
from labcoat.stats.rule import Design, Direction, Dropped, FixedCause, MetricKind, Moments, Rule, Sample
from labcoat.stats.sample_ratio import log_bayes_factor
from labcoat.stats.sequential import boundary, spending
from stats.builders import a_guardrail, a_look, a_metric, a_rule, a_sample, array, events, values

COMPLETE = a_metric(minimum_effect=0.005, is_complete=True)


def _rule(*, is_complete: bool = True, planned_days: float = 84, design: Design = Design.GROUP_SEQUENTIAL) -> Rule:
    return a_rule(replace(COMPLETE, is_complete_at_exposure=is_complete), planned_days=planned_days, design=design)


def _looks(rule: Rule, *rates: tuple[float, float], each: int = 10_000, begin: int = 1) -> tuple[Readout, ...]:
    """One look every 14 days; each arm has so many new units and this cumulative rate."""
    past: tuple[Readout, ...] = ()
    samples: dict[int, Sample] = {}
    for number, (control, treatment) in enumerate(rates, start=begin):
        units = each * number
        sample = a_sample(events(round(control * units), of=units), events(round(treatment * units), of=units))
        past = (*past, a_look(rule, sample, day=14.0 * number, past=past, samples=samples))
        samples[past[-1].look] = sample
    return past


# The running intersection.


def test_the_intersection_is_the_largest_low_and_the_smallest_high_of_all_looks() -> None:
    past = _looks(_rule(), (0.10, 0.104), (0.10, 0.103), (0.10, 0.101))

    ends = [(one.estimates[0].low or 0, one.estimates[0].high or 0) for one in past]
    shown = past[-1].estimates[0].shown
    assert (shown.low, shown.high) == (max(low for low, _ in ends), min(high for _, high in ends))
    assert shown.difference == pytest.approx(0.001)


def test_it_says_which_look_it_is_from() -> None:
    past = _looks(_rule(), (0.10, 0.104), (0.10, 0.1105), (0.10, 0.104))

    held = past[-1].estimates[0].held
    assert held is not None
    assert (held.look, held.day) == (2, 28.0)


def test_where_this_looks_own_interval_is_inside_all_others_nothing_is_held() -> None:
    assert [one.estimates[0].held for one in _looks(_rule(), (0.10, 0.104), (0.10, 0.104))] == [None, None]


def test_an_early_stop_does_not_widen_what_is_shown() -> None:
    """A last look in the same hour as the one before spends nothing: k is 8, and the interval alone would hold 0."""
    rule = _rule(planned_days=28)
    won = a_look(rule, a_sample(events(1000, of=10_000), events(1250, of=10_000)), day=20)
    last = a_look(rule, a_sample(events(1001, of=10_010), events(1251, of=10_010)), day=20, past=(won,), is_last=True)

    one = last.estimates[0]
    assert one.multiplier == 8.0
    assert one.low is not None
    assert one.low < 0
    assert one.shown.low == won.estimates[0].low
    assert (one.shown.low or 0) > 0
    assert one.shown.lift_low == won.estimates[0].lift_low
    assert (last.verdict, last.reasons[0].finding) == (Verdict.WIN, Finding.CROSSED_EARLIER)


def test_a_look_that_was_too_early_holds_nothing() -> None:
    rule = _rule()
    early = a_look(rule, a_sample(events(900, of=10_000), events(1400, of=10_000)), day=7)
    later = a_look(rule, a_sample(events(2000, of=20_000), events(2040, of=20_000)), day=28, past=(early,))

    assert early.verdict is Verdict.TOO_EARLY
    assert (early.estimates[0].low or 0) > 0
    assert later.estimates[0].held is None
    assert later.verdict is Verdict.KEEP_COLLECTING


def test_of_values_that_keep_growing_the_newest_interval_is_read_and_the_look_of_the_crossing_named() -> None:
    rule = _rule(is_complete=False, design=Design.CONFIDENCE_SEQUENCE)
    past = _looks(rule, (0.10, 0.125), (0.10, 0.102))

    then, now = past[0].estimates[0], past[1].estimates[0]
    assert past[1].verdict is Verdict.WIN
    assert now.held is None
    assert now.shown == now
    assert now.crossing is not None
    assert (now.crossing.look, now.crossing.is_good) == (1, True)
    assert (now.crossing.low, now.crossing.lift_low) == (then.low, then.lift_low)
    assert (now.low or 0) < 0 < (now.crossing.low or 0)


# An effect that moves.


def test_an_effect_that_left_what_all_looks_allow_has_moved() -> None:
    past = _looks(_rule(), (0.10, 0.125), (0.10, 0.101))

    one = past[1].estimates[0]
    assert past[0].verdict is Verdict.WIN
    assert past[1].verdict is Verdict.WIN_EFFECT_MOVED
    assert one.has_moved
    assert one.shown == one
    assert Reason(finding=Finding.EFFECT_MOVED, metric="orders", treatment="treatment") in past[1].reasons


def test_it_says_what_the_units_since_then_show() -> None:
    """20,000 units at .100 and .101 after 10,000 at .100 and .125: the new ones are at .100 and .077."""
    since = _looks(_rule(), (0.10, 0.125), (0.10, 0.101))[1].estimates[0].since

    assert since is not None
    error = sqrt(0.1 * 0.9 / 10_000 + 0.077 * 0.923 / 10_000)
    assert (since.look, since.day) == (1, 14.0)
    assert since.difference == pytest.approx(-0.023)
    assert (since.low, since.high) == pytest.approx(
        (-0.023 - stats.norm.isf(0.005) * error, -0.023 + stats.norm.isf(0.005) * error), rel=1e-6
    )


def test_a_mean_says_it_too() -> None:
    rule = a_rule(replace(COMPLETE, kind=MetricKind.MEAN), planned_days=84)
    before = a_sample(values(10, sd=2, of=10_000), values(11, sd=2, of=10_000))
    after = a_sample(values(10, sd=2, of=20_000), values(10.1, sd=2.2, of=20_000))
    first = a_look(rule, before, day=14)

    one = a_look(rule, after, day=28, past=(first,), samples={1: before}).estimates[0]

    assert one.since is not None
    # Of 20,000 with mean 10.1, the first 10,000 had 11: the others have 9.2.
    assert one.since.difference == pytest.approx(-0.8)


def test_a_harm_stands_when_the_effect_has_moved() -> None:
    past = _looks(_rule(), (0.125, 0.10), (0.104, 0.10), (0.100, 0.10))

    assert {one.verdict for one in past} == {Verdict.GOAL_HARM}


# Corrections and days of wrong data.


def test_a_day_with_wrong_data_heals() -> None:
    rule = _rule()
    good = a_look(rule, a_sample(events(1000, of=10_000), events(1040, of=10_000)), day=14)
    empty = a_sample(events(1500, of=15_000), Moments(count=0, mean=0.0, variance=0.0))
    broken = a_look(rule, empty, day=21, past=(good,))
    after = a_look(rule, a_sample(events(2000, of=20_000), events(2080, of=20_000)), day=28, past=(good, broken))

    assert broken.verdict is Verdict.DATA_ERROR
    assert broken.sample_ratio.p_value < 1e-9
    assert after.verdict is Verdict.KEEP_COLLECTING
    assert after.sample_ratio.p_value == 1.0


def test_evidence_that_an_earlier_version_carried_from_wrong_data_is_not_believed() -> None:
    """Its running maximum is in the stored look; the counts of that look are even."""
    rule = _rule()
    look = a_look(rule, a_sample(events(1000, of=10_000), events(1040, of=10_000)), day=14)
    stored = replace(look, sample_ratio=replace(look.sample_ratio, p_value=1e-9, log_bayes_factor=20.7))

    after = a_look(rule, a_sample(events(2000, of=20_000), events(2080, of=20_000)), day=28, past=(stored,))

    assert after.verdict is Verdict.KEEP_COLLECTING


def test_an_uneven_split_stays_uneven_when_later_units_hide_it() -> None:
    rule = _rule()
    uneven = a_look(rule, a_sample(events(560, of=5600), events(440, of=4400)), day=14)
    after = a_look(rule, a_sample(events(5060, of=50_600), events(4940, of=49_400)), day=28, past=(uneven,))

    expected = max(
        float(log_bayes_factor(array(*units), array(0.5, 0.5))) for units in ((5600.0, 4400.0), (50_600.0, 49_400.0))
    )
    assert (uneven.verdict, after.verdict) == (Verdict.INVALID, Verdict.INVALID)
    assert after.sample_ratio.p_value == pytest.approx(exp(-expected))


def test_a_day_that_was_loaded_twice_for_one_arm_heals() -> None:
    """15,000 units and 30,000 of an arm that had 15,000; the next days have what is true."""
    rule = _rule()
    past: tuple[Readout, ...] = ()
    for day, treatment in ((14, 14_000), (15, 30_000), (16, 16_000), (30, 30_000)):
        units = day * 1000
        sample = a_sample(events(units // 10, of=units), events(treatment * 104 // 1000, of=treatment))
        past = (*past, a_look(rule, sample, day=day, past=past))

    assert [one.verdict for one in past] == [
        Verdict.KEEP_COLLECTING,
        Verdict.INVALID,
        Verdict.KEEP_COLLECTING,
        Verdict.KEEP_COLLECTING,
    ]
    # The wrong day spent nothing, nor did it know more than the next one.
    shares = tuple(day / 84 for day in (14, 16, 30))
    information = tuple(500.0 * day for day in (14, 16, 30))
    assert past[-1].estimates[0].multiplier == pytest.approx(boundary(shares, information, 0.05)[-1])


def test_units_that_vanish_from_valid_looks_are_a_data_error() -> None:
    rule = _rule()
    many = a_look(rule, a_sample(events(2000, of=20_000), events(2040, of=20_000)), day=14)

    fewer = a_look(rule, a_sample(events(1500, of=15_000), events(1530, of=15_000)), day=15, past=(many,))

    assert fewer.verdict is Verdict.DATA_ERROR


def test_a_look_that_was_superseded_is_as_if_it_had_not_been() -> None:
    """1,350 of 10,000 were typed for 1,050: without that look there is no win, and its share of alpha is not spent."""
    rule = _rule(planned_days=28)
    wrong = a_look(rule, a_sample(events(1000, of=10_000), events(1350, of=10_000)), day=14)
    right = a_sample(events(1000, of=10_000), events(1050, of=10_000))

    corrected = a_look(rule, right, day=14)

    assert wrong.verdict is Verdict.WIN
    assert corrected.verdict is Verdict.KEEP_COLLECTING
    assert corrected.estimates[0].multiplier == wrong.estimates[0].multiplier


# The split of the units that a metric was measured on.


def _half_measured(
    *, refunds: tuple[int, int] = (50_000, 50_000), orders: tuple[int, int] = (50_000, 50_000)
) -> Sample:
    goal = (events(orders[0] // 10, of=orders[0]), events(orders[1] * 12 // 100, of=orders[1]))
    guard = tuple(events(size // 20, of=size) for size in refunds)
    return Sample(exposed=(50_000, 50_000), moments={"orders": goal, "refunds": guard})


def _guarded(*, margin: float = 0.0) -> Rule:
    refunds = a_guardrail(direction=Direction.DOWN, margin=margin, is_complete=True)
    return a_rule(COMPLETE, refunds, planned_days=28)


def test_a_goal_measured_on_an_uneven_split_is_never_a_win() -> None:
    look = a_look(_guarded(), _half_measured(orders=(50_000, 30_000)), day=28)

    assert look.sample_ratio.p_value == 1.0
    assert look.verdict is Verdict.INVALID
    assert [one.finding for one in look.reasons] == [Finding.NO_VALID_GOAL, Finding.UNEVEN_ANALYSED]
    assert (look.estimates[0].missing, look.estimates[0].low) == (Finding.UNEVEN_ANALYSED, None)


@pytest.mark.parametrize("margin", [0.0, 0.01])
def test_a_guardrail_measured_on_an_uneven_split_is_open(margin: float) -> None:
    look = a_look(_guarded(margin=margin), _half_measured(refunds=(50_000, 30_000)), day=28)

    assert look.verdict is Verdict.WIN_GUARDRAIL_OPEN
    (split,) = look.analysed_splits
    assert split.metric == "refunds"
    assert split.p_value < 1e-9


def test_that_a_metric_is_measured_on_fewer_units_is_no_fault() -> None:
    look = a_look(_guarded(), _half_measured(orders=(30_000, 30_050), refunds=(40_020, 40_000)), day=28)

    assert look.verdict is Verdict.WIN


def test_metrics_share_the_error_of_their_split_tests() -> None:
    """p of each is times two, for there are two; .0086 alone would be below .01."""
    counts = (25_000, 25_660)
    alone = exp(-float(log_bayes_factor(array(*counts), array(0.5, 0.5))))

    look = a_look(_guarded(), _half_measured(orders=counts), day=28)

    assert look.analysed_splits[0].p_value == pytest.approx(2 * alone)
    assert look.verdict is (Verdict.INVALID if 2 * alone < 0.01 else Verdict.WIN)


def test_a_metric_whose_rows_came_late_for_one_arm_is_valid_once_they_are_there() -> None:
    rule = replace(_guarded(), planned_days=56.0)
    first = a_look(rule, _half_measured(orders=(50_000, 30_000)), day=28)
    later = Sample(
        exposed=(90_000, 90_000),
        moments={
            "orders": (events(9000, of=90_000), events(10_800, of=90_000)),
            "refunds": (events(4500, of=90_000),) * 2,
        },
    )

    assert first.verdict is Verdict.INVALID
    assert a_look(rule, later, day=42, past=(first,)).verdict is Verdict.WIN


def test_a_guardrail_that_nobody_sent_is_open() -> None:
    sample = Sample(exposed=(50_000, 50_000), moments={"orders": _half_measured().moments["orders"]})

    for margin in (0.0, 0.01):
        assert a_look(_guarded(margin=margin), sample, day=28).verdict is Verdict.WIN_GUARDRAIL_OPEN


# The cause is fixed.


def _fixed(rule: Rule, *, after_look: int, spent: float) -> Rule:
    return replace(rule, fixed_cause=FixedCause(after_look=after_look, spent=spent))


def test_after_the_cause_is_fixed_only_new_units_count_and_what_was_spent_stays_spent() -> None:
    rule = _rule()
    valid = a_look(rule, a_sample(events(1000, of=10_000), events(1030, of=10_000)), day=14)
    uneven = a_look(rule, a_sample(events(3000, of=30_000), events(2000, of=20_000)), day=28, past=(valid,))
    fixed = _fixed(rule, after_look=2, spent=valid.spent)

    after = a_look(fixed, a_sample(events(800, of=8000), events(810, of=8050)), day=42, past=(valid, uneven))

    assert uneven.verdict is Verdict.INVALID
    assert after.verdict is Verdict.KEEP_COLLECTING
    assert after.look == 3
    # Half of the calendar is over; the look on day 14 had spent A(1/6).
    paid = spending(0.5, alpha=0.05) - spending(1 / 6, alpha=0.05)
    assert after.estimates[0].multiplier == pytest.approx(stats.norm.isf(paid / 2), abs=1e-8)
    assert after.estimates[0].held is None


def test_looks_after_the_fix_go_on_as_a_path_of_their_own() -> None:
    rule = _fixed(_rule(), after_look=0, spent=0.25)
    past = _looks(rule, (0.10, 0.102), (0.10, 0.102), each=8000, begin=3)

    information = tuple(one.estimates[0].information for one in past)
    expected = boundary((0.5, 4 / 6), information, 0.05, spent_before=0.25)
    assert [one.estimates[0].multiplier for one in past] == pytest.approx(list(expected))
    total = [spending(u, alpha=0.05) for u in (0.25, 0.5)]
    assert expected[0] == pytest.approx(stats.norm.isf((total[1] - total[0]) / 2), abs=1e-8)


def test_calls_before_the_fix_are_void() -> None:
    rule = _rule()
    won = a_look(rule, a_sample(events(1000, of=10_000), events(1250, of=10_000)), day=14)
    fixed = _fixed(rule, after_look=1, spent=won.spent)

    after = a_look(fixed, a_sample(events(800, of=8000), events(810, of=8000)), day=42, past=(won,))

    assert won.verdict is Verdict.WIN
    assert after.verdict is Verdict.KEEP_COLLECTING


def test_fewer_units_after_the_fix_are_no_data_error() -> None:
    rule = _rule()
    many = a_look(rule, a_sample(events(6000, of=60_000), events(4000, of=40_000)), day=28)

    after = a_look(
        _fixed(rule, after_look=1, spent=0.0), a_sample(events(80, of=800), events(81, of=800)), day=29, past=(many,)
    )

    assert after.verdict.is_valid


def test_a_split_that_is_uneven_again_after_the_fix_is_seen() -> None:
    rule = _rule()
    many = a_look(rule, a_sample(events(6000, of=60_000), events(4000, of=40_000)), day=28)

    after = a_look(
        _fixed(rule, after_look=1, spent=0.0),
        a_sample(events(600, of=6000), events(400, of=4000)),
        day=42,
        past=(many,),
    )

    assert after.verdict is Verdict.INVALID


def test_a_confidence_sequence_begins_anew_at_half_of_alpha() -> None:
    rule = _rule(design=Design.CONFIDENCE_SEQUENCE)
    sample = a_sample(events(1000, of=10_000), events(1100, of=10_000))

    fixed = a_look(_fixed(rule, after_look=0, spent=0.0), sample, day=28)

    assert fixed.estimates[0].multiplier == a_look(replace(rule, alpha=0.025), sample, day=28).estimates[0].multiplier


# After the final look.


def test_late_data_show_what_all_looks_up_to_the_final_one_allow() -> None:
    rule = _rule(planned_days=28)
    final = a_look(rule, a_sample(events(1000, of=10_000), events(1080, of=10_000)), day=28, is_last=True)
    late = a_look(rule, a_sample(events(1010, of=10_100), events(1060, of=10_100)), day=28, past=(final,), is_last=True)

    assert late.is_after_final
    assert late.verdict is final.verdict
    assert [one.verdict for one in late.treatments] == [one.verdict for one in final.treatments]
    # Beside the verdict stand the numbers that it rests on; the late ones are kept too.
    assert late.as_decided.estimates == final.estimates
    assert late.estimates[0].difference == pytest.approx(50 / 10_100)


def test_a_treatment_dropped_after_the_final_look_leads_no_more() -> None:
    rule = replace(_rule(planned_days=28), variants=("control", "bad", "flat"), weights=(1 / 3,) * 3)
    arms = tuple(events(count, of=10_000) for count in (1000, 700, 1010))
    final = a_look(rule, a_sample(*arms), day=28)

    dropped = replace(rule, dropped=(Dropped(treatment="bad", after_look=1),))
    more = tuple(events(count, of=11_000) for count in (1100, 770, 1111))
    late = a_look(dropped, a_sample(*more), day=29, past=(final,))

    assert final.treatments[0].treatment == "bad"
    assert [(one.treatment, one.is_dropped) for one in late.treatments] == [("flat", False), ("bad", True)]
    assert late.verdict is Verdict.INCONCLUSIVE


def test_what_a_dropped_treatment_was_called_before_a_fixed_cause_is_void() -> None:
    rule = replace(_rule(), variants=("control", "a", "b"), weights=(1 / 3,) * 3)
    first = a_look(rule, a_sample(*(events(count, of=10_000) for count in (1000, 1400, 1010))), day=14)
    both = replace(
        rule,
        dropped=(Dropped(treatment="a", after_look=1),),
        fixed_cause=FixedCause(after_look=1, spent=first.spent),
    )

    after = a_look(both, a_sample(*(events(count, of=4000) for count in (400, 0, 404))), day=28, past=(first,))

    said = after.find("a")
    assert first.verdict is Verdict.WIN
    assert said is not None
    assert (said.verdict, said.is_dropped) == (Verdict.INVALID, True)


# Looks of the version before, which had one verdict for all treatments.


def _as_before(look: Readout) -> Readout:
    return replace(look, treatments=())


def test_a_win_of_an_earlier_version_is_that_of_the_treatment_that_its_reasons_name() -> None:
    rule = replace(_rule(planned_days=28), variants=("control", "good", "flat"), weights=(1 / 3,) * 3)
    final = a_look(rule, a_sample(*(events(count, of=10_000) for count in (1000, 1300, 1001))), day=28)

    late = a_look(
        rule,
        a_sample(*(events(count, of=11_000) for count in (1100, 1430, 1105))),
        day=28,
        past=(_as_before(final),),
        is_last=True,
    )

    assert late.verdict is Verdict.WIN
    assert [(one.treatment, one.verdict) for one in late.by_treatment] == [("good", Verdict.WIN)]
    assert late.find("flat") is None
