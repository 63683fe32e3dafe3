"""What a person sees: their conversations, messages, forms and Home tab."""

from datetime import UTC, datetime

from slack_sandbox.acting import acting_person, joined
from slack_sandbox.conversations import Conversation, is_reply
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.wire import Json


def workspace(slack: LocalSlack) -> Json:
    """Return the workspace, without what only the app may know."""
    shown: Json = slack.workspace.model_dump(mode="json")
    shown["bot"].pop("token")
    return {
        **shown,
        "app_url": slack.app_url,
        "has_clock": slack.app_clock.url is not None,
        "started_at": slack.started_at,
    }


def clock(slack: LocalSlack) -> Json:
    """Return the time people read, which is the app's own where it has a clock that can be moved."""
    now = datetime.fromtimestamp(slack.app_clock.now(), UTC)
    return {"now": now.isoformat(), "can_move": slack.app_clock.url is not None}


def screen(
    slack: LocalSlack, *, user: str, channel: str | None = None, thread_ts: str | None = None, since: str = "0"
) -> Json:
    """Return everything on a person's screen at once.

    since: the revision of the screen that is shown; of the conversation only what changed after it is sent, with the
    stamps of all that changed, so that what is missing from the messages has gone. The thread is sent whole.
    "waiting" has everyone who can be acted as, with how many unread messages are meant for them.
    """
    revision = slack.conversations.revision
    shown: Json = {
        **conversations(slack, user=user),
        **clock(slack),
        "revision": revision,
        "started_at": slack.started_at,
        "curtain": slack.curtain,
        "waiting": {one.id: _waiting(slack, one.id) for one in slack.workspace.users if not one.deleted},
        "view": views(slack, user=user)["views"][-1:],
        "home": home(slack, user=user)["view"],
    }
    if channel:
        changed = slack.conversations.changed_since(int(since) if since.isdigit() else 0, channel=channel)
        everything = messages(slack, user=user, channel=channel)["messages"]
        shown["changed"] = sorted(changed)
        shown["messages"] = [message for message in everything if message["ts"] in changed]
    if channel and thread_ts:
        shown["thread"] = messages(slack, user=user, channel=channel, thread_ts=thread_ts)["messages"]
    return shown


def conversations(slack: LocalSlack, *, user: str) -> Json:
    """Return the person's channels and their direct messages with the app."""
    person = acting_person(slack, user)
    slack.conversations.direct(person.id)
    bot = slack.workspace.bot.user_id
    return {
        "conversations": [
            {
                "id": conversation.id,
                "name": slack.workspace.bot.name if conversation.with_user else conversation.name,
                "is_im": conversation.with_user is not None,
                "is_private": conversation.is_private,
                "is_archived": conversation.is_archived,
                "has_bot": bot in conversation.members,
                "unread": len(unread := slack.conversations.unread(person.id, conversation)),
                "mentions": _for_person(slack, person.id, conversation, unread),
                "members": conversation.members,
            }
            for conversation in slack.conversations.of_member(person.id)
        ]
    }


def messages(slack: LocalSlack, *, user: str, channel: str, thread_ts: str | None = None) -> Json:
    """Return what the person sees in a conversation or one of its threads, private messages included, in order."""
    person = acting_person(slack, user)
    conversation = joined(slack, person, channel)
    seen = [_shown(slack, message, channel=channel) for message in _open_messages(conversation, thread_ts)]
    for whisper in slack.conversations.whispers:
        message = whisper.message
        is_here = message.get("thread_ts") == thread_ts if thread_ts else not is_reply(message)
        if (whisper.user, whisper.channel) == (user, channel) and is_here:
            seen.append(_shown(slack, message, channel=channel) | {"is_ephemeral": True})
    return {"messages": sorted(seen, key=lambda message: str(message["ts"]))}


def views(slack: LocalSlack, *, user: str) -> Json:
    """Return the person's open modals, the top one last, with errors and notices shown on them."""
    return {"views": slack.views.stack(acting_person(slack, user).id)}


def home(slack: LocalSlack, *, user: str) -> Json:
    """Return the person's Home tab, null before the app published one."""
    return {"view": slack.views.find_home(acting_person(slack, user).id)}


def _open_messages(conversation: Conversation, thread_ts: str | None) -> list[Json]:
    if thread_ts is None:
        return conversation.top_level()
    parent = conversation.find(thread_ts)
    return [*([parent] if parent else []), *conversation.replies(thread_ts)]


def _shown(slack: LocalSlack, message: Json, *, channel: str) -> Json:
    at = slack.conversations.shown_at(message["ts"])
    shown = {**message, "channel": channel, "is_ephemeral": False, "shown_at": at}
    if "latest_reply" in message:
        shown["latest_reply_at"] = slack.conversations.shown_at(message["latest_reply"])
    return shown


def _waiting(slack: LocalSlack, user: str) -> int:
    """Return how many unread messages are meant for this very person."""
    return sum(
        _for_person(slack, user, conversation, slack.conversations.unread(user, conversation))
        for conversation in slack.conversations.of_member(user)
    )


def _for_person(slack: LocalSlack, user: str, conversation: Conversation, unread: list[Json]) -> int:
    """Return how many are meant for the person: all direct messages, else those that name them."""
    if conversation.with_user:
        return len(unread)
    return sum(slack.conversations.mentions(user, conversation.id, message) for message in unread)
