"""Snoozing what a nudge is about, and keeping a hypothesis that nobody has touched."""

from collections.abc import Mapping
from datetime import date, timedelta

from labcoat.db import people
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.listeners.call import Asking, Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import nudge as views
from labcoat.usecases.people import nudge_resolution
from labcoat.words import numbers


def snooze(call: Call, target: Target) -> None:
    """Let whoever asks hear nothing of a hypothesis for a while, or ask them until when."""
    if target.rest == views.A_DATE:
        _open_form(call, target)
        return
    with call.writing() as (tx, now):
        dossier, zone = target.dossier(tx, call), _zone(tx, call)
        until = _until(target.rest, schedule.local_date(now, zone))
        back_at = nudge_resolution.snooze(tx, dossier, by=call.member(tx, dossier), until=until, zone=zone, now=now)
    call.reply(views.snoozed_message(dossier.hypothesis.number, numbers.day(back_at, zone)))


def _open_form(call: Call, target: Target) -> None:
    with call.reading() as (tx, now):
        dossier, zone = target.dossier(tx, call), _zone(tx, call)
    first_day = _until(views.MONDAY, schedule.local_date(now, zone)).isoformat()
    number = dossier.hypothesis.number
    call.open_form(views.snooze_form(number, first_day=first_day, metadata=call.metadata(f"H-{number}")))


def submit_snooze(form: Submission) -> None:
    """Snooze until the day that was chosen."""
    until = form.answers.day("until")
    if until is None:
        raise Refusal(Reason.MISSING, "until")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        nudge_resolution.snooze(tx, dossier, by=form.member(tx, dossier), until=until, zone=_zone(tx, form), now=now)


def _zone(tx: Transaction, asking: Asking) -> str:
    person = people.find(tx, asking.workspace, asking.user)
    return (person.zone if person is not None else None) or asking.app_context.zone


def _until(word: str, today: date) -> date:
    match word:
        case views.DAY:
            return today + timedelta(days=1)
        case views.THREE_DAYS:
            return today + timedelta(days=3)
        case views.MONDAY:
            return today + timedelta(days=7 - today.weekday())
        case views.KEEP:
            return today + nudge_resolution.KEPT_FOR
    raise Refusal(Reason.UNKNOWN_COMMAND, text=f"snooze {word[:20]}", hint="The menu of a nudge has what there is.")


HANDLERS: Mapping[str, Handler] = {
    "snooze": Handler(open=snooze, submit=submit_snooze),
}
