"""The conversations.*, users.*, team.* and auth.* methods of Slack's Web API."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from zoneinfo import ZoneInfo

from slack_sandbox.conversations import Conversation
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.methods_chat import visible
from slack_sandbox.wire import Json, SlackError, is_true, required
from slack_sandbox.workspace import Role, User

T = TypeVar("T")
MOST_MESSAGES = 999
USUAL_MESSAGES = 100


def auth_test(slack: LocalSlack, args: Json) -> Json:  # noqa: ARG001  every method has this shape
    """Say who the token belongs to."""
    team, bot = slack.workspace.team, slack.workspace.bot
    return {
        "ok": True,
        "url": f"{slack.base_url}/",
        "team": team.name,
        "user": bot.name,
        "team_id": team.id,
        "user_id": bot.user_id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


def team_info(slack: LocalSlack, args: Json) -> Json:  # noqa: ARG001
    """Describe the workspace."""
    team = slack.workspace.team
    return {"ok": True, "team": {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": ""}}


def user_info(slack: LocalSlack, args: Json) -> Json:
    """Describe a person or the app's bot user."""
    user_id = required(args, "user", error="user_not_found")
    user = next((user for user in everyone(slack) if user.id == user_id), None)
    if user is None:
        raise SlackError("user_not_found")
    return {"ok": True, "user": user_object(slack, user)}


def list_users(slack: LocalSlack, args: Json) -> Json:
    """Describe everyone, bot included, page by page."""
    page, cursor = _page([user_object(slack, user) for user in everyone(slack)], args)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


def open_direct(slack: LocalSlack, args: Json) -> Json:
    """Open the direct messages with one person."""
    users = str(args.get("users") or "").split(",")
    if users == [""]:
        raise SlackError("users_list_not_supplied")
    user = slack.workspace.find_user(users[0])
    if len(users) > 1 or user is None:
        raise SlackError("user_not_found")
    if user.deleted:
        raise SlackError("user_disabled")
    conversation = slack.conversations.direct(user.id)
    whole = conversation_object(slack, conversation) if is_true(args.get("return_im")) else {"id": conversation.id}
    return {"ok": True, "channel": whole}


def conversation_info(slack: LocalSlack, args: Json) -> Json:
    """Describe a conversation."""
    return {"ok": True, "channel": conversation_object(slack, _named(slack, args))}


def conversation_members(slack: LocalSlack, args: Json) -> Json:
    """List who is in a conversation, page by page."""
    page, cursor = _page(_named(slack, args).members, args)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


def list_conversations(slack: LocalSlack, args: Json) -> Json:
    """List the conversations the app can see, page by page; public channels unless other types are asked for."""
    words = {"public_channel": "channels", "private_channel": "groups", "im": "im"}
    kinds = {words[kind] for kind in str(args.get("types") or "public_channel").split(",") if kind in words}
    me = slack.workspace.bot.user_id
    shown = [
        conversation_object(slack, conversation)
        for conversation in slack.conversations.all()
        if conversation.kind in kinds
        and (conversation.kind == "channels" or me in conversation.members)
        and not (conversation.is_archived and is_true(args.get("exclude_archived")))
    ]
    page, cursor = _page(shown, args)
    return {"ok": True, "channels": page, "response_metadata": {"next_cursor": cursor}}


def history(slack: LocalSlack, args: Json) -> Json:
    """Read a conversation, newest first."""
    conversation = _readable(slack, args)
    messages = _in_range(slack.in_history(conversation.top_level()), args)[::-1]
    page, cursor = _page(messages, args)
    return _messages(page, cursor, args)


def replies(slack: LocalSlack, args: Json) -> Json:
    """Read a thread, oldest first, its parent always in front."""
    conversation = _readable(slack, args)
    ts = required(args, "ts", error="thread_not_found")
    named = conversation.find(ts)
    if named is None:
        raise SlackError("thread_not_found")
    parent = conversation.find(named.get("thread_ts", ts)) or named
    page, cursor = _page(_in_range(slack.in_history(conversation.replies(parent["ts"])), args), args)
    return _messages([parent, *page], cursor, args)


