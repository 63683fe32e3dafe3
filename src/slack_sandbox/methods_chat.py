"""The chat.* and reactions.* methods of Slack's Web API."""

from slack_sandbox.conversations import Conversation, is_reply
from slack_sandbox.local_slack import LocalSlack, read_metadata
from slack_sandbox.wire import Json, SlackError, is_true, required


def post_message(slack: LocalSlack, args: Json) -> Json:
    """Post as the app, into a channel, a thread or a person's direct messages."""
    conversation = writable(slack, required(args, "channel", error="channel_not_found"))
    thread_ts = args.get("thread_ts")
    if thread_ts:
        parent = conversation.find(str(thread_ts))
        if parent is None:
            raise SlackError("thread_not_found")
        thread_ts = parent.get("thread_ts", parent["ts"])  # a reply's own ts means its thread
    message = slack.bot_message(args, thread_ts=thread_ts)
    if thread_ts and is_true(args.get("reply_broadcast")):
        message["subtype"] = "thread_broadcast"
    slack.conversations.add(conversation, message)
    slack.tell_about(conversation)
    return {"ok": True, "channel": conversation.id, "ts": message["ts"], "message": message}


def update(slack: LocalSlack, args: Json) -> Json:
    """Change one of the app's own messages; what is not sent stays, an empty list removes it."""
    conversation = visible(slack, required(args, "channel", error="channel_not_found"))
    message = conversation.find(required(args, "ts", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != slack.workspace.bot.bot_id:
        raise SlackError("cant_update_message")
    if conversation.is_archived:
        raise SlackError("is_inactive")
    content = slack.read_content({key: value for key, value in args.items() if key != "metadata"})
    if "blocks" in content or args.get("blocks") is not None:
        message["blocks"] = content.get("blocks", [])
    if "text" in args:
        message["text"] = content["text"]
    if args.get("metadata") is not None:
        metadata = read_metadata(args["metadata"])
        message.pop("metadata", None)
        if metadata:
            message["metadata"] = metadata
    message["edited"] = {"user": slack.workspace.bot.user_id, "ts": slack.conversations.next_ts()}
    slack.conversations.touch(conversation.id, message["ts"])
    slack.tell_about(conversation)
    return {"ok": True, "channel": conversation.id, "ts": message["ts"], "text": message["text"], "message": message}


def post_ephemeral(slack: LocalSlack, args: Json) -> Json:
    """Show a message to one person in a channel."""
    conversation = writable(slack, required(args, "channel", error="channel_not_found"))
    user = required(args, "user", error="user_not_in_channel")
    if user not in conversation.members:
        raise SlackError("user_not_in_channel")
    message = slack.bot_message(args, thread_ts=args.get("thread_ts"))
    slack.conversations.whisper(user=user, channel=conversation.id, message=message)
    slack.tell_about(conversation)
    return {"ok": True, "message_ts": message["ts"]}


def delete(slack: LocalSlack, args: Json) -> Json:
    """Remove one of the app's own messages."""
    conversation = visible(slack, required(args, "channel", error="channel_not_found"))
    message = conversation.find(required(args, "ts", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    if message.get("bot_id") != slack.workspace.bot.bot_id:
        raise SlackError("cant_delete_message")
    slack.conversations.remove(conversation, message["ts"])
    slack.tell_about(conversation)
    return {"ok": True, "channel": conversation.id, "ts": message["ts"]}


def get_permalink(slack: LocalSlack, args: Json) -> Json:
    """Return a message's address, which opens the sandbox's own page."""
    conversation = visible(slack, required(args, "channel", error="channel_not_found"))
    message = conversation.find(required(args, "message_ts", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    address = f"{slack.base_url}/archives/{conversation.id}/p{message['ts'].replace('.', '')}"
    if is_reply(message):
        address += f"?thread_ts={message['thread_ts']}&cid={conversation.id}"
    return {"ok": True, "channel": conversation.id, "permalink": address}


def add_reaction(slack: LocalSlack, args: Json) -> Json:
    """Add the app's emoji to a message."""
    conversation = visible(slack, required(args, "channel", error="channel_not_found"))
    message = conversation.find(required(args, "timestamp", error="message_not_found"))
    if message is None:
        raise SlackError("message_not_found")
    name, me = required(args, "name", error="invalid_name").strip(":"), slack.workspace.bot.user_id
    reactions: list[Json] = message.setdefault("reactions", [])
    reaction = next((known for known in reactions if known["name"] == name), None)
    if reaction is None:
        reactions.append({"name": name, "users": [me], "count": 1})
    elif me in reaction["users"]:
        raise SlackError("already_reacted")
    else:
        reaction["users"].append(me)
        reaction["count"] += 1
    slack.conversations.touch(conversation.id, message["ts"])
    slack.tell_about(conversation)
    return {"ok": True}


def visible(slack: LocalSlack, channel: str) -> Conversation:
    """Return a conversation the app can see; raises SlackError like Slack for any other."""
    conversation = slack.conversations.find(channel)
    if conversation is None or (conversation.is_private and slack.workspace.bot.user_id not in conversation.members):
        raise SlackError("channel_not_found")
    return conversation


def writable(slack: LocalSlack, channel: str) -> Conversation:
    """Return a conversation the app may post in; a user id means that person's direct messages."""
    user = slack.workspace.find_user(channel)
    if user:
        if user.deleted:
            raise SlackError("channel_not_found")
        return slack.conversations.direct(user.id)
    conversation = visible(slack, channel)
    if conversation.is_archived:
        raise SlackError("is_archived")
    can_post_anywhere = "chat:write.public" in slack.workspace.bot.scopes
    if slack.workspace.bot.user_id not in conversation.members and not can_post_anywhere:
        raise SlackError("not_in_channel")
    return conversation
