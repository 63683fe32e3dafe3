"""The digest on demand: a private preview, or now for the channel."""

from collections.abc import Mapping

from labcoat.slack.blocks import Message, section
from labcoat.slack.listeners import settings
from labcoat.slack.listeners.call import Call
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views.digest import digest_message
from labcoat.usecases.people import digests


def show_digest(call: Call, rest: str) -> None:
    """Answer with a preview, or put the digest in the outbox for the channel."""
    if rest == "settings":
        settings.open_settings_form(call, "")
        return
    channel = call.here()
    if rest != "now":
        with call.reading() as (tx, now):
            digest = digests.compose(tx, call.workspace, channel, now=now, zone=call.app_context.zone)
        call.reply(digest_message(digest, is_preview=True))
        return
    with call.writing() as (tx, now):
        digest = digests.compose(tx, call.workspace, channel, now=now, zone=call.app_context.zone)
        digests.put(
            tx, call.workspace, channel, digest, subject=f"digest {channel} {now.isoformat()}", asked_by=call.user
        )
    text = f"The digest is on its way to <#{channel}>. Monday's comes as always."
    call.reply(Message(text=text, blocks=(section(text),)))


HANDLERS: Mapping[str, Handler] = {
    "digest": Handler(run=show_digest),
}
