"""Nudges: kind reminders to a person about something that waits for them; when each step of each case is due."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.request import eligible_leads
from labcoat.domain.schedule import add_working_days, nudge_slot


class NudgeCase(StrEnum):
    """What has stalled."""

    REQUEST_WAITING = "request waiting"
    END_REACHED = "planned end reached"
    UNDECIDED = "stopped without decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """One reminder to one person.

    step: 1 for the first, ... `since` is part of the key, so that any new beginning counts from the start again.
    """

    case: NudgeCase
    step: int
    person: UserId
    hypothesis: HypothesisNumber
    experiment: ExperimentNumber | None
    change: str
    since: datetime
    due_at: datetime

    @property
    def key(self) -> str:
        """What makes it unique within its workspace."""
        return f"{self.case}:H-{self.hypothesis}:{self.since:%Y%m%dT%H%M%S}:{self.step}:{self.person}"


_OWNER_STEPS = (1, 4)  # working days after the end: the next one, and three later
_LEADS_STEP = 8
_REQUEST_AGAIN = 2
_REQUEST_LAST = 4


def due_nudges(dossier: Dossier, *, leads: tuple[UserId, ...], zone: str, now: datetime) -> list[Nudge]:
    """Return the nudges whose time has come; of several steps to one person only the newest, so that nothing floods.

    zone: of the person who is reminded first. The first message about a request is the request itself.
    """
    newest: dict[tuple[NudgeCase, UserId], Nudge] = {}
    for nudge in _all(dossier, leads, zone):
        if nudge.due_at <= now:
            newest[nudge.case, nudge.person] = nudge
    return list(newest.values())


def _all(dossier: Dossier, leads: tuple[UserId, ...], zone: str) -> list[Nudge]:
    if not dossier.hypothesis.is_open:
        return []
    request = dossier.waiting_request
    if request is not None:
        others = tuple(lead for lead in eligible_leads(dossier.hypothesis, leads) if lead != request.asked_of)
        return [
            *_steps(
                dossier,
                NudgeCase.REQUEST_WAITING,
                request.asked_at,
                (request.asked_of,),
                (_REQUEST_AGAIN, _REQUEST_LAST),
                zone,
            ),
            *_steps(
                dossier, NudgeCase.REQUEST_WAITING, request.asked_at, others, (_REQUEST_AGAIN, _REQUEST_LAST), zone
            ),
        ]
    experiment = dossier.newest_experiment
    if experiment is None or dossier.hypothesis.stage is not Stage.EXPERIMENT:
        return []
    if experiment.state is ExperimentState.RUNNING and experiment.end_reached_at is not None:
        return _owner_then_leads(dossier, NudgeCase.END_REACHED, experiment.end_reached_at, leads, zone)
    if experiment.state is ExperimentState.STOPPED and experiment.stopped_at is not None:
        answered = [one.decided_at for one in dossier.requests if one.decided_at is not None]
        since = max([experiment.stopped_at, *answered])
        return _owner_then_leads(dossier, NudgeCase.UNDECIDED, since, leads, zone)
    return []


def _owner_then_leads(
    dossier: Dossier, case: NudgeCase, since: datetime, leads: tuple[UserId, ...], zone: str
) -> list[Nudge]:
    owner = dossier.hypothesis.owner
    owners = () if owner is None else (owner,)
    escalated = tuple(lead for lead in leads if lead != owner)
    return [
        *_steps(dossier, case, since, owners, _OWNER_STEPS, zone),
        *_steps(dossier, case, since, escalated, (_LEADS_STEP,), zone),
    ]


def _steps(
    dossier: Dossier,
    case: NudgeCase,
    since: datetime,
    people: tuple[UserId, ...],
    working_days: tuple[int, ...],
    zone: str,
) -> list[Nudge]:
    experiment = dossier.newest_experiment
    return [
        Nudge(
            case=case,
            step=step,
            person=person,
            hypothesis=dossier.hypothesis.number,
            experiment=experiment.number if experiment else None,
            change=dossier.hypothesis.change,
            since=since,
            due_at=nudge_slot(add_working_days(since, days, zone=zone), zone=zone),
        )
        for person in people
        for step, days in enumerate(working_days, start=1)
    ]
