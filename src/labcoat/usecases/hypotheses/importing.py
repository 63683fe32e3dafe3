"""Bringing past work: stored without posts or nudges, marked as imported, not counted in what was learned."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time

from labcoat.db import dossiers, similar, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import importing, schedule
from labcoat.domain.hypothesis import Ending, Statement
from labcoat.domain.ids import ChannelId, HypothesisNumber, WorkspaceId
from labcoat.domain.importing import PastWork, Reading
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.steps import hypothesis as steps

NOT_RECORDED = "not recorded"


def read(tx: Transaction, workspace: WorkspaceId, text: str, *, zone: str, now: datetime) -> Reading:
    """Return what a text holds that is not there yet."""
    known = {words.change.casefold() for words in similar.words_of_all(tx, workspace).values()}
    return importing.read(text, known=known, today=schedule.local_date(now, zone))


def store(
    tx: Transaction,
    workspace: WorkspaceId,
    works: Sequence[PastWork],
    *,
    by: Member,
    channel: ChannelId,
    zone: str,
    now: datetime,
) -> list[HypothesisNumber]:
    """Store past work; return the numbers it got."""
    return [_store_one(tx, workspace, work, by=by, channel=channel, zone=zone, now=now) for work in works]


def _store_one(
    tx: Transaction, workspace: WorkspaceId, work: PastWork, *, by: Member, channel: ChannelId, zone: str, now: datetime
) -> HypothesisNumber:
    words = Statement(
        change=work.change,
        metric=work.metric or NOT_RECORDED,
        direction=work.direction,
        because=work.because or NOT_RECORDED,
        tags=work.tags,
    )
    number = workspaces.next_hypothesis(tx, workspace)
    filed = steps.file(words, by=by, owner=work.owner, workspace=workspace, channel=channel, number=number, now=now)
    hypothesis = replace(filed.hypothesis, is_imported=True, ending=_ending(work, by=by, zone=zone, now=now))
    dossiers.save(
        tx, None, filed.with_hypothesis(hypothesis), step=Step.FILE, by=by.user, at=now, reason="from before Labcoat"
    )
    return number


def _ending(work: PastWork, *, by: Member, zone: str, now: datetime) -> Ending | None:
    if work.outcome is None:
        return None
    at = now if work.closed_on is None else min(now, schedule.at_local(work.closed_on, time(12), zone))
    return Ending(
        outcome=work.outcome,
        decision=work.decision,
        learning=work.learning or NOT_RECORDED,
        days_spent=0.0,
        by=by.user,
        at=at,
    )
