"""Sending the nudges that are due: each step once, one message a person however many items wait."""

from collections import defaultdict
from datetime import datetime

from pydantic import TypeAdapter

from labcoat.db import channels, dossiers, outbox, people, periods, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.lifecycle import RequestState
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.nudge import Nudge, NudgeCase, Reach, due_nudges, owner_or_stand_in
from labcoat.usecases import people as people_here
from labcoat.usecases import telling

_ADAPTER: TypeAdapter[tuple[Nudge, ...]] = TypeAdapter(tuple[Nudge, ...])
_DEFAULTS = ChannelSettings()


def due(tx: Transaction, *, zone: str, now: datetime) -> dict[WorkspaceId, list[Nudge]]:
    """Return the nudges that are due and were not sent. zone: for owners whose own is not known."""
    found: dict[WorkspaceId, list[Nudge]] = defaultdict(list)
    for workspace, waiting in _candidates(tx).items():
        leads = tuple(workspaces.leads(tx, workspace))
        zones = people.zones(tx, workspace)
        chosen = channels.all_settings(tx, workspace)
        presence = people_here.presence(tx, workspace, now)
        for dossier in waiting:
            request, settings = dossier.waiting_request, chosen.get(dossier.hypothesis.channel, _DEFAULTS)
            first = request.asked_of if request else owner_or_stand_in(dossier.hypothesis, presence)
            local = zones.get(first) or zone
            if schedule.is_quiet_at(now, zone=local, quiet=settings.quiet):
                continue  # what came due late, or while nudges were off, must not come now either
            reach = Reach(leads=leads, zone=local, presence=presence, quiet=settings.quiet)
            for nudge in due_nudges(dossier, reach=reach, now=now):
                is_wanted = settings.has_nudges or nudge.case is NudgeCase.REQUEST_WAITING
                if is_wanted and not periods.has_nudge(tx, workspace, nudge.key):
                    found[workspace].append(nudge)
    return found


def _candidates(tx: Transaction) -> dict[WorkspaceId, list[Dossier]]:
    """Return what may have stalled: what waits for a decision, and what has lost its owner."""
    found = dict(dossiers.waiting_for_decision(tx))
    for workspace, numbers in dossiers.open_without_owner(tx).items():
        known = {one.hypothesis.number for one in found.get(workspace, [])}
        orphaned = dossiers.read_many(tx, workspace, [number for number in numbers if number not in known])
        found[workspace] = [*found.get(workspace, []), *orphaned]
    return found


def send(tx: Transaction, workspace: WorkspaceId, nudges: list[Nudge], *, now: datetime) -> int:
    """Claim these nudges and put one message a person in the outbox; return how many were claimed."""
    by_person: dict[UserId, list[Nudge]] = defaultdict(list)
    for nudge in nudges:
        if periods.claim_nudge(tx, workspace, nudge.key, person=nudge.person, at=now):
            by_person[nudge.person].append(nudge)
    for person, mine in by_person.items():
        items = _ADAPTER.dump_python(tuple(mine), mode="json")
        outbox.put(tx, Notice(kind=NoticeKind.NUDGE, workspace=workspace, person=person, details={"nudges": items}))
        for nudge in mine:
            if nudge.case is NudgeCase.REQUEST_WAITING:
                _send_request_too(tx, workspace, nudge)
    return sum(len(mine) for mine in by_person.values())


def _send_request_too(tx: Transaction, workspace: WorkspaceId, nudge: Nudge) -> None:
    dossier = dossiers.find(tx, workspace, nudge.hypothesis)
    assert dossier is not None
    request = dossier.waiting_request
    if request is not None and request.state is RequestState.WAITING and nudge.person != request.asked_of:
        telling.send_request(tx, dossier, request.position, nudge.person)


def from_details(details: object) -> tuple[Nudge, ...]:
    """Return the nudges that a notice carries."""
    return _ADAPTER.validate_python(details)
