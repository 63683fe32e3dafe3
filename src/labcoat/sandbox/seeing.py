"""What a person sees: their conversations, messages, forms and Home tab."""

from labcoat.sandbox.acting import acting_person, joined
from labcoat.sandbox.conversations import Conversation, is_reply
from labcoat.sandbox.local_slack import LocalSlack
from labcoat.sandbox.wire import Json


def workspace(slack: LocalSlack) -> Json:
    """Return the workspace, without what only the app may know."""
    shown: Json = slack.workspace.model_dump(mode="json")
    shown["bot"].pop("token")
    return {**shown, "app_url": slack.app_url}


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
                "members": conversation.members,
            }
            for conversation in slack.conversations.of_member(person.id)
        ]
    }


def messages(slack: LocalSlack, *, user: str, channel: str, thread_ts: str | None = None) -> Json:
    """Return what the person sees in a conversation or one of its threads, private messages included, in order."""
    person = acting_person(slack, user)
    conversation = joined(slack, person, channel)
    seen = [_shown(message, channel=channel) for message in _open_messages(conversation, thread_ts)]
    for whisper in slack.conversations.whispers:
        message = whisper.message
        is_here = message.get("thread_ts") == thread_ts if thread_ts else not is_reply(message)
        if (whisper.user, whisper.channel) == (user, channel) and is_here:
            seen.append(_shown(message, channel=channel) | {"is_ephemeral": True})
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


def _shown(message: Json, *, channel: str) -> Json:
    return {**message, "channel": channel, "is_ephemeral": False}
