"""What a look costs, when there is one, and what it says."""

from dataclasses import replace
from math import nan

import pytest
from scipy import stats

from labcoat.stats import confidence_sequence, readout
from labcoat.stats.results import Finding, NoLookReason, Readout, Reason, Verdict
from labcoat.stats.rule import Design, MetricKind, Moments, Role, Rule, Sample
from labcoat.stats.sequential import boundary
from stats.builders import a_guardrail, a_look, a_metric, a_rule, a_sample, events, no_look, values

ONE_LOOK, SEQUENCE = Design.ONE_LOOK, Design.CONFIDENCE_SEQUENCE


def _weeks(rule: Rule, *samples: Sample) -> tuple[Readout, ...]:
    """Read the samples at days 7, 14, 21, ... and return all readouts."""
    past: tuple[Readout, ...] = ()
    for week, sample in enumerate(samples, start=1):
        past = (*past, a_look(rule, sample, day=7.0 * week, past=past))
    return past


def _even(units: int, *, rate: float = 0.1, better: float = 0.0) -> Sample:
    return a_sample(events(round(units * rate), of=units), events(round(units * (rate + better)), of=units))


def test_four_weekly_looks_use_the_reference_boundary() -> None:
    looks = _weeks(a_rule(), *(_even(units) for units in (1000, 2000, 3000, 4000)))

    assert [look.spent for look in looks] == [0.25, 0.5, 0.75, 1.0]
    assert [look.estimates[0].multiplier for look in looks] == pytest.approx((4.3326, 2.9631, 2.3590, 2.0141), abs=1e-4)
    assert [look.is_final for look in looks] == [False, False, False, True]


def test_a_mean_uses_students_quantile_of_the_same_tail() -> None:
    rule = a_rule(a_metric(kind=MetricKind.MEAN), design=ONE_LOOK)
    look = a_look(rule, a_sample(values(10, sd=2, of=8), values(11, sd=3, of=12)), day=28)

    # At the edge of the interval the larger p-value of Welch's and Student's test is .05 exactly.
    (estimate,) = look.estimates
    edge = 10 + (estimate.multiplier or 0) * (estimate.standard_error or 0)
    p_values = [
        stats.ttest_ind_from_stats(edge, 3, 12, 10, 2, 8, equal_var=is_pooled).pvalue for is_pooled in (False, True)
    ]
    assert max(p_values) == pytest.approx(0.05)


def test_the_calendar_runs_on_closed_windows() -> None:
    rule = a_rule(planned_days=28, window_days=7)

    assert [readout.calendar_share(rule, day=day) for day in (0, 7, 17.5, 28, 90)] == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_a_missed_look_leaves_its_share_to_the_next() -> None:
    rule = a_rule()
    first = a_look(rule, _even(1000), day=7)
    last = a_look(rule, _even(4000), day=28, past=(first,))

    assert last.estimates[0].multiplier == pytest.approx(boundary((0.25, 1.0), (500.0, 2000.0), 0.05)[1])


def test_goals_and_guardrails_share_alpha_over_all_treatments_and_secondary_metrics_do_not() -> None:
    metrics = (
        a_metric("a"),
        a_metric("b"),
        a_guardrail("c"),
        a_metric("d", role=Role.SECONDARY, minimum_effect=None),
        a_metric("e", role=Role.SECONDARY, minimum_effect=None),
    )
    rule = a_rule(*metrics, design=ONE_LOOK, variants=("control", "red", "blue"))
    arms = (events(100, of=1000),) * 3
    sample = Sample(exposed=(1000,) * 3, moments=dict.fromkeys("abcde", arms))

    look = a_look(rule, sample, day=28)

    ks = {(estimate.metric, estimate.treatment): estimate.multiplier for estimate in look.estimates}
    for metric, alpha in {"a": 0.05 / 4, "b": 0.05 / 4, "c": 0.05 / 2, "d": 0.05, "e": 0.05}.items():
        for treatment in ("red", "blue"):
            assert ks[metric, treatment] == pytest.approx(stats.norm.isf(alpha / 2))


def test_the_first_look_at_the_end_is_final_and_spends_all_whatever_n_is() -> None:
    rule = a_rule(planned_units=100_000)
    look = a_look(rule, _even(500), day=29)

    assert (look.is_final, look.spent) == (True, 1.0)
    assert look.estimates[0].multiplier == pytest.approx(1.96, abs=1e-3)


def test_after_the_final_look_its_verdict_is_kept() -> None:
    rule = a_rule()
    final = a_look(rule, _even(4000, better=0.03), day=28)
    later = a_look(rule, _even(6000), day=35, past=(final,))

    assert final.verdict is Verdict.WIN
    assert (later.verdict, later.reasons) == (Verdict.WIN, final.reasons)
    assert (later.is_after_final, later.is_final, later.spent) == (True, False, 1.0)
    assert later.estimates[0].difference == 0.0
    assert later.estimates[0].multiplier == final.estimates[0].multiplier


