"""Socket Mode as Slack speaks it, tried by Slack's own client.

Source: docs.slack.dev/apis/events-api/using-socket-mode, unless a test says otherwise.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from sandbox_parts import modal, opened, web_client
from slack_sandbox.client import Person, SandboxClient
from slack_sandbox.local_slack import Timing
from slack_sandbox.serving import RunningSandbox, running_sandbox
from slack_sandbox.socket_mode import MOST_LINKS
from slack_sandbox.wire import Json
from slack_sandbox.workspace import Bot, Shortcut, default_workspace

APP_TOKEN = Bot().app_token


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    timing = Timing(ack_seconds=5, event_retry_seconds=(0.0, 0.0, 0.0))
    workspace = default_workspace().model_copy(update={"shortcuts": (Shortcut(callback_id="new", name="New"),)})
    with running_sandbox(workspace, timing=timing) as running:
        yield running


def new_url(sandbox: RunningSandbox) -> str:
    client = WebClient(base_url=sandbox.api_url, retry_handlers=[])
    return str(client.apps_connections_open(app_token=APP_TOKEN)["url"])


def read(link: ClientConnection) -> Json:
    message: Json = json.loads(link.recv(timeout=10))
    return message


@contextmanager
def opened_link(sandbox: RunningSandbox) -> Iterator[ClientConnection]:
    with connect(new_url(sandbox)) as link:
        assert read(link)["type"] == "hello"
        yield link


@contextmanager
def bolt(sandbox: RunningSandbox) -> Iterator[App]:
    """Run a Bolt app by Slack's own Socket Mode client."""
    client = web_client(sandbox)
    app = App(client=client, token=client.token, token_verification_enabled=False)
    handler = SocketModeHandler(app, APP_TOKEN, web_client=WebClient(base_url=sandbox.api_url, retry_handlers=[]))
    handler.connect()  # type: ignore[no-untyped-call]  # Bolt's own
    try:
        yield app
    finally:
        handler.close()  # type: ignore[no-untyped-call]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_slack_s_own_client_answers_command_form_and_event(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    heard: list[str] = []
    with bolt(sandbox) as app:
        app.command("/hypothesis")(lambda ack: ack("Just you"))
        app.view("form")(lambda ack: ack(response_action="errors", errors={"name": "Not that"}))
        app.event("member_joined_channel")(lambda event: heard.append(event["user"]))
        people.wait_for(lambda: people.links.count() == 1)
        opened(sandbox, web_client(sandbox), modal())

        typed = ana.command("/hypothesis")
        submitted = ana.submit({"name": "x"})
        people.invite_bot("CGENERAL")
        people.wait_for(lambda: heard)

    assert typed.ok
    assert [message["text"] for message in ana.messages()] == ["Just you"]
    assert submitted.errors == {"name": "Not that"}


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("xoxb-sandbox-token", "not_allowed_token_type"),
        ("xapp-of-others", "not_allowed_token_type"),
        (None, "not_authed"),
    ],
)
def test_only_the_app_token_opens_a_link(sandbox: RunningSandbox, token: str | None, error: str) -> None:
    # docs.slack.dev/reference/methods/apps.connections.open: an app-level token, in the header
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    answer = httpx.post(f"{sandbox.api_url}apps.connections.open", headers=headers, verify=False).json()

    assert answer == {"ok": False, "error": error}


def test_the_app_token_as_a_parameter_is_an_error(sandbox: RunningSandbox) -> None:
    # the method's page: "passing it as a POST parameter will result in an error"
    answer = httpx.post(f"{sandbox.api_url}apps.connections.open", data={"token": APP_TOKEN}, verify=False).json()

    assert answer["ok"] is False


def test_the_app_token_opens_nothing_else(sandbox: RunningSandbox) -> None:
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        web_client(sandbox, token=APP_TOKEN).auth_test()


def test_an_address_opens_one_link(sandbox: RunningSandbox) -> None:
    url = new_url(sandbox)
    with connect(url) as link:
        hello = read(link)

        with pytest.raises(InvalidStatus):
            connect(url)

    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"]["app_id"] == "A0SANDBOX"


