"""Counting units between looks, in three parts: what is due, the warehouse with no transaction open, the record.

A count spends nothing, for it shows no mean and no rate: only how many units there are, and whether they are split as
planned. An uneven split is told within the hour.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from labcoat.db import dossiers, looks, unit_counts
from labcoat.db.database import Transaction
from labcoat.domain.counting import UnitCounts
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import SplitUneven
from labcoat.domain.findings import Findings
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look
from labcoat.stats import entry
from labcoat.stats.results import Readout, SampleRatio, Verdict
from labcoat.usecases import publish
from labcoat.usecases.looks import source_errors

FEWEST = 2
"""Units of an arm below which data are wrong, as at a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCount:
    """An experiment whose units are to be counted as of `until`. findings: what its data were at the looks."""

    workspace: WorkspaceId
    hypothesis: HypothesisNumber
    experiment: Experiment
    until: datetime
    findings: Findings = field(default_factory=Findings)


def due(tx: Transaction, *, now: datetime) -> list[DueCount]:
    """Return the counts that are due."""
    found = []
    for one in unit_counts.due(tx, now=now):
        dossier = dossiers.find(tx, one.workspace, one.hypothesis)
        assert dossier is not None
        experiment = dossier.get_experiment(one.number)
        found.append(
            DueCount(
                workspace=one.workspace,
                hypothesis=one.hypothesis,
                experiment=experiment,
                until=now,
                findings=looks.findings(tx, one.workspace, experiment),
            )
        )
    return found


def record(
    tx: Transaction, due_count: DueCount, exposed: tuple[int, ...], *, every: timedelta, now: datetime
) -> UnitCounts | None:
    """Store a count, and tell the thread the moment that the split is not as planned.

    exposed: of every variant of the plan. None if the experiment stopped meanwhile, or counts other units or arms, or
    if an arm lost units since the newest valid look: then the data are wrong, which says nothing of the split.
    """
    workspace, number = due_count.workspace, due_count.experiment.number
    dossier = dossiers.find(tx, workspace, due_count.hypothesis)
    assert dossier is not None
    experiment = dossier.get_experiment(number)
    if experiment.state is not ExperimentState.RUNNING or has_moved(due_count.experiment, experiment):
        return None
    if lost := _lost(tx, workspace, experiment, exposed):
        _record_lost(tx, due_count, lost, every=every, now=now)
        return None
    known, before = unit_counts.find(tx, workspace, number), _strongest(tx, workspace, experiment, exposed=exposed)
    split = entry.check_split(*_remaining(experiment, exposed), past=before)
    made = UnitCounts(experiment=number, as_of=due_count.until, exposed=exposed, split=split)
    unit_counts.record(tx, workspace, made, next_at=now + every)
    had_problem = _clear_own_problem(tx, workspace, number)
    was_uneven = any(is_uneven(one) for one in (before, known.split if known is not None else None) if one is not None)
    is_news = is_uneven(split) and not was_uneven
    facts: list[SplitUneven] = []
    if is_news:
        uneven = SplitUneven(
            hypothesis=dossier.hypothesis.number, experiment=number, p_value=split.p_value, exposed=tuple(exposed)
        )
        facts.append(uneven)  # the owner gets an urgent nudge, which outlasts quiet hours
    publish.publish(tx, dossier, *facts, shows=is_uneven(split) is not was_uneven or had_problem)
    return made


def has_moved(read: Experiment, now: Experiment) -> bool:
    """Whether what was read of an experiment is of another plan, state, arms or units than what is meant now."""
    before, after = ((one.plan_version, one.state, one.dropped, one.fixed_cause) for one in (read, now))
    return before != after


def record_problem(
    tx: Transaction, due_count: DueCount, message: str, *, every: timedelta, is_permanent: bool, now: datetime
) -> None:
    """Remember why units could not be counted, unless a look already found why, and try again later."""
    workspace, number = due_count.workspace, due_count.experiment.number
    known = looks.find_problem(tx, workspace, number)
    problem = source_errors.after(known, message, now=now, is_of_count=True)
    unit_counts.put_off(
        tx, workspace, number, until=now + max(every, source_errors.wait(problem, is_permanent=is_permanent))
    )
    dossier = dossiers.find(tx, workspace, due_count.hypothesis)
    assert dossier is not None
    if known is None or known.is_of_count:
        source_errors.tell(tx, dossier, number, problem, is_permanent=is_permanent)


def _record_lost(tx: Transaction, due_count: DueCount, lost: str, *, every: timedelta, now: datetime) -> None:
    """Tell that units disappeared, unless the newest look said so already; the next count may find them again."""
    look = looks.newest(tx, due_count.workspace, due_count.experiment.number)
    if look is not None and look.readout is not None and look.readout.verdict is Verdict.DATA_ERROR:
        unit_counts.put_off(tx, due_count.workspace, due_count.experiment.number, until=now + every)
        return
    record_problem(tx, due_count, lost, every=every, is_permanent=False, now=now)


