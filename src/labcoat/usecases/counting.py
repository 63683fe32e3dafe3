"""Counting units between looks, in three parts: what is due, the warehouse with no transaction open, the record.

A count spends nothing, for it shows no mean and no rate: only how many units there are, and whether they are split as
planned. An uneven split is told within the hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.db import counts, dossiers, looks
from labcoat.db.database import Transaction
from labcoat.domain.counting import UnitCounts
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.stats import answers
from labcoat.stats.results import SampleRatio
from labcoat.usecases import problems, telling


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCount:
    """An experiment whose units are to be counted as of `until`."""

    workspace: WorkspaceId
    hypothesis: HypothesisNumber
    experiment: Experiment
    until: datetime


def due(tx: Transaction, *, now: datetime) -> list[DueCount]:
    """Return the counts that are due."""
    found = []
    for one in counts.due(tx, now=now):
        dossier = dossiers.find(tx, one.workspace, one.hypothesis)
        assert dossier is not None
        experiment = dossier.get_experiment(one.number)
        found.append(DueCount(workspace=one.workspace, hypothesis=one.hypothesis, experiment=experiment, until=now))
    return found


def record(
    tx: Transaction, due_count: DueCount, exposed: tuple[int, ...], *, every: timedelta, now: datetime
) -> UnitCounts | None:
    """Store a count, and tell the thread the moment that the split is not as planned; None if it stopped."""
    workspace, number = due_count.workspace, due_count.experiment.number
    dossier = dossiers.find(tx, workspace, due_count.hypothesis)
    assert dossier is not None
    if dossier.get_experiment(number).state is not ExperimentState.RUNNING:
        return None
    before = _strongest(tx, workspace, number)
    weights = tuple(variant.weight for variant in due_count.experiment.plan.variants)
    split = answers.check_split(exposed, weights, past=before)
    made = UnitCounts(experiment=number, as_of=due_count.until, exposed=exposed, split=split)
    counts.record(tx, workspace, made, next_at=now + every)
    had_problem = _clear_own_problem(tx, workspace, number)
    is_news = is_uneven(split) and not (before is not None and is_uneven(before))
    if is_news:
        details: dict[str, object] = {"split": split.p_value, "exposed": list(exposed), "experiment": number}
        telling.tell_in_thread(tx, dossier, details)  # the owner gets an urgent nudge, which outlasts quiet hours
    if is_news or had_problem:
        telling.refresh_card(tx, dossier)
    return made


def record_problem(
    tx: Transaction, due_count: DueCount, message: str, *, every: timedelta, is_permanent: bool, now: datetime
) -> None:
    """Remember why units could not be counted, unless a look already found why, and try again later."""
    workspace, number = due_count.workspace, due_count.experiment.number
    known = looks.find_problem(tx, workspace, number)
    problem = problems.after(known, message, now=now, is_of_count=True)
    counts.put_off(tx, workspace, number, until=now + max(every, problems.wait(problem, is_permanent=is_permanent)))
    dossier = dossiers.find(tx, workspace, due_count.hypothesis)
    assert dossier is not None
    if known is None or known.is_of_count:
        problems.tell(tx, dossier, number, problem, is_permanent=is_permanent)


def newest(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> UnitCounts | None:
    """Return the newest count of an experiment's units."""
    return counts.find(tx, workspace, number)


def newest_split(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> SampleRatio | None:
    """Return what the newest count said of the split."""
    found = counts.find(tx, workspace, number)
    return None if found is None else found.split


def is_uneven(split: SampleRatio) -> bool:
    """Whether the split makes the numbers not valid."""
    return split.p_value < answers.SPLIT_INVALID_BELOW


def _clear_own_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Forget a problem that counting had; one that a look had may be of a metric, which counting does not read."""
    known = looks.find_problem(tx, workspace, number)
    return known is not None and known.is_of_count and looks.clear_problem(tx, workspace, number)


def _strongest(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> SampleRatio | None:
    """Return the check with the most evidence so far, of counts and looks: what was found stays found."""
    look = looks.newest(tx, workspace, number)
    of_look = look.readout.sample_ratio if look is not None and look.readout is not None else None
    checks = [one for one in (newest_split(tx, workspace, number), of_look) if one is not None]
    return max(checks, key=lambda one: one.log_bayes_factor, default=None)
