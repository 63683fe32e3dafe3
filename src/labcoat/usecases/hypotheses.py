"""What people do with a hypothesis itself: file it, list it, ship it, close it."""

from collections.abc import Mapping
from datetime import datetime

from labcoat.db import dossiers, people, workspaces
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Hypothesis, Outcome, Statement
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.need import Tenfold
from labcoat.domain.steps import hypothesis as steps
from labcoat.usecases import people as people_here
from labcoat.usecases import results, telling


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
    people_here.require_members(tx, workspace, [owner], field="owner")
    number = workspaces.next_hypothesis(tx, workspace)
    new = steps.file(statement, by=by, owner=owner, workspace=workspace, channel=channel, number=number, now=now)
    people.meet(tx, workspace, owner)
    return telling.save(tx, None, new, step=Step.FILE, by=by.user, now=now)


def list_for(
    tx: Transaction,
    workspace: WorkspaceId,
    *,
    owner: UserId | None,
    is_open: bool | None,
    stage: Stage | None,
    limit: int,
) -> list[Hypothesis]:
    """Return hypotheses, newest first. None for a filter: any."""
    return dossiers.list_hypotheses(tx, workspace, owner=owner, is_open=is_open, stage=stage, limit=limit)


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
    return telling.save(tx, dossier, new, step=Step.SHIP, by=by.user, now=now)


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
    waiting = dossier.waiting_request
    new = steps.close(
        dossier,
        by=by,
        outcome=outcome,
        learning=learning,
        days_spent=days_spent,
        verdict=results.newest_verdict(tx, dossier),
        overrides=overrides,
        now=now,
    )
    saved = telling.save(tx, dossier, new, step=Step.CLOSE, by=by.user, now=now, reason=overrides)
    if waiting is not None:
        telling.refresh_requests(tx, saved, waiting.position)
    return saved
