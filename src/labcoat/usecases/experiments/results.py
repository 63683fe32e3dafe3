"""Results: totals that people type, and what is shown when someone asks; asking makes no look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.db import looks, waiting_looks
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.counting import UnitCounts
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.late_data import Wait
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Entry, Look, SourceProblem
from labcoat.domain.plan import ResultSource
from labcoat.domain.verdicts import verdict_of
from labcoat.stats import entry
from labcoat.stats.results import NoLook, NoLookReason, Readout, SampleRatio, Verdict
from labcoat.stats.rule import Role, Sample
from labcoat.usecases.looks import counting

NEAR_ENOUGH = timedelta(days=1)
"""People send totals and then stop, or stop and send yesterday's totals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What may be shown of an experiment now.

    look: the newest with a readout. sample, sample_as_of: the newest data, of which only units may be shown.
    counts: the newest count between looks. changed: metrics whose definition changed between the newest two looks.
    next_look: None where people send the numbers, or no look is to come. no_look: why the newest data made no look.
    missing: metrics whose typed totals up to the end the last look waits for. wait: for data of its sources.
    """

    dossier: Dossier
    experiment: Experiment
    look: Look | None
    sample: Sample | None
    sample_as_of: datetime | None
    counts: UnitCounts | None
    changed: tuple[str, ...]
    problem: SourceProblem | None
    next_look: datetime | None
    no_look: NoLookReason | None
    missing: tuple[str, ...]
    wait: Wait | None = None


def show(
    tx: Transaction,
    dossier: Dossier,
    experiment: Experiment,
    *,
    now: datetime,
    when: Callable[[Experiment, datetime], datetime] | None = None,
) -> Result:
    """Return what may be shown of an experiment: its newest stored look, and what came since.

    when: tells of an experiment and a slot when its look is made, as far as its sources say; None for at the slot.
    """
    workspace = dossier.hypothesis.workspace
    newest = looks.newest_data(tx, workspace, experiment.number)
    if newest is not None and newest.readout is not None and experiment.is_void(newest.readout):
        newest = None  # its units too are from before the cause was fixed
    is_read = newest is None or newest.readout is not None
    look = newest if is_read else looks.newest(tx, workspace, experiment.number)
    if look is not None and experiment.standing(look.readout) is None:
        look = None
    return Result(
        dossier=dossier,
        experiment=experiment,
        look=look,
        sample=newest.sample if newest else None,
        sample_as_of=newest.as_of if newest else None,
        counts=counting.newest(tx, workspace, experiment.number),
        changed=_changed(looks.newest_definitions(tx, workspace, experiment.number)),
        problem=looks.find_problem(tx, workspace, experiment.number),
        next_look=_next_look(experiment, now, when),
        no_look=newest.no_look if newest else None,
        missing=_missing(tx, dossier, experiment, now),
        wait=waiting_looks.find(tx, workspace, experiment.number),
    )


def redefined(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the metrics that are not measured as before. before, after: definitions by metric, as in a look."""
    return tuple(name for name in after if before.get(name, after[name]) != after[name])


