"""The views.* and files.* methods of Slack's Web API."""

from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.methods_chat import writable
from slack_sandbox.wire import Json, SlackError, parsed, required


def open_view(slack: LocalSlack, args: Json) -> Json:
    """Open a modal for the person behind a trigger."""
    view = slack.read_view(args.get("view"))
    trigger = slack.passes.use_trigger(required(args, "trigger_id"))
    opened = slack.views.open(trigger.user, view)
    slack.journal.tell({"what": "views", "user": trigger.user})
    return {"ok": True, "view": opened}


def push_view(slack: LocalSlack, args: Json) -> Json:
    """Put a modal on top of the one the trigger came from."""
    view = slack.read_view(args.get("view"))
    trigger = slack.passes.use_trigger(required(args, "trigger_id"))
    if not slack.views.stack(trigger.user):
        raise SlackError("not_found")
    pushed = slack.views.push(trigger.user, view)
    slack.journal.tell({"what": "views", "user": trigger.user})
    return {"ok": True, "view": pushed}


def update_view(slack: LocalSlack, args: Json) -> Json:
    """Change an open modal; with a hash, only if nobody else did meanwhile."""
    found = slack.views.find_owner(view_id=args.get("view_id"), external_id=args.get("external_id"))
    if found is None:
        raise SlackError("not_found")
    user, old = found
    view = slack.read_view(args.get("view"), is_home=old["type"] == "home")
    if args.get("hash") and args["hash"] != old["hash"]:
        raise SlackError("hash_conflict")
    updated = slack.views.replace(old, view)
    slack.journal.tell({"what": "views", "user": user})
    return {"ok": True, "view": updated}


def publish_view(slack: LocalSlack, args: Json) -> Json:
    """Set a person's Home tab."""
    user = slack.workspace.find_user(required(args, "user_id"))
    if user is None:
        raise SlackError("user_not_found")
    view = slack.read_view(args.get("view"), is_home=True)
    home = slack.views.publish(user.id, view, expected_hash=args.get("hash"))
    slack.journal.tell({"what": "home", "user": user.id})
    return {"ok": True, "view": home}


def get_upload_url(slack: LocalSlack, args: Json) -> Json:
    """Reserve a file and say where its content goes."""
    name = required(args, "filename")
    if not str(args.get("length", "")).isdigit():
        raise SlackError("invalid_arguments")
    if int(args["length"]) == 0:
        raise SlackError("missing_argument")
    file = slack.files.reserve(name, user=slack.workspace.bot.user_id, created=_now(slack))
    return {"ok": True, "upload_url": f"{slack.base_url}/upload/{file.id}/{file.upload_secret}", "file_id": file.id}


def complete_upload(slack: LocalSlack, args: Json) -> Json:
    """Finish uploads, and share them in a channel if one is named."""
    named = parsed(args.get("files"), otherwise="invalid_arguments")
    if not isinstance(named, list) or not named:
        raise SlackError("invalid_arguments")
    files = []
    for entry in named:
        file = slack.files.find(str(entry.get("id")))
        if file is None or file.content is None:
            raise SlackError("file_not_found")
        file.title = str(entry.get("title") or file.name)
        files.append(file)
    channel = str(args.get("channel_id") or "")
    if channel and channel[0] not in "CGDZ":
        wrong = "[ERROR] input must match regex pattern: ^[CGDZ][A-Z0-9]{8,}$ [json-pointer:/channel_id]"
        raise SlackError("invalid_arguments", response_metadata={"messages": [wrong]})
    if any(file.is_complete for file in files):
        raise SlackError("file_not_found")
    conversation = writable(slack, channel) if channel else None
    for file in files:
        file.is_complete = True
        file.shared_in += [conversation.id] if conversation else []
    shown = [slack.file_object(file) for file in files]
    if conversation:
        comment = str(args.get("initial_comment") or "") or ", ".join(file.title for file in files)
        message = slack.bot_message({"text": comment}, thread_ts=args.get("thread_ts"))
        slack.conversations.add(conversation, message | {"files": shown})
        slack.tell_about(conversation)
    return {"ok": True, "files": shown}


def file_info(slack: LocalSlack, args: Json) -> Json:
    """Describe a file; its type is empty at first, while Slack scans it."""
    file = slack.files.get(required(args, "file", error="file_not_found"))
    shown = slack.file_object(file)
    file.looks_left = max(file.looks_left - 1, 0)
    return {"ok": True, "file": shown, "comments": [], "response_metadata": {"next_cursor": ""}}


def _now(slack: LocalSlack) -> int:
    return int(float(slack.conversations.next_ts()))
