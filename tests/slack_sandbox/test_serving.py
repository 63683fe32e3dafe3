"""Who may talk to a sandbox, what it logs, and its page."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from slack_sdk import WebClient

from sandbox_parts import actions, button, plain, section, text_input
from slack_sandbox.client import NotPossibleError, Person, SandboxClient
from slack_sandbox.reading import plain_text
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.workspace import Bot, Workspace, default_workspace, load_workspace


def test_real_looking_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="never put a real token here"):
        Workspace(bot=Bot(token="xoxb-123-456-abc"))


def test_workspace_comes_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(default_workspace().model_dump_json())

    assert load_workspace(path) == default_workspace()


def test_workspace_file_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    path.write_text(json.dumps({"chanels": []}))

    with pytest.raises(ValidationError, match="chanels"):
        load_workspace(path)


def test_foreign_host_name_is_turned_away(steady_sandbox: RunningSandbox) -> None:
    answer = httpx.get(f"{steady_sandbox.url}/sandbox/workspace", headers={"Host": "evil.example"}, verify=False)

    assert answer.status_code == 421


def test_foreign_page_cannot_act(steady_sandbox: RunningSandbox) -> None:
    answer = httpx.delete(f"{steady_sandbox.url}/sandbox/faults", headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403


def test_own_page_can_act(steady_sandbox: RunningSandbox) -> None:
    answer = httpx.delete(f"{steady_sandbox.url}/sandbox/faults", headers={"Origin": steady_sandbox.url})

    assert answer.status_code == 200


def test_workspace_is_shown_without_its_token(steady_sandbox: RunningSandbox) -> None:
    assert "xoxb" not in httpx.get(f"{steady_sandbox.url}/sandbox/workspace", verify=False).text


def test_page_runs_only_its_own_scripts(steady_sandbox: RunningSandbox) -> None:
    answer = httpx.get(steady_sandbox.url, verify=False)

    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


def test_every_asset_of_the_page_is_served(steady_sandbox: RunningSandbox) -> None:
    names = [part.split('"')[0] for part in httpx.get(steady_sandbox.url, verify=False).text.split('"/page/')[1:]]

    assert names
    assert {httpx.get(f"{steady_sandbox.url}/page/{name}", verify=False).status_code for name in names} == {200}
    assert httpx.get(f"{steady_sandbox.url}/page/serving.py", verify=False).status_code == 404


def test_calls_both_ways_are_logged_without_the_token(slack: WebClient, people: SandboxClient) -> None:
    slack.chat_postMessage(channel="CSEARCH", text="Hi")

    call = people.calls()[-1]

    assert (call["direction"], call["method"], call["ok"]) == ("to_slack", "chat.postMessage", True)
    assert "xoxb" not in json.dumps(call)


def test_stream_tells_what_changed(sandbox: RunningSandbox, slack: WebClient) -> None:
    with httpx.stream("GET", f"{sandbox.url}/sandbox/stream", timeout=5) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        next(lines)  # hello: from here on nothing is missed
        slack.chat_postMessage(channel="CSEARCH", text="Hi")

        assert json.loads(next(lines)[5:]) == {"what": "messages", "channel": "CSEARCH"}


def test_wrong_argument_is_named(people: SandboxClient) -> None:
    with pytest.raises(NotPossibleError, match="loudly"):
        people.act("say", user="UANA", channel="CSEARCH", text="Hi", loudly=True)


def test_person_outside_a_channel_sees_and_says_nothing_there(people: SandboxClient) -> None:
    gia = people.person("UGIA")

    with pytest.raises(NotPossibleError, match="not in CGENERAL"):
        gia.messages("CGENERAL")
    with pytest.raises(NotPossibleError, match="not in CGENERAL"):
        gia.say("Hi", channel="CGENERAL")


def test_waiting_ends_with_a_timeout(people: SandboxClient) -> None:
    with pytest.raises(TimeoutError):
        people.wait_for(lambda: False, timeout_seconds=0.05)


def test_message_reads_as_a_person_would_read_it(slack: WebClient, ana: Person) -> None:
    blocks = [
        {"type": "header", "text": plain("H-12")},
        section("*Shorter* for <@UANA> &amp; all"),
        text_input(hint=plain("In a word")),
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "Rising line"},
        actions(button("approve"), button("decline", text=plain("Decline"))),
    ]
    slack.chat_postMessage(channel="CSEARCH", text="H-12", blocks=blocks)

    assert plain_text(ana.messages("CSEARCH")[0]).splitlines() == [
        "# H-12",
        "*Shorter* for @UANA & all",
        "Name: <>",
        "  (In a word)",
        "---",
        "[image: Rising line]",
        "[Press] [Decline]",
    ]


def test_foreground_server_says_where_it_is_and_stops_when_interrupted() -> None:
    program = "from slack_sandbox.serving import run\nrun(port=0, app_url='http://127.0.0.1:9/')"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            url = process.stderr.readline().split()[2]
            with SandboxClient(url) as client:
                team = client.workspace()["team"]["id"]
            process.send_signal(signal.SIGINT)
            rest = process.communicate(timeout=10)[1]
        finally:
            process.kill()

    assert (team, process.returncode, rest) == ("T0SANDBOX", 0, "")
