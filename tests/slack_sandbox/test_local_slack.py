"""The list of DESIGN section 6, "Slack": a law and the test that the local Slack obeys it, each with its source."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox_parts import (
    BotServer,
    Clock,
    actions,
    answering,
    button,
    modal,
    new_trigger,
    opened,
    plain,
    refusal,
    section,
    web_client,
    workspace_with,
)
from slack_sandbox.client import Person, SandboxClient
from slack_sandbox.faults import FaultKind
from slack_sandbox.local_slack import Timing
from slack_sandbox.serving import DEFAULT_SIGNING_SECRET, RunningSandbox, running_sandbox
from slack_sandbox.wire import Json


def events_of(bot: BotServer, kind: str) -> list[Json]:
    bodies = [json.loads(body) for _, body in bot.received if body.startswith("{")]
    return [body for body in bodies if body["event"]["type"] == kind]


def test_law_an_ack_comes_within_three_seconds() -> None:
    """Source: docs.slack.dev/interactivity/handling-user-interaction, "Acknowledgment response"."""
    assert Timing().ack_seconds == 3.0


def test_law_a_late_ack_is_a_timeout_for_the_person(sandbox: RunningSandbox, bot: BotServer, ana: Person) -> None:
    """Source: docs.slack.dev/interactivity/implementing-slash-commands, "Responding to commands"."""

    @bot.app.command("/hypothesis")
    def late(ack: Any) -> None:
        people = SandboxClient(sandbox.url)  # busy until the person has given up
        people.wait_for(lambda: [one for one in people.calls() if one["error"] == "operation_timeout"])
        people.close()
        ack()

    assert ana.command("/hypothesis").error == "operation_timeout"


def test_law_a_trigger_lives_three_seconds_and_works_once(
    sandbox: RunningSandbox, slack: WebClient, clock: Clock
) -> None:
    """Source: docs.slack.dev/interactivity/handling-user-interaction, "Using trigger_id": expired_, exchanged_."""
    old, used = new_trigger(sandbox), new_trigger(sandbox)
    slack.views_open(trigger_id=used, view=modal())
    again = refusal(slack.views_open, trigger_id=used, view=modal())["error"]
    clock.seconds += 3.1

    assert again == "exchanged_trigger_id"
    assert refusal(slack.views_open, trigger_id=old, view=modal())["error"] == "expired_trigger_id"


def test_law_a_refused_submission_shows_its_words_under_the_field(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    """Source: docs.slack.dev/surfaces/modals, "Displaying errors in views"."""
    opened(sandbox, slack, modal())
    answering(bot, response_action="errors", errors={"name": "Say more."})

    assert ana.submit({"name": "x"}).errors == {"name": "Say more."}


def test_law_an_event_is_sent_again_under_the_same_id(bot: BotServer, ana: Person, people: SandboxClient) -> None:
    """Source: docs.slack.dev/apis/events-api, "Error handling": three retries, X-Slack-Retry-Num."""
    bot.status = 500
    ana.open_home()
    people.wait_for(lambda: len(events_of(bot, "app_home_opened")) == 4)

    assert len({body["event_id"] for body in events_of(bot, "app_home_opened")}) == 1
    assert [headers.get("x-slack-retry-num") for headers, _ in bot.received] == [None, "1", "2", "3"]


def test_law_an_event_nobody_listens_to_is_answered_404_and_retried(
    bot: BotServer, ana: Person, people: SandboxClient
) -> None:
    """Source: docs.slack.dev/apis/events-api, "Responding to events"; Bolt's 404 tried, DESIGN section 6."""
    assert ana.open_home().status == 404

    people.wait_for(lambda: len(events_of(bot, "app_home_opened")) == 4)


def test_law_a_click_is_never_sent_again(slack: WebClient, bot: BotServer, ana: Person) -> None:
    """Source: docs.slack.dev/apis/events-api names retries for events only; tried, DESIGN section 6."""
    slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[actions(button())])
    bot.status = 500

    assert not ana.click(ana.messages()[-1], action_id="press").ok
    assert len(bot.received) == 1


