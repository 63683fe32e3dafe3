"""What people do with an experiment: plan, start, cancel, stop it, run it again."""

from dataclasses import replace
from datetime import datetime

from labcoat.db import history, looks, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import plan as plans
from labcoat.domain import schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.history import HistoryEntry
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.plan import Plan, ResultSource
from labcoat.domain.steps import experiment as steps
from labcoat.usecases import recording, results, sizing, telling

ADOPTED = "it ran already when it was registered"


def plan(
    tx: Transaction,
    dossier: Dossier,
    plan: Plan,
    *,
    by: Member,
    reason: str | None,
    now: datetime,
    runs_already: bool = False,
) -> Dossier:
    """Plan an experiment: a new draft, which withdraws a waiting request, or another plan for the draft there is."""
    draft, waiting = dossier.draft, dossier.waiting_request
    plan = replace(plan, planned_units=sizing.planned_units(plans.checked(plan)))
    number = draft.number if draft else workspaces.next_experiment(tx, dossier.hypothesis.workspace)
    new = steps.plan(dossier, plan, by=by, number=number, reason=reason, now=now, runs_already=runs_already)
    saved = telling.save(tx, dossier, new, step=Step.PLAN, by=by.user, now=now, reason=reason)
    if waiting is not None:
        telling.refresh_requests(tx, saved, waiting.position)
    return saved


def adopt(
    tx: Transaction, dossier: Dossier, plan_of_it: Plan, *, by: Member, since: datetime, now: datetime
) -> Dossier:
    """Register an experiment that runs already: planned and started at once, late as it is."""
    planned = plan(tx, dossier, plan_of_it, by=by, reason=ADOPTED, now=now, runs_already=True)
    assert planned.draft is not None
    return start(tx, planned, planned.draft.number, by=by, since=since, now=now)


def changes_since(tx: Transaction, dossier: Dossier, entry_id: int) -> list[HistoryEntry]:
    """Return the changes of a plan that came after a history entry, oldest first."""
    entries = history.list_of(tx, dossier.hypothesis.workspace, dossier.hypothesis.number)
    return [entry for entry in entries if entry.id > entry_id and entry.step is Step.PLAN]


def start(
    tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, by: Member, since: datetime, now: datetime
) -> Dossier:
    """Register that an experiment runs; Labcoat does not switch traffic."""
    new = steps.start(dossier, number, by=by, since=since, now=now)
    saved = telling.save(tx, dossier, new, step=Step.START, by=by.user, now=now)
    started = saved.get_experiment(number)
    assert started.since is not None
    if started.plan.period is not None:
        first = now
    else:
        zone, hour = started.plan.zone, started.plan.look_hour
        first = schedule.next_look_slot(now, since=started.since, zone=zone, hour=hour)
    is_read_daily = started.plan.source is ResultSource.WAREHOUSE
    looks.schedule(tx, saved.hypothesis.workspace, number, first if is_read_daily else None)
    return saved


def cancel(
    tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, by: Member, reason: str, now: datetime
) -> Dossier:
    """Cancel a draft."""
    new = steps.cancel(dossier, number, by=by, reason=reason, now=now)
    return telling.save(tx, dossier, new, step=Step.CANCEL, by=by.user, now=now, reason=reason)


def stop(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member,
    ended_at: datetime,
    reason: str | None,
    now: datetime,
) -> Dossier:
    """Register that an experiment has ended. One last look follows, at typed results when their totals have come."""
    new = steps.stop(dossier, number, by=by, ended_at=ended_at, reason=reason, now=now)
    saved = telling.save(tx, dossier, new, step=Step.STOP, by=by.user, now=now, reason=reason)
    plan = saved.get_experiment(number).plan
    if plan.source is ResultSource.WAREHOUSE:
        late = schedule.next_look_slot(now, since=ended_at, zone=plan.zone, hour=plan.look_hour)
        is_decided = results.is_decided(tx, saved, number)
        looks.schedule(tx, saved.hypothesis.workspace, number, late if is_decided else now)
    else:
        recording.look_at_the_end(tx, saved, number, now=now)
    return saved


def run_again(tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, by: Member, now: datetime) -> Dossier:
    """Make a new draft with a stopped experiment's plan; a waiting request is withdrawn."""
    waiting = dossier.waiting_request
    number_of_draft = workspaces.next_experiment(tx, dossier.hypothesis.workspace)
    new = steps.run_again(dossier, number, by=by, new=number_of_draft, now=now)
    saved = telling.save(tx, dossier, new, step=Step.RUN_AGAIN, by=by.user, now=now)
    if waiting is not None:
        telling.refresh_requests(tx, saved, waiting.position)
    return saved
