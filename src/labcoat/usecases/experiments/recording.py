"""Recording totals that people and programs send: since the start, only growing unless they correct earlier ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from labcoat.db import looks
from labcoat.db.database import Transaction
from labcoat.domain import correcting, schedule, submitted_totals
from labcoat.domain.correcting import RECORD, Correction
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import LookMade
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.look import Entry, Look, is_same, sample_of
from labcoat.domain.member import Member, Program
from labcoat.domain.plan import ResultSource
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.totals_facts import TotalsOrigin, TotalsRecorded
from labcoat.stats.rule import Moments
from labcoat.usecases import publish
from labcoat.usecases.experiments import corrections, results


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of totals that were sent. metrics: whose totals were stored; none where all were known already."""

    look: Look | None
    metrics: tuple[str, ...]


def record(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member | Program,
    metric: str | None,
    totals: Mapping[str, Moments],
    as_of: datetime,
    is_correction: bool,
    now: datetime,
    wrong_since: datetime | None = None,
) -> Look | None:
    """Store totals since the start of one metric, None for the goal, and look at them; else as `record_all`."""
    name = metric or dossier.get_experiment(number).plan.goal.name
    return record_all(
        tx,
        dossier,
        number,
        by=by,
        totals={name: totals},
        as_of=as_of,
        is_correction=is_correction,
        wrong_since=wrong_since,
        now=now,
    )


def record_all(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member | Program,
    totals: Mapping[str, Mapping[str, Moments]],
    as_of: datetime,
    is_correction: bool,
    now: datetime,
    wrong_since: datetime | None = None,
    file: str | None = None,
    taken: str = "",
) -> Look | None:
    """Store totals as `take` does; return the look, None while the goal has no numbers."""
    stored = take(
        tx,
        dossier,
        number,
        by=by,
        totals=totals,
        as_of=as_of,
        is_correction=is_correction,
        wrong_since=wrong_since,
        now=now,
        file=file,
        taken=taken,
    )
    return stored.look


def take(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member | Program,
    totals: Mapping[str, Mapping[str, Moments]],
    as_of: datetime,
    is_correction: bool,
    now: datetime,
    wrong_since: datetime | None = None,
    file: str | None = None,
    taken: str = "",
) -> Taken:
    """Store totals since the start that somebody sent, and make one look at them.

    totals: by metric and variant name. is_correction: they replace earlier ones. wrong_since: from when on those were
    wrong; None for the newest of each metric only. file: that they came in. taken: what was read of it.
    Raises Refusal; then nothing is stored.
    """
    if isinstance(by, Member):
        dossier.require_in_channel(by)
    dossier = corrections.hold(tx, dossier, number)
    experiment, workspace = dossier.get_experiment(number), dossier.hypothesis.workspace
    require_typed(experiment)
    require_while_it_ran(experiment, as_of, now)
    if wrong_since is not None and wrong_since > now:
        raise Refusal(Reason.IN_THE_FUTURE, "wrong_since")
    entries = looks.newest_entries(tx, workspace, number)
    stored: Mapping[str, Sequence[Entry]] = {metric: (entry,) for metric, entry in entries.items()}
    if is_correction:
        stored = looks.standing_entries(tx, workspace, number)
    else:
        require_undecided(dossier, experiment)
    sent = submitted_totals.entries_of(experiment, totals, by=by, as_of=as_of, now=now, earlier=entries)
    found = correcting.sort_out(experiment, sent, stored, is_correction=is_correction, wrong_since=wrong_since)
    if found.plain:
        require_undecided(dossier, experiment)
    for entry in found.entries:
        looks.add_entry(tx, workspace, entry)
    origin = TotalsOrigin(
        by=None if isinstance(by, Program) else by.user, program=by.name if isinstance(by, Program) else None, file=file
    )
    names = tuple(entry.metric for entry in found.entries)
    if found.plain:
        plain = ", ".join(entry.metric for entry in found.plain)
        hypothesis = dossier.hypothesis.number
        publish.publish(
            tx,
            dossier,
            TotalsRecorded(hypothesis=hypothesis, experiment=number, metrics=plain, origin=origin, taken=taken),
        )
    all_entries = entries | {entry.metric: entry for entry in found.entries}
    if found.corrections:
        look = _corrected(tx, dossier, experiment, all_entries, found.corrections, origin, as_of=as_of, now=now)
    elif found.plain:
        look = _look_at_entries(tx, dossier, experiment, all_entries, as_of=as_of, now=now)
    else:
        look = None
    return Taken(look=look, metrics=names)


def _corrected(
    tx: Transaction,
    dossier: Dossier,
    experiment: Experiment,
    entries: Mapping[str, Entry],
    found: Sequence[Correction],
    origin: TotalsOrigin,
    *,
    as_of: datetime,
    now: datetime,
) -> Look | None:
    """Take the looks that rested on wrong totals out of the path, look anew, and tell everybody whom it concerns."""
    before = results.newest_of(tx, dossier, experiment.number)
    dossier, gone = corrections.supersede(tx, dossier, experiment, found)
    experiment = dossier.get_experiment(experiment.number)
    until = _as_of_again(experiment, entries, found, as_of)
    look = _make_look(tx, dossier, correcting.as_if_before_drops(experiment, until), entries, as_of=until, now=now)
    dossier = corrections.keep_dropped(tx, dossier, experiment, look)
    after = results.newest_of(tx, dossier, experiment.number)
    told = corrections.fact(dossier, experiment, found, gone=gone, before=before, after=after, origin=origin)
    publish.publish(tx, dossier, told)
    if look is not None and look.readout is not None:
        publish.publish(tx, dossier, _look_made(dossier, look))
    corrections.tell_concerned(tx, dossier, experiment.number, told, before=before, after=after, now=now)
    return look


