"""Response URLs. Source: docs.slack.dev/interactivity/handling-user-interaction, "Message responses"."""

from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from sandbox_parts import BotServer, Clock, actions, button, section
from slack_sandbox.client import Person
from slack_sandbox.wire import Json

CHANNEL = "CSEARCH"


@pytest.fixture
def url(bot: BotServer, ana: Person) -> str:
    """A response URL of a command Ana has typed."""

    @bot.app.command("/hypothesis")
    def quiet(ack: Any) -> None:
        ack()

    ana.command("/hypothesis", channel=CHANNEL)
    return dict(parse_qsl(bot.received[0][1]))["response_url"]


def test_answer_is_private_unless_in_channel(url: str, ana: Person) -> None:
    webhook = WebhookClient(url)

    webhook.send(text="Just you")
    webhook.send(text="All of you", response_type="in_channel")

    assert [(m["text"], m["is_ephemeral"]) for m in ana.messages(CHANNEL)] == [
        ("Just you", True),
        ("All of you", False),
    ]


def test_url_works_five_times(url: str) -> None:
    statuses = [WebhookClient(url).send(text="Hi").status_code for _ in range(6)]

    assert statuses == [200, 200, 200, 200, 200, 404]
    assert WebhookClient(url).send(text="Hi").body == '{"ok":false,"error":"used_url"}'


def test_url_works_for_thirty_minutes(url: str, clock: Clock) -> None:
    clock.seconds = 30 * 60 + 1

    assert WebhookClient(url).send(text="Hi").body == '{"ok":false,"error":"expired_url"}'


def test_invalid_blocks_are_refused(url: str) -> None:
    # java-slack-sdk issue 1349: 404 and invalid_blocks
    answer = WebhookClient(url).send(text="Hi", blocks=[section("x" * 3001)])

    assert (answer.status_code, answer.body) == (404, '{"ok":false,"error":"invalid_blocks"}')


@pytest.mark.parametrize("is_ephemeral", [True, False])
def test_original_is_replaced_then_deleted(is_ephemeral: bool, slack: WebClient, bot: BotServer, ana: Person) -> None:
    asks: Json = {"channel": CHANNEL, "text": "Sure?", "blocks": [actions(button("yes"))]}
    if is_ephemeral:
        slack.chat_postEphemeral(user="UANA", **asks)
    else:
        slack.chat_postMessage(**asks)
    urls: list[str] = []

    @bot.app.action("yes")
    def yes(ack: Any, respond: Any) -> None:
        ack()
        urls.append(respond.response_url)
        respond(text="Done", replace_original=True)

    ana.click(ana.messages(CHANNEL)[0], action_id="yes")
    after_replacing = [(m["text"], "blocks" in m, m["is_ephemeral"]) for m in ana.messages(CHANNEL)]
    httpx.post(urls[0], json={"delete_original": True}, verify=False)

    assert after_replacing == [("Done", False, is_ephemeral)]
    assert ana.messages(CHANNEL) == []


def test_replacing_what_was_never_a_message_says_it_anew(url: str, ana: Person) -> None:
    # bolt-python issue 1268: a command has no original
    WebhookClient(url).send(text="First")
    WebhookClient(url).send(text="Second", replace_original=True)

    assert [message["text"] for message in ana.messages(CHANNEL)] == ["First", "Second"]
