"""Nudges: kind reminders to a person about something that waits for them; when each step of each case is due."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.person import EVERYBODY_THERE, Presence
from labcoat.domain.request import eligible_leads
from labcoat.domain.schedule import add_working_days, nudge_slot


class NudgeCase(StrEnum):
    """What has stalled."""

    REQUEST_WAITING = "request waiting"
    END_REACHED = "planned end reached"
    UNDECIDED = "stopped without decision"
    OWNER_GONE = "owner gone"


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


_AT_ONCE = (0,)  # working days; who owned it is gone
_OWNER_STEPS = (1, 4)  # working days after the end: the next one, and three later
_LEADS_STEPS = (8,)
_REQUEST_STEPS = (2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom a nudge may reach and when. zone: of the person who is reminded first. quiet: local hours to leave out."""

    leads: tuple[UserId, ...]
    zone: str
    presence: Presence = EVERYBODY_THERE
    quiet: tuple[int, int] | None = None

    @property
    def leads_there(self) -> tuple[UserId, ...]:
        """The leads who would read a message now."""
        return tuple(lead for lead in self.leads if self.presence.is_there(lead))


def owner_or_stand_in(hypothesis: Hypothesis, presence: Presence) -> UserId | None:
    """Return who takes care of it now: the owner, or who stands in while the owner is away or gone; None for nobody.

    An owner who is away and named nobody reads it on coming back.
    """
    owner, deputy = hypothesis.owner, hypothesis.deputy
    if owner is None or presence.is_there(owner):
        return owner
    there = [one for one in (presence.stand_in(owner), deputy) if one is not None and presence.is_there(one)]
    return there[0] if there else None if owner in presence.gone else owner


def due_nudges(dossier: Dossier, *, reach: Reach, now: datetime) -> list[Nudge]:
    """Return the nudges whose time has come; of several steps to one person only the newest, so that nothing floods.

    The first message about a request is the request itself.
    """
    newest: dict[tuple[NudgeCase, UserId], Nudge] = {}
    for nudge in _all(dossier, reach):
        if nudge.due_at <= now:
            newest[nudge.case, nudge.person] = nudge
    return list(newest.values())


def _all(dossier: Dossier, reach: Reach) -> list[Nudge]:
    if not dossier.hypothesis.is_open:
        return []
    return [*_owner_gone(dossier, reach), *_waiting(dossier, reach)]


def _owner_gone(dossier: Dossier, reach: Reach) -> list[Nudge]:
    hypothesis = dossier.hypothesis
    if hypothesis.owner not in reach.presence.gone:
        return []
    deputy = owner_or_stand_in(hypothesis, reach.presence)
    people = reach.leads_there if deputy is None else (deputy,)
    return _steps(dossier, NudgeCase.OWNER_GONE, hypothesis.stage_since, people, _AT_ONCE, reach)


def _waiting(dossier: Dossier, reach: Reach) -> list[Nudge]:
    request = dossier.waiting_request
    if request is not None:
        eligible = eligible_leads(dossier.hypothesis, reach.leads, presence=reach.presence)
        asked = [request.asked_of, *(lead for lead in eligible if lead != request.asked_of)]
        there = tuple(person for person in asked if reach.presence.is_there(person))
        return _steps(dossier, NudgeCase.REQUEST_WAITING, request.asked_at, there, _REQUEST_STEPS, reach)
    experiment = dossier.newest_experiment
    if experiment is None or dossier.hypothesis.stage is not Stage.EXPERIMENT:
        return []
    if experiment.state is ExperimentState.RUNNING and experiment.end_reached_at is not None:
        return _owner_then_leads(dossier, NudgeCase.END_REACHED, experiment.end_reached_at, reach)
    if experiment.state is ExperimentState.STOPPED and experiment.stopped_at is not None:
        answered = [one.decided_at for one in dossier.requests if one.decided_at is not None]
        since = max([experiment.stopped_at, *answered])
        return _owner_then_leads(dossier, NudgeCase.UNDECIDED, since, reach)
    return []


def _owner_then_leads(dossier: Dossier, case: NudgeCase, since: datetime, reach: Reach) -> list[Nudge]:
    first = owner_or_stand_in(dossier.hypothesis, reach.presence)
    owners = () if first is None else (first,)
    escalated = tuple(lead for lead in reach.leads_there if lead not in (first, dossier.hypothesis.owner))
    return [
        *_steps(dossier, case, since, owners, _OWNER_STEPS, reach),
        *_steps(dossier, case, since, escalated, _LEADS_STEPS, reach),
    ]


def _steps(
    dossier: Dossier,
    case: NudgeCase,
    since: datetime,
    people: tuple[UserId, ...],
    working_days: tuple[int, ...],
    reach: Reach,
) -> list[Nudge]:
    experiment, zone = dossier.newest_experiment, reach.zone
    return [
        Nudge(
            case=case,
            step=step,
            person=person,
            hypothesis=dossier.hypothesis.number,
            experiment=experiment.number if experiment else None,
            change=dossier.hypothesis.change,
            since=since,
            due_at=nudge_slot(add_working_days(since, days, zone=zone), zone=zone, quiet=reach.quiet),
        )
        for person in people
        for step, days in enumerate(working_days, start=1)
    ]
