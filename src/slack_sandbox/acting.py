"""What a person does in conversations: commands, clicks, shortcuts, messages, joining.

Each act returns what the control API answers; PersonRefusal means Slack's own screens would not offer it.
"""

import json
import re
import secrets
from typing import Any

from slack_sandbox import payloads, response_urls
from slack_sandbox.blocks import interactive_elements
from slack_sandbox.conversations import Conversation, is_reply
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.outbound import NOTHING_SENT, AppLink, Reply, verification_token
from slack_sandbox.wire import Json, PersonError, SlackError
from slack_sandbox.workspace import User

FAILED = '{what} failed with the error "{error}"'
REFERENCE = re.compile(r"<(@U|#C|!)[^<>]*>")


async def command(slack: LocalSlack, app: AppLink, *, user: str, channel: str, command: str, text: str = "") -> Json:
    """Type a slash command; what the app answers at once is shown to the person, or in the channel."""
    person = acting_person(slack, user)
    conversation = joined(slack, person, channel)
    if command not in {known.command for known in slack.workspace.commands}:
        message = f"{command} is not a command of this app."
        raise PersonError(message)
    secret = slack.passes.new_response_url(user, channel=channel)
    team = slack.workspace.team
    reply = await app.send_command(
        {
            "token": verification_token(slack),
            "team_id": team.id,
            "team_domain": team.domain,
            "channel_id": channel,
            "channel_name": conversation.name,
            "user_id": user,
            "user_name": person.name,
            "command": command,
            "text": escaped(slack, text),
            "api_app_id": slack.workspace.bot.app_id,
            "is_enterprise_install": "false",
            "response_url": payloads.response_url(slack, secret),
            "trigger_id": slack.passes.new_trigger(user),
        }
    )
    if not reply.ok:
        notice(slack, user=user, channel=channel, text=FAILED.format(what=command, error=reply.error))
    elif reply.body.strip():
        return _show_answer(slack, reply, secret=secret, what=command)
    return reply.shown()


async def click(
    slack: LocalSlack,
    app: AppLink,
    *,
    user: str,
    channel: str,
    ts: str,
    action_id: str,
    block_id: str | None = None,
    option: Any = None,
) -> Json:
    """Press a button or choose an option in a message, private ones included."""
    person = acting_person(slack, user)
    conversation = joined(slack, person, channel)
    whisper = slack.conversations.find_whisper(user=user, channel=channel, ts=ts)
    message = whisper.message if whisper else conversation.find(ts)
    if message is None:
        reason = f"{user} sees no message {ts} in {channel}."
        raise PersonError(reason)
    blocks = message.get("blocks", [])
    block, element = find_element(blocks, action_id=action_id, block_id=block_id)
    thread_ts = message.get("thread_ts")
    secret = slack.passes.new_response_url(
        user,
        channel=channel,
        message_ts=ts,
        thread_ts=thread_ts if is_reply(message) else None,
        is_ephemeral=whisper is not None,
    )
    payload = payloads.interaction(slack, person, kind="block_actions") | {
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": channel,
            "is_ephemeral": whisper is not None,
            **({"thread_ts": thread_ts} if thread_ts else {}),
        },
        "channel": payloads.channel_reference(conversation),
        "state": payloads.message_state(blocks, block=block, element=element, option=option),
        "response_url": payloads.response_url(slack, secret),
        "actions": [payloads.block_action(slack, block, element, option=option)],
    }
    if whisper is None:  # Slack leaves a private message out of what it sends
        payload["message"] = message
    reply = await app.send_interaction(payload)
    if not reply.ok:
        notice(slack, user=user, channel=channel, text=FAILED.format(what="That", error=reply.error))
    return reply.shown()


async def shortcut(
    slack: LocalSlack, app: AppLink, *, user: str, callback_id: str, channel: str | None = None, ts: str | None = None
) -> Json:
    """Choose a shortcut: of a message when `channel` and `ts` name one, else a global one."""
    person = acting_person(slack, user)
    is_on_message = channel is not None and ts is not None
    if not any(
        known.callback_id == callback_id and known.on_message == is_on_message for known in slack.workspace.shortcuts
    ):
        reason = f"{callback_id} is not a shortcut of this app."
        raise PersonError(reason)
    if channel is None or ts is None:
        payload = payloads.interaction(slack, person, kind="shortcut")
    else:
        conversation = joined(slack, person, channel)
        message = conversation.find(ts)
        if message is None:
            reason = f"There is no message {ts} in {channel}."
            raise PersonError(reason)
        secret = slack.passes.new_response_url(user, channel=channel, message_ts=ts)
        payload = payloads.interaction(slack, person, kind="message_action") | {
            "channel": payloads.channel_reference(conversation),
            "message_ts": ts,
            "message": message,
            "response_url": payloads.response_url(slack, secret),
        }
    reply = await app.send_interaction(
        payload | {"callback_id": callback_id, "action_ts": slack.conversations.next_ts()}
    )
    if not reply.ok and channel:
        notice(slack, user=user, channel=channel, text=FAILED.format(what="That", error=reply.error))
    return reply.shown()


