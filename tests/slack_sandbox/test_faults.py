"""Trouble on demand, with the app in a process of its own where it has to die."""

import http.client
import signal
import subprocess
import sys
import threading
from urllib.error import URLError

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from slack_sandbox.client import Person, SandboxClient
from slack_sandbox.serving import RunningSandbox

CHANNEL = "CSEARCH"
POST = "chat.postMessage"


def poster(sandbox: RunningSandbox) -> subprocess.Popen[bytes]:
    """Start a process that posts one message and waits for the answer."""
    program = (
        "from slack_sdk import WebClient\n"
        f"client = WebClient(token='xoxb-sandbox-token', base_url={sandbox.api_url!r}, retry_handlers=[])\n"
        f"client.chat_postMessage(channel={CHANNEL!r}, text='Hi')\n"
    )
    return subprocess.Popen([sys.executable, "-c", program])


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_process_killed_before_storing_leaves_no_message(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    people.faults.add(POST, "hold_before")
    process = poster(sandbox)
    people.wait_for(lambda: people.faults.held() == 1)

    kill(process)
    people.wait_for(lambda: people.faults.held() == 0)

    assert ana.messages(CHANNEL) == []


def test_process_killed_after_storing_leaves_the_message(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    people.faults.add(POST, "hold_after")
    process = poster(sandbox)
    people.wait_for(lambda: people.faults.held() == 1)

    kill(process)
    people.wait_for(lambda: people.faults.held() == 0)

    assert [message["text"] for message in ana.messages(CHANNEL)] == ["Hi"]


def test_held_call_goes_on_when_released(slack: WebClient, people: SandboxClient, ana: Person) -> None:
    people.faults.add(POST, "hold_before")
    thread = threading.Thread(target=slack.chat_postMessage, kwargs={"channel": CHANNEL, "text": "Hi"})
    thread.start()
    people.wait_for(lambda: people.faults.held() == 1)
    before = ana.messages(CHANNEL)

    people.faults.release()
    thread.join()

    assert (before, len(ana.messages(CHANNEL))) == ([], 1)


@pytest.mark.parametrize(("kind", "stored"), [("drop_before", 0), ("drop_after", 1)])
def test_dropped_call_is_stored_or_not(
    kind: str, stored: int, slack: WebClient, people: SandboxClient, ana: Person
) -> None:
    people.faults.add(POST, kind)

    with pytest.raises((URLError, http.client.RemoteDisconnected)):
        slack.chat_postMessage(channel=CHANNEL, text="Hi")

    assert len(ana.messages(CHANNEL)) == stored
    assert people.calls()[-1]["error"] == "hung_up"


def test_default_client_posts_twice_when_the_line_drops_after_storing(
    sandbox: RunningSandbox, people: SandboxClient, ana: Person
) -> None:
    # the law behind retry_handlers=[]: slack_sdk's ConnectionErrorRetryHandler is on by default
    people.faults.add(POST, "drop_after")

    WebClient(token="xoxb-sandbox-token", base_url=sandbox.api_url).chat_postMessage(channel=CHANNEL, text="Hi")

    assert [message["text"] for message in ana.messages(CHANNEL)] == ["Hi", "Hi"]


def test_rate_limit_says_when_to_come_back(slack: WebClient, people: SandboxClient) -> None:
    # docs.slack.dev/apis/web-api/rate-limits: 429 and Retry-After
    people.faults.add(POST, "ratelimited", seconds=7)

    with pytest.raises(SlackApiError) as caught:
        slack.chat_postMessage(channel=CHANNEL, text="Hi")

    assert caught.value.response.status_code == 429
    assert caught.value.response["error"] == "ratelimited"
    assert {k.lower(): v for k, v in caught.value.response.headers.items()}["retry-after"] == "7"


def test_a_message_shows_in_history_when_its_time_has_come(slack: WebClient, people: SandboxClient) -> None:
    # docs.slack.dev promises no moment from which conversations.history has a message that chat.postMessage took
    parent = slack.chat_postMessage(channel=CHANNEL, text="Hi")
    people.faults.add("*", "history_lags", times=None, seconds=600)
    slack.chat_postMessage(channel=CHANNEL, text="Reply", thread_ts=parent["ts"])
    hidden = slack.conversations_history(channel=CHANNEL)["messages"]
    thread = slack.conversations_replies(channel=CHANNEL, ts=parent["ts"])["messages"]

    people.faults.release()

    assert (hidden, [message["text"] for message in thread]) == ([], ["Hi"])
    assert len(slack.conversations_history(channel=CHANNEL)["messages"]) == 1
    assert len(slack.conversations_replies(channel=CHANNEL, ts=parent["ts"])["messages"]) == 2


def test_trouble_comes_as_often_as_asked(slack: WebClient, people: SandboxClient) -> None:
    people.faults.add(POST, "error_500", times=2)

    for _ in range(2):
        with pytest.raises(SlackApiError):
            slack.chat_postMessage(channel=CHANNEL, text="Hi")

    assert slack.chat_postMessage(channel=CHANNEL, text="Hi")["ok"]
