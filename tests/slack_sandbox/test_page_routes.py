"""What the page asks for and what it may do: the screen, unread marks, the app's clock, the curtain, faults, calls."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox_parts import refusal, section
from slack_sandbox.client import NotPossibleError, Person, SandboxClient
from slack_sandbox.reading import plain_text
from slack_sandbox.serving import RunningSandbox

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STEP = timedelta(hours=10)


@pytest.fixture
def app_clock(sandbox: RunningSandbox, slack: WebClient) -> Iterator[None]:
    """An app's clock that moves in steps of ten hours, and says at each where it is."""

    class Clock(BaseHTTPRequestHandler):
        now = START

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            wanted = datetime.fromisoformat(json.loads(self.rfile.read(int(self.headers["content-length"])))["to"])
            Clock.now = min(Clock.now + STEP, wanted)
            slack.chat_postMessage(channel="CSEARCH", text=f"{Clock.now:%H:%M}")
            self._answer()

        def _answer(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"now": Clock.now.isoformat()}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
            """Keep quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Clock)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    sandbox.use_clock(f"http://127.0.0.1:{http.server_port}/")
    yield
    http.shutdown()
    thread.join()
    http.server_close()


def test_screen_sends_only_what_changed_since_its_revision(slack: WebClient, people: SandboxClient) -> None:
    old = slack.chat_postMessage(channel="CSEARCH", text="old")["ts"]
    gone = slack.chat_postMessage(channel="CSEARCH", text="gone")["ts"]
    before = people.see("screen", user="UANA", channel="CSEARCH")

    slack.chat_update(channel="CSEARCH", ts=old, text="changed")
    slack.chat_delete(channel="CSEARCH", ts=gone)
    new = slack.chat_postMessage(channel="CSEARCH", text="new")["ts"]
    after = people.see("screen", user="UANA", channel="CSEARCH", since=str(before["revision"]))

    assert [message["text"] for message in before["messages"]] == ["old", "gone"]
    assert [message["text"] for message in after["messages"]] == ["changed", "new"]
    assert after["changed"] == [old, gone, new]


def test_reply_changes_its_parent_on_the_screen(slack: WebClient, people: SandboxClient) -> None:
    parent = slack.chat_postMessage(channel="CSEARCH", text="parent")["ts"]
    before = people.see("screen", user="UANA", channel="CSEARCH")

    slack.chat_postMessage(channel="CSEARCH", text="reply", thread_ts=parent)
    after = people.see("screen", user="UANA", channel="CSEARCH", since=str(before["revision"]), thread_ts=parent)

    assert after["messages"][0]["reply_count"] == 1
    assert [message["text"] for message in after["thread"]] == ["parent", "reply"]


def test_private_message_is_on_one_screen_only(slack: WebClient, people: SandboxClient) -> None:
    slack.chat_postEphemeral(channel="CSEARCH", user="UANA", text="psst")

    assert len(people.see("screen", user="UANA", channel="CSEARCH")["messages"]) == 1
    assert people.see("screen", user="UBEN", channel="CSEARCH")["messages"] == []


def test_what_others_wrote_is_unread_until_looked_at(slack: WebClient, people: SandboxClient, ana: Person) -> None:
    ana.say("mine")
    slack.chat_postMessage(channel="CSEARCH", text="for <@UANA>")
    slack.chat_postMessage(channel="CSEARCH", text="for all")
    slack.chat_postMessage(channel="UANA", text="direct")

    before = {one["id"]: (one["unread"], one["mentions"]) for one in ana.conversations()}
    waiting = people.see("screen", user="UBEN")["waiting"]
    ana.mark_read("CSEARCH")
    after = {one["id"]: (one["unread"], one["mentions"]) for one in ana.conversations()}

    assert (before["CSEARCH"], before["DANA"]) == ((2, 1), (1, 1))
    assert (after["CSEARCH"], after["DANA"]) == ((0, 0), (1, 1))
    assert (waiting["UANA"], waiting["UBEN"]) == (2, 0)


@pytest.mark.usefixtures("app_clock")
def test_messages_show_the_time_of_the_stop_where_they_were_said(people: SandboxClient, ana: Person) -> None:
    people.move_to(START + timedelta(hours=25))

    shown = [(one["text"], datetime.fromtimestamp(one["shown_at"], UTC)) for one in ana.messages()]
    assert [text for text, _ in shown] == ["19:30", "05:30", "10:30"]
    assert all(f"{at:%H:%M}" == text for text, at in shown)
    assert abs(people.now() - (START + timedelta(hours=25))) < timedelta(minutes=1)


@pytest.mark.usefixtures("app_clock")
def test_time_never_moves_back(people: SandboxClient) -> None:
    with pytest.raises(NotPossibleError, match="only moves forward"):
        people.move_to(START - timedelta(days=1))


def test_time_of_an_app_without_a_clock_cannot_be_moved(people: SandboxClient) -> None:
    with pytest.raises(NotPossibleError, match="no clock that can be moved"):
        people.move_to(datetime.now(UTC) + timedelta(days=1))

    assert not people.see("clock")["can_move"]


def test_moving_time_leaves_stamps_alone(app_clock: None, people: SandboxClient, ana: Person) -> None:
    """A message's ts is machine time: an app's look-ups and leases rest on it."""
    people.move_to(START + timedelta(hours=5))

    ts = float(ana.messages()[-1]["ts"])
    assert abs(ts - datetime.now(UTC).timestamp()) < 60


@pytest.mark.parametrize("moment", ["tomorrow", "2026-11-24T09:00:00", None])
def test_unreadable_moment_says_how_to_write_it(people: SandboxClient, moment: object) -> None:
    with pytest.raises(NotPossibleError, match="offset from UTC"):
        people.request("POST", "clock", json={"to": moment})


def test_curtain_is_on_every_screen_until_it_falls(people: SandboxClient) -> None:
    people.set_curtain("One moment")
    during = people.see("screen", user="UANA")["curtain"]
    people.set_curtain("")

    assert (during, people.see("screen", user="UANA")["curtain"]) == ("One moment", "")


def test_fault_without_a_number_lasts_until_it_is_lifted(slack: WebClient, people: SandboxClient) -> None:
    body = {"method": "chat.postMessage", "kind": "ratelimited", "times": None, "seconds": 1}
    people.request("POST", "faults", json=body)
    for _ in range(3):
        assert refusal(slack.chat_postMessage, channel="CSEARCH", text="x")["error"] == "ratelimited"

    people.request("DELETE", "faults", params={"kind": "ratelimited"})

    assert slack.chat_postMessage(channel="CSEARCH", text="x")["ok"]


def test_calls_show_what_was_refused_and_why(slack: WebClient, people: SandboxClient) -> None:
    slack.auth_test()
    last = people.calls()[-1]["number"]
    refusal(slack.chat_postMessage, channel="CSEARCH", blocks=[section("x" * 3001)], text="x")

    calls = people.see("calls", after=str(last))["calls"]

    assert [call["method"] for call in calls] == ["chat.postMessage"]
    assert calls[0]["payload"]["text"] == "x"
    assert "[json-pointer:/blocks/0/text/text]" in calls[0]["answer"]["response_metadata"]["messages"][0]


def test_call_that_met_trouble_shows_what_was_sent(slack: WebClient, people: SandboxClient) -> None:
    people.faults.add("chat.postMessage", "error_500")
    with pytest.raises(SlackApiError):
        slack.chat_postMessage(channel="CSEARCH", text="lost words")

    assert people.calls()[-1]["payload"]["text"] == "lost words"


@pytest.mark.parametrize("seconds", [None, "soon"])
def test_fault_of_no_length_is_refused(people: SandboxClient, seconds: object) -> None:
    with pytest.raises(NotPossibleError, match="A fault needs"):
        people.request("POST", "faults", json={"method": "*", "kind": "slow", "seconds": seconds})


def test_calls_never_show_the_token(slack: WebClient, people: SandboxClient) -> None:
    slack.api_call("auth.test", params={"token": str(slack.token)})

    assert str(slack.token) not in json.dumps(people.calls())


def test_unregistered_shortcut_is_not_offered(ana: Person) -> None:
    with pytest.raises(NotPossibleError, match="not a shortcut"):
        ana.shortcut("turn")  # it is one of messages only


def test_uploaded_page_can_do_nothing_when_opened(sandbox: RunningSandbox, ana: Person) -> None:
    file_id = ana.upload("page.html", b"<script>alert(1)</script>")

    answer = httpx.get(f"{sandbox.url}/sandbox/files/{file_id}", verify=False)

    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_table_reads_row_by_row(slack: WebClient, ana: Person) -> None:
    cell = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "1"}]}],
    }
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "orders"}, cell]]}

    slack.chat_postMessage(channel="CSEARCH", text="table", blocks=[table])

    assert plain_text(ana.messages()[-1]) == "orders | 1"
