"""Saving a change together with what must be told about it: read who may hear of it, decide, write."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from labcoat.db import audience, dossiers, nudging, outbox, people
from labcoat.db.database import Transaction
from labcoat.domain import notices
from labcoat.domain.dossier import Dossier, with_stand_in
from labcoat.domain.facts import Fact
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.notice import Notice
from labcoat.domain.notices import Change
from labcoat.domain.stall import NudgeCase


def save(
    tx: Transaction,
    old: Dossier | None,
    new: Dossier,
    *,
    step: Step,
    by: Member | None,
    now: datetime,
    reason: str | None = None,
    ends: frozenset[NudgeCase] = frozenset(),
    facts: Iterable[Fact] = (),
    next_looks: Mapping[ExperimentNumber, datetime | None] | None = None,
) -> Dossier:
    """Save a step and put all that it gives in the outbox. Raises dossiers.ChangedMeanwhileError.

    by: None for the clock. ends: cases of nudges that this step ends beside those that any such step does. facts: more
    lines of the card's thread. next_looks: when the next look of an experiment is due, None for never.
    """
    user = by.user if by is not None else None
    if by is not None:
        if not by.is_met:
            people.meet(tx, new.hypothesis.workspace, by.user)
        new = with_stand_in(new, by)
    saved, entry = dossiers.save(tx, old, new, step=step, by=user, at=now, reason=reason, next_looks=next_looks or {})
    hypothesis = saved.hypothesis
    change = Change(old=old, new=saved, step=step, by=user, entry=entry, ends=ends)
    heard = audience.read(tx, hypothesis.workspace, hypothesis.number, people=change.people, positions=change.positions)
    told = [*notices.of_step(change, heard), *(notices.line(saved, fact) for fact in facts)]
    outbox.add(tx, told)
    if ends:
        nudging.close_stall(tx, hypothesis.workspace, hypothesis.number, ends)  # found again later, they are new ones
    if ended := notices.ended_nudges(change, heard):
        nudging.answer(tx, hypothesis.workspace, [one.key for one in ended], entry=entry)
    return saved


def publish(
    tx: Transaction,
    dossier: Dossier,
    *facts: Fact,
    to_owner: Iterable[Fact] = (),
    shows: bool = False,
    more: Iterable[Notice] = (),
) -> None:
    """Tell what is no step of the lifecycle: lines of the card's thread, and what the owner reads in private.

    shows: whether the card, and the request that waits, no longer show what is true; it may have begun to stall then.
    more: to others.
    """
    told = [*more, *(notices.line(dossier, fact) for fact in facts)]
    told += [notice for fact in to_owner for notice in notices.health(dossier, fact)]
    if shows:
        workspace, number = dossier.hypothesis.workspace, dossier.hypothesis.number
        nudging.invalidate(tx, workspace, number)
        heard = audience.read(tx, workspace, number, positions=notices.waiting_positions(dossier))
        told += notices.of_card(dossier, heard)
    outbox.add(tx, told)