def test_a_page_in_a_browser_opens_none(sandbox: RunningSandbox) -> None:
    with pytest.raises(InvalidStatus):
        connect(new_url(sandbox), additional_headers={"Origin": "http://elsewhere"})


@pytest.mark.parametrize(
    ("act", "kind", "accepts"), [("command", "slash_commands", True), ("shortcut", "interactive", False)]
)
def test_envelope_says_what_it_is_and_whether_it_takes_an_answer(
    sandbox: RunningSandbox, people: SandboxClient, act: str, kind: str, accepts: bool
) -> None:
    # the fields as in the envelopes of python-slack-sdk's tests/slack_sdk/socket_mode/mock_socket_mode_server.py
    from_slack: list[Json] = []
    with opened_link(sandbox) as link:
        link.send("no ack at all")
        _act_and_ack(people, link, act, from_slack)

    envelope = from_slack[0]
    assert (envelope["type"], envelope["accepts_response_payload"]) == (kind, accepts)
    assert envelope["payload"]["trigger_id"]


def test_event_that_is_not_acknowledged_comes_again(sandbox: RunningSandbox, people: SandboxClient) -> None:
    # slackapi/python-slack-events-api issue 93: retry_attempt counts up, retry_reason "timeout"
    sandbox.slack.timing = Timing(ack_seconds=0.1, event_retry_seconds=(0.0, 0.0, 0.0))
    with opened_link(sandbox) as link:
        people.send_event({"type": "app_home_opened", "user": "UANA"})

        envelopes = [read(link) for _ in range(4)]

    assert [(one["retry_attempt"], one["retry_reason"]) for one in envelopes] == [
        (0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout"),
    ]  # fmt: skip
    assert len({one["payload"]["event_id"] for one in envelopes}) == 1
    assert not any(one["accepts_response_payload"] for one in envelopes)


def test_without_a_link_nothing_arrives(sandbox: RunningSandbox, ana: Person) -> None:
    assert ana.command("/hypothesis").error == "dispatch_failed"


def test_more_than_ten_links_are_refused(sandbox: RunningSandbox) -> None:
    # "up to 10"; the reason as in slackapi/node-slack-sdk issue 1654
    with ExitStack() as links:
        for _ in range(MOST_LINKS):
            links.enter_context(opened_link(sandbox))

        with connect(new_url(sandbox)) as link:
            refused = read(link)
            assert (refused["type"], refused["reason"]) == ("disconnect", "too_many_websockets")
            with pytest.raises(ConnectionClosed):
                link.recv(timeout=10)


def test_requests_are_spread_over_all_links(sandbox: RunningSandbox, people: SandboxClient) -> None:
    # "each payload may be sent to any of the connections"
    with opened_link(sandbox) as one, opened_link(sandbox) as other:
        for link in (other, one):
            _act_and_ack(people, link, "command", [])


def test_socket_mode_switched_off_ends_links(sandbox: RunningSandbox, people: SandboxClient) -> None:
    with opened_link(sandbox) as link:
        people.links.trouble("disable")

        assert (read(link)["reason"], people.links.count()) == ("link_disabled", 0)


def test_app_with_an_address_is_not_reached_by_links(sandbox: RunningSandbox) -> None:
    url = new_url(sandbox)
    sandbox.app_url = "http://127.0.0.1:9/"

    with connect(url) as link:
        assert read(link)["reason"] == "link_disabled"


def _act_and_ack(people: SandboxClient, link: ClientConnection, act: str, taken: list[Json]) -> None:
    """Let Ana act; take the envelope by this link and acknowledge it."""
    ana = people.person("UANA")
    with ThreadPoolExecutor(1) as threads:
        acting = threads.submit(ana.command, "/hypothesis") if act == "command" else threads.submit(ana.shortcut, "new")
        taken.append(read(link))
        link.send(json.dumps({"envelope_id": taken[-1]["envelope_id"]}))
        assert acting.result(timeout=30).ok
