"""What tells of a stall beside the hypothesis itself: its looks, counts, typed totals and unreadable sources."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from labcoat.db import looks, nudging, unit_counts, waiting_looks
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look
from labcoat.domain.nudge import stalls_from
from labcoat.domain.plan import ResultSource
from labcoat.domain.stall import NudgeCase, Stall, StallSignals, find_stalls, owner_or_stand_in
from labcoat.domain.verdicts import harmed
from labcoat.stats import entry
from labcoat.stats.results import Readout, Verdict
from labcoat.usecases.people import team

_TOLD_ELSEWHERE = frozenset({NudgeCase.SPLIT, NudgeCase.HARM, NudgeCase.REQUEST_WAITING, NudgeCase.NO_NUMBERS})
"""The digest has groups of their own for them."""


def read(
    tx: Transaction, dossier: Dossier, *, changed_at: datetime, found: Mapping[NudgeCase, datetime]
) -> StallSignals:
    """Return what the database tells; only of what runs is anything read."""
    experiment = dossier.newest_experiment
    if experiment is not None and experiment.state is ExperimentState.STOPPED:
        wait = waiting_looks.find(tx, dossier.hypothesis.workspace, experiment.number)
        # Nobody can decide before the final look, so nothing stalls while it waits.
        changed_at = changed_at if wait is None else max(changed_at, wait.until)
    if experiment is None or experiment.state is not ExperimentState.RUNNING or experiment.is_of_the_past:
        return StallSignals(changed_at=changed_at, found=found)
    if experiment.plan.source is ResultSource.TYPED:
        return _of_typed(tx, dossier.hypothesis.workspace, experiment, changed_at, found)
    return _of_warehouse(tx, dossier.hypothesis.workspace, experiment, changed_at, found)


def _of_typed(
    tx: Transaction,
    workspace: WorkspaceId,
    experiment: Experiment,
    changed_at: datetime,
    found: Mapping[NudgeCase, datetime],
) -> StallSignals:
    readout = _newest_readout(tx, workspace, experiment)
    entries = looks.newest_entries(tx, workspace, experiment.number).values()
    return StallSignals(
        changed_at=changed_at,
        found=found,
        is_uneven=_is_uneven(readout),
        is_harmed=readout is not None and is_harmed(readout, experiment),
        totals_at=max((one.sent_at for one in entries), default=None),
    )


def _of_warehouse(
    tx: Transaction,
    workspace: WorkspaceId,
    experiment: Experiment,
    changed_at: datetime,
    found: Mapping[NudgeCase, datetime],
) -> StallSignals:
    readout = _newest_readout(tx, workspace, experiment)
    count = unit_counts.find(tx, workspace, experiment.number)
    any_look = looks.newest_sample(tx, workspace, experiment.number)
    problem = looks.find_problem(tx, workspace, experiment.number)
    is_uneven = count is not None and count.split.p_value < entry.SPLIT_INVALID_BELOW
    units = [*(count.exposed if count is not None else ()), *(any_look.exposed if any_look is not None else ())]
    return StallSignals(
        changed_at=changed_at,
        found=found,
        is_uneven=is_uneven or _is_uneven(readout),
        is_harmed=readout is not None and is_harmed(readout, experiment),
        has_data=sum(units) > 0 or waiting_looks.find(tx, workspace, experiment.number) is not None,
        has_refreshed=count is not None or any_look is not None,
        problem_since=problem.since if problem is not None and problem.is_owner_told else None,
    )


def _newest_readout(tx: Transaction, workspace: WorkspaceId, experiment: Experiment) -> Readout | None:
    newest = looks.newest(tx, workspace, experiment.number)
    return experiment.standing(newest.readout if newest is not None else None)


def is_harmed(readout: Readout, experiment: Experiment) -> bool:
    """Whether a look says that a treatment which still runs does harm; a dropped one does none any more."""
    if not readout.by_treatment:
        return readout.verdict.is_harm
    return any(one.treatment in experiment.remaining_treatments for one in harmed(readout))


def _is_uneven(readout: Readout | None) -> bool:
    return readout is not None and readout.verdict is Verdict.INVALID


def stalled(
    tx: Transaction,
    workspace: WorkspaceId,
    there: Sequence[Dossier],
    newest_looks: Mapping[ExperimentNumber, Look],
    *,
    zone_of: Callable[[ChannelId], str],
    now: datetime,
) -> dict[HypothesisNumber, Stall]:
    """Return what digests count as stalled, the most urgent first: what was due for a first nudge and not snoozed.

    What was nudged three times in vain is told here alone. newest_looks: of the running experiments that have one.
    """
    numbers = [one.hypothesis.number for one in there if one.hypothesis.is_open]
    if not numbers:
        return {}
    presence = team.presence(tx, workspace, now)
    known, changed_at = nudging.found_since(tx, workspace, numbers), nudging.changed_at(tx, workspace, numbers)
    snoozed = nudging.snoozed(tx, workspace, numbers)
    found: dict[HypothesisNumber, Stall] = {}
    for dossier in there:
        number, experiment = dossier.hypothesis.number, dossier.newest_experiment
        if number not in changed_at:
            continue
        look = newest_looks.get(experiment.number) if experiment is not None else None
        if look is None:
            seen = read(tx, dossier, changed_at=changed_at[number], found=known.get(number, {}))
        else:  # it has data, and of the rest the digest tells under other titles
            seen = StallSignals(changed_at=changed_at[number], found=known.get(number, {}), totals_at=look.made_at)
        carer = owner_or_stand_in(dossier.hypothesis, presence)
        until = snoozed.get(number, {}).get(carer) if carer is not None else None
        stalls = find_stalls(dossier, seen, presence=presence, now=now)
        own = [one for one in stalls if one.case not in _TOLD_ELSEWHERE]
        zone = zone_of(dossier.hypothesis.channel)
        due = [one for one in own if stalls_from(one, zone=zone, snoozed=until) <= now]
        if due:
            found[number] = due[0]
    order = list(NudgeCase)
    return dict(sorted(found.items(), key=lambda one: (order.index(one[1].case), one[1].since)))
