"""What people do with a hypothesis itself: file, edit, list, ship, close, pivot, reopen it."""

from collections.abc import Mapping
from datetime import datetime

from labcoat.db import dossiers, history, people, workspaces
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import BegunWithMessage, PredictionClosest
from labcoat.domain.history import HistoryEntry
from labcoat.domain.hypothesis import Hypothesis, Outcome, Statement
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.need import Tenfold
from labcoat.domain.steps import hypothesis as steps
from labcoat.usecases import publish
from labcoat.usecases.experiments import predictions, results
from labcoat.usecases.people import team


def file(
    tx: Transaction,
    workspace: WorkspaceId,
    statement: Statement,
    *,
    by: Member,
    owner: UserId,
    channel: ChannelId,
    now: datetime,
) -> Dossier:
    """File a hypothesis; its card appears in the channel."""
    team.require_members(tx, workspace, [owner], field="owner")
    number = workspaces.next_hypothesis(tx, workspace)
    new = steps.file(statement, by=by, owner=owner, workspace=workspace, channel=channel, number=number, now=now)
    people.meet(tx, workspace, owner)
    return publish.save(tx, None, new, step=Step.FILE, by=by, now=now)


def edit(
    tx: Transaction, dossier: Dossier, statement: Statement, *, by: Member, reason: str | None, now: datetime
) -> Dossier:
    """Change the words of a hypothesis; saying the same again changes nothing and tells nobody."""
    new = steps.edit(dossier, statement, by=by, reason=reason)
    if new == dossier:
        return dossier
    return publish.save(tx, dossier, new, step=Step.EDIT, by=by, now=now, reason=reason)


def edits_since(tx: Transaction, dossier: Dossier, entry_id: int) -> list[HistoryEntry]:
    """Return the changes of its words that came after a history entry, oldest first."""
    one = dossier.hypothesis
    return history.list_of(tx, one.workspace, one.number, after=entry_id, step=Step.EDIT)


def note(tx: Transaction, dossier: Dossier, *, by: Member, text: str, now: datetime) -> Dossier:
    """Keep a note in the history, and show it in the card's thread; nothing else changes."""
    kept = steps.note(dossier, by=by, text=text)
    return publish.save(tx, dossier, dossier, step=Step.NOTE, by=by, now=now, reason=kept)


def newest_entry(tx: Transaction, dossier: Dossier) -> int:
    """Return the id of the newest history entry of a hypothesis, 0 without any."""
    return history.newest_id(tx, dossier.hypothesis.workspace, dossier.hypothesis.number)


def list_for(
    tx: Transaction,
    workspace: WorkspaceId,
    *,
    owner: UserId | None,
    is_open: bool | None,
    stage: Stage | None,
    limit: int,
    tag: str | None = None,
    offset: int = 0,
) -> list[Hypothesis]:
    """Return hypotheses, newest first. None for a filter: any."""
    return dossiers.list_hypotheses(
        tx, workspace, owner=owner, is_open=is_open, stage=stage, tag=tag, limit=limit, offset=offset
    )


def tell_source(tx: Transaction, dossier: Dossier, *, link: str, author: str) -> None:
    """Say in the card's thread where a hypothesis came from."""
    publish.publish(tx, dossier, BegunWithMessage(hypothesis=dossier.hypothesis.number, link=link, author=author))


def ship(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: Member,
    link: str,
    holds: Mapping[Tenfold, bool],
    days_spent: float,
    now: datetime,
) -> Dossier:
    """Close a hypothesis as shipped."""
    new = steps.ship(dossier, by=by, link=link, holds=holds, days_spent=days_spent, now=now)
    return publish.save(tx, dossier, new, step=Step.SHIP, by=by, now=now, facts=_closest(tx, dossier))


def _closest(tx: Transaction, dossier: Dossier) -> list[PredictionClosest]:
    """Return whose prediction came closest, now that it is over; nothing if nobody made one."""
    made = predictions.of_newest(tx, dossier)
    best = predictions.closest(made, results.newest_verdict(tx, dossier)) if made else None
    if best is None:
        return []
    return [PredictionClosest(hypothesis=dossier.hypothesis.number, person=best.person, chance=best.chance)]


def close(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: Member,
    outcome: Outcome,
    learning: str,
    days_spent: float,
    overrides: str | None,
    now: datetime,
) -> Dossier:
    """Close a hypothesis without building it; a waiting request is withdrawn."""
    new = steps.close(
        dossier,
        by=by,
        outcome=outcome,
        learning=learning,
        days_spent=days_spent,
        verdict=results.proposing_verdict(tx, dossier)[0],
        overrides=overrides,
        now=now,
    )
    facts = _closest(tx, dossier)
    return publish.save(tx, dossier, new, step=Step.CLOSE, by=by, now=now, reason=overrides, facts=facts)


def pivot(
    tx: Transaction,
    dossier: Dossier,
    statement: Statement,
    *,
    by: Member,
    outcome: Outcome,
    learning: str,
    days_spent: float,
    overrides: str | None,
    now: datetime,
) -> Dossier:
    """Close a hypothesis as replaced, and file the one that goes on from it; return the new one."""
    old, new = steps.pivot(
        dossier,
        statement,
        by=by,
        outcome=outcome,
        learning=learning,
        days_spent=days_spent,
        verdict=results.proposing_verdict(tx, dossier)[0],
        overrides=overrides,
        number=workspaces.next_hypothesis(tx, dossier.hypothesis.workspace),
        now=now,
    )
    publish.save(tx, dossier, old, step=Step.PIVOT, by=by, now=now, reason=overrides)
    return publish.save(tx, None, new, step=Step.FILE, by=by, now=now)


def reopen(tx: Transaction, dossier: Dossier, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Open a closed hypothesis again where it was closed, or take an approved one back to before the approval."""
    new = steps.reopen(dossier, by=by, reason=reason, now=now)
    return publish.save(tx, dossier, new, step=Step.REOPEN, by=by, now=now, reason=reason)