def everyone(slack: LocalSlack) -> tuple[User, ...]:
    """Return the people and the app's bot user."""
    bot = slack.workspace.bot
    return (*slack.workspace.users, User(id=bot.user_id, name=bot.name, real_name=bot.name, tz="UTC"))


def user_object(slack: LocalSlack, user: User) -> Json:
    """Return a person as the Web API shows them."""
    offset = datetime.now(UTC).astimezone(ZoneInfo(user.tz)).utcoffset()
    is_bot = user.id == slack.workspace.bot.user_id
    return {
        "id": user.id,
        "team_id": slack.workspace.team.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "is_owner": user.role is Role.OWNER,
        "is_primary_owner": user.role is Role.OWNER,
        "is_admin": user.role in (Role.OWNER, Role.ADMIN),
        "is_restricted": user.role is Role.GUEST,
        "is_ultra_restricted": False,
        "is_bot": is_bot,
        "is_app_user": False,
        "updated": 0,
        "profile": {"real_name": user.real_name, "display_name": user.name, "team": slack.workspace.team.id}
        | ({"api_app_id": slack.workspace.bot.app_id, "bot_id": slack.workspace.bot.bot_id} if is_bot else {}),
    }


def conversation_object(slack: LocalSlack, conversation: Conversation) -> Json:
    """Return a conversation as the Web API shows it."""
    shared = {"id": conversation.id, "created": conversation.created, "is_archived": conversation.is_archived}
    if conversation.with_user:
        return {**shared, "is_im": True, "is_channel": False, "user": conversation.with_user, "is_open": True}
    return {
        **shared,
        "name": conversation.name,
        "name_normalized": conversation.name,
        "is_channel": not conversation.is_private,
        "is_group": conversation.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": conversation.is_private,
        "is_general": conversation.name == "general",
        "is_member": slack.workspace.bot.user_id in conversation.members,
        "num_members": len(conversation.members),
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _named(slack: LocalSlack, args: Json) -> Conversation:
    return visible(slack, required(args, "channel", error="channel_not_found"))


def _readable(slack: LocalSlack, args: Json) -> Conversation:
    """Return a conversation whose messages the app may read: the scope depends on its kind, and only members read."""
    conversation = _named(slack, args)
    scope, provided = f"{conversation.kind}:history", slack.workspace.bot.scopes
    if scope not in provided:
        raise SlackError("missing_scope", needed=scope, provided=",".join(provided))
    if slack.workspace.bot.user_id not in conversation.members:
        raise SlackError("not_in_channel")
    return conversation


def _in_range(messages: list[Json], args: Json) -> list[Json]:
    try:
        oldest = Decimal(str(args.get("oldest") or 0))
        latest = Decimal(str(args.get("latest") or 10**12))
    except InvalidOperation as problem:
        raise SlackError("invalid_ts_oldest") from problem
    is_inclusive = is_true(args.get("inclusive"))

    def is_inside(message: Json) -> bool:
        ts = Decimal(message["ts"])
        return oldest <= ts <= latest if is_inclusive else oldest < ts < latest

    return [message for message in messages if is_inside(message)]


def _page(items: Sequence[T], args: Json) -> tuple[list[T], str]:
    """Return one page and the cursor of the next, empty at the end."""
    start = str(args.get("cursor") or "at:0")
    if not start.startswith("at:") or not start[3:].isdigit():
        raise SlackError("invalid_cursor")
    try:
        limit = int(args.get("limit") or USUAL_MESSAGES)
    except ValueError as problem:
        raise SlackError("invalid_limit") from problem
    first = int(start[3:])
    after = first + min(max(limit, 1), MOST_MESSAGES)
    return list(items[first:after]), f"at:{after}" if after < len(items) else ""


def _messages(page: list[Json], cursor: str, args: Json) -> Json:
    if not is_true(args.get("include_all_metadata")):
        page = [{key: value for key, value in message.items() if key != "metadata"} for message in page]
    return {
        "ok": True,
        "messages": page,
        "has_more": bool(cursor),
        "pin_count": 0,
        "response_metadata": {"next_cursor": cursor},
    }