def _as_of_again(
    experiment: Experiment, entries: Mapping[str, Entry], found: Sequence[Correction], as_of: datetime
) -> datetime:
    """Return until when the totals reach after a correction: the goal's decide, and none reach beyond the end."""
    goal = entries.get(experiment.plan.goal.name)
    until = as_of if goal is None else max(as_of, goal.as_of)
    if experiment.ended_at is None:
        return until
    return min(until, max(experiment.ended_at, *(one.newest.as_of for one in found)))


def look_at_the_end(tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, now: datetime) -> None:
    """Make the last look of a stopped experiment if all typed totals reach to its end; else it waits for them."""
    experiment = dossier.get_experiment(number)
    entries = looks.newest_entries(tx, dossier.hypothesis.workspace, number)
    if entries:
        as_of = max(entry.as_of for entry in entries.values())
        _look_at_entries(tx, dossier, experiment, entries, as_of=as_of, now=now)


def require_typed(experiment: Experiment) -> None:
    """Raise Refusal unless the experiment takes totals that people or programs send."""
    if experiment.state not in (ExperimentState.RUNNING, ExperimentState.STOPPED):
        raise Refusal(Reason.WRONG_STATE, experiment=experiment.number, state=experiment.state, step=RECORD)
    if experiment.plan.source is not ResultSource.TYPED:
        raise Refusal(Reason.COUNTS_COME_FROM_WAREHOUSE, experiment=experiment.number)


def require_undecided(dossier: Dossier, experiment: Experiment) -> None:
    """Raise Refusal once it is decided: then earlier totals may be corrected, but there are no new ones."""
    number, ending, stage = dossier.hypothesis.number, dossier.hypothesis.ending, dossier.hypothesis.stage
    if ending is not None:
        raise Refusal(
            Reason.CLOSED, hypothesis=number, experiment=experiment.number, decision=ending.decision, step=RECORD
        )
    if stage is Stage.PRODUCTIONIZE:
        raise Refusal(Reason.WRONG_STAGE, hypothesis=number, experiment=experiment.number, stage=stage, step=RECORD)


def require_while_it_ran(experiment: Experiment, as_of: datetime, now: datetime) -> None:
    """Raise Refusal for a moment before the start, or still to come."""
    assert experiment.since is not None
    if as_of > now:
        raise Refusal(Reason.IN_THE_FUTURE, "as_of")
    if as_of <= experiment.since:
        raise Refusal(Reason.BEFORE_THE_START, "as_of")


def _look_at_entries(
    tx: Transaction,
    dossier: Dossier,
    experiment: Experiment,
    entries: Mapping[str, Entry],
    *,
    as_of: datetime,
    now: datetime,
) -> Look | None:
    """Make a look at typed totals, store it and tell it."""
    look = _make_look(tx, dossier, experiment, entries, as_of=as_of, now=now)
    if look is not None and look.readout is not None:
        publish.publish(tx, dossier, _look_made(dossier, look), shows=True)
    return look


def _look_made(dossier: Dossier, look: Look) -> LookMade:
    return LookMade(hypothesis=dossier.hypothesis.number, experiment=look.experiment, slot=look.slot)


def _make_look(
    tx: Transaction,
    dossier: Dossier,
    experiment: Experiment,
    entries: Mapping[str, Entry],
    *,
    as_of: datetime,
    now: datetime,
) -> Look | None:
    """Make a look at typed totals and store it.

    None while the goal has none, or the last look waits for others, or nothing is new after it.
    """
    assert experiment.since is not None
    assert experiment.planned_end is not None
    is_stopped = experiment.state is ExperimentState.STOPPED
    is_closing = is_stopped or as_of >= experiment.planned_end
    if experiment.plan.goal.name not in entries or (is_closing and results.still_missing(experiment, entries)):
        return None
    workspace = dossier.hypothesis.workspace
    sample = sample_of(entries, experiment.plan.goal.name)
    newest = looks.newest(tx, workspace, experiment.number)
    if newest is not None and results.is_decided_by(newest) and is_same(newest.sample, sample):
        return None
    past = looks.list_of(tx, workspace, experiment.number)
    day = schedule.days_between(experiment.since, as_of)
    answer = results.compute(experiment, sample, day=day, past=past, is_last=is_stopped)
    # People may correct totals, or add a metric's, as of the very same moment: what makes the look is the telling.
    look = results.look_of(experiment, sample, answer, slot=now, as_of=as_of, made_at=now)
    if looks.has_slot(tx, workspace, experiment.number, look.slot):
        return None
    looks.add(tx, workspace, look)
    return look
