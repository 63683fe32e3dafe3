"""What nothing else answers: buttons and forms of an earlier version, commands of another app; never a 404."""

import re
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient

from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack import ephemeral_reply
from labcoat.slack.blocks import escape
from labcoat.words import refusals

_ANY = re.compile(r".*", re.DOTALL)


def register(app: App) -> None:
    """Register a listener for everything that a person can do; after all others, since the first match answers."""

    def on_command(body: dict[str, Any], client: WebClient) -> BoltResponse:
        unknown = Refusal(Reason.UNKNOWN_COMMAND, text=body["command"], hint="`/hypothesis help` shows what I know.")
        return ephemeral_reply.answer(client, body, refusals.text(unknown, escape=escape))

    def on_act(body: dict[str, Any], client: WebClient) -> BoltResponse:
        return ephemeral_reply.answer(client, body, refusals.text(Refusal(Reason.FROM_EARLIER)))

    def on_closed(ack: Ack) -> None:
        ack()

    def on_options(ack: Ack) -> None:
        ack(options=[])

    app.command(_ANY)(on_command)
    app.action(_ANY)(on_act)
    app.view_submission(_ANY)(on_act)
    app.view_closed(_ANY)(on_closed)
    app.shortcut(_ANY)(on_act)
    app.options(_ANY)(on_options)