async def say(
    slack: LocalSlack, app: AppLink, *, user: str, channel: str, text: str, thread_ts: str | None = None
) -> Json:
    """Write a message; the app hears of it where it is a member and subscribed."""
    person = acting_person(slack, user)
    conversation = joined(slack, person, channel)
    if conversation.is_archived:
        reason = f"{channel} is archived."
        raise PersonError(reason)
    if thread_ts and conversation.find(thread_ts) is None:
        reason = f"There is no message {thread_ts} in {channel}."
        raise PersonError(reason)
    written = escaped(slack, text)
    message: Json = {
        "type": "message",
        "user": user,
        "text": written,
        "ts": slack.conversations.next_ts(),
        "team": slack.workspace.team.id,
        "client_msg_id": secrets.token_hex(8),
        **({"thread_ts": thread_ts} if thread_ts else {}),
    }
    slack.conversations.add(conversation, message)
    slack.tell_about(conversation)
    bot = slack.workspace.bot.user_id
    reply = None
    if bot in conversation.members:
        place = {"channel": channel, "event_ts": message["ts"]}
        kind = {"channels": "channel", "groups": "group", "im": "im"}[conversation.kind]
        reply = await app.send_event(message | place | {"channel_type": kind})
        if f"<@{bot}>" in written and conversation.kind != "im":
            mention = await app.send_event(message | place | {"type": "app_mention"})
            reply = mention if reply.ok else reply
    return {
        **(reply.shown() if reply else {"ok": True, "status": None, "elapsed_ms": 0, "error": None}),
        "ts": message["ts"],
    }


async def mark_read(slack: LocalSlack, app: AppLink, *, user: str, channel: str) -> Json:  # noqa: ARG001  no app hears of it
    """Look at a conversation: nothing in it is unread any more."""
    person = acting_person(slack, user)
    slack.conversations.mark_read(user, joined(slack, person, channel))
    slack.tell_about(channel, what="conversations")
    return NOTHING_SENT.shown()


async def join(slack: LocalSlack, app: AppLink, *, user: str, channel: str, inviter: str | None = None) -> Json:
    """Let a person, or the bot ("bot"), into a channel."""
    bot = slack.workspace.bot.user_id
    member = bot if user in ("bot", bot) else acting_person(slack, user).id
    conversation = slack.conversations.find(channel)
    if conversation is None or conversation.with_user:
        reason = f"There is no channel {channel}."
        raise PersonError(reason)
    if member not in conversation.members:
        conversation.members.append(member)
    slack.tell_about(conversation, what="conversations")
    if bot not in conversation.members:
        return {"ok": True, "status": None, "elapsed_ms": 0, "error": None}
    event = {
        "type": "member_joined_channel",
        "user": member,
        "channel": channel,
        "channel_type": "G" if conversation.is_private else "C",
        "team": slack.workspace.team.id,
        "event_ts": slack.conversations.next_ts(),
    }
    return (await app.send_event(event | ({"inviter": inviter} if inviter else {}))).shown()


def acting_person(slack: LocalSlack, user: str) -> User:
    """Return the person; raises PersonError for someone unknown or gone."""
    person = slack.workspace.find_user(user)
    if person is None or person.deleted:
        reason = f"There is no active user {user}."
        raise PersonError(reason)
    return person


def joined(slack: LocalSlack, person: User, channel: str) -> Conversation:
    """Return a conversation the person is in; raises PersonError otherwise."""
    conversation = slack.conversations.find(channel)
    if conversation is None and channel == slack.conversations.direct(person.id).id:
        conversation = slack.conversations.direct(person.id)
    if conversation is None or person.id not in conversation.members:
        reason = f"{person.id} is not in {channel}."
        raise PersonError(reason)
    return conversation


def find_element(blocks: list[Json], *, action_id: str, block_id: str | None) -> tuple[Json, Json]:
    """Return the block and element a person acts on; raises PersonError when it is not there."""
    there: list[str] = []
    for block in blocks:
        for element in interactive_elements(block):
            there.append(element["action_id"])
            if element["action_id"] == action_id and block_id in (None, block["block_id"]):
                return block, element
    reason = f"There is no {action_id!r} to act on; there is {there}."
    raise PersonError(reason)


def notice(slack: LocalSlack, *, user: str, channel: str, text: str) -> None:
    """Show a person one of Slack's own private notices."""
    message = {"type": "message", "user": "USLACKBOT", "text": text, "ts": slack.conversations.next_ts()}
    slack.conversations.whisper(user=user, channel=channel, message=message)
    slack.tell_about(channel)


def escaped(slack: LocalSlack, text: str) -> str:
    """Return typed text as Slack hands it on: & < > escaped, @name and #channel as references.

    Source: docs.slack.dev/messaging/formatting-message-text, "Escaping text".
    """
    pieces, end = [], 0
    for reference in REFERENCE.finditer(text):
        pieces += [_escape(text[end : reference.start()]), reference.group()]
        end = reference.end()
    result = "".join([*pieces, _escape(text[end:])])
    bot = slack.workspace.bot
    for user_id, name in [(bot.user_id, bot.name), *((user.id, user.name) for user in slack.workspace.users)]:
        result = re.sub(rf"(?<![\w@<])@{re.escape(name)}\b", f"<@{user_id}>", result)
    return result


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _show_answer(slack: LocalSlack, reply: Reply, *, secret: str, what: str) -> Json:
    """Show what the app answered to a command in the response itself."""
    content: Json = {"text": reply.body}
    if reply.body.lstrip().startswith("{"):
        try:
            content = json.loads(reply.body)
        except ValueError:
            content = {"text": reply.body}
    url = slack.passes.use_response_url(secret)
    url.uses = 0
    try:
        response_urls.say(slack, content, url=url)
    except SlackError as refusal:
        notice(slack, user=url.user, channel=url.channel, text=FAILED.format(what=what, error=refusal.error))
        return {**reply.shown(), "ok": False, "error": refusal.error}
    return reply.shown()
