"""Nudges: what stalls is found where something is due, and told in one message a person, each step once.

Two parts: `find` reads, `send` takes each hypothesis and claims each person's day in the transaction that tells them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.db import channels, dossiers, nudging, outbox, people, periods, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import notices, schedule
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import NudgesChanged
from labcoat.domain.ids import HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.nudge import Nudge, Reach, Role, newest_due, plan_nudges
from labcoat.domain.person import Presence
from labcoat.domain.stall import UNCAPPED, NudgeCase, Stall, find_stalls
from labcoat.usecases.people import stall_signals, team

MOST_A_WEEK = 2
ASKED_ABOUT_AT_LEAST_EVERY = timedelta(days=1)
"""Zones, vacations and settings change without a step of the hypothesis."""
_UNDATED = frozenset({NudgeCase.SPLIT, NudgeCase.HARM, NudgeCase.OWNER_GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A hypothesis that was asked about.

    nudges: to be sent now. then: when it is asked about next.
    begun, over: stalls that nothing else dates, found now or found to be over.
    """

    dossier: Dossier
    due: nudging.Due
    nudges: tuple[Nudge, ...]
    then: datetime | None
    begun: tuple[Stall, ...]
    over: tuple[NudgeCase, ...]

    @property
    def number(self) -> HypothesisNumber:
        """Of the hypothesis."""
        return self.dossier.hypothesis.number


def workspaces_due(tx: Transaction, *, now: datetime) -> list[WorkspaceId]:
    """Return the workspaces where something is to be asked about."""
    return nudging.workspaces_due(tx, now)


def find(tx: Transaction, workspace: WorkspaceId, *, zone: str, now: datetime) -> list[Asked]:
    """Ask about each hypothesis that is due, and return what is to be sent. zone: for people whose own is not known."""
    due = {one.number: one for one in nudging.due(tx, workspace, now)}
    there = dossiers.read_many(tx, workspace, list(due))
    world = _World(tx, workspace, list(due), zone=zone, now=now)
    planned = []
    for dossier in there:
        one = due[dossier.hypothesis.number]
        signs = stall_signals.read(tx, dossier, changed_at=one.changed_at, found=world.found.get(one.number, {}))
        stalls = find_stalls(dossier, signs, presence=world.presence, now=now)
        steps = plan_nudges(dossier, stalls, reach=world.reach(dossier))
        planned.append((dossier, one, stalls, steps))
    was_sent = nudging.sent(tx, workspace, [step.key for *_, steps in planned for step in steps if step.due_at <= now])
    return [_asked(*one, world=world, was_sent=was_sent) for one in planned]


class _World:
    """What is the same for all hypotheses of a workspace."""

    def __init__(
        self, tx: Transaction, workspace: WorkspaceId, numbers: Sequence[HypothesisNumber], *, zone: str, now: datetime
    ) -> None:
        self.now, self.zone = now, zone
        self.presence: Presence = team.presence(tx, workspace, now)
        self.found = nudging.found_since(tx, workspace, numbers)
        self._leads = tuple(workspaces.leads(tx, workspace))
        self._admins = tuple(people.admins(tx, workspace))
        self._zones: Mapping[UserId | None, str] = people.zones(tx, workspace)
        self._settings = channels.all_settings(tx, workspace)
        self._snoozed = nudging.snoozed(tx, workspace, numbers)

    def settings(self, dossier: Dossier) -> ChannelSettings:
        return self._settings.get(dossier.hypothesis.channel, ChannelSettings())

    def reach(self, dossier: Dossier) -> Reach:
        return Reach(
            leads=self._leads,
            admins=self._admins,
            zone=self.zone,
            zones=self._zones,
            presence=self.presence,
            quiet=self.settings(dossier).quiet,
            snoozed=self._snoozed.get(dossier.hypothesis.number, {}),
        )

    def zone_of(self, person: UserId | None) -> str:
        return self._zones.get(person) or self.zone


def _asked(
    dossier: Dossier,
    one: nudging.Due,
    stalls: Sequence[Stall],
    steps: Sequence[Nudge],
    *,
    world: _World,
    was_sent: Collection[str],
) -> Asked:
    now, settings = world.now, world.settings(dossier)
    ready, later = [], [step.due_at for step in steps if step.due_at > now]
    for nudge in newest_due(steps, now=now):
        if nudge.key in was_sent or not (settings.has_nudges or nudge.case in UNCAPPED):
            continue
        opens_at = _opens_at(nudge, now, zone=world.zone_of(nudge.person), quiet=settings.quiet)
        if opens_at <= now:
            ready.append(nudge)
        else:
            later.append(opens_at)
    undated = [stall for stall in stalls if stall.case in _UNDATED]
    known = world.found.get(one.number, {})
    is_done = not dossier.hypothesis.is_open or dossier.hypothesis.is_imported
    return Asked(
        dossier=dossier,
        due=one,
        nudges=tuple(ready),
        then=None if is_done else min([now + ASKED_ABOUT_AT_LEAST_EVERY, *later]),
        begun=tuple(stall for stall in undated if stall.case not in known),
        over=tuple(case for case in known if case not in {stall.case for stall in undated}),
    )