def test_trouble_after_the_final_look_is_told_and_changes_nothing() -> None:
    rule = a_rule()
    final = a_look(rule, _even(4000, better=0.03), day=28)
    fewer = a_look(rule, _even(1000, better=0.03), day=35, past=(final,))

    assert fewer.verdict is Verdict.WIN
    assert fewer.reasons[-1] == Reason(finding=Finding.SHRUNK, value=0.75)
    assert fewer.estimates[0].difference is None


def test_after_the_final_look_without_new_units_there_is_no_look() -> None:
    final = a_look(a_rule(), _even(4000), day=28)

    assert no_look(a_rule(), _even(4000), day=35, past=(final,)).reason is NoLookReason.NO_NEW_UNITS


def test_values_that_come_after_the_last_look_of_a_stop_are_shown_without_new_units() -> None:
    rule = a_rule()
    last = a_look(rule, _even(4000), day=14, is_last=True)
    late = a_look(rule, _even(4000, better=0.03), day=14, past=(last,), is_last=True)

    assert (late.is_after_final, late.spent, late.verdict) == (True, 0.5, last.verdict)
    assert late.estimates[0].difference == pytest.approx(0.03)
    assert late.estimates[0].multiplier == last.estimates[0].multiplier


def test_an_early_stop_makes_one_last_look_without_the_rest_of_alpha() -> None:
    rule = a_rule()
    first = a_look(rule, _even(1000), day=7)
    last = a_look(rule, _even(2000), day=14, past=(first,), is_last=True)

    assert (last.is_final, last.spent) == (True, 0.5)
    assert last.estimates[0].multiplier == pytest.approx(boundary((0.25, 0.5), (500.0, 1000.0), 0.05)[1])
    assert last.verdict is Verdict.INCONCLUSIVE
    later = a_look(rule, _even(4000), day=28, past=(first, last))
    assert (later.is_after_final, later.spent) == (True, 0.5)


@pytest.mark.parametrize("is_last", [False, True])
def test_the_last_look_without_new_units_spends_the_rest_on_the_numbers_there_are(is_last: bool) -> None:
    rule = a_rule()
    first = a_look(rule, _even(4000), day=20)
    last = a_look(rule, _even(4000), day=24 if is_last else 28, past=(first,), is_last=is_last)

    assert last.is_final
    assert last.estimates[0].multiplier == pytest.approx(boundary((last.spent,), (2000.0,), 0.05)[0])


def test_no_look_while_every_window_is_open() -> None:
    rule = a_rule(window_days=7)

    assert no_look(rule, _even(1000), day=7).reason is NoLookReason.WINDOW_OPEN
    assert no_look(rule, a_sample(events(0, of=1), events(0, of=1)), day=3).reason is NoLookReason.WINDOW_OPEN


def test_no_look_without_new_units() -> None:
    rule = a_rule()
    first = a_look(rule, _even(1000), day=7)

    assert no_look(rule, _even(1000), day=8, past=(first,)).reason is NoLookReason.NO_NEW_UNITS


def test_no_look_with_slightly_fewer_units() -> None:
    for design in (Design.GROUP_SEQUENTIAL, SEQUENCE):
        rule = a_rule(design=design)
        first = a_look(rule, _even(1000), day=7)

        assert no_look(rule, _even(990), day=8, past=(first,)).reason is NoLookReason.SLIGHTLY_FEWER


def test_a_data_error_with_clearly_fewer_units() -> None:
    rule = a_rule()
    first = a_look(rule, _even(1000), day=7)
    second = a_look(rule, _even(980), day=8, past=(first,))

    assert second.verdict is Verdict.DATA_ERROR
    assert second.reasons == (Reason(finding=Finding.SHRUNK, value=0.02),)
    assert second.estimates[0].missing is Finding.SHRUNK
    assert second.estimates[0].low is None
    assert second.estimates[0].control_mean is None


@pytest.mark.parametrize("day", [20, 35])
def test_missing_units_stay_a_data_error_until_they_are_back(day: int) -> None:
    """On day 35 the final look is made, and keeps its verdict."""
    rule = a_rule()
    past = [a_look(rule, _even(4000), day=19 if day < 28 else 28)]
    for later in range(3):
        past.append(a_look(rule, _even(2000 + later), day=day + later, past=tuple(past)))
    back = a_look(rule, _even(4100), day=day + 3, past=tuple(past))

    assert [one.reasons[-1].finding for one in past[1:]] == [Finding.SHRUNK] * 3
    assert [one.estimates[0].difference for one in past[1:]] == [None] * 3
    assert back.verdict is not Verdict.DATA_ERROR
    assert back.estimates[0].difference == 0.0


