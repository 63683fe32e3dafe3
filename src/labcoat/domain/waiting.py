"""What waits for a person: decisions they were asked for, and their own that need a next step."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage


class WaitingCase(StrEnum):
    """Why something waits, the most urgent first."""

    DECIDE = "decide"
    ANSWERED = "answered"
    END_REACHED = "end reached"
    UNDECIDED = "undecided"
    DRAFT = "draft"
    OVER_CAP = "over cap"
    NO_USERS = "no users"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that waits. answer: what became of a request, for ANSWERED."""

    case: WaitingCase
    hypothesis: HypothesisNumber
    experiment: ExperimentNumber | None
    change: str
    since: datetime
    answer: RequestState | None = None


def find_waiting(dossier: Dossier, person: UserId, *, now: datetime) -> Waiting | None:
    """Return what waits for this person in a hypothesis, the most urgent if several do."""
    hypothesis, request = dossier.hypothesis, dossier.waiting_request
    if not hypothesis.is_open:
        return None
    if request is not None:
        return _one(dossier, WaitingCase.DECIDE, request.asked_at) if request.asked_of == person else None
    if person not in (hypothesis.owner, hypothesis.deputy):
        return None
    return _after_an_answer(dossier) or _in_its_stage(dossier, now)


def _after_an_answer(dossier: Dossier) -> Waiting | None:
    newest = dossier.requests[-1] if dossier.requests else None
    if newest is None or newest.state not in (RequestState.SENT_BACK, RequestState.DECLINED, RequestState.EXPIRED):
        return None
    if dossier.draft is not None or dossier.running is not None or newest.decided_at is None:
        return None
    return _one(dossier, WaitingCase.ANSWERED, newest.decided_at, answer=newest.state)


def _in_its_stage(dossier: Dossier, now: datetime) -> Waiting | None:
    experiment = dossier.newest_experiment
    if dossier.hypothesis.stage is Stage.PROTOTYPE and dossier.prototypes:
        newest = dossier.prototypes[-1]
        if newest.is_over_cap:
            return _one(dossier, WaitingCase.OVER_CAP, newest.begun_at)
        if not any(one.kind.source is EvidenceSource.USERS for one in dossier.evidence):
            return _one(dossier, WaitingCase.NO_USERS, newest.begun_at)
        return None
    if dossier.hypothesis.stage is not Stage.EXPERIMENT or experiment is None:
        return None
    match experiment.state:
        case ExperimentState.DRAFT:
            return _one(dossier, WaitingCase.DRAFT, experiment.planned_at)
        case ExperimentState.RUNNING if experiment.end_reached_at is not None and experiment.end_reached_at <= now:
            return _one(dossier, WaitingCase.END_REACHED, experiment.end_reached_at)
        case ExperimentState.STOPPED if experiment.stopped_at is not None:
            return _one(dossier, WaitingCase.UNDECIDED, experiment.stopped_at)
    return None


def _one(dossier: Dossier, case: WaitingCase, since: datetime, *, answer: RequestState | None = None) -> Waiting:
    experiment = dossier.newest_experiment
    return Waiting(
        case=case,
        hypothesis=dossier.hypothesis.number,
        experiment=experiment.number if experiment else None,
        change=dossier.hypothesis.change,
        since=since,
        answer=answer,
    )
