"""Nudges: kind reminders to a person about something that waits; who gets which step of each case, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from labcoat.domain import schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.person import EVERYBODY_THERE, Presence
from labcoat.domain.request import eligible_leads
from labcoat.domain.stall import URGENT, NudgeCase, Stall, owner_or_stand_in

UNTOUCHED_AFTER = timedelta(days=30)
TOTALS_AFTER = timedelta(days=3)
"""Totals that came this week need no reminder on its last nudge day."""
_FRIDAY = 4


class Role(StrEnum):
    """Why somebody is nudged: it is theirs, they stand in for the owner, they lead, or they manage the workspace."""

    OWNER = "owner"
    DEPUTY = "deputy"
    LEAD = "lead"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """One reminder to one person.

    step: 1 for the first, ...; 0 for what they were told already, and only counts. `since` is part of the key, so
    that any new beginning counts from the start again.
    """

    case: NudgeCase
    step: int
    person: UserId
    role: Role = Role.OWNER
    hypothesis: HypothesisNumber
    experiment: ExperimentNumber | None
    owner: UserId | None = None
    change: str
    since: datetime
    due_at: datetime

    @property
    def key(self) -> str:
        """What makes it unique within its workspace."""
        return f"{self.case}:H-{self.hypothesis}:{self.since:%Y%m%dT%H%M%S}:{self.step}:{self.person}"

    @property
    def is_urgent(self) -> bool:
        """Whether it must not wait for ten o'clock."""
        return self.case in URGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom nudges about one hypothesis may reach and when.

    admins: of the Slack workspace. zone: for whoever's own, in `zones`, is not known. quiet: local hours to leave out.
    snoozed: until when each person wants to hear nothing of it; past moments count, for the count began anew there.
    """

    leads: tuple[UserId, ...]
    zone: str
    admins: tuple[UserId, ...] = ()
    zones: Mapping[UserId | None, str] = field(default_factory=dict)
    presence: Presence = EVERYBODY_THERE
    quiet: tuple[int, int] | None = None
    snoozed: Mapping[UserId, datetime] = field(default_factory=dict)

    @property
    def leads_there(self) -> tuple[UserId, ...]:
        """The leads who would read a message now."""
        return tuple(lead for lead in self.leads if self.presence.is_there(lead))

    def zone_of(self, person: UserId | None) -> str:
        """Return the zone in which somebody's ten o'clock is."""
        return self.zones.get(person) or self.zone


class _Audience(StrEnum):
    OWNER = "owner or who stands in"
    DEPUTY = "the deputy, else the owner once more"
    DEPUTY_AND_LEADS = "deputy and leads"
    LEADS = "leads"
    ASKED = "who was asked, and the other eligible leads"
    DELEGATE = "who stands in for who was asked, else the admins"
    HEIR = "the deputy, else the leads"
    ADMINS = "admins"


_A = _Audience
_END = ((1, _A.OWNER), (4, _A.OWNER), (8, _A.LEADS))
_PROTOTYPE = ((5, _A.OWNER), (10, _A.OWNER), (15, _A.DEPUTY))
_STEPS: Mapping[NudgeCase, tuple[tuple[int, _Audience], ...]] = {
    NudgeCase.SPLIT: ((0, _A.OWNER), (1, _A.OWNER), (1, _A.DEPUTY_AND_LEADS)),
    NudgeCase.HARM: ((0, _A.OWNER), (1, _A.OWNER), (1, _A.DEPUTY_AND_LEADS)),
    NudgeCase.REQUEST_WAITING: ((2, _A.ASKED), (4, _A.ASKED), (4, _A.DELEGATE)),
    NudgeCase.OWNER_GONE: ((0, _A.HEIR), (3, _A.HEIR), (6, _A.ADMINS)),
    NudgeCase.END_REACHED: _END,
    NudgeCase.UNDECIDED: _END,
    NudgeCase.NO_NUMBERS: ((3, _A.OWNER),),  # the first word of it comes when it is found
    NudgeCase.NO_DATA: ((0, _A.OWNER), (3, _A.OWNER)),
    NudgeCase.TOTALS: ((0, _A.OWNER), (1, _A.OWNER), (2, _A.OWNER)),  # weeks
    NudgeCase.DRAFT: ((5, _A.OWNER), (10, _A.OWNER)),
    NudgeCase.OVER_CAP: _PROTOTYPE,
    NudgeCase.NO_USERS: _PROTOTYPE,
    NudgeCase.IDLE: _PROTOTYPE,
    NudgeCase.QUIET: ((10, _A.OWNER), (20, _A.OWNER), (30, _A.LEADS)),
    NudgeCase.UNTOUCHED: ((0, _A.OWNER), (1, _A.OWNER), (2, _A.OWNER)),  # months
}
"""Working days after the beginning, and who is nudged then; three to one person at most, who then is left alone."""


def plan_nudges(dossier: Dossier, stalls: Sequence[Stall], *, reach: Reach) -> list[Nudge]:
    """Return every step of what has stalled, past and to come, each with when it is due."""
    return [nudge for stall in stalls for nudge in _steps(dossier, stall, reach)]


def newest_due(nudges: Sequence[Nudge], *, now: datetime) -> list[Nudge]:
    """Return those whose time has come; of several steps to one person only the newest, so that nothing floods."""
    newest: dict[tuple[NudgeCase, UserId], Nudge] = {}
    for nudge in sorted((one for one in nudges if one.due_at <= now), key=lambda one: one.step):
        newest[nudge.case, nudge.person] = nudge
    return [*newest.values()]


def stalls_from(stall: Stall, *, zone: str, snoozed: datetime | None = None) -> datetime:
    """Return when the first step about it is due, wherever it goes: from then on the digest counts it as stalled."""
    return _due_at(stall, 0, zone=zone, quiet=None, snoozed=snoozed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNudge:
    """A nudge in a message. entry: the step that ended it; snoozed_until: when it comes again."""

    key: str
    subject: str
    person: UserId
    nudge: Nudge
    entry: int | None
    snoozed_until: datetime | None


def is_answered(nudge: Nudge, dossier: Dossier) -> bool:
    """Whether the change that was just made to its hypothesis ends the nudge; most are ended by any change."""
    hypothesis = dossier.hypothesis
    if not hypothesis.is_open:
        return True
    if nudge.case in URGENT:
        return dossier.running is None
    if nudge.case is NudgeCase.REQUEST_WAITING:
        return dossier.waiting_request is None
    if nudge.case is NudgeCase.OWNER_GONE:
        return hypothesis.owner != nudge.owner
    return True


def _steps(dossier: Dossier, stall: Stall, reach: Reach) -> list[Nudge]:
    hypothesis, experiment = dossier.hypothesis, dossier.newest_experiment
    carer = owner_or_stand_in(hypothesis, reach.presence)
    snoozed = reach.snoozed.get(carer) if carer is not None and _can_be_put_off(stall) else None
    since = stall.since if snoozed is None else max(stall.since, snoozed)
    nudges = [
        Nudge(
            case=stall.case,
            step=step,
            person=person,
            role=role,
            hypothesis=hypothesis.number,
            experiment=experiment.number if experiment else None,
            owner=hypothesis.owner,
            change=hypothesis.change,
            since=since,
            due_at=_not_before(
                _due_at(stall, step - 1, zone=reach.zone_of(person), quiet=reach.quiet, snoozed=snoozed),
                stall,
                person,
                reach,
            ),
        )
        for step, (_, audience) in enumerate(_STEPS[stall.case], start=1)
        for person, role in _people(audience, dossier, carer, reach)
    ]
    if stall.case is NudgeCase.NO_NUMBERS:
        nudges += [replace(nudge, step=0, due_at=stall.since) for nudge in nudges[:1]]
    return nudges


def _can_be_put_off(stall: Stall) -> bool:
    # An urgent one waits for nobody, and a request runs out however long its owner wants to hear nothing.
    return stall.case not in URGENT and stall.case is not NudgeCase.REQUEST_WAITING


def _not_before(due_at: datetime, stall: Stall, person: UserId, reach: Reach) -> datetime:
    """Put a nudge off until its person is back, and has not asked to hear nothing of it."""
    if stall.case in URGENT:
        return due_at
    away = reach.presence.away.get(person)
    floors = [reach.snoozed.get(person), away.away_until if away is not None else None]
    floor = max([one for one in floors if one is not None], default=due_at)
    return due_at if floor <= due_at else schedule.nudge_slot(floor, zone=reach.zone_of(person), quiet=reach.quiet)


def _due_at(
    stall: Stall, index: int, *, zone: str, quiet: tuple[int, int] | None, snoozed: datetime | None
) -> datetime:
    """Return when a step is due; after a snooze the first one comes at its end, and the others as far apart as ever."""
    is_put_off = snoozed is not None and snoozed > stall.since
    since = snoozed if is_put_off and snoozed is not None else stall.since
    count = _STEPS[stall.case][index][0]
    match stall.case:
        case NudgeCase.UNTOUCHED:
            earliest = since if is_put_off else since + UNTOUCHED_AFTER
            return schedule.month_slot(earliest, months=count, zone=zone, quiet=quiet)
        case NudgeCase.TOTALS:
            earliest = since if is_put_off else since + TOTALS_AFTER
            return schedule.week_slot(earliest, weekday=_FRIDAY, weeks=count, zone=zone, quiet=quiet)
        case NudgeCase.SPLIT | NudgeCase.HARM:
            return _urgent_at(since, index, zone=zone, quiet=quiet)
    working_days = count - _STEPS[stall.case][0][0] if is_put_off else count
    return schedule.nudge_slot(schedule.add_working_days(since, working_days, zone=zone), zone=zone, quiet=quiet)


def _urgent_at(since: datetime, index: int, *, zone: str, quiet: tuple[int, int] | None) -> datetime:
    """At once; at ten on the next working day, Mondays too; and when a whole working day has passed."""
    if index == 0:
        return schedule.after_quiet(since, zone=zone, quiet=quiet)
    next_day = schedule.add_working_days(since, 1, zone=zone)
    ten = schedule.at_local(schedule.local_date(next_day, zone), schedule.NUDGE_TIME, zone)
    return schedule.after_quiet(ten if index == 1 else max(ten, next_day), zone=zone, quiet=quiet)


def _people(audience: _Audience, dossier: Dossier, carer: UserId | None, reach: Reach) -> list[tuple[UserId, Role]]:
    hypothesis, is_there = dossier.hypothesis, reach.presence.is_there
    owners = [] if carer is None else [(carer, Role.OWNER if carer == hypothesis.owner else Role.DEPUTY)]
    deputies = [(one, Role.DEPUTY) for one in [hypothesis.deputy] if one is not None and one != carer and is_there(one)]
    leads = [(one, Role.LEAD) for one in reach.leads_there if one not in (carer, hypothesis.owner, hypothesis.deputy)]
    match audience:
        case _A.OWNER:
            return owners
        case _A.DEPUTY:
            return deputies or owners
        case _A.DEPUTY_AND_LEADS:
            return [*deputies, *leads]
        case _A.HEIR:
            return owners or leads
        case _A.ASKED | _A.DELEGATE:
            return _who_answers(audience, dossier, reach)
        case _A.ADMINS:
            return [(one, Role.ADMIN) for one in reach.admins if is_there(one) and one not in reach.leads_there]
        case _A.LEADS:
            return leads


def _who_answers(audience: _Audience, dossier: Dossier, reach: Reach) -> list[tuple[UserId, Role]]:
    request = dossier.waiting_request
    assert request is not None
    eligible = eligible_leads(dossier.hypothesis, reach.leads, presence=reach.presence)
    everybody = dict.fromkeys([request.asked_of, *eligible])
    asked = [one for one in everybody if reach.presence.is_there(one)]
    if audience is _A.ASKED:
        return [(one, Role.LEAD) for one in asked]
    delegate = reach.presence.stand_in(request.asked_of)
    if delegate is not None and delegate not in (*asked, *dossier.hypothesis.involved):
        return [(delegate, Role.LEAD)]
    others = [one for one in reach.admins if reach.presence.is_there(one) and one not in asked]
    return [(one, Role.ADMIN) for one in others]