def _changed(newest: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return redefined(newest[1], newest[0]) if len(newest) > 1 else ()


def _missing(tx: Transaction, dossier: Dossier, experiment: Experiment, now: datetime) -> tuple[str, ...]:
    if experiment.plan.source is not ResultSource.TYPED or experiment.planned_end is None:
        return ()
    is_over = experiment.state is ExperimentState.STOPPED or now >= experiment.planned_end
    if not is_over:
        return ()
    workspace = dossier.hypothesis.workspace
    if any(readout.is_final for readout in looks.readouts(tx, workspace, experiment.number)):
        return ()
    return still_missing(experiment, looks.newest_entries(tx, workspace, experiment.number))


def _next_look(
    experiment: Experiment, now: datetime, when: Callable[[Experiment, datetime], datetime] | None
) -> datetime | None:
    plan = experiment.plan
    if experiment.state is not ExperimentState.RUNNING or plan.source is ResultSource.TYPED or plan.period is not None:
        return None
    assert experiment.since is not None
    slot = schedule.next_look_slot(now, since=experiment.since, zone=plan.zone, hour=plan.look_hour)
    return slot if when is None else when(experiment, slot)


def newest_verdict(tx: Transaction, dossier: Dossier, treatment: str | None = None) -> Verdict | None:
    """Return what the newest look of the newest experiment says, None without one.

    treatment: of this one; None for the one that comes first.
    """
    readout = newest_readout(tx, dossier)
    return None if readout is None else verdict_of(readout, treatment).verdict


def proposing_verdict(tx: Transaction, dossier: Dossier) -> tuple[Verdict | None, str | None]:
    """Return the verdict that an ending is proposed from, and of which of several treatments it is.

    It is that of the treatment which a request names, else the one that comes first.
    """
    readout, experiment = newest_readout(tx, dossier), dossier.newest_experiment
    if readout is None or experiment is None:
        return None, None
    found = verdict_of(readout, dossier.named_treatment)
    has_several = len(experiment.plan.variants) > 2 and bool(readout.treatments)
    return found.verdict, found.treatment if has_several else None


def newest_readout(tx: Transaction, dossier: Dossier) -> Readout | None:
    """Return the newest readout of the newest experiment, None without one."""
    look = newest_look(tx, dossier)
    return None if look is None else look.readout


def current_correction(tx: Transaction, dossier: Dossier) -> datetime | None:
    """Return when the totals of the newest experiment were corrected last, None for never."""
    experiment = dossier.newest_experiment
    if experiment is None or experiment.plan.source is not ResultSource.TYPED:
        return None
    return looks.corrected_at(tx, dossier.hypothesis.workspace, experiment.number)


def correction_shown(tx: Transaction, dossier: Dossier) -> datetime | None:
    """Return when totals were corrected, as long as the newest look is at those; None otherwise."""
    at = current_correction(tx, dossier)
    if at is None:
        return None
    look = newest_look(tx, dossier)
    return at if look is None or look.made_at <= at else None


def is_decided(tx: Transaction, dossier: Dossier, number: ExperimentNumber) -> bool:
    """Whether an experiment's final look is made, so that its verdict stands."""
    look = _newest_that_stands(tx, dossier, dossier.get_experiment(number))
    return look is not None and is_decided_by(look)


def _newest_that_stands(tx: Transaction, dossier: Dossier, experiment: Experiment) -> Look | None:
    look = looks.newest(tx, dossier.hypothesis.workspace, experiment.number)
    return look if look is not None and experiment.standing(look.readout) is not None else None


def is_split_uneven(tx: Transaction, dossier: Dossier, number: ExperimentNumber) -> bool:
    """Whether the newest look or count of an experiment says that its split makes it not valid."""
    look = _newest_that_stands(tx, dossier, dossier.get_experiment(number))
    counts = counting.newest(tx, dossier.hypothesis.workspace, number)
    return counting.makes_invalid(look.readout if look is not None else None, counts)


def is_decided_by(look: Look) -> bool:
    """Whether the verdict of a look stands for good."""
    return look.readout is not None and look.readout.is_decided


def current_problem(tx: Transaction, dossier: Dossier) -> SourceProblem | None:
    """Return why the newest experiment's numbers cannot be read now."""
    experiment = dossier.newest_experiment
    return None if experiment is None else looks.find_problem(tx, dossier.hypothesis.workspace, experiment.number)


def current_wait(tx: Transaction, dossier: Dossier) -> Wait | None:
    """Return what the newest experiment's look waits for."""
    experiment = dossier.newest_experiment
    return None if experiment is None else waiting_looks.find(tx, dossier.hypothesis.workspace, experiment.number)


def current_counts(tx: Transaction, dossier: Dossier) -> UnitCounts | None:
    """Return the newest count of units of the newest experiment while it runs."""
    experiment = dossier.newest_experiment
    if experiment is None or experiment.state is not ExperimentState.RUNNING:
        return None
    return counting.newest(tx, dossier.hypothesis.workspace, experiment.number)


def newest_of(tx: Transaction, dossier: Dossier, number: ExperimentNumber) -> Readout | None:
    """Return the newest readout of an experiment that stands, None without one."""
    look = looks.newest(tx, dossier.hypothesis.workspace, number)
    return None if look is None else look.readout


def newest_look(tx: Transaction, dossier: Dossier) -> Look | None:
    """Return the newest look with a readout of the hypothesis's newest experiment, if it says something still."""
    experiment = dossier.newest_experiment
    return None if experiment is None else _newest_that_stands(tx, dossier, experiment)


def still_missing(experiment: Experiment, entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """Return the goals and guardrails whose typed totals do not reach to the end of the experiment.

    The end is when traffic ended, or the planned end while it runs; totals of the day before it are near enough. The
    last look waits for all of them: made at the first to come, it would never see the others.
    """
    end = experiment.ended_at or experiment.planned_end
    assert end is not None
    decisive = [metric.name for metric in experiment.plan.metrics if metric.role is not Role.SECONDARY]
    return tuple(name for name in decisive if name not in entries or entries[name].as_of < end - NEAR_ENOUGH)


def compute(
    experiment: Experiment,
    sample: Sample,
    *,
    day: float,
    past: Sequence[Look],
    is_last: bool,
    split_between: SampleRatio | None = None,
) -> Readout | NoLook:
    """Return what the statistics say of a sample; no database and no clock.

    day: since the start, of the data. past: the looks that stand, oldest first.
    split_between: what the newest count between looks said of the split.
    """
    made = [(one.readout, one.sample) for one in past if one.readout is not None]
    return entry.read(
        experiment.rule(),
        sample,
        day=day,
        past=tuple(readout for readout, _ in made),
        is_last=is_last,
        split_between=split_between,
        past_samples={readout.look: seen for readout, seen in made},
    )


def look_of(
    experiment: Experiment,
    sample: Sample,
    answer: Readout | NoLook,
    *,
    slot: datetime,
    as_of: datetime,
    made_at: datetime,
) -> Look:
    """Return the look that stores an answer of the statistics."""
    return Look(
        experiment=experiment.number,
        slot=slot,
        as_of=as_of,
        made_at=made_at,
        sample=sample,
        readout=answer if isinstance(answer, Readout) else None,
        no_look=answer.reason if isinstance(answer, NoLook) else None,
    )
