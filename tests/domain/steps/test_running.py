"""What dropping a treatment and fixing the cause of an uneven split need."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import (
    DAY,
    E7,
    E8,
    LEAD,
    NOW,
    OTHER,
    OWNER,
    a_dossier,
    a_dropped,
    a_fixed_cause,
    a_lead,
    a_member,
    a_plan,
    a_readout,
    a_typed_plan,
    an_experiment,
    refused,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import CauseFixed, DroppedTreatment, Experiment
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.member import Member
from labcoat.domain.plan import Period, Plan
from labcoat.domain.refusal import Reason
from labcoat.domain.steps import experiment, running
from labcoat.stats.rule import Dropped, FixedCause

SINCE = NOW - 10 * DAY
THREE_ARMS = a_plan(weights=(0.5, 0.3, 0.2))
MINUTE = timedelta(minutes=1)


def _running(plan: Plan = THREE_ARMS, *dropped: DroppedTreatment, fixed_cause: CauseFixed | None = None) -> Dossier:
    one = an_experiment(ExperimentState.RUNNING, plan=plan, since=SINCE)
    return a_dossier(replace(one, dropped=dropped, fixed_cause=fixed_cause))


def _drop(
    dossier: Dossier,
    treatment: str = "treatment",
    *,
    reason: str | None = "it crashes",
    at: datetime = NOW,
    by: Member | None = None,
) -> Experiment:
    by = by or a_member()
    new = running.drop(dossier, E7, treatment=treatment, reason=reason, at=at, by=by, after_look=4, now=NOW)
    return new.get_experiment(E7)


def _fix(
    dossier: Dossier,
    *,
    reason: str | None = "a redirect lost users",
    since: datetime = NOW - DAY,
    by: Member | None = None,
    is_invalid: bool = True,
    is_timed: bool = True,
) -> Experiment:
    return running.fix_cause(
        dossier,
        E7,
        reason=reason,
        since=since,
        by=by or a_member(),
        after_look=9,
        spent=0.25,
        is_invalid=is_invalid,
        is_timed=is_timed,
        now=NOW,
    ).get_experiment(E7)


def test_a_dropped_treatment_is_remembered_with_reason_moment_and_newest_look() -> None:
    after = _drop(_running(), "Treatment", at=NOW - DAY)

    expected = DroppedTreatment(
        treatment="treatment", reason="it crashes", at=NOW - DAY, recorded_at=NOW, by=OWNER, after_look=4
    )
    assert after.dropped == (expected,)
    assert after.state is ExperimentState.RUNNING
    assert (after.remaining_treatments, after.remaining_variants) == (("other",), ("control", "other"))
    assert after.rule().dropped == (Dropped(treatment="treatment", after_look=4),)


def test_treatments_are_dropped_one_after_the_other_until_one_is_left() -> None:
    four = a_plan(weights=(0.25, 0.25, 0.25, 0.25))
    after = _drop(_running(four, a_dropped("fourth")), "other")

    assert after.dropped_treatments == ("fourth", "other")
    with refused(Reason.LAST_TREATMENT, "treatment", name="treatment", experiment=E7):
        _drop(a_dossier(after), "treatment")


def test_only_who_acts_as_the_owner_drops_and_fixes() -> None:
    for by in (a_lead(), a_member(OTHER)):
        with refused(Reason.NOT_OWNER):
            _drop(_running(), by=by)
        with refused(Reason.NOT_OWNER):
            _fix(_running(), by=by)
    stand_in = Member(user=LEAD, is_lead=False, is_in_channel=True, stands_in_for=frozenset({OWNER}))

    assert _drop(_running(), by=stand_in).dropped[0].by == LEAD
    assert _fix(_running(), by=stand_in).fixed_cause is not None


@pytest.mark.parametrize(
    ("treatment", "reason"),
    [
        ("control", Reason.CONTROL_STAYS),
        ("Control", Reason.CONTROL_STAYS),
        ("treatmnet", Reason.NOT_A_PLAN_VARIANT),
        ("", Reason.MISSING),
    ],
)
def test_only_a_treatment_of_the_plan_is_dropped(treatment: str, reason: Reason) -> None:
    with refused(reason, "treatment"):
        _drop(_running(), treatment)


def test_a_misspelt_treatment_is_told_what_it_might_be() -> None:
    with refused(Reason.NOT_A_PLAN_VARIANT, "treatment", nearest="treatment"):
        _drop(_running(), "treatmnet")


def test_a_treatment_is_dropped_once() -> None:
    with refused(Reason.DROPPED_BEFORE, "treatment", name="treatment", at=(NOW - 2 * DAY).isoformat()):
        _drop(_running(THREE_ARMS, a_dropped()))


def test_the_only_treatment_is_stopped_with_its_experiment_instead() -> None:
    with refused(Reason.LAST_TREATMENT, "treatment"):
        _drop(_running(a_plan()))
    with refused(Reason.LAST_TREATMENT, "treatment"):
        running.require_droppable(_running(a_plan()), E7, by=a_member())

    assert running.require_droppable(_running(), E7, by=a_member()).number == E7


def test_dropping_and_fixing_need_a_moment_while_it_ran_and_a_reason() -> None:
    for moment, reason in ((NOW + MINUTE, Reason.IN_THE_FUTURE), (SINCE, Reason.BEFORE_THE_START)):
        with refused(reason, "at"):
            _drop(_running(), at=moment)
        with refused(reason, "since"):
            _fix(_running(), since=moment)
    assert _drop(_running(), at=SINCE + MINUTE).dropped
    assert _fix(_running(), since=SINCE + MINUTE).fixed_cause
    for why in (None, "  "):
        with refused(Reason.REASON_NEEDED, "reason"):
            _drop(_running(), reason=why)
        with refused(Reason.REASON_NEEDED, "reason"):
            _fix(_running(), reason=why)


def test_data_of_the_past_are_neither_dropped_from_nor_fixed() -> None:
    past = _running(replace(THREE_ARMS, period=Period(starts_at=SINCE, ends_at=NOW - DAY)))

    for act in (_drop, _fix):
        with refused(Reason.DATA_OF_THE_PAST, experiment=E7):
            act(past)


def test_a_fixed_cause_counts_units_since_then_and_keeps_the_calendar() -> None:
    before = _running().get_experiment(E7)
    after = _fix(_running())

    assert after.fixed_cause == CauseFixed(
        reason="a redirect lost users", since=NOW - DAY, recorded_at=NOW, by=OWNER, after_look=9, spent=0.25
    )
    assert (before.exposed_since, after.exposed_since) == (SINCE, NOW - DAY)
    assert (after.since, after.planned_end) == (before.since, before.planned_end)
    assert after.rule().fixed_cause == FixedCause(after_look=9, spent=0.25)


def test_looks_up_to_the_fix_say_nothing_any_more() -> None:
    after, look = _fix(_running()), a_readout()

    assert [after.is_void(replace(look, look=number)) for number in (1, 9, 10)] == [True, True, False]
    assert after.standing(replace(look, look=9)) is None
    assert after.standing(replace(look, look=10)) is not None
    assert not _running().get_experiment(E7).is_void(look)


def test_a_cause_is_fixed_only_while_the_split_makes_it_not_valid() -> None:
    with refused(Reason.SPLIT_AS_PLANNED, experiment=E7):
        _fix(_running(), is_invalid=False)


def test_once_the_planned_end_is_reached_no_days_are_left_to_start_over_in() -> None:
    days = (NOW - SINCE) / timedelta(days=1)

    with refused(Reason.CAUSE_NEEDS_DAYS, experiment=E7):
        _fix(_running(replace(THREE_ARMS, planned_days=days)))
    assert _fix(_running(replace(THREE_ARMS, planned_days=days + 1))).fixed_cause is not None


def test_a_second_fix_needs_a_new_run() -> None:
    with refused(Reason.CAUSE_FIXED_BEFORE, experiment=E7, at=(NOW - 4 * DAY).isoformat()):
        _fix(_running(THREE_ARMS, fixed_cause=a_fixed_cause()))


def test_totals_that_people_send_and_exposures_without_a_time_are_run_again() -> None:
    with refused(Reason.CAUSE_NEEDS_ROWS, experiment=E7):
        _fix(_running(a_typed_plan()))
    with refused(Reason.CAUSE_NEEDS_TIMES, experiment=E7):
        _fix(_running(), is_timed=False)


def test_run_again_leaves_out_what_was_dropped_and_keeps_the_others_shares_to_each_other() -> None:
    stopped = replace(
        _running(THREE_ARMS, a_dropped(), fixed_cause=a_fixed_cause()).get_experiment(E7),
        state=ExperimentState.STOPPED,
        ended_at=NOW,
        stopped_at=NOW,
    )

    draft = experiment.run_again(a_dossier(stopped), E7, by=a_member(), new=E8, now=NOW).draft

    assert draft is not None
    # Of 50 : 30 : 20 without the 30 remain 50 : 20, which is 5/7 and 2/7.
    assert [(one.name, round(one.weight, 12)) for one in draft.plan.variants] == [
        ("control", round(5 / 7, 12)),
        ("other", round(2 / 7, 12)),
    ]
    assert (draft.dropped, draft.fixed_cause) == ((), None)
