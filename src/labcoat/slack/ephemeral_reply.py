"""One private sentence as the answer to whatever a person did, where no listener of its own gives one."""

import logging
from http.client import HTTPException
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.slack import web_client
from labcoat.slack.blocks import Message, notice_view, section

_log = logging.getLogger(__name__)

DONE = BoltResponse(status=200, body="")


def answer(client: WebClient, body: dict[str, Any], text: str) -> BoltResponse:
    """Say it where the person is: under a command, in the form, in private below a message, or in a form of its own."""
    said = Message(text=text, blocks=(section(text),))
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
    if body.get("type") == "view_submission":
        inputs = [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"]
        if inputs:
            return BoltResponse(status=200, body={"response_action": "errors", "errors": {inputs[0]: text}})
        view = notice_view(body["view"]["title"]["text"], said)
        return BoltResponse(status=200, body={"response_action": "update", "view": view})
    if body.get("response_url"):
        web_client.answer_privately(body["response_url"], said)
    elif body.get("trigger_id"):
        _open(client, body, said)
    return DONE


def _open(client: WebClient, body: dict[str, Any], said: Message) -> None:
    opens = client.views_push if (body.get("view") or {}).get("type") == "modal" else client.views_open
    try:
        opens(trigger_id=body["trigger_id"], view=notice_view("Labcoat", said))
    except (SlackApiError, SlackClientError, HTTPException, OSError):
        _log.warning("a private answer could not be shown", exc_info=True)
