"""Ack latency: commands, clicks and forms beside a bare Bolt echo, interleaved, in one run; prints one JSON line.

The bot is `labcoat serve` on SQLite, Slack is `labcoat sandbox`, the echo is this file with `--echo`: each a process of
its own. The requests are signed and sent from here over kept-alive loopback connections.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from labcoat.demo import people
from labcoat.sandbox.client import Person, SandboxClient
from labcoat.sandbox.outbound import FORM, signature

SECRET = "benchmark-signing-secret"
LABCOAT = str(Path(sys.executable).with_name("labcoat"))
EXPERIMENTS = 50
"""Entries are spread over some experiments: nobody types in hundreds for one."""

LARGEST_OVER_ECHO_MS, LARGEST_P99_MS = 15.0, 100.0


def main() -> None:
    """Measure and print; or be the echo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500, help="of each kind")
    parser.add_argument("--warm-up", type=int, default=50, help="of each kind, not counted")
    parser.add_argument("--echo", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.echo:
        serve_echo(given.echo)
        return
    with tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder, ExitStack() as stack:
        bot, echo = stack.enter_context(running(Path(folder)))
        for number in range(given.warm_up):
            one_round(bot, echo, number)
        rounds = [one_round(bot, echo, given.warm_up + number) for number in range(given.requests)]
    print(json.dumps(summary({kind: [one[kind] for one in rounds] for kind in rounds[0]})))


def one_round(bot: "Door", echo: "Door", number: int) -> dict[str, float]:
    """Return the milliseconds of one request of each kind; the order turns, so that none always follows the same."""
    experiment = f"E-{number % EXPERIMENTS + 1}"
    units = 20_000 + 20 * number
    totals = f"control={units // 8}/{units} treatment={units // 8 + 40}/{units + 5}"
    acts: list[tuple[str, Callable[[], float]]] = [
        ("echo", lambda: echo.command("/echo", f"round {number}")),
        ("command_that_reads", lambda: bot.command("/experiment", f"result {experiment}")),
        ("command_that_writes", lambda: bot.command("/experiment", f"record {experiment} {totals}")),
        ("click_that_writes", lambda: bot.click("correct", f"{experiment} {totals}", respond=echo)),
        ("form_that_writes", lambda: bot.submit_hypothesis(number)),
    ]
    turn = number % len(acts)
    return {kind: act() for kind, act in acts[turn:] + acts[:turn]}


def summary(times: dict[str, list[float]]) -> dict[str, Any]:
    """Return what is printed."""
    shown = {kind: {"median_ms": statistics.median(all_ms), "p99_ms": p99(all_ms)} for kind, all_ms in times.items()}
    echo = shown.pop("echo")
    for one in shown.values():
        one["over_echo_ms"] = one["median_ms"] - echo["median_ms"]
    is_within = all(
        one["over_echo_ms"] <= LARGEST_OVER_ECHO_MS and one["p99_ms"] < LARGEST_P99_MS for one in shown.values()
    )
    return {
        "benchmark": "ack",
        "requests_of_each_kind": len(times["echo"]),
        "database": "sqlite",
        **{kind: {name: round(ms, 2) for name, ms in one.items()} for kind, one in {"echo": echo, **shown}.items()},
        "limits": {"over_echo_ms": LARGEST_OVER_ECHO_MS, "p99_ms": LARGEST_P99_MS},
        "is_within_limits": is_within,
    }


def p99(all_ms: list[float]) -> float:
    """Return the smallest time that at least 99 % of the requests took no longer than."""
    return sorted(all_ms)[-(-99 * len(all_ms) // 100) - 1]


class Door:
    """A kept-alive connection to where an app takes Slack's requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def command(self, command: str, text: str) -> float:
        """Type a slash command; return the milliseconds until its ack."""
        fields = {"command": command, "text": text, "user_id": people.ANA, "channel_id": people.CHANNEL}
        return self._post({**fields, "team_id": people.workspace().team.id, "trigger_id": "1.2.3"}, shows_text=True)

    def click(self, verb: str, value: str, *, respond: "Door") -> float:
        """Press a button of a private message; `respond` takes what the app answers at its response_url."""
        action = {"type": "button", "action_id": verb, "block_id": "b", "value": value, "action_ts": str(time.time())}
        address = f"http://127.0.0.1:{respond.port}/respond"
        more = {"channel": {"id": people.CHANNEL}, "actions": [action], "response_url": address, "trigger_id": "1.2.3"}
        return self._interact("block_actions", more)

    def submit_hypothesis(self, number: int) -> float:
        """Submit the form of a new hypothesis."""
        texts = {"change": f"Change number {number}", "metric": "orders per user", "because": "Five people asked"}
        values: dict[str, Any] = {block: {"a": {"type": "plain_text_input", "value": t}} for block, t in texts.items()}
        values["channel"] = {"a": {"type": "conversations_select", "selected_conversation": people.CHANNEL}}
        values["direction"] = {"a": {"type": "radio_buttons", "selected_option": {"value": "up"}}}
        view = {
            "id": f"V{number}",
            "type": "modal",
            "callback_id": "file",
            "private_metadata": json.dumps({"subject": "", "channel": people.CHANNEL, "is_reviewed": True}),
            "blocks": [{"type": "input", "block_id": block} for block in values],
            "state": {"values": values},
        }
        return self._interact("view_submission", {"view": view})

    def _interact(self, kind: str, more: dict[str, Any]) -> float:
        payload = {
            "type": kind,
            "team": {"id": people.workspace().team.id, "domain": "marketplace"},
            "user": {"id": people.ANA, "username": "ana", "team_id": people.workspace().team.id},
            "is_enterprise_install": False,
            **more,
        }
        return self._post({"payload": json.dumps(payload)}, shows_text=False)

    def _post(self, fields: dict[str, str], *, shows_text: bool) -> float:
        body = urlencode(fields).encode()
        headers = {"Content-Type": FORM, **signature(SECRET, body)}
        begun = time.perf_counter()
        self._http.request("POST", "/slack/events", body=body, headers=headers)
        answer = self._http.getresponse()
        said = answer.read().decode()
        took = (time.perf_counter() - begun) * 1000
        # A command answers in its ack; a click or form that was taken acks with nothing. A refusal is not what we time.
        if answer.status != http.HTTPStatus.OK or bool(said) is not shows_text or "That didn't work" in said:
            message = f"{fields} was answered {answer.status}: {said}"
            raise RuntimeError(message)
        return took


@contextmanager
def running(folder: Path) -> Iterator[tuple[Door, Door]]:
    """Run sandbox, bot and echo; yield doors to bot and echo, with experiments running that take typed totals."""
    bot_port, sandbox_port, echo_port = free_port(), free_port(), free_port()
    workspace = folder / "workspace.json"
    workspace.write_text(people.workspace().model_dump_json(), encoding="utf-8")
    app_url = f"http://127.0.0.1:{bot_port}/slack/events"
    environment = {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": people.workspace().bot.token,
        "SLACK_SIGNING_SECRET": SECRET,
        "LABCOAT_SLACK_API_URL": f"http://127.0.0.1:{sandbox_port}/api/",
        "DATABASE_URL": f"sqlite:///{folder / 'labcoat.db'}",
        "LABCOAT_HOST": "127.0.0.1",
        "PORT": str(bot_port),
        "LABCOAT_HOME_CHANNEL": people.CHANNEL,
    }
    sandbox = [LABCOAT, "sandbox", "--app-url", app_url, "--signing-secret", SECRET, "--port", str(sandbox_port)]
    with ExitStack() as stack:
        stack.enter_context(process([*sandbox, "--workspace", str(workspace)], port=sandbox_port))
        subprocess.run([LABCOAT, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
        stack.enter_context(process([LABCOAT, "serve"], port=bot_port, environment=environment))
        stack.enter_context(process([sys.executable, __file__, "--echo", str(echo_port)], port=echo_port))
        slack = stack.enter_context(SandboxClient(f"http://127.0.0.1:{sandbox_port}"))
        for number in range(1, EXPERIMENTS + 1):
            start_experiment(slack.person(people.ANA), number)
        yield Door(bot_port), Door(echo_port)


def start_experiment(ana: Person, number: int) -> None:
    """Bring a hypothesis to a running experiment, through Slack's forms."""
    forms: list[tuple[str, str, dict[str, Any]]] = [
        ("/hypothesis", f"Change {number}", {"metric": "orders per user", "because": "Five people asked for it"}),
        (
            "/experiment",
            f"plan H-{number}",
            {"goal": "orders per user", "baseline": "10 %", "minimum_effect": "5 %", "evidence_reason": "A switch"},
        ),
        ("/experiment", f"start E-{number}", {}),
    ]
    for command, text, values in forms:
        ana.command(command, text, channel=people.CHANNEL)
        outcome = ana.submit(values)
        if command == "/hypothesis" and ana.find_view() is not None:
            outcome = ana.submit()  # it asked whether this was tried before
        if not outcome.ok or outcome.errors:
            message = f"{command} {text}: {outcome}"
            raise RuntimeError(message)


@contextmanager
def process(command: list[str], *, port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a process until the block ends; the block begins when it takes connections."""
    started = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if started.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield
    finally:
        started.terminate()
        started.wait(timeout=30)


def serve_echo(port: int) -> None:
    """Serve a bare Bolt app, on the stack that ours runs on, that answers a command with its text."""
    app = App(
        signing_secret=SECRET,
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T", bot_token="xoxb-echo", bot_user_id="U"),
        process_before_response=True,
    )

    @app.command("/echo")
    def echo(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        ack(body["text"])

    async def events(request: Request) -> Response:
        body = (await request.body()).decode()
        answer = await run_in_threadpool(app.dispatch, BoltRequest(body=body, headers=dict(request.headers)))
        return Response(answer.body, status_code=answer.status, headers=dict(answer.first_headers()))

    async def respond(_request: Request) -> Response:
        return Response("ok")

    routes = [Route("/slack/events", events, methods=["POST"]), Route("/respond", respond, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="warning")


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