def test_law_a_replayed_request_passes_bolt(bot: BotServer, ana: Person) -> None:
    """Source: docs.slack.dev/authentication/verifying-requests-from-slack asks for the age only; tried with Bolt."""
    ran: list[str] = []

    @bot.app.command("/hypothesis")
    def run(ack: Any) -> None:
        ran.append("once")
        ack()

    ana.command("/hypothesis")
    headers, body = bot.received[0]
    bot.app.dispatch(BoltRequest(body=body, headers=headers))

    assert len(ran) == 2


def test_law_the_signature_covers_the_raw_body(bot: BotServer, ana: Person) -> None:
    """Source: docs.slack.dev/authentication/verifying-requests-from-slack."""
    ana.command("/hypothesis", "a & b")
    headers, body = bot.received[0]
    base = f"v0:{headers['x-slack-request-timestamp']}:{body}".encode()
    expected = "v0=" + hmac.new(DEFAULT_SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()

    assert headers["x-slack-signature"] == expected


def test_law_the_default_client_posts_twice_when_the_line_drops(
    sandbox: RunningSandbox, slack: WebClient, people: SandboxClient, ana: Person
) -> None:
    """Source: docs.slack.dev/tools/python-slack-sdk/web, "RetryHandler": one retry after a connection error."""
    people.faults.add("chat.postMessage", FaultKind.DROP_AFTER)
    WebClient(token=slack.token, base_url=sandbox.api_url).chat_postMessage(channel="CSEARCH", text="by default")
    people.faults.add("chat.postMessage", FaultKind.DROP_AFTER)
    with pytest.raises(Exception, match=r"closed|reset|disconnected"):
        slack.chat_postMessage(channel="CSEARCH", text="without retries")

    assert [one["text"] for one in ana.messages()] == ["by default", "by default", "without retries"]


def test_law_metadata_is_found_in_history_by_who_asks(slack: WebClient) -> None:
    """Source: docs.slack.dev/messaging/message-metadata; there is no idempotency key, so a look-up needs this."""
    mark = {"event_type": "delivery", "event_payload": {"key": "k1"}}
    slack.chat_postMessage(channel="CSEARCH", text="x", metadata=mark)

    found = slack.conversations_history(channel="CSEARCH", include_all_metadata=True)["messages"][0]
    assert found["metadata"] == mark
    assert "metadata" not in slack.conversations_history(channel="CSEARCH")["messages"][0]


@pytest.fixture
def paced(clock: Clock) -> Iterator[WebClient]:
    with running_sandbox(timing=Timing(post_seconds=1.0), clock=clock) as running:
        yield web_client(running)


def test_law_a_channel_takes_one_post_a_second(paced: WebClient, clock: Clock) -> None:
    """Source: docs.slack.dev/apis/web-api/rate-limits, "Posting messages"; other channels are undisturbed."""
    paced.chat_postMessage(channel="CSEARCH", text="first")
    with pytest.raises(SlackApiError) as caught:
        paced.chat_postMessage(channel="CSEARCH", text="too early")
    paced.chat_postMessage(channel="UANA", text="elsewhere")
    clock.seconds += 1.0

    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    assert paced.chat_postMessage(channel="CSEARCH", text="second")["ok"]


# what -> (blocks at the limit, blocks beyond it); source: docs.slack.dev/reference/block-kit, the page of each block
MESSAGES: dict[str, tuple[list[Json], list[Json]]] = {
    "50 blocks a message": ([section()] * 50, [section()] * 51),
    "3,000 characters a section": ([section("x" * 3000)], [section("x" * 3001)]),
    "150 characters a header": (
        [{"type": "header", "text": plain("x" * 150)}],
        [{"type": "header", "text": plain("x" * 151)}],
    ),
    "75 characters a button": ([actions(button(text=plain("x" * 75)))], [actions(button(text=plain("x" * 76)))]),
}


@pytest.mark.parametrize("law", MESSAGES)
def test_law_of_sizes_in_messages(law: str, slack: WebClient) -> None:
    fits, too_much = MESSAGES[law]

    assert slack.chat_postMessage(channel="CSEARCH", text="x", blocks=fits)["ok"]
    assert refusal(slack.chat_postMessage, channel="CSEARCH", text="x", blocks=too_much)["error"] == "invalid_blocks"


# what -> (a view beyond it, Slack's word); source: docs.slack.dev/reference/views and surfaces/modals
VIEWS: dict[str, tuple[Json, str]] = {
    "100 blocks a view": (modal(*[section()] * 101), "invalid_arguments"),
    "3,000 characters of private_metadata": (modal(private_metadata="x" * 3001), "invalid_arguments"),
    "250 KB a view": (modal(*[section("ä" * 2900) for _ in range(99)]), "view_too_large"),
}


@pytest.mark.parametrize("law", VIEWS)
def test_law_of_sizes_in_views(law: str, sandbox: RunningSandbox, slack: WebClient) -> None:
    view, error = VIEWS[law]

    assert refusal(slack.views_open, trigger_id=new_trigger(sandbox), view=view)["error"] == error


def test_law_three_views_stack(sandbox: RunningSandbox, slack: WebClient) -> None:
    """Source: docs.slack.dev/surfaces/modals, "Understanding the view stack"."""
    opened(sandbox, slack, modal())
    for _ in range(2):
        slack.views_push(trigger_id=new_trigger(sandbox), view=modal())

    pushed = refusal(slack.views_push, trigger_id=new_trigger(sandbox), view=modal())
    assert pushed["error"] == "push_limit_reached"


def test_law_what_people_type_arrives_escaped(bot: BotServer, ana: Person) -> None:
    """Source: docs.slack.dev/messaging/formatting-message-text, "Escaping text"."""
    ana.command("/hypothesis", "a < b & c > d")

    assert parse_qs(bot.received[0][1])["text"] == ["a &lt; b &amp; c &gt; d"]


def test_law_plain_text_never_calls_a_channel(slack: WebClient, ana: Person) -> None:
    """Source: docs.slack.dev/reference/block-kit/composition-objects/text-object: plain_text has no mentions."""
    slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[{"type": "section", "text": plain("<!channel>")}])

    assert ana.messages()[-1]["blocks"][0]["text"] == plain("<!channel>")


