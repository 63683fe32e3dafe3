"""Hypotheses: file, list, show, close, ship."""

from typing import Any

from labcoat.db import dossiers
from labcoat.domain.amounts import read_days
from labcoat.domain.hypothesis import Outcome, Statement
from labcoat.domain.ids import ChannelId
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.need import Tenfold
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.views import hypothesis as views
from labcoat.slack.views import listing
from labcoat.slack.views.card import card
from labcoat.stats.results import Direction
from labcoat.usecases import hypotheses, results
from labcoat.warehouse import reading


def open_file_form(call: Call, text: str) -> None:
    """Open the form of a new hypothesis with the text in it; nothing is filed by itself."""
    with call.reading() as (tx, _):
        used = dossiers.metric_names(tx, call.workspace)
    known = [one.name for one in reading.describe(call.house.metrics)] if call.house.metrics else []
    home = call.home_channel()
    metrics = list(dict.fromkeys([*known, *used]))
    metadata = call.metadata("", home=home)
    call.open_form(views.file_form(text=text, metrics=metrics, owner=call.user, metadata=metadata))


def open_from_nowhere(call: Call, payload: dict[str, Any]) -> None:  # noqa: ARG001
    """Open the form of a new hypothesis, from the global shortcut."""
    open_file_form(call, "")


def open_from_message(call: Call, payload: dict[str, Any]) -> None:
    """Open the form of a new hypothesis with a message's text in it."""
    open_file_form(call, payload["message"].get("text", ""))


def submit_file(form: Submission) -> None:
    """File a hypothesis."""
    answers = form.answers
    statement = Statement(
        change=answers.text("change"),
        metric=answers.text("metric"),
        direction=answers.required_word("direction", Direction),
        because=answers.text("because"),
        smallest_effect=answers.text("smallest_effect"),
        refuted_by=answers.text("refuted_by"),
        tags=tuple(answers.text("tags").split(",")),
    )
    with form.writing() as (tx, now):
        hypotheses.file(
            tx,
            form.workspace,
            statement,
            by=form.member(tx),
            owner=answers.person("owner") or form.user,
            channel=ChannelId(form.metadata["home"]),
            now=now,
        )


def show_list(call: Call, rest: str) -> None:
    """Answer with a list: open ones, mine, closed, or those of a stage."""
    words = rest.split()
    first = words[0] if words else "open"
    stage = Stage(words[1]) if first == "stage" else None
    title = {"mine": "Yours, open", "open": "Open", "closed": "Closed"}.get(first) or f"Open at {stage}"
    with call.reading() as (tx, _):
        found = hypotheses.list_for(
            tx,
            call.workspace,
            owner=call.user if first == "mine" else None,
            is_open=first != "closed",
            stage=stage,
            limit=listing.SHOWN + 1,
        )
    call.reply(listing.hypothesis_list(found, title=title))


def show_menu(call: Call, rest: str) -> None:  # noqa: ARG001
    """Answer a bare `/experiment` with what is the person's."""
    with call.reading() as (tx, _):
        mine = hypotheses.list_for(tx, call.workspace, owner=call.user, is_open=True, stage=None, limit=10)
    call.reply(listing.menu(mine))


def show(call: Call, target: Target) -> None:
    """Answer with the card, only for the person."""
    with call.reading() as (tx, now):
        dossier = target.dossier(tx, call)
        readout = results.newest_readout(tx, dossier)
        problem = results.current_problem(tx, dossier)
    call.reply(card(dossier, readout=readout, problem=problem, now=now, zone=call.house.zone))


def open_close_form(call: Call, target: Target) -> None:
    """Open the end form."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        dossier.require(Step.CLOSE)
        dossier.require_owner(call.member(tx, dossier), or_lead=True)
        if dossier.running is not None:
            raise Refusal(Reason.RUNNING, experiment=dossier.running.number, hypothesis=dossier.hypothesis.number)
        verdict = results.newest_verdict(tx, dossier)
    call.open_form(views.close_form(dossier, verdict=verdict, metadata=call.metadata(target.subject)))


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
