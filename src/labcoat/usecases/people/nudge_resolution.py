"""Nudges that are over: what somebody did takes the place of the buttons, in the message itself."""

from datetime import date, datetime, timedelta

from labcoat.db import nudging, outbox
from labcoat.db.database import Transaction
from labcoat.domain import notices, schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.member import Member
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.stall import URGENT

KEPT_FOR = timedelta(days=30)
LONGEST_SNOOZE = timedelta(days=92)


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
        outbox.put(tx, *notices.nudge_messages(workspace, snoozed))
    return midnight
