"""Response URLs: an app answers one act, in the open or to the person alone, for a short while."""

import json
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from slack_sandbox.conversations import Conversation
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.passes import ResponseUrl
from slack_sandbox.wire import Json, SlackError


def answer(slack: LocalSlack, request: Request) -> Callable[[], Awaitable[Response]]:
    """Return the work that takes what the app sent to a response URL."""

    async def work() -> Response:
        started, error = time.monotonic(), None
        content: Json = {}
        try:
            content = _read(await request.body())
            url = slack.passes.use_response_url(request.path_params["secret"])
            say(slack, content, url=url)
        except SlackError as refusal:
            error = refusal.error
        status = 200 if error is None else 404
        elapsed_ms = round((time.monotonic() - started) * 1000)
        slack.journal.record(
            "to_slack", method="response_url", status=status, elapsed_ms=elapsed_ms, error=error, payload=content
        )
        return JSONResponse({"ok": False, "error": error}, status_code=404) if error else PlainTextResponse("ok")

    return work


def say(slack: LocalSlack, content: Json, *, url: ResponseUrl) -> None:
    """Show, replace or delete what an app answers; raises SlackError for content Slack would refuse."""
    conversation = slack.conversations.find(url.channel)
    if conversation is None:
        raise SlackError("channel_not_found")
    if content.get("delete_original"):
        _delete(slack, conversation, url=url)
    elif content.get("replace_original") and url.message_ts:
        _replace(slack, conversation, content, url=url)
    else:
        thread_ts = content.get("thread_ts") or url.thread_ts
        message = slack.bot_message(content, thread_ts=thread_ts)
        if content.get("response_type") == "in_channel":
            slack.conversations.add(conversation, message)
        else:
            slack.conversations.whisper(user=url.user, channel=url.channel, message=message)
    slack.tell_about(conversation)


def _read(body: bytes) -> Json:
    try:
        content = json.loads(body)
    except ValueError as problem:
        raise SlackError("invalid_payload") from problem
    if not isinstance(content, dict):
        raise SlackError("invalid_payload")
    return content


def _delete(slack: LocalSlack, conversation: Conversation, *, url: ResponseUrl) -> None:
    if url.message_ts is None:
        return
    if url.is_ephemeral:
        slack.conversations.unwhisper(channel=url.channel, ts=url.message_ts)
    else:
        slack.conversations.remove(conversation, url.message_ts)


def _replace(slack: LocalSlack, conversation: Conversation, content: Json, *, url: ResponseUrl) -> None:
    assert url.message_ts
    if url.is_ephemeral:
        whisper = slack.conversations.find_whisper(user=url.user, channel=url.channel, ts=url.message_ts)
        original = whisper.message if whisper else None
    else:
        original = conversation.find(url.message_ts)
    if original is None:
        raise SlackError("message_not_found")
    said = slack.read_content(content)
    original.pop("blocks", None)
    original |= said
    slack.conversations.touch(conversation.id, url.message_ts)
    if not url.is_ephemeral:
        original["edited"] = {"user": slack.workspace.bot.user_id, "ts": slack.conversations.next_ts()}
