"""The pytest fixture that any Bolt app's tests can import."""

from typing import Any

import pytest

from sandbox_parts import BotServer, web_client
from slack_sandbox.client import SandboxClient
from slack_sandbox.fixture import slack_sandbox
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.workspace import Command, Workspace, default_workspace

__all__ = ["slack_sandbox"]


@pytest.fixture
def slack_workspace() -> Workspace:
    return default_workspace().model_copy(update={"commands": (Command(command="/hello"),)})


@pytest.fixture
def sandbox(slack_sandbox: RunningSandbox) -> RunningSandbox:
    """So that `bot` of the sandbox's own tests stands behind this one."""
    return slack_sandbox


def test_an_app_of_any_command_is_tried(slack_sandbox: RunningSandbox, bot: BotServer) -> None:
    @bot.app.command("/hello")
    def hello(ack: Any) -> None:
        ack()
        web_client(slack_sandbox).chat_postMessage(channel="CSEARCH", text="Hello")

    with SandboxClient(slack_sandbox.url) as people:
        ana = people.person("UANA")
        assert ana.command("/hello").ok
        assert ana.messages()[-1]["text"] == "Hello"
