"""The parts that Slack's payloads to an app share."""

from typing import Any

from slack_sandbox.conversations import Conversation
from slack_sandbox.inputs import STATE_KEYS, find_option, kept_values, state_of
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.outbound import verification_token
from slack_sandbox.wire import Json, PersonError
from slack_sandbox.workspace import User


def interaction(slack: LocalSlack, user: User, *, kind: str, view_id: str | None = None) -> Json:
    """Return what every interaction carries, with a fresh trigger id."""
    team = slack.workspace.team
    return {
        "type": kind,
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team.id},
        "api_app_id": slack.workspace.bot.app_id,
        "token": verification_token(slack),
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": slack.passes.new_trigger(user.id, view_id=view_id),
    }


def response_url(slack: LocalSlack, secret: str) -> str:
    """Return the address behind a response URL's secret."""
    return f"{slack.base_url}/respond/{secret}"


def channel_reference(conversation: Conversation) -> Json:
    """Return a conversation as payloads name it."""
    return {"id": conversation.id, "name": conversation.name}


def view_reference(view: Json) -> Json:
    """Return a view as payloads carry it, without what only the person's screen shows."""
    return {key: value for key, value in view.items() if key not in ("errors", "notice")}


def block_action(slack: LocalSlack, block: Json, element: Json, *, option: Any) -> Json:
    """Return one entry of a payload's `actions`.

    option: what the person chose or typed; None for a button.
    """
    action: Json = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block["block_id"],
        "action_ts": slack.conversations.next_ts(),
    }
    if element["type"] == "button":
        return action | {key: element[key] for key in ("text", "value", "style", "url", "confirm") if key in element}
    if element["type"] == "overflow":
        return action | {"selected_option": find_option(element, option)}
    if element["type"] not in STATE_KEYS:
        message = f"A person can't act on a {element['type']}."
        raise PersonError(message)
    state = state_of(element, option, files={})
    kept = {key: element[key] for key in ("placeholder", STATE_KEYS[element["type"]][1], "confirm") if key in element}
    return action | kept | state


def message_state(blocks: list[Json], *, block: Json, element: Json, option: Any) -> Json:
    """Return the state of a message's inputs just after one was used."""
    values = kept_values(blocks, {})
    if element["type"] in STATE_KEYS:
        values[block["block_id"]][element["action_id"]] = state_of(element, option, files={})
    return {"values": values}
