"""What people do with an experiment: plan, start, cancel, stop it, run it again, drop a treatment, fix a cause."""

from dataclasses import replace
from datetime import datetime

from labcoat.db import history, looks, unit_counts, waiting_looks, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import plan as plans
from labcoat.domain import schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.history import HistoryEntry
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.plan import Plan, ResultSource
from labcoat.domain.stall import NudgeCase
from labcoat.domain.steps import experiment as steps
from labcoat.domain.steps import running
from labcoat.usecases import publish
from labcoat.usecases.experiments import recording, results, sizing
from labcoat.usecases.people import stall_signals

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
    draft = dossier.draft
    plan = replace(plan, planned_units=sizing.planned_units(plans.checked(plan)))
    number = draft.number if draft else workspaces.next_experiment(tx, dossier.hypothesis.workspace)
    new = steps.plan(dossier, plan, by=by, number=number, reason=reason, now=now, runs_already=runs_already)
    return publish.save(tx, dossier, new, step=Step.PLAN, by=by, now=now, reason=reason)


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
    first = _first_look(new.get_experiment(number), now)
    return publish.save(tx, dossier, new, step=Step.START, by=by, now=now, next_looks={number: first})


def _first_look(started: Experiment, now: datetime) -> datetime | None:
    """Return when the numbers are read first; None if people or programs send them."""
    assert started.since is not None
    if started.plan.source is not ResultSource.WAREHOUSE:
        return None
    if started.plan.period is not None:
        return now
    return schedule.next_look_slot(now, since=started.since, zone=started.plan.zone, hour=started.plan.look_hour)


def cancel(
    tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, by: Member, reason: str, now: datetime
) -> Dossier:
    """Cancel a draft."""
    new = steps.cancel(dossier, number, by=by, reason=reason, now=now)
    return publish.save(tx, dossier, new, step=Step.CANCEL, by=by, now=now, reason=reason)


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
    plan = new.get_experiment(number).plan
    if plan.source is not ResultSource.WAREHOUSE:
        saved = publish.save(tx, dossier, new, step=Step.STOP, by=by, now=now, reason=reason)
        recording.look_at_the_end(tx, saved, number, now=now)
        return saved
    late = schedule.next_look_slot(now, since=ended_at, zone=plan.zone, hour=plan.look_hour)
    next_look = late if results.is_decided(tx, dossier, number) else now
    waiting_looks.clear(tx, dossier.hypothesis.workspace, number)
    return publish.save(tx, dossier, new, step=Step.STOP, by=by, now=now, reason=reason, next_looks={number: next_look})


def drop(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    treatment: str,
    reason: str | None,
    at: datetime,
    by: Member,
    now: datetime,
) -> Dossier:
    """Register that a treatment gets no traffic any more; the split is tested over the others from now on."""
    newest = looks.newest(tx, dossier.hypothesis.workspace, number)
    readout = newest.readout if newest is not None else None
    new = running.drop(
        dossier,
        number,
        treatment=treatment,
        reason=reason,
        at=at,
        by=by,
        after_look=readout.look if readout is not None else 0,
        now=now,
    )
    is_harmed = readout is not None and stall_signals.is_harmed(readout, new.get_experiment(number))
    ends = frozenset[NudgeCase]() if is_harmed else frozenset({NudgeCase.HARM})
    saved = publish.save(tx, dossier, new, step=Step.DROP, by=by, now=now, reason=reason, ends=ends)
    _look_anew(tx, saved, number, now=now)
    return saved


def fix_cause(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    reason: str | None,
    since: datetime,
    by: Member,
    is_timed: bool = True,
    now: datetime,
) -> Dossier:
    """Register that the cause of an uneven split is fixed: only units exposed since then count.

    is_timed: the exposures have a time, so that these units can be told apart.
    """
    readouts = looks.readouts(tx, dossier.hypothesis.workspace, number)
    new = running.fix_cause(
        dossier,
        number,
        reason=reason,
        since=since,
        by=by,
        after_look=readouts[-1].look if readouts else 0,
        spent=next((readout.spent for readout in reversed(readouts) if readout.verdict.is_valid), 0.0),
        is_invalid=results.is_split_uneven(tx, dossier, number),
        is_timed=is_timed,
        now=now,
    )
    ends = frozenset({NudgeCase.SPLIT, NudgeCase.HARM})  # what was called before is void, and found anew if it is true
    saved = publish.save(tx, dossier, new, step=Step.FIX_CAUSE, by=by, now=now, reason=reason, ends=ends)
    _look_anew(tx, saved, number, now=now)
    return saved


def _look_anew(tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, now: datetime) -> None:
    """Count what is meant now at once, and look at it too if today's look is still to come.

    What is being read at this moment is of other units or arms, and is dropped when it comes.
    """
    workspace, experiment = dossier.hypothesis.workspace, dossier.get_experiment(number)
    unit_counts.forget(tx, workspace, number)
    plan, since = experiment.plan, experiment.since
    if plan.source is not ResultSource.WAREHOUSE or since is None:
        return
    latest = schedule.latest_look_slot(now, since=since, zone=plan.zone, hour=plan.look_hour)
    is_to_come = latest is not None and not looks.has_slot(tx, workspace, number, latest)
    then = schedule.next_look_slot(now, since=since, zone=plan.zone, hour=plan.look_hour)
    looks.schedule(tx, workspace, number, now if is_to_come else then)


def run_again(tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, by: Member, now: datetime) -> Dossier:
    """Make a new draft with a stopped experiment's plan, without what was dropped; a waiting request is withdrawn."""
    number_of_draft = workspaces.next_experiment(tx, dossier.hypothesis.workspace)
    new = steps.run_again(dossier, number, by=by, new=number_of_draft, now=now)
    assert new.draft is not None
    plan = replace(new.draft.plan, planned_units=sizing.planned_units(new.draft.plan))
    new = new.with_experiment(replace(new.draft, plan=plan))
    return publish.save(tx, dossier, new, step=Step.RUN_AGAIN, by=by, now=now)
