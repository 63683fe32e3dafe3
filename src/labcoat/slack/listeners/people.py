"""People: take, hand over, be away, be back."""

import json
from collections.abc import Mapping
from dataclasses import replace

from labcoat.db import people as known
from labcoat.domain.dossier import Dossier
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.person import Person
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.listeners.call import Call, RenewFormError, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import people as views
from labcoat.slack.views.card import next_buttons
from labcoat.usecases.people import team


def take(call: Call, target: Target) -> None:
    """Make whoever asks the owner of what has none."""
    with call.writing() as (tx, now):
        dossier = target.dossier(tx, call)
        saved = team.take(tx, dossier, by=call.member(tx, dossier), now=now)
    call.reply(views.taken_message(saved, buttons=next_buttons(saved)))


def open_handover_form(call: Call, target: Target) -> None:
    """Open the form that hands over."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        dossier.require(Step.HAND_OVER)
        dossier.require_owner(call.member(tx, dossier), or_lead=True)
    metadata = call.metadata(f"H-{dossier.hypothesis.number}", seen=_who(dossier))
    call.open_form(views.handover_form(dossier, metadata=metadata))


def _who(dossier: Dossier) -> list[str | None]:
    return [dossier.hypothesis.owner, dossier.hypothesis.deputy]


def submit_handover(form: Submission) -> None:
    """Hand a hypothesis over."""
    answers = form.answers
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        by = form.member(tx, dossier)
        _require_still_so(form, dossier, by)
        team.hand_over(
            tx,
            dossier,
            by=by,
            to=answers.person("owner"),
            deputy=answers.person("deputy"),
            reason=answers.text("reason") or None,
            now=now,
        )


def _require_still_so(form: Submission, dossier: Dossier, by: Member) -> None:
    """Raise RenewFormError if it was handed over since the form was made; what was typed here is kept."""
    owner, deputy = form.metadata["seen"]
    now = dossier.hypothesis
    if [owner, deputy] == _who(dossier):
        return
    dossier.require_owner(by, or_lead=True)
    chosen = form.answers.person("owner"), form.answers.person("deputy")
    typed = replace(
        now,
        owner=chosen[0] if chosen[0] != owner else now.owner,
        deputy=chosen[1] if chosen[1] != deputy else now.deputy,
    )
    metadata = json.dumps({**form.metadata, "seen": _who(dossier)})
    reason = form.answers.text("reason")
    raise RenewFormError(views.handover_form(dossier, metadata=metadata, typed=typed, reason=reason))


def open_away_form(call: Call, rest: str) -> None:  # noqa: ARG001
    """Open the form of somebody who goes away."""
    with call.reading() as (tx, now):
        person = known.find(tx, call.workspace, call.user) or Person(user=call.user)
    shown = person if person.is_away(now) else Person(user=call.user, zone=person.zone)
    call.open_form(views.away_form(shown, zone=call.app_context.zone, metadata=call.metadata("")))


def submit_away(form: Submission) -> None:
    """Store until when somebody is away."""
    back_on = form.answers.day("back_on")
    if back_on is None:
        raise Refusal(Reason.MISSING, "back_on")
    with form.writing() as (tx, now):
        stand_in = form.answers.person("stand_in")
        zone = form.app_context.zone
        team.set_away(tx, form.workspace, form.user, back_on=back_on, stand_in=stand_in, zone=zone, now=now)


def come_back(call: Call, rest: str) -> None:  # noqa: ARG001
    """Store that somebody is there again."""
    with call.writing() as (tx, now):
        team.set_away(tx, call.workspace, call.user, back_on=None, stand_in=None, zone=call.app_context.zone, now=now)
    call.reply(views.back_message())


HANDLERS: Mapping[str, Handler] = {
    "take": Handler(open=take),
    "handover": Handler(open=open_handover_form, submit=submit_handover),
    "away": Handler(run=open_away_form, submit=submit_away),
    "back": Handler(run=come_back),
}
