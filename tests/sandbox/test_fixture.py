"""The pytest fixture that any Bolt app's tests can import."""

from labcoat.sandbox.client import SandboxClient
from labcoat.sandbox.fixture import slack_sandbox
from labcoat.sandbox.serving import RunningSandbox
from sandbox.building import web_client

__all__ = ["slack_sandbox"]


def test_an_app_posts_and_a_person_reads(slack_sandbox: RunningSandbox) -> None:
    web_client(slack_sandbox).chat_postMessage(channel="CSEARCH", text="hello")

    with SandboxClient(slack_sandbox.url) as people:
        assert people.person("UANA").messages()[-1]["text"] == "hello"
