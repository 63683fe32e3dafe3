"""Bring past work: look at it first, then store it."""

import json
from collections.abc import Mapping

from labcoat.domain import importing as parsing
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import notice_view
from labcoat.slack.listeners.call import PUBLIC_OR_PRIVATE, Call, RenewFormError, Submission
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import importing as views
from labcoat.usecases.hypotheses import importing


def open_import_form(call: Call, rest: str) -> None:  # noqa: ARG001
    """Open the form."""
    channel = call.channel if call.channel.startswith(PUBLIC_OR_PRIVATE) else call.app_context.home_channel
    metadata = call.metadata("")
    call.open_form(views.import_form(paste="", channel=channel, reading=None, has_file=False, metadata=metadata))


def submit_import(form: Submission) -> None:
    """Show what the text or file holds; the second time, store it."""
    channel = form.answers.channel("channel")
    if channel is None:
        raise Refusal(Reason.MISSING, "channel")
    paste = form.answers.text("paste")
    url = form.metadata.get("url") or form.answers.file_address("file")
    text = parsing.decoded(form.app_context.download.small(url)) if url else paste
    with form.reading() as (tx, now):
        reading = importing.read(tx, form.workspace, text, zone=form.app_context.zone, now=now)
    looked_at = [one.change for one in reading.found]
    if form.metadata.get("looked_at") != len(looked_at) or not looked_at:
        metadata = json.dumps({**form.metadata, "url": url, "looked_at": len(looked_at)})
        raise RenewFormError(
            views.import_form(paste=paste, channel=channel, reading=reading, has_file=bool(url), metadata=metadata)
        )
    with form.writing() as (tx, now):
        importing.store(
            tx, form.workspace, reading.found, by=form.member(tx), channel=channel, zone=form.app_context.zone, now=now
        )
    raise RenewFormError(notice_view("Bring past work", views.imported_message(len(looked_at))))


HANDLERS: Mapping[str, Handler] = {
    "import": Handler(run=open_import_form, submit=submit_import),
}
