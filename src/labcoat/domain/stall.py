"""What has stalled in a hypothesis, and since when: the cases that nudges and the digest tell of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.person import Presence
from labcoat.domain.plan import ResultSource

NO_DATA_AFTER = timedelta(days=2)


class NudgeCase(StrEnum):
    """What has stalled, the most urgent first."""

    SPLIT = "traffic split off"
    HARM = "harm"
    REQUEST_WAITING = "request waiting"
    OWNER_GONE = "owner gone"
    END_REACHED = "planned end reached"
    UNDECIDED = "stopped without decision"
    NO_NUMBERS = "numbers unreadable"
    NO_DATA = "no data after the start"
    TOTALS = "totals not sent"
    DRAFT = "draft not started"
    OVER_CAP = "prototype over its cap"
    NO_USERS = "prototype without user feedback"
    IDLE = "prototype idle"
    QUIET = "productionize quiet"
    UNTOUCHED = "hypothesis untouched"


URGENT = frozenset({NudgeCase.SPLIT, NudgeCase.HARM})
"""Somebody may come to harm meanwhile: told at once, and neither caps nor snoozes hold them."""
UNCAPPED = URGENT | {NudgeCase.REQUEST_WAITING}
"""Somebody waits for an answer, so these come beside the one message a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StallSignals:
    """What tells of a stall beside the hypothesis itself.

    changed_at: the newest step of its history. found: first-seen time of conditions that have no timestamp of their
    own. is_uneven, is_harmed: of the running experiment's newest count or look. has_data: any unit was seen.
    has_refreshed: the source was read since the start. problem_since: when its numbers became unreadable, once its
    owner was told. totals_at: when totals were last sent.
    """

    changed_at: datetime
    found: Mapping[NudgeCase, datetime] = field(default_factory=dict)
    is_uneven: bool = False
    is_harmed: bool = False
    has_data: bool = True
    has_refreshed: bool = False
    problem_since: datetime | None = None
    totals_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """One thing that has stalled, or will have at `since` unless something happens before."""

    case: NudgeCase
    since: datetime


def find_stalls(dossier: Dossier, signs: StallSignals, *, presence: Presence, now: datetime) -> tuple[Stall, ...]:
    """Return what has stalled or will; what was imported stalls for nobody until somebody takes it up."""
    hypothesis = dossier.hypothesis
    if not hypothesis.is_open or hypothesis.is_imported:
        return ()
    found: list[Stall] = []
    if hypothesis.owner in presence.gone:
        found.append(_found(NudgeCase.OWNER_GONE, signs, now))
    return (*found, *_waiting(dossier, signs, now))


def owner_or_stand_in(hypothesis: Hypothesis, presence: Presence) -> UserId | None:
    """Return who takes care of it now: the owner, or who stands in while the owner is away or gone; None for nobody.

    An owner who is away and named nobody reads it on coming back.
    """
    owner, deputy = hypothesis.owner, hypothesis.deputy
    if owner is None or presence.is_there(owner):
        return owner
    there = [one for one in (presence.stand_in(owner), deputy) if one is not None and presence.is_there(one)]
    return there[0] if there else None if owner in presence.gone else owner


def _found(case: NudgeCase, signs: StallSignals, now: datetime) -> Stall:
    return Stall(case=case, since=signs.found.get(case, now))


def _waiting(dossier: Dossier, signs: StallSignals, now: datetime) -> list[Stall]:
    if dossier.waiting_request is not None:
        return [Stall(case=NudgeCase.REQUEST_WAITING, since=dossier.waiting_request.asked_at)]
    match dossier.hypothesis.stage:
        case Stage.HYPOTHESIZE:
            return [Stall(case=NudgeCase.UNTOUCHED, since=signs.changed_at)]
        case Stage.PROTOTYPE:
            return [Stall(case=_prototype_case(dossier), since=signs.changed_at)]
        case Stage.PRODUCTIONIZE:
            return [Stall(case=NudgeCase.QUIET, since=signs.changed_at)]
        case Stage.EXPERIMENT:
            experiment = dossier.newest_experiment
            return [] if experiment is None else _in_experiment(experiment, signs, now)


def _prototype_case(dossier: Dossier) -> NudgeCase:
    if dossier.prototypes and dossier.prototypes[-1].is_over_cap:
        return NudgeCase.OVER_CAP
    has_users = any(one.kind.source is EvidenceSource.USERS for one in dossier.evidence)
    return NudgeCase.IDLE if has_users else NudgeCase.NO_USERS


def _in_experiment(experiment: Experiment, signs: StallSignals, now: datetime) -> list[Stall]:
    match experiment.state:
        case ExperimentState.DRAFT:
            return [Stall(case=NudgeCase.DRAFT, since=signs.changed_at)]
        case ExperimentState.RUNNING:
            return _running(experiment, signs, now)
        case ExperimentState.STOPPED if experiment.stopped_at is not None:
            return [Stall(case=NudgeCase.UNDECIDED, since=max(experiment.stopped_at, signs.changed_at))]
    return []


def _running(experiment: Experiment, signs: StallSignals, now: datetime) -> list[Stall]:
    assert experiment.end_reached_at is not None
    end = Stall(case=NudgeCase.END_REACHED, since=max(experiment.end_reached_at, signs.changed_at))
    if experiment.is_of_the_past:
        return [end]
    return [*_urgent(signs, now), end, *_numbers(experiment, signs, now)]


def _urgent(signs: StallSignals, now: datetime) -> list[Stall]:
    if signs.is_uneven:
        return [_found(NudgeCase.SPLIT, signs, now)]
    return [_found(NudgeCase.HARM, signs, now)] if signs.is_harmed else []


def _numbers(experiment: Experiment, signs: StallSignals, now: datetime) -> list[Stall]:
    assert experiment.started_at is not None
    assert experiment.end_reached_at is not None
    if experiment.plan.source is ResultSource.TYPED:
        is_over = now >= experiment.end_reached_at  # then the end itself is what waits
        since = signs.totals_at or experiment.started_at
        return [] if is_over else [Stall(case=NudgeCase.TOTALS, since=since)]
    if signs.problem_since is not None:
        return [Stall(case=NudgeCase.NO_NUMBERS, since=signs.problem_since)]
    if signs.has_data or not signs.has_refreshed:
        return []
    return [Stall(case=NudgeCase.NO_DATA, since=experiment.started_at + NO_DATA_AFTER)]
