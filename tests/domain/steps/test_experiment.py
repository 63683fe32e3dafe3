"""What planning, starting, cancelling, stopping and running again need."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from builders import (
    DAY,
    E7,
    E8,
    NOW,
    OTHER,
    a_dossier,
    a_goal,
    a_lead,
    a_member,
    a_plan,
    a_prototype,
    a_request,
    an_experiment,
    refused,
    some_evidence,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import Evidence, EvidenceKind
from labcoat.domain.experiment import Experiment
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.member import Member
from labcoat.domain.plan import Period, Plan
from labcoat.domain.refusal import Reason
from labcoat.domain.steps import experiment

DRAFT, RUNNING, STOPPED, CANCELLED = ExperimentState


def _with_prototype(*evidence: Evidence) -> Dossier:
    return a_dossier(prototypes=(a_prototype(),), evidence=evidence)


def _plan(
    dossier: Dossier, plan: Plan | None = None, *, by: Member | None = None, reason: str | None = None
) -> Dossier:
    return experiment.plan(dossier, plan or a_plan(), by=by or a_member(), number=E8, reason=reason, now=NOW)


def test_only_the_owner_plans() -> None:
    with refused(Reason.NOT_OWNER):
        _plan(_with_prototype(some_evidence()), by=a_lead())


def test_evidence_from_users_is_enough_for_a_plan() -> None:
    draft = _plan(_with_prototype(some_evidence()), reason="not needed").draft

    assert draft is not None
    assert (draft.number, draft.no_feedback_reason, draft.skip_reason) == (E8, None, None)


def test_a_prototype_without_evidence_is_not_planned_from() -> None:
    with refused(Reason.EVIDENCE_NEEDED):
        _plan(_with_prototype(), reason="no time")


def test_a_plan_on_data_alone_needs_a_reason_that_stays() -> None:
    dossier = _with_prototype(some_evidence(EvidenceKind.SQL))

    with refused(Reason.USER_EVIDENCE_NEEDED, "evidence_reason"):
        _plan(dossier)
    draft = _plan(dossier, reason=" nobody to ask ").draft

    assert draft is not None
    assert draft.no_feedback_reason == "nobody to ask"


def test_skipping_the_prototype_needs_a_reason_that_stays() -> None:
    with refused(Reason.REASON_NEEDED, "evidence_reason"):
        _plan(a_dossier())
    draft = _plan(a_dossier(), reason="a button is cheaper").draft

    assert draft is not None
    assert draft.skip_reason == "a button is cheaper"


def test_planning_again_replaces_the_drafts_plan_and_moves_its_version() -> None:
    after = _plan(a_dossier(an_experiment(DRAFT)), a_plan(planned_days=14))

    assert [one.number for one in after.experiments] == [E7]
    assert (after.experiments[0].plan.planned_days, after.experiments[0].plan_version) == (14, 2)


def test_a_running_experiments_plan_is_frozen() -> None:
    with refused(Reason.LOCKED_AT_START, experiment=E7):
        _plan(a_dossier(an_experiment(RUNNING)), a_plan(planned_days=14))


def test_a_plan_after_a_prototypes_request_withdraws_it() -> None:
    dossier = replace(_with_prototype(some_evidence()), requests=(a_request(experiment=None),))

    assert _plan(dossier).requests[0].state is RequestState.WITHDRAWN


def _start(
    draft: Experiment | None = None, *others: Experiment, by: Member | None = None, since: datetime = NOW
) -> Dossier:
    dossier = a_dossier(draft or an_experiment(DRAFT), *others)
    return experiment.start(dossier, E7, by=by or a_member(), since=since, now=NOW)


def test_only_the_owner_starts() -> None:
    with refused(Reason.NOT_OWNER):
        _start(by=a_lead())


def test_a_start_needs_variants_whose_shares_sum_to_1() -> None:
    with refused(Reason.ALLOCATION, "variants"):
        _start(an_experiment(DRAFT, plan=a_plan(weights=(0.5, 0.4))))


def test_a_start_needs_a_goal() -> None:
    with refused(Reason.NO_GOAL, "goal"):
        _start(an_experiment(DRAFT, plan=replace(a_plan(), metrics=())))


def test_a_start_needs_the_smallest_effect_worth_having() -> None:
    with refused(Reason.NO_MINIMUM_EFFECT, "minimum_effect"):
        _start(an_experiment(DRAFT, plan=a_plan(a_goal(minimum_effect=None))))


def test_a_start_needs_a_planned_end() -> None:
    with refused(Reason.NOT_POSITIVE, "planned_days"):
        _start(an_experiment(DRAFT, plan=a_plan(planned_days=0)))


def test_a_start_is_not_in_the_future() -> None:
    with refused(Reason.IN_THE_FUTURE, "since"):
        _start(since=NOW + timedelta(seconds=1))


@pytest.mark.parametrize(("ago", "is_late"), [(timedelta(hours=1), False), (timedelta(hours=1, seconds=1), True)])
def test_a_start_told_after_more_than_an_hour_is_registered_late(ago: timedelta, *, is_late: bool) -> None:
    running = _start(since=NOW - ago).running

    assert running is not None
    assert (running.is_registered_late, running.since, running.started_at) == (is_late, NOW - ago, NOW)


def test_at_most_one_experiment_runs() -> None:
    with refused(Reason.ANOTHER_RUNNING, experiment=E8):
        _start(an_experiment(DRAFT), an_experiment(RUNNING, number=E8))


def test_an_experiment_of_the_past_takes_its_own_start_and_end() -> None:
    period = Period(starts_at=NOW - 60 * DAY, ends_at=NOW - 32 * DAY)
    draft = an_experiment(DRAFT, plan=replace(a_plan(), period=period))

    running = _start(draft, since=NOW)
    stopped = experiment.stop(running, E7, by=a_member(), ended_at=NOW, reason=None, now=NOW).experiments[0]

    assert (stopped.since, stopped.ended_at) == (period.starts_at, period.ends_at)


def test_another_hypothesiss_experiment_is_not_found() -> None:
    with refused(Reason.NO_EXPERIMENT):
        experiment.start(a_dossier(an_experiment(DRAFT)), E8, by=a_member(), since=NOW, now=NOW)


def _cancel(dossier: Dossier, *, by: Member | None = None, reason: str = "too early") -> Dossier:
    return experiment.cancel(dossier, E7, by=by or a_member(), reason=reason, now=NOW)


def test_cancelling_is_the_owners_and_needs_a_reason() -> None:
    with refused(Reason.NOT_OWNER):
        _cancel(a_dossier(an_experiment(DRAFT)), by=a_lead())
    with refused(Reason.REASON_NEEDED, "reason"):
        _cancel(a_dossier(an_experiment(DRAFT)), reason=" ")


def test_cancelling_the_only_draft_goes_back_to_where_it_came_from() -> None:
    from_prototype = _cancel(a_dossier(an_experiment(DRAFT), prototypes=(a_prototype(),)))
    skipped = _cancel(a_dossier(an_experiment(DRAFT)))

    assert (from_prototype.hypothesis.stage, from_prototype.hypothesis.stage_since) == (Stage.PROTOTYPE, NOW)
    assert skipped.hypothesis.stage is Stage.HYPOTHESIZE


def test_cancelling_stays_in_experiment_while_another_exists() -> None:
    after = _cancel(a_dossier(an_experiment(DRAFT), an_experiment(STOPPED, number=6), prototypes=(a_prototype(),)))

    assert after.hypothesis.stage is Stage.EXPERIMENT


def test_a_cancelled_experiment_does_not_count_as_another() -> None:
    after = _cancel(a_dossier(an_experiment(DRAFT), an_experiment(CANCELLED, number=6), prototypes=(a_prototype(),)))

    assert after.hypothesis.stage is Stage.PROTOTYPE


def _stop(
    *,
    since: datetime = NOW - 28 * DAY,
    ended_at: datetime = NOW,
    by: Member | None = None,
    reason: str | None = None,
) -> Experiment:
    dossier = a_dossier(an_experiment(RUNNING, since=since))
    by = by or a_member(OTHER)
    return experiment.stop(dossier, E7, by=by, ended_at=ended_at, reason=reason, now=NOW).experiments[0]


def test_anyone_in_the_channel_stops() -> None:
    stopped = _stop(by=a_member(OTHER))

    assert (stopped.ended_at, stopped.stopped_at, stopped.stop_reason) == (NOW, NOW, None)


def test_people_outside_the_channel_do_not_stop() -> None:
    with refused(Reason.NOT_IN_CHANNEL):
        _stop(by=a_member(OTHER, is_in_channel=False))


def test_stopping_early_needs_a_reason() -> None:
    with refused(Reason.REASON_NEEDED, "reason"):
        _stop(ended_at=NOW - timedelta(seconds=1))

    assert _stop(ended_at=NOW - DAY, reason="it hurts").stop_reason == "it hurts"


def test_traffic_ends_after_the_start_and_not_in_the_future() -> None:
    with refused(Reason.IN_THE_FUTURE, "ended_at"):
        _stop(ended_at=NOW + timedelta(seconds=1))
    with refused(Reason.BEFORE_THE_START, "ended_at"):
        _stop(ended_at=NOW - 28 * DAY, reason="never ran")


def _again(*experiments: Experiment, by: Member | None = None, waiting: bool = False) -> Dossier:
    dossier = a_dossier(*experiments, requests=(a_request(),) if waiting else ())
    return experiment.run_again(dossier, E7, by=by or a_member(), new=E8, now=NOW)


def test_only_the_owner_runs_again() -> None:
    with refused(Reason.NOT_OWNER):
        _again(an_experiment(STOPPED), by=a_lead())


def test_run_again_copies_the_plan_and_what_was_skipped() -> None:
    stopped = replace(an_experiment(STOPPED), skip_reason="a button is cheaper")

    draft = _again(stopped).draft

    assert draft is not None
    assert (draft.number, draft.plan, draft.skip_reason) == (E8, stopped.plan, "a button is cheaper")
    assert (draft.since, draft.ended_at) == (None, None)


def test_run_again_withdraws_a_waiting_request() -> None:
    request = _again(an_experiment(STOPPED), waiting=True).requests[0]

    assert (request.state, request.decided_at) == (RequestState.WITHDRAWN, NOW)


def test_there_is_one_draft_and_one_running_at_most() -> None:
    with refused(Reason.ANOTHER_DRAFT, experiment=9):
        _again(an_experiment(STOPPED), an_experiment(DRAFT, number=9))
    with refused(Reason.ANOTHER_RUNNING, experiment=9):
        _again(an_experiment(STOPPED), an_experiment(RUNNING, number=9))