def test_one_look_is_before_the_end_until_the_end() -> None:
    rule = a_rule(design=ONE_LOOK)

    assert no_look(rule, _even(1000), day=27.9).reason is NoLookReason.BEFORE_THE_END
    assert a_look(rule, _even(1000), day=28).estimates[0].multiplier == pytest.approx(1.959964)


def test_one_look_stopped_early_pays_the_price_of_its_day() -> None:
    look = a_look(a_rule(design=ONE_LOOK), _even(1000), day=14, is_last=True)

    assert look.is_final
    assert look.estimates[0].multiplier == pytest.approx(boundary((0.5,), (1.0,), 0.05)[0])


@pytest.mark.parametrize(("planned", "tuned"), [(None, 5000), (30_000, 20_000)])
def test_a_confidence_sequence_may_look_at_any_time(planned: int | None, tuned: int) -> None:
    rule = a_rule(design=SEQUENCE, variants=("control", "red", "blue"), planned_units=planned)
    arms = (events(100, of=1000),) * 3
    first = a_look(rule, a_sample(*arms), day=1)
    again = a_look(rule, a_sample(*arms), day=1.1, past=(first,))

    expected = confidence_sequence.multiplier(units=2000, tuned_units=tuned, alpha=0.05 / 2)
    assert first.estimates[0].multiplier == again.estimates[0].multiplier == pytest.approx(expected)


def test_a_crossing_stands_until_the_end() -> None:
    better, same = _even(2000, better=0.05), _even(3000)
    looks = _weeks(a_rule(), _even(1000), better, same, _even(4000))

    assert [look.verdict for look in looks] == [Verdict.TOO_EARLY, Verdict.WIN, Verdict.WIN, Verdict.WIN]
    assert looks[3].reasons[0] == Reason(
        finding=Finding.CROSSED_EARLIER, metric="orders", treatment="treatment", value=2.0
    )


def test_an_uneven_split_stays_invalid_and_its_looks_spend() -> None:
    def with_exposed(units: int, *exposed: int) -> Sample:
        return replace(_even(units), exposed=exposed)

    looks = _weeks(
        a_rule(), with_exposed(1000, 1000, 1500), with_exposed(2000, 2900, 3000), with_exposed(3000, 9000, 9000)
    )

    assert [look.verdict for look in looks] == [Verdict.INVALID] * 3
    assert len({look.sample_ratio.p_value for look in looks}) == 1
    assert looks[2].estimates[0].multiplier == pytest.approx(2.3590, abs=1e-4)


def test_a_data_error_spends_nothing_and_is_never_final() -> None:
    rule = a_rule()
    empty = a_sample(events(100, of=1000), events(0, of=1), exposed=(1000, 0))
    broken = a_look(rule, empty, day=28)
    repaired = a_look(rule, _even(4000), day=29, past=(broken,))

    assert (broken.verdict, broken.is_final) == (Verdict.DATA_ERROR, False)
    assert repaired.is_final
    assert repaired.estimates[0].multiplier == pytest.approx(1.959964)


def test_days_left_until_the_planned_end_while_there_is_reason_to_go_on() -> None:
    going_on = a_look(a_rule(), _even(1000), day=14.5)
    won = a_look(a_rule(), _even(4000, better=0.05), day=14.5)

    assert (going_on.verdict, going_on.days_left) == (Verdict.KEEP_COLLECTING, 14)
    assert (won.verdict, won.days_left) == (Verdict.WIN, None)


def test_a_look_after_a_data_error_needs_no_more_units_than_it_had() -> None:
    rule = a_rule()
    broken = a_sample(events(100, of=1000), Moments(count=1000, mean=nan, variance=nan))
    error = a_look(rule, broken, day=7)
    repaired = a_look(rule, _even(1000), day=8, past=(error,))

    assert error.verdict is Verdict.DATA_ERROR
    assert repaired.verdict is Verdict.TOO_EARLY


def test_exposed_units_that_disappear_are_a_data_error_too() -> None:
    rule = a_rule(window_days=7)
    first = a_look(rule, replace(_even(1000), exposed=(5000, 5000)), day=14)
    second = a_look(rule, replace(_even(2000), exposed=(5000, 4000)), day=21, past=(first,))

    assert second.reasons == (Reason(finding=Finding.SHRUNK, value=0.2),)


@pytest.mark.parametrize(
    ("design", "window", "is_complete", "is_approximate"),
    [
        (Design.GROUP_SEQUENTIAL, 0, False, True),
        (Design.GROUP_SEQUENTIAL, 7, False, False),
        (Design.GROUP_SEQUENTIAL, 0, True, False),
        (ONE_LOOK, 0, False, False),
    ],
)
def test_looks_at_values_that_may_still_grow_are_approximate(
    design: Design, window: float, is_complete: bool, is_approximate: bool
) -> None:
    metric = replace(a_metric(), is_complete_at_exposure=is_complete)
    look = a_look(a_rule(metric, design=design, window_days=window), _even(1000), day=28)

    assert look.estimates[0].is_approximate is is_approximate
