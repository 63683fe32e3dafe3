"""File a hypothesis: the form, what was tried before, what could be said better, and where the words came from."""

import json
import re
from collections.abc import Mapping
from typing import Any

from labcoat.db import channels, dossiers
from labcoat.db.database import Transaction
from labcoat.domain.hypothesis import Statement, checked
from labcoat.domain.ids import ChannelId
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import INPUT_LENGTH, Message, actions, button, section, unescape
from labcoat.slack.form_values import Answers
from labcoat.slack.listeners.call import PUBLIC_OR_PRIVATE, Asking, Call, RenewFormError, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import filing as views
from labcoat.stats.rule import Direction
from labcoat.usecases.hypotheses import hypotheses
from labcoat.usecases.hypotheses.similar import Found
from labcoat.usecases.people import following
from labcoat.words import linting

_MENTION = re.compile(r"<[@#!](?:[A-Z0-9]+\|)?([^>|]*)>")
_LINK = re.compile(r"<(?:mailto:)?([^>|]+)(?:\|[^>]*)?>")


def open_file_form(call: Call, text: str) -> None:
    """Open the form of a new hypothesis with the text in it; nothing is filed by itself."""
    _open(call, text, {})


def open_from_nowhere(call: Call, payload: dict[str, Any]) -> None:  # noqa: ARG001
    """Open the form of a new hypothesis, from the global shortcut."""
    _open(call, "", {})


def open_from_message(call: Call, payload: dict[str, Any]) -> None:
    """Open the form of a new hypothesis with a message's text in it, and remember where that was said."""
    message, domain = payload["message"], payload["team"]["domain"]
    channel, ts = payload["channel"]["id"], message["ts"]
    link = f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    _open(call, readable(message.get("text") or ""), {"link": link, "author": message.get("user", "")})


def readable(text: str) -> str:
    """Return a message's text as people read it, without Slack's signs for links and mentions.

    >>> readable("<@U1|ben> says offers &lt; 5 at <https://example.org|the page>")
    'ben says offers < 5 at https://example.org'
    """
    return unescape(_LINK.sub(r"\1", _MENTION.sub(r"\1", text))).strip()[:INPUT_LENGTH]


def _open(call: Call, text: str, source: dict[str, str]) -> None:
    statement = Statement(change=text, metric="", direction=Direction.UP, because="")
    with call.reading() as (tx, _):
        channel = _home(tx, call)
        similar = call.app_context.memory.nearest(tx, call.workspace, text) if text else ()
        metrics, tags = _known(tx, call, channel)
    metadata = call.metadata("", seen=[found.number for found in similar], **source)
    call.open_form(
        views.file_form(
            statement,
            metrics=metrics,
            described=call.app_context.described_metrics,
            tags=tags,
            owner=call.user,
            channel=channel,
            similar=similar,
            metadata=metadata,
        )
    )


def _home(tx: Transaction, call: Call) -> ChannelId | None:
    if not call.channel.startswith(PUBLIC_OR_PRIVATE):
        return call.app_context.home_channel
    return channels.settings(tx, call.workspace, call.channel).home or call.channel


def _known(tx: Transaction, asking: Asking, channel: ChannelId | None) -> tuple[list[str], tuple[str, ...]]:
    used = dossiers.metric_names(tx, asking.workspace)
    in_file = [one.name for one in asking.app_context.described_metrics]
    tags = channels.settings(tx, asking.workspace, channel).tags if channel else ()
    return list(dict.fromkeys([*in_file, *used])), tags


def submit_file(form: Submission) -> None:
    """File a hypothesis; what was tried before, or could be said better, is shown once before."""
    statement, channel = _statement(form.answers), form.answers.channel("channel")
    if channel is None:
        raise Refusal(Reason.MISSING, "channel")
    checked(statement)  # what is missing is said before what could be better
    with form.writing() as (tx, now):
        _review(tx, form, statement, channel)
        filed = hypotheses.file(
            tx,
            form.workspace,
            statement,
            by=form.member(tx),
            owner=form.answers.person("owner") or form.user,
            channel=channel,
            now=now,
        )
        if form.metadata.get("link"):
            hypotheses.tell_source(tx, filed, link=form.metadata["link"], author=form.metadata["author"])


def _statement(answers: Answers) -> Statement:
    return Statement(
        change=answers.text("change"),
        metric=answers.text("metric"),
        direction=answers.required_word("direction", Direction),
        because=answers.text("because"),
        smallest_effect=answers.text("smallest_effect"),
        refuted_by=answers.text("refuted_by"),
        different_because=answers.text("different_because"),
        tags=tuple(tag for tag in answers.text("tags").split(",") if tag.strip()),
    )


def _review(tx: Transaction, form: Submission, statement: Statement, channel: ChannelId) -> None:
    """Raise RenewFormError if there is something to show that the person has not seen yet."""
    if form.metadata.get("is_reviewed"):
        return
    seen = set(form.metadata.get("seen", ()))
    text = f"{statement.change} {statement.because}"
    similar: tuple[Found, ...] = form.app_context.memory.nearest(tx, form.workspace, text)
    warnings = linting.warnings(statement)
    if not warnings and all(found.number in seen for found in similar):
        return
    metrics, tags = _known(tx, form, channel)
    raise RenewFormError(
        views.file_form(
            statement,
            metrics=metrics,
            described=form.app_context.described_metrics,
            tags=tags,
            owner=form.answers.person("owner") or form.user,
            channel=channel,
            similar=similar,
            warnings=warnings,
            is_review=True,
            metadata=json.dumps({**form.metadata, "is_reviewed": True}),
        )
    )


def follow(call: Call, target: Target) -> None:
    """Tell this person from now on what becomes of a hypothesis."""
    with call.writing() as (tx, _):
        dossier = target.dossier(tx, call)
        following.follow(tx, dossier, by=call.user)
    number = dossier.hypothesis.number
    text = f"You follow H-{number} now: you hear when it starts, is decided, closed or reopened."
    undo = button("Stop following", verb="unfollow", value=f"H-{number}")
    call.reply(Message(text=text, blocks=(section(text), actions([undo]))))


def unfollow(call: Call, target: Target) -> None:
    """Tell this person no more."""
    with call.writing() as (tx, _):
        dossier = target.dossier(tx, call)
        following.unfollow(tx, dossier, by=call.user)
    text = f"You don't follow H-{dossier.hypothesis.number} any more."
    call.reply(Message(text=text, blocks=(section(text),)))


HANDLERS: Mapping[str, Handler] = {
    "follow": Handler(open=follow),
    "unfollow": Handler(open=unfollow),
    "file": Handler(run=open_file_form, submit=submit_file),
}
