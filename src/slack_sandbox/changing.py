"""What an admin or member does to the workspace itself while it runs: leaving, archiving, deactivating."""

from slack_sandbox.acting import acting_person
from slack_sandbox.conversations import Conversation
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.methods_conversations import user_object
from slack_sandbox.outbound import AppLink
from slack_sandbox.wire import Json, PersonError


async def leave(slack: LocalSlack, app: AppLink, *, user: str, channel: str) -> Json:
    """Take a person, or the bot ("bot"), out of a channel."""
    bot = slack.workspace.bot.user_id
    member = bot if user in ("bot", bot) else acting_person(slack, user).id
    conversation = _channel(slack, channel)
    if member not in conversation.members:
        reason = f"{member} is not in {channel}."
        raise PersonError(reason)
    conversation.members.remove(member)
    slack.tell_about(conversation, what="conversations")
    event = {"type": "member_left_channel", "user": member, "channel": channel, "team": slack.workspace.team.id}
    return (await app.send_event(event | {"event_ts": slack.conversations.next_ts()})).shown()


async def archive(slack: LocalSlack, app: AppLink, *, user: str, channel: str) -> Json:
    """Archive a channel: nobody, the bot included, can post there any more."""
    conversation = _channel(slack, channel)
    conversation.is_archived = True
    slack.tell_about(conversation, what="conversations")
    event = {"type": "channel_archive", "user": acting_person(slack, user).id, "channel": channel}
    return (await app.send_event(event | {"event_ts": slack.conversations.next_ts()})).shown()


async def deactivate(slack: LocalSlack, app: AppLink, *, user: str) -> Json:
    """Deactivate a person's account, as when they leave the company."""
    gone = acting_person(slack, user).model_copy(update={"deleted": True})
    users = tuple(gone if known.id == user else known for known in slack.workspace.users)
    slack.workspace = slack.workspace.model_copy(update={"users": users})
    slack.views.clear(user)
    slack.journal.tell({"what": "conversations"})
    event = {"type": "user_change", "user": user_object(slack, gone), "event_ts": slack.conversations.next_ts()}
    return (await app.send_event(event)).shown()


def _channel(slack: LocalSlack, channel: str) -> Conversation:
    conversation = slack.conversations.find(channel)
    if conversation is None or conversation.with_user:
        reason = f"There is no channel {channel}."
        raise PersonError(reason)
    return conversation
