"""Nudges that are over: what somebody did takes the place of the buttons, in the message itself."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from labcoat.db import nudging, outbox
from labcoat.db.database import Transaction
from labcoat.db.nudging import SentNudge
from labcoat.domain import schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import NudgesChanged
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.member import Member
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.nudge import is_answered
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.stall import URGENT, NudgeCase

KEPT_FOR = timedelta(days=30)
LONGEST_SNOOZE = timedelta(days=92)


def settle(tx: Transaction, dossier: Dossier, *, entry: int, ends: frozenset[NudgeCase] = frozenset()) -> None:
    """Let every nudge that this step of the history ends say so. ends: cases that only this step knows to be over."""
    workspace = dossier.hypothesis.workspace
    there = nudging.unanswered(tx, workspace, dossier.hypothesis.number)
    ended = [one for one in there if one.nudge.case in ends or is_answered(one.nudge, dossier)]
    if ends:
        nudging.close_stall(tx, workspace, dossier.hypothesis.number, ends)  # found again later, they are new ones
    if ended:
        nudging.answer(tx, workspace, [one.key for one in ended], entry=entry)
        _show(tx, workspace, ended)


def snooze(tx: Transaction, dossier: Dossier, *, by: Member, until: date, zone: str, now: datetime) -> datetime:
    """Let a person hear nothing of a hypothesis until a day in their zone; return that midnight. Raises Refusal."""
    workspace, number = dossier.hypothesis.workspace, dossier.hypothesis.number
    today = schedule.local_date(now, zone)
    if until <= today:
        raise Refusal(Reason.NOT_LATER, "until")
    if until - today > LONGEST_SNOOZE:
        raise Refusal(Reason.SNOOZED_TOO_LONG, "until", most=LONGEST_SNOOZE.days)
    there = [one for one in nudging.unanswered(tx, workspace, number) if one.person == by.user]
    if not there:
        dossier.require_owner(by, or_lead=True)
    midnight = schedule.midnight(until, zone)
    nudging.snooze(tx, workspace, number, by.user, until=midnight)
    nudging.invalidate(tx, workspace, number)
    snoozed = [one for one in there if one.nudge.case not in URGENT]
    if snoozed:
        nudging.answer(tx, workspace, [one.key for one in snoozed], snoozed_until=midnight)
        _show(tx, workspace, snoozed)
    return midnight


def _show(tx: Transaction, workspace: WorkspaceId, nudges: Iterable[SentNudge]) -> None:
    for subject, person in sorted({(one.subject, one.person) for one in nudges}):
        outbox.put(
            tx, Notice(kind=NoticeKind.NUDGE, workspace=workspace, person=person, subject=subject, fact=NudgesChanged())
        )
