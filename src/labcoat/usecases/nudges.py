"""Sending the nudges that are due: each step once, one message a person however many items wait."""

from collections import defaultdict
from datetime import datetime

from pydantic import TypeAdapter

from labcoat.db import dossiers, outbox, people, periods, workspaces
from labcoat.db.database import Transaction
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.lifecycle import RequestState
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.nudge import Nudge, NudgeCase, due_nudges
from labcoat.usecases import telling

_ADAPTER: TypeAdapter[tuple[Nudge, ...]] = TypeAdapter(tuple[Nudge, ...])


def due(tx: Transaction, *, zone: str, now: datetime) -> dict[WorkspaceId, list[Nudge]]:
    """Return the nudges that are due and were not sent. zone: for owners whose own is not known."""
    found: dict[WorkspaceId, list[Nudge]] = defaultdict(list)
    for workspace, waiting in dossiers.waiting_for_decision(tx).items():
        leads = tuple(workspaces.leads(tx, workspace))
        zones = people.zones(tx, workspace)
        for dossier in waiting:
            request, owner = dossier.waiting_request, dossier.hypothesis.owner
            local = zones.get(request.asked_of if request else owner) or zone
            for nudge in due_nudges(dossier, leads=leads, zone=local, now=now):
                if not periods.has_nudge(tx, workspace, nudge.key):
                    found[workspace].append(nudge)
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
