"""Steps of an experiment: plan, start, cancel, stop, run again."""

from dataclasses import replace
from datetime import datetime

from labcoat.domain import plan as plans
from labcoat.domain.dossier import Dossier, moved
from labcoat.domain.evidence import EvidenceSource
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import ExperimentState, Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.plan import Plan
from labcoat.domain.refusal import Reason, Refusal, require_reason
from labcoat.domain.steps import request as requests

LATE_AFTER_HOURS = 1
"""A start told later than this was "registered late"."""


def plan(
    dossier: Dossier,
    plan: Plan,
    *,
    by: Member,
    number: ExperimentNumber,
    reason: str | None,
    now: datetime,
    runs_already: bool = False,
) -> Dossier:
    """Return the hypothesis in the stage experiment with a draft. runs_already: it is too late to ask for evidence.

    reason: why there is no evidence from users, or from hypothesize why there is no prototype; unused otherwise.
    A plan while there is a draft replaces the draft's plan; a new draft withdraws a waiting request.
    """
    dossier.require(Step.PLAN)
    dossier.require_owner(by)
    if dossier.running is not None:
        raise Refusal(Reason.LOCKED_AT_START, experiment=dossier.running.number)
    plan = plans.checked(plan)
    if plan.period is not None and plan.period.ends_at > now:
        # Its one look is its last; at data that still come it would be taken too early.
        raise Refusal(Reason.IN_THE_FUTURE, "ends_on")
    if dossier.draft is not None:
        draft = dossier.draft
        return dossier.with_experiment(replace(draft, plan=plan, plan_version=draft.plan_version + 1))
    draft = Experiment(number=number, plan=plan, planned_by=by.user, planned_at=now)
    if dossier.hypothesis.stage is Stage.HYPOTHESIZE:
        skip_reason = require_reason(reason, because="no prototype was tried", field="evidence_reason")
        draft = replace(draft, skip_reason=skip_reason)
    elif dossier.hypothesis.stage is Stage.PROTOTYPE:
        without = reason if runs_already and not dossier.evidence else _reason_without_users(dossier, reason)
        draft = replace(draft, no_feedback_reason=without)
    dossier = requests.withdraw(dossier, now=now) if dossier.waiting_request else dossier
    return dossier.with_hypothesis(moved(dossier.hypothesis, Stage.EXPERIMENT, at=now)).with_experiment(draft)


def _reason_without_users(dossier: Dossier, reason: str | None) -> str | None:
    sources = {evidence.kind.source for evidence in dossier.evidence}
    if EvidenceSource.USERS in sources:
        return None
    if not sources:
        raise Refusal(Reason.EVIDENCE_NEEDED, hypothesis=dossier.hypothesis.number)
    if reason is None or not reason.strip():
        raise Refusal(Reason.USER_EVIDENCE_NEEDED, "evidence_reason", hypothesis=dossier.hypothesis.number)
    return require_reason(reason, because="no user has reacted yet", field="evidence_reason")


def start(dossier: Dossier, number: ExperimentNumber, *, by: Member, since: datetime, now: datetime) -> Dossier:
    """Return the draft running; from now on its plan does not change.

    since: when traffic began, not in the future; for a plan of past data its own start is taken instead.
    """
    dossier.require(Step.START)
    dossier.require_owner(by)
    draft = dossier.get_experiment(number)
    dossier.require_state(Step.START, draft)
    if dossier.running is not None:
        raise Refusal(Reason.ANOTHER_RUNNING, experiment=dossier.running.number)
    plan = plans.checked(draft.plan)
    since = plan.period.starts_at if plan.period is not None else since
    if since > now:
        raise Refusal(Reason.IN_THE_FUTURE, "since")
    is_late = (now - since).total_seconds() > LATE_AFTER_HOURS * 3600
    return dossier.with_experiment(
        replace(
            draft,
            plan=plan,
            state=ExperimentState.RUNNING,
            since=since,
            started_at=now,
            is_registered_late=is_late,
        )
    )


def cancel(dossier: Dossier, number: ExperimentNumber, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Return the draft cancelled; the hypothesis goes back a stage unless another experiment exists."""
    dossier.require(Step.CANCEL)
    dossier.require_owner(by)
    draft = dossier.get_experiment(number)
    dossier.require_state(Step.CANCEL, draft)
    reason = require_reason(reason, because="someone planned it")
    dossier = dossier.with_experiment(replace(draft, state=ExperimentState.CANCELLED, cancel_reason=reason))
    if dossier.newest_experiment is not None:
        return dossier
    earlier = Stage.PROTOTYPE if dossier.prototypes else Stage.HYPOTHESIZE
    return dossier.with_hypothesis(moved(dossier.hypothesis, earlier, at=now))


def stop(
    dossier: Dossier, number: ExperimentNumber, *, by: Member, ended_at: datetime, reason: str | None, now: datetime
) -> Dossier:
    """Return the running experiment stopped.

    ended_at: when traffic ended, after the start and not in the future; a reason is needed before the planned end.
    """
    dossier.require(Step.STOP)
    dossier.require_in_channel(by)
    running = dossier.get_experiment(number)
    dossier.require_state(Step.STOP, running)
    assert running.since is not None
    assert running.planned_end is not None
    if running.plan.period is not None:
        ended_at = running.plan.period.ends_at
    if ended_at > now:
        raise Refusal(Reason.IN_THE_FUTURE, "ended_at")
    if ended_at <= running.since:
        raise Refusal(Reason.BEFORE_THE_START, "ended_at")
    if ended_at < running.planned_end:
        reason = require_reason(reason, because="it stops before its planned end")
    return dossier.with_experiment(
        replace(
            running,
            state=ExperimentState.STOPPED,
            ended_at=ended_at,
            stopped_at=now,
            stop_reason=(reason or "").strip() or None,
        )
    )


def run_again(
    dossier: Dossier, number: ExperimentNumber, *, by: Member, new: ExperimentNumber, now: datetime
) -> Dossier:
    """Return the dossier with a new draft that has the stopped experiment's plan; a waiting request is withdrawn.

    Treatments that were dropped are not in it; the others keep their shares to each other.
    """
    dossier.require(Step.RUN_AGAIN)
    dossier.require_owner(by)
    stopped = dossier.get_experiment(number)
    dossier.require_state(Step.RUN_AGAIN, stopped)
    if dossier.running is not None:
        raise Refusal(Reason.ANOTHER_RUNNING, experiment=dossier.running.number)
    if dossier.draft is not None:
        raise Refusal(Reason.ANOTHER_DRAFT, experiment=dossier.draft.number)
    dossier = requests.withdraw(dossier, now=now) if dossier.waiting_request else dossier
    draft = Experiment(
        number=new,
        plan=plans.without(stopped.plan, stopped.dropped_treatments),
        planned_by=by.user,
        planned_at=now,
        no_feedback_reason=stopped.no_feedback_reason,
        skip_reason=stopped.skip_reason,
    )
    return dossier.with_experiment(draft)
