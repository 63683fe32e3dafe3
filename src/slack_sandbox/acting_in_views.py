"""What a person does in modals and on the Home tab: fill in, submit, close, press."""

import json
from typing import Any

from slack_sandbox import inputs, payloads
from slack_sandbox.acting import acting_person, find_element
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.outbound import AppLink, Reply
from slack_sandbox.wire import Json, PersonError, SlackError
from slack_sandbox.workspace import User

TROUBLE = "We had some trouble connecting. Try again?"


async def open_home(slack: LocalSlack, app: AppLink, *, user: str) -> Json:
    """Open the app's Home tab."""
    person = acting_person(slack, user)
    home = slack.views.find_home(person.id)
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": slack.conversations.direct(user).id,
        "tab": "home",
        "event_ts": slack.conversations.next_ts(),
    }
    return (await app.send_event(event | ({"view": payloads.view_reference(home)} if home else {}))).shown()


async def view_click(
    slack: LocalSlack,
    app: AppLink,
    *,
    user: str,
    view_id: str,
    action_id: str,
    block_id: str | None = None,
    option: Any = None,
    values: Json | None = None,
) -> Json:
    """Press a button or use an element in an open modal or on the Home tab.

    values: what the person has filled in so far, as in `submit`.
    """
    person, view = _person_and_view(slack, user, view_id)
    block, element = find_element(view["blocks"], action_id=action_id, block_id=block_id)
    _fill_in(slack, view, values or {})
    if element["type"] in inputs.STATE_KEYS:
        _fill_in(slack, view, {block["block_id"]: {action_id: option}})
    payload = payloads.interaction(slack, person, kind="block_actions", view_id=view_id) | {
        "container": {"type": "view", "view_id": view_id},
        "view": payloads.view_reference(view),
        "actions": [payloads.block_action(slack, block, element, option=option)],
    }
    if block["type"] == "input" and not block.get("dispatch_action"):
        reason = f"{action_id!r} tells the app nothing until the form is submitted."
        raise PersonError(reason)
    reply = await app.send_interaction(payload)
    view.pop("notice", None)
    if not reply.ok:
        view["notice"] = TROUBLE
    slack.journal.tell({"what": "views", "user": user})
    return reply.shown()


async def submit(slack: LocalSlack, app: AppLink, *, user: str, view_id: str, values: Json | None = None) -> Json:
    """Fill in and submit a modal; what the app answers closes, updates or stacks it, or shows errors."""
    person, view = _person_and_view(slack, user, view_id)
    if view is not slack.views.stack(user)[-1]:
        raise PersonError("Another form lies on top of this one.")
    _fill_in(slack, view, values or {})
    complaints = inputs.refusals_of_client(view["blocks"], view["state"]["values"])
    if complaints:
        view["errors"] = complaints
        slack.journal.tell({"what": "views", "user": user})
        return {"ok": False, "status": None, "elapsed_ms": 0, "error": "not_filled_in", "errors": complaints}
    view.pop("errors", None)
    view.pop("notice", None)
    payload = payloads.interaction(slack, person, kind="view_submission", view_id=view_id) | {
        "view": payloads.view_reference(view),
        "response_urls": [],
    }
    reply = await app.send_interaction(payload)
    outcome = _follow(slack, user, view, reply)
    slack.journal.tell({"what": "views", "user": user})
    return {**reply.shown(), **outcome}


async def close(slack: LocalSlack, app: AppLink, *, user: str, view_id: str) -> Json:
    """Close a modal; the app hears of it if it asked to."""
    person, view = _person_and_view(slack, user, view_id)
    stack = list(slack.views.stack(user))
    if view["clear_on_close"]:
        closed = stack[::-1]
        slack.views.clear(user)
    else:
        closed = stack[stack.index(view) :][::-1]
        slack.views.remove(user, view_id)
    slack.journal.tell({"what": "views", "user": user})
    answer: Json = {"ok": True, "status": None, "elapsed_ms": 0, "error": None}
    for gone in closed:
        if gone["notify_on_close"]:
            payload = payloads.interaction(slack, person, kind="view_closed")
            del payload["trigger_id"]
            reply = await app.send_interaction(
                payload | {"view": payloads.view_reference(gone), "is_cleared": bool(view["clear_on_close"])}
            )
            answer = reply.shown()
    return answer


def _person_and_view(slack: LocalSlack, user: str, view_id: str) -> tuple[User, Json]:
    person = acting_person(slack, user)
    home = slack.views.find_home(user)
    for view in [*slack.views.stack(user), *([home] if home else [])]:
        if view["id"] == view_id:
            return person, view
    reason = f"{user} has no view {view_id} open."
    raise PersonError(reason)


def _fill_in(slack: LocalSlack, view: Json, typed: Json) -> None:
    answers = [answer for raw in typed.values() for answer in (raw.values() if isinstance(raw, dict) else [raw])]
    named = [item for answer in answers if isinstance(answer, list) for item in answer]
    uploaded = {item: slack.files.find(item) for item in named if isinstance(item, str)}
    files = {file_id: slack.file_object(file) for file_id, file in uploaded.items() if file}
    view["state"] = {"values": inputs.typed_values(view["blocks"], view["state"]["values"], typed=typed, files=files)}


def _follow(slack: LocalSlack, user: str, view: Json, reply: Reply) -> Json:
    """Do to the open views what the app answered to a submission."""
    if not reply.ok:
        view["notice"] = TROUBLE
        return {}
    try:
        answer = json.loads(reply.body) if reply.body.strip() else {}
        return _act_on(slack, user, view, answer)
    except (ValueError, SlackError) as problem:
        view["notice"] = TROUBLE
        details = problem.answer if isinstance(problem, SlackError) else {}
        return {"ok": False, "error": getattr(problem, "error", "invalid_response"), "details": details}


def _act_on(slack: LocalSlack, user: str, view: Json, answer: Json) -> Json:
    action = answer.get("response_action")
    if action is None:
        slack.views.remove(user, view["id"])
    elif action == "clear":
        slack.views.clear(user)
    elif action == "update":
        slack.views.replace(view, slack.read_view(answer.get("view")))
    elif action == "push":
        slack.views.push(user, slack.read_view(answer.get("view")))
    elif action == "errors":
        return _show_errors(view, answer.get("errors"))
    else:
        raise SlackError("invalid_response_action")
    return {}


def _show_errors(view: Json, errors: Any) -> Json:
    known = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - known:
        raise SlackError("invalid_errors", known=sorted(known))
    view["errors"] = errors
    return {"errors": errors}
