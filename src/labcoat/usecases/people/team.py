"""Who takes care of what: taking, handing over, standing in; who leads here and who is away."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

from labcoat.db import outbox, people, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import LeadNamed, OwnershipGiven, OwnershipRole, StandInNamed
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.person import Person, Presence, Standing
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.steps import hypothesis as steps
from labcoat.usecases import publish

LONGEST_AWAY = timedelta(days=366)


def presence(tx: Transaction, workspace: WorkspaceId, now: datetime) -> Presence:
    """Return who is away now, and who is known to be no member."""
    return people.presence(tx, workspace, now)


def leads(tx: Transaction, workspace: WorkspaceId) -> tuple[UserId, ...]:
    """Return everybody who leads here and is a member still."""
    gone = people.not_members(tx, workspace)
    return tuple(lead for lead in workspaces.leads(tx, workspace) if lead not in gone)


def require_members(tx: Transaction, workspace: WorkspaceId, picked: Collection[UserId], *, field: str) -> None:
    """Raise Refusal under the field for somebody known to be no member; the tick asks about the unknown."""
    for person in people.among(tx, workspace, picked).values():
        if person.standing is not Standing.MEMBER:
            raise Refusal(Reason.PERSON_UNABLE, field, standing=person.standing)


def is_owner_gone(tx: Transaction, dossier: Dossier) -> bool:
    """Whether its owner is known to be no member any more."""
    hypothesis = dossier.hypothesis
    return hypothesis.owner in people.not_members(tx, hypothesis.workspace)


def take(tx: Transaction, dossier: Dossier, *, by: Member, now: datetime) -> Dossier:
    """Let somebody take a hypothesis that has no owner, or whose owner is gone."""
    new = steps.take(dossier, by=by, is_owner_gone=is_owner_gone(tx, dossier))
    return publish.save(tx, dossier, new, step=Step.TAKE, by=by, now=now)


def hand_over(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: Member,
    to: UserId | None,
    deputy: UserId | None,
    reason: str | None,
    now: datetime,
) -> Dossier:
    """Give a hypothesis another owner, another deputy, or both; who is new hears of it."""
    old, workspace = dossier.hypothesis, dossier.hypothesis.workspace
    new = steps.hand_over(dossier, by=by, to=to, deputy=deputy)
    for field, person in (("owner", to), ("deputy", deputy)):
        if person is not None:
            require_members(tx, workspace, [person], field=field)
            people.meet(tx, workspace, person)
    saved = publish.save(tx, dossier, new, step=Step.HAND_OVER, by=by, now=now, reason=reason)
    given = partial(OwnershipGiven, hypothesis=old.number, by=by.user, reason=reason or "")
    if to is not None and to not in (old.owner, by.user):
        _tell(tx, workspace, to, given(role=OwnershipRole.OWNER))
    if deputy is not None and deputy not in (old.deputy, by.user):
        _tell(tx, workspace, deputy, given(role=OwnershipRole.DEPUTY))
    return saved


def _tell(
    tx: Transaction, workspace: WorkspaceId, person: UserId, fact: OwnershipGiven | StandInNamed | LeadNamed
) -> None:
    outbox.put(tx, Notice(kind=NoticeKind.OWNERSHIP, workspace=workspace, person=person, fact=fact))


def set_away(
    tx: Transaction,
    workspace: WorkspaceId,
    user: UserId,
    *,
    back_on: date | None,
    stand_in: UserId | None,
    zone: str,
    now: datetime,
) -> Person:
    """Store that somebody is away until a day in their zone; who stands in hears of it. back_on: None for back now."""
    before = people.find(tx, workspace, user) or Person(user=user)
    if back_on is None:
        people.set_away(tx, workspace, user, until=None, stand_in=None)
        return replace(before, away_until=None, stand_in=None)
    today = schedule.local_date(now, before.zone or zone)
    if back_on <= today:
        raise Refusal(Reason.NOT_IN_FUTURE, "back_on")
    if back_on - today > LONGEST_AWAY:
        raise Refusal(Reason.TOO_FAR, "back_on")
    if stand_in == user:
        raise Refusal(Reason.STAND_IN_IS_SELF, "stand_in")
    until = schedule.midnight(back_on, before.zone or zone)
    if stand_in is not None:
        require_members(tx, workspace, [stand_in], field="stand_in")
        _require_there(tx, workspace, stand_in, now)
    people.set_away(tx, workspace, user, until=until, stand_in=stand_in)
    if stand_in is not None and (stand_in, until) != (before.stand_in, before.away_until):
        people.meet(tx, workspace, stand_in)
        _tell(tx, workspace, stand_in, StandInNamed(by=user, until=until))
    return replace(before, away_until=until, stand_in=stand_in)


def _require_there(tx: Transaction, workspace: WorkspaceId, person: UserId, now: datetime) -> None:
    away = people.away(tx, workspace, now).get(person)
    if away is not None and away.away_until is not None:
        raise Refusal(Reason.PERSON_AWAY, "stand_in", until=away.away_until.isoformat())


def set_leads(tx: Transaction, workspace: WorkspaceId, wanted: Collection[UserId], *, by: UserId) -> tuple[UserId, ...]:
    """Make these the leads that admins manage in Slack; return who is new, and has been told."""
    fixed = set(workspaces.leads(tx, workspace, from_settings=True))
    before = set(workspaces.leads(tx, workspace))
    require_members(tx, workspace, wanted, field="leads")
    workspaces.set_leads(tx, workspace, [one for one in wanted if one not in fixed], from_settings=False)
    new = tuple(one for one in wanted if one not in before)
    for lead in new:
        people.meet(tx, workspace, lead)
        if lead != by:
            _tell(tx, workspace, lead, LeadNamed(by=by))
    return new