def test_law_a_picture_is_shown_once_slack_knows_its_type(slack: WebClient) -> None:
    """Source: docs.slack.dev/messaging/working-with-files; the empty mimetype tried, DESIGN section 6."""
    place = slack.files_getUploadURLExternal(filename="chart.png", length=4)
    httpx.post(place["upload_url"], content=b"data", verify=False)
    slack.files_completeUploadExternal(files=[{"id": place["file_id"]}])
    picture = {"type": "image", "slack_file": {"id": place["file_id"]}, "alt_text": "a chart"}

    too_early = refusal(slack.chat_postMessage, channel="CSEARCH", text="x", blocks=[picture])
    types = [slack.files_info(file=place["file_id"])["file"]["mimetype"] for _ in range(2)]

    assert (too_early["error"], types) == ("invalid_blocks", ["", "image/png"])
    assert slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[picture])["ok"]


def test_law_history_needs_its_scope() -> None:
    """Source: docs.slack.dev/reference/methods/conversations.history: channels:history, groups:, im:, mpim:."""
    with running_sandbox(workspace_with(scopes=("chat:write",))) as running:
        answer = refusal(web_client(running).conversations_history, channel="CSEARCH")

    assert (answer["error"], answer["provided"]) == ("missing_scope", "chat:write")


def test_law_a_private_message_cannot_be_found_or_changed(slack: WebClient) -> None:
    """Source: docs.slack.dev/reference/methods/chat.postEphemeral: the message lives for one session of one person."""
    ts = slack.chat_postEphemeral(channel="CSEARCH", user="UANA", text="psst")["message_ts"]

    assert slack.conversations_history(channel="CSEARCH")["messages"] == []
    assert refusal(slack.chat_update, channel="CSEARCH", ts=ts, text="x")["error"] == "message_not_found"
