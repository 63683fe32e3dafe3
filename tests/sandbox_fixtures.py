"""A sandbox, a real WebClient for it, and a real Bolt app it can reach."""

import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient

from sandbox_parts import BotServer, Clock, web_client
from slack_sandbox.client import Person, SandboxClient
from slack_sandbox.local_slack import Timing
from slack_sandbox.serving import DEFAULT_SIGNING_SECRET, RunningSandbox, running_sandbox
from slack_sandbox.workspace import Shortcut, default_workspace

ALL_EVENTS = (
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "message.channels",
    "message.im",
    "user_change",
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[RunningSandbox]:
    timing = Timing(ack_seconds=0.5, event_retry_seconds=(0.0, 0.0, 0.0))
    default = default_workspace()
    shortcuts = (Shortcut(callback_id="new", name="New"), Shortcut(callback_id="turn", name="Turn", on_message=True))
    workspace = default.model_copy(update={"events": ALL_EVENTS, "shortcuts": shortcuts})
    with running_sandbox(workspace, timing=timing, clock=clock) as running:
        yield running


@pytest.fixture(scope="module")
def steady_sandbox() -> Iterator[RunningSandbox]:
    """One sandbox for a whole module, where tests leave nothing behind that others would see."""
    with running_sandbox() as running:
        yield running


@pytest.fixture
def slack(sandbox: RunningSandbox) -> WebClient:
    return web_client(sandbox)


@pytest.fixture
def people(sandbox: RunningSandbox) -> Iterator[SandboxClient]:
    with SandboxClient(sandbox.url) as client:
        yield client


@pytest.fixture
def ana(people: SandboxClient) -> Person:
    return people.person("UANA")


@pytest.fixture
def bot(sandbox: RunningSandbox, slack: WebClient) -> Iterator[BotServer]:
    app = App(
        client=slack,
        token=slack.token,
        signing_secret=DEFAULT_SIGNING_SECRET,
        token_verification_enabled=False,
        process_before_response=True,
    )
    server = BotServer(app)

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers: dict[str, str | Sequence[str]] = {name.lower(): v for name, v in self.headers.items()}
            server.received.append((headers, body))
            if server.status:
                self.send_response(server.status)
                self.end_headers()
                return
            answer = app.dispatch(BoltRequest(body=body, headers=headers))
            self.send_response(answer.status)
            for name, value in answer.first_headers().items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
            """Keep quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.url = f"http://127.0.0.1:{http.server_port}/slack/events"
    sandbox.app_url = server.url
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