def newest(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> UnitCounts | None:
    """Return the newest count of an experiment's units."""
    return unit_counts.find(tx, workspace, number)


def evidence(tx: Transaction, workspace: WorkspaceId, experiment: Experiment) -> SampleRatio | None:
    """Return what the newest count says of the split, None if it is no evidence: of wrong data nothing is carried."""
    found = unit_counts.find(tx, workspace, experiment.number)
    if found is None:
        return None
    look = _newest_valid(tx, workspace, experiment, exposed=found.exposed)
    is_sound = _is_sound(experiment, found.exposed, last=look.sample.exposed if look is not None else None)
    return found.split if is_sound else None


def makes_invalid(readout: Readout | None, counted: UnitCounts | None) -> bool:
    """Whether the newest look or the newest count says that the split makes an experiment not valid."""
    if readout is not None and readout.is_decided and readout.verdict.is_valid:
        return False  # its verdict stands, whatever comes after its end
    is_invalid = readout is not None and readout.verdict is Verdict.INVALID
    return is_invalid or (counted is not None and is_uneven(counted.split))


def is_uneven(split: SampleRatio) -> bool:
    """Whether the split makes the numbers not valid."""
    return split.p_value < entry.SPLIT_INVALID_BELOW


def _clear_own_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Forget a problem that counting had; one that a look had may be of a metric, which counting does not read."""
    known = looks.find_problem(tx, workspace, number)
    return known is not None and known.is_of_count and looks.clear_problem(tx, workspace, number)


def _strongest(
    tx: Transaction, workspace: WorkspaceId, experiment: Experiment, *, exposed: tuple[int, ...]
) -> SampleRatio | None:
    """Return the check with the most evidence so far, of counts and looks: what was found stays found.

    Only of what is tested now: not of units from before a cause was fixed, nor of arms that were dropped since, nor of
    data that were wrong, as of units that are not there any more. exposed: now, of every variant.
    """
    look = _newest_valid(tx, workspace, experiment, exposed=exposed)
    of_look = look.readout.sample_ratio if look is not None and look.readout is not None else None
    is_of_other_arms = look is not None and look.readout is not None and look.readout.look <= _arms_since(experiment)
    counted = unit_counts.find(tx, workspace, experiment.number)
    is_gone = counted is not None and _has_vanished(experiment, counted.exposed, exposed)
    checks = [None if is_of_other_arms else of_look, None if is_gone else evidence(tx, workspace, experiment)]
    found = [one for one in checks if one is not None]
    return max(found, key=lambda one: one.log_bayes_factor, default=None)


def _arms_since(experiment: Experiment) -> int:
    return max((one.after_look for one in experiment.dropped), default=0)


def _newest_valid(
    tx: Transaction, workspace: WorkspaceId, experiment: Experiment, *, exposed: tuple[int, ...]
) -> Look | None:
    """Return the newest look whose data were not wrong, since the cause of an uneven split was fixed.

    exposed: now; an uneven split of units that are not there any more was wrong data.
    """
    newest = looks.newest(tx, workspace, experiment.number)
    if newest is None or _is_valid(newest, experiment, exposed):
        return newest
    past = reversed(looks.list_of(tx, workspace, experiment.number))
    return next((one for one in past if _is_valid(one, experiment, exposed)), None)


def _is_valid(look: Look, experiment: Experiment, exposed: tuple[int, ...]) -> bool:
    readout = look.readout
    if readout is None or readout.verdict is Verdict.DATA_ERROR or experiment.is_void(readout):
        return False
    return readout.verdict is not Verdict.INVALID or not _has_vanished(experiment, look.sample.exposed, exposed)


def _has_vanished(experiment: Experiment, before: tuple[int, ...], now: tuple[int, ...]) -> bool:
    return entry.have_vanished(_remaining(experiment, before)[0], _remaining(experiment, now)[0])


def _is_sound(experiment: Experiment, exposed: tuple[int, ...], *, last: tuple[int, ...] | None) -> bool:
    """Whether a look at these units would be none with a data error: no arm without units, and none that shrank."""
    now = _remaining(experiment, exposed)[0]
    then = now if last is None else _remaining(experiment, last)[0]
    return min(now) >= FEWEST and not entry.have_vanished(then, now)


def _lost(tx: Transaction, workspace: WorkspaceId, experiment: Experiment, exposed: tuple[int, ...]) -> str:
    """Return which arms lost units since the newest valid look, as a sentence; "" if none did."""
    look = _newest_valid(tx, workspace, experiment, exposed=exposed)
    if look is None:
        return ""
    then, now = _remaining(experiment, look.sample.exposed)[0], _remaining(experiment, exposed)[0]
    lost = [
        f"{name} has {units:,} units, and had {before:,} at the last good look"
        for name, units, before in zip(experiment.remaining_variants, now, then, strict=True)
        if entry.have_vanished([before], [units])
    ]
    return f"{'; '.join(lost)}. Check the data." if lost else ""


def _remaining(experiment: Experiment, exposed: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Return the units and the planned shares of the arms that were not dropped; the shares sum to 1."""
    kept = [
        (units, variant.weight)
        for units, variant in zip(exposed, experiment.plan.variants, strict=True)
        if variant.name in experiment.remaining_variants
    ]
    total = sum(weight for _, weight in kept)
    return tuple(units for units, _ in kept), tuple(weight / total for _, weight in kept)
