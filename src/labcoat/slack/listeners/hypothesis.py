"""Hypotheses: list, show, close, ship."""

import re
from collections.abc import Mapping

from labcoat.domain.amounts import read_days
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.need import Tenfold
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import hypothesis as views
from labcoat.slack.views import lists
from labcoat.slack.views.card import card
from labcoat.usecases.experiments import predictions, results
from labcoat.usecases.hypotheses import hypotheses
from labcoat.usecases.people import home

_PAGED = re.compile(r"^(?P<rest>.*?) ?from (?P<offset>\d{1,6})$")
"""What the buttons of a list say: "mine from 20"."""


def show_list(call: Call, rest: str) -> None:
    """Answer with a page of a list: open ones, mine, closed, those of a stage or with a tag."""
    wanted = _PAGED.match(rest)
    rest, offset = (wanted["rest"], int(wanted["offset"])) if wanted else (rest, 0)
    first, _, word = rest.partition(" ")
    first, word = first or "open", word.strip()
    stage, tag = Stage(word) if first == "stage" else None, word if first == "tag" else None
    title = {"mine": "Yours, open", "open": "Open", "closed": "Closed", "stage": f"Open at {word}"}.get(first)
    with call.reading() as (tx, _):
        found = hypotheses.list_for(
            tx,
            call.workspace,
            owner=call.user if first == "mine" else None,
            is_open=None if first == "tag" else first != "closed",
            stage=stage,
            tag=tag,
            limit=lists.SHOWN + 1,
            offset=offset,
        )
    call.reply(lists.hypothesis_list(found, title=title or f"Tagged {word}", words=rest, offset=offset))


def show_menu(call: Call, rest: str) -> None:  # noqa: ARG001
    """Answer a bare `/experiment` with what waits, what is the person's, and what runs."""
    with call.reading() as (tx, now):
        shown = home.compose(tx, call.workspace, call.user, now=now)
    call.reply(lists.menu(shown, zone=call.app_context.zone))


def show(call: Call, target: Target) -> None:
    """Answer with the card, only for the person."""
    with call.reading() as (tx, now):
        dossier = target.dossier(tx, call)
        look, wait = results.newest_look(tx, dossier), results.current_wait(tx, dossier)
        problem, counts = results.current_problem(tx, dossier), results.current_counts(tx, dossier)
        made, corrected_at = predictions.of_newest(tx, dossier), results.correction_shown(tx, dossier)
    call.reply(
        card(
            dossier,
            look=look,
            problem=problem,
            counts=counts,
            predictions=made,
            corrected_at=corrected_at,
            wait=wait,
            now=now,
            zone=call.app_context.zone,
        )
    )


def note(call: Call, target: Target) -> None:
    """Keep what somebody saw in the thread and in the history."""
    if not target.rest:
        raise Refusal(Reason.NOTE_EMPTY, id=str(target.subject))
    with call.writing() as (tx, now):
        dossier = target.dossier(tx, call)
        hypotheses.note(tx, dossier, by=call.member(tx, dossier), text=target.rest, now=now)
    call.reply(lists.noted_message(dossier))


def open_close_form(call: Call, target: Target) -> None:
    """Open the end form."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        dossier.require(Step.CLOSE)
        dossier.require_owner(call.member(tx, dossier), or_lead=True)
        if dossier.running is not None:
            raise Refusal(Reason.RUNNING, experiment=dossier.running.number, hypothesis=dossier.hypothesis.number)
        verdict, treatment = results.proposing_verdict(tx, dossier)
    metadata = call.metadata(target.subject)
    call.open_form(views.close_form(dossier, verdict=verdict, treatment=treatment, metadata=metadata))


def submit_close(form: Submission) -> None:
    """Close a hypothesis."""
    answers = form.answers
    outcome = answers.required_word("outcome", Outcome)
    days_spent = read_days(answers.text("days_spent"), field="days_spent")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        hypotheses.close(
            tx,
            dossier,
            by=form.member(tx, dossier),
            outcome=outcome,
            learning=answers.text("learning"),
            days_spent=days_spent,
            overrides=answers.text("overrides") or None,
            now=now,
        )


def open_ship_form(call: Call, target: Target) -> None:
    """Open the form that ships."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.SHIP)
    call.open_form(views.ship_form(dossier, metadata=call.metadata(target.subject)))


def submit_ship(form: Submission) -> None:
    """Ship a hypothesis."""
    answers = form.answers
    held = answers.choices("tenfold")
    days_spent = read_days(answers.text("days_spent"), field="days_spent")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        hypotheses.ship(
            tx,
            dossier,
            by=form.member(tx, dossier),
            link=answers.text("link"),
            holds={line: line.value in held for line in Tenfold},
            days_spent=days_spent,
            now=now,
        )


HANDLERS: Mapping[str, Handler] = {
    "note": Handler(open=note),
    "show": Handler(open=show),
    "close": Handler(open=open_close_form, submit=submit_close),
    "ship": Handler(open=open_ship_form, submit=submit_ship),
    "list": Handler(run=show_list),
    "menu": Handler(run=show_menu),
}