def _opens_at(nudge: Nudge, now: datetime, *, zone: str, quiet: tuple[int, int] | None) -> datetime:
    """Return when a nudge that is due may be sent; not after `now` if it may now."""
    if nudge.step == 0:
        return now
    if nudge.is_urgent:
        return schedule.after_quiet(now, zone=zone, quiet=quiet)
    slot = schedule.open_nudge_slot(now, zone=zone, quiet=quiet)
    return schedule.nudge_slot(now, zone=zone, quiet=quiet) if slot is None else slot


def send(tx: Transaction, workspace: WorkspaceId, asked: Iterable[Asked], *, zone: str, now: datetime) -> int:
    """Take what was asked about and tell each person in one message; return how many nudges were told.

    What a replica took, or a step changed meanwhile, is left to them. What a cap holds comes at a later slot.
    """
    mine = [one for one in asked if nudging.claim_due(tx, workspace, one.due, then=one.then)]
    by_person: dict[UserId, list[Nudge]] = defaultdict(list)
    for one in mine:
        for stall in one.begun:
            nudging.open_stall(tx, workspace, one.number, stall.case, since=stall.since)
        if one.over:
            nudging.close_stall(tx, workspace, one.number, one.over)
        for nudge in one.nudges:
            by_person[nudge.person].append(nudge)
    zones = people.zones(tx, workspace) if by_person else {}
    dossier_of = {one.number: one.dossier for one in mine}
    then_of = {one.number: one.then for one in mine}
    told = 0
    for person in sorted(by_person):
        items, put_off = _within_caps(tx, workspace, person, by_person[person], zone=zones.get(person) or zone, now=now)
        told += _tell(tx, workspace, person, items, dossier_of, now=now)
        for nudge, at in put_off:
            then = then_of[nudge.hypothesis]
            if then is None or at < then:
                nudging.reschedule(tx, workspace, nudge.hypothesis, at)
    return told


def _within_caps(
    tx: Transaction, workspace: WorkspaceId, person: UserId, items: Sequence[Nudge], *, zone: str, now: datetime
) -> tuple[list[Nudge], list[tuple[Nudge, datetime]]]:
    """Return what may be told now, and what has to wait until when. The day is the person's own."""
    day = schedule.local_date(now, zone)
    if any(nudge.step == 0 for nudge in items):
        periods.claim_nudge_day(tx, workspace, person, day, most_a_week=None)
    capped = [nudge for nudge in items if nudge.case not in UNCAPPED and nudge.step > 0]
    if not capped or periods.claim_nudge_day(tx, workspace, person, day, most_a_week=MOST_A_WEEK):
        return list(items), []
    tomorrow = schedule.nudge_slot(schedule.midnight(day + timedelta(days=1), zone), zone=zone)
    return [nudge for nudge in items if nudge not in capped], [(nudge, tomorrow) for nudge in capped]


def _tell(
    tx: Transaction,
    workspace: WorkspaceId,
    person: UserId,
    items: Sequence[Nudge],
    dossier_of: Mapping[HypothesisNumber, Dossier],
    *,
    now: datetime,
) -> int:
    subject = f"nudge {person} {now:%Y%m%dT%H%M%S}"
    shown = [nudge for nudge in items if nudge.step > 0]
    for nudge in items:
        nudging.record(tx, workspace, nudge, subject=subject if nudge.step > 0 else None, at=now)
    if not shown:
        return 0
    outbox.put(
        tx, Notice(kind=NoticeKind.NUDGE, workspace=workspace, person=person, subject=subject, fact=NudgesChanged())
    )
    for nudge in shown:
        if nudge.case is NudgeCase.REQUEST_WAITING and nudge.role is not Role.ADMIN:
            _send_request_too(tx, dossier_of[nudge.hypothesis], person)
    return len(shown)


def _send_request_too(tx: Transaction, dossier: Dossier, person: UserId) -> None:
    request = dossier.waiting_request
    if request is not None and person != request.asked_of:
        outbox.put(tx, notices.request(dossier, request.position, person))
