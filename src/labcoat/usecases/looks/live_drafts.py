"""Exposures that arrive for a draft: it seems to be live and nobody has started it, which is told once.

In three parts as all that asks the warehouse: what is due, the warehouse with no transaction open, the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.db import dossiers, unit_counts
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import DraftLive
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.plan import ResultSource
from labcoat.usecases import publish
from labcoat.warehouse.exposure_scan import Arm

LIVE_WITHIN = timedelta(days=2)
"""Older exposures are of something else, as of an experiment that had this key before; warehouses are a day late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDraft:
    """A draft whose exposures are to be looked for."""

    workspace: WorkspaceId
    hypothesis: HypothesisNumber
    experiment: Experiment
    until: datetime

    @property
    def key(self) -> str:
        """What its rows are called in the data."""
        return self.experiment.plan.experiment_key or f"E-{self.experiment.number}"


def due(tx: Transaction, *, now: datetime) -> list[DueDraft]:
    """Return the drafts to look for now that read from the metrics file, and that nobody was told of."""
    found = []
    for one in unit_counts.due_drafts(tx, now=now):
        dossier = dossiers.find(tx, one.workspace, one.hypothesis)
        assert dossier is not None
        found.append(
            DueDraft(
                workspace=one.workspace,
                hypothesis=one.hypothesis,
                experiment=dossier.get_experiment(one.number),
                until=now,
            )
        )
    return found


def reads_exposures(draft: DueDraft) -> bool:
    """Whether its numbers come from the metrics file as they arrive."""
    plan = draft.experiment.plan
    return plan.source is ResultSource.WAREHOUSE and plan.period is None


def record(tx: Transaction, draft: DueDraft, arms: Sequence[Arm], *, every: timedelta, now: datetime) -> bool:
    """Tell thread and owner if exposures arrive for the draft, else look again later; return whether they were told."""
    workspace, number = draft.workspace, draft.experiment.number
    unit_counts.put_off(tx, workspace, number, until=now + every)
    dossier = dossiers.find(tx, workspace, draft.hypothesis)
    assert dossier is not None
    experiment = dossier.get_experiment(number)
    mine = [arm for arm in arms if arm.variant in experiment.plan.variant_names]
    if experiment.state is not ExperimentState.DRAFT or not dossier.hypothesis.is_open or not _is_live(mine, now):
        return False
    since = _since(dossier, draft, mine)
    units = [sum(arm.units for arm in mine if arm.variant == variant) for variant in experiment.plan.variant_names]
    live = DraftLive(hypothesis=dossier.hypothesis.number, experiment=number, since=since, exposed=tuple(units))
    unit_counts.remember_told_live(tx, workspace, number, at=now)
    publish.publish(tx, dossier, live, to_owner=[live])
    return True


def _is_live(arms: Sequence[Arm], now: datetime) -> bool:
    newest = [arm.newest for arm in arms if arm.newest is not None]
    return any(arm.units for arm in arms) and (not newest or max(newest) >= now - LIVE_WITHIN)


def _since(dossier: Dossier, draft: DueDraft, arms: Sequence[Arm]) -> datetime | None:
    """Return when its exposures began; those of an earlier run with the same key ended with that run."""
    first = min((arm.first for arm in arms if arm.first is not None), default=None)
    ended = [
        one.ended_at
        for one in dossier.experiments
        if one.ended_at is not None and one.plan.experiment_key == draft.experiment.plan.experiment_key != ""
    ]
    return first if first is None else max([first, *ended])
