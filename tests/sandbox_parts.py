"""What the sandbox's tests build with: clients, blocks and views, a bot they can reach."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json
from slack_sandbox.workspace import Bot, Workspace, default_workspace


@dataclass
class Clock:
    """A clock that moves only when told to."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class BotServer:
    """A Bolt app behind a socket, and everything that reached it."""

    app: App
    url: str = ""
    received: list[tuple[dict[str, str | Sequence[str]], str]] = field(default_factory=list)
    status: int | None = None  # answer this instead of asking Bolt


def web_client(running: RunningSandbox, *, token: str = "xoxb-sandbox-token") -> WebClient:
    """Return the real client an app would use, without retries."""
    return WebClient(token=token, base_url=running.api_url, retry_handlers=[])


def workspace_with(*, scopes: tuple[str, ...]) -> Workspace:
    """Return the default workspace with a bot that has only these scopes."""
    return default_workspace().model_copy(update={"bot": Bot(scopes=scopes)})


def refusal(call: Any, **arguments: Any) -> Json:
    """Return what Slack answers to a call it refuses."""
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    answer: Json = caught.value.response.data
    return answer


def section(text: str = "Hello", **more: Any) -> Json:
    """Return a section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def plain(text: str) -> Json:
    """Return a plain text object."""
    return {"type": "plain_text", "text": text}


def button(action_id: str = "press", **more: Any) -> Json:
    """Return a button."""
    return {"type": "button", "action_id": action_id, "text": plain("Press"), **more}


def actions(*elements: Json, **more: Any) -> Json:
    """Return an actions block."""
    return {"type": "actions", "elements": list(elements), **more}


def option(value: str) -> Json:
    """Return an option."""
    return {"text": plain(value.title()), "value": value}


def text_input(block_id: str = "name", *, element: Json | None = None, **more: Any) -> Json:
    """Return an input block, of a text field unless another element is given."""
    field = element or {"type": "plain_text_input", "action_id": "typed"}
    return {"type": "input", "block_id": block_id, "label": plain("Name"), "element": field, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    """Return a modal with a submit button."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Form"),
        "submit": plain("Save"),
        "blocks": list(blocks) or [text_input()],
        **more,
    }


def new_trigger(sandbox: RunningSandbox) -> str:
    return sandbox.slack.passes.new_trigger("UANA")


def opened(sandbox: RunningSandbox, slack: WebClient, view: Json) -> Json:
    shown: Json = slack.views_open(trigger_id=new_trigger(sandbox), view=view)["view"]
    return shown


def answering(bot: BotServer, **answer: Any) -> list[Json]:
    """Let the bot answer submissions so; return where the payloads it gets are kept."""
    payloads: list[Json] = []

    @bot.app.view("form")
    def submitted(ack: Any, body: Json) -> None:
        payloads.append(body)
        ack(**answer)

    return payloads
