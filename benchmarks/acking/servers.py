"""What is measured, each in a process of its own and pinned: bot and echo to one core, all others to the other."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.acking.requests import EXPERIMENTS, SECRET

from labcoat.demo import people
from slack_sandbox.client import Person, SandboxClient

LABCOAT = str(Path(sys.executable).with_name("labcoat"))
CORES = sorted(os.sched_getaffinity(0))
SERVED_ON, SENT_FROM = ["taskset", "-c", str(CORES[0])], ["taskset", "-c", str(CORES[-1])]


@dataclass(frozen=True, slots=True)
class Servers:
    """The ports of bot and echo, and the Slack that people use."""

    bot: int
    echo: int
    slack: SandboxClient


@contextmanager
def running(
    folder: Path,
    database_url: str,
    *,
    serve: Sequence[str] = (*SERVED_ON, LABCOAT, "serve"),
    experiments: int = EXPERIMENTS,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Servers]:
    """Run sandbox, bot and echo over a database, with experiments running that take typed totals.

    serve: what runs the bot. settings: more of its environment.
    """
    bot, sandbox, echo = free_port(), free_port(), free_port()
    workspace = folder / "workspace.json"
    workspace.write_text(people.workspace().model_dump_json(), encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path.cwd()),
        "SLACK_BOT_TOKEN": people.workspace().bot.token,
        "SLACK_SIGNING_SECRET": SECRET,
        "LABCOAT_SLACK_API_URL": f"http://127.0.0.1:{sandbox}/api/",
        "DATABASE_URL": database_url,
        "LABCOAT_HOST": "127.0.0.1",
        "PORT": str(bot),
        "LABCOAT_HOME_CHANNEL": people.CHANNEL,
        "LABCOAT_ACTS_PER_MINUTE": "0",
        **(settings or {}),
    }
    slack = [LABCOAT, "sandbox", "--app-url", f"http://127.0.0.1:{bot}/slack/events", "--signing-secret", SECRET]
    bare = [sys.executable, "-m", "benchmarks.acking.echo", str(echo), _echo_database(folder, database_url)]
    with ExitStack() as stack:
        stack.enter_context(
            process([*SENT_FROM, *slack, "--port", str(sandbox), "--workspace", str(workspace)], sandbox)
        )
        subprocess.run([LABCOAT, "migrate"], env=environment, check=True, stdout=subprocess.DEVNULL)
        stack.enter_context(process([*serve], bot, environment))
        stack.enter_context(process([*SERVED_ON, *bare], echo, environment))
        client = stack.enter_context(SandboxClient(f"http://127.0.0.1:{sandbox}"))
        for number in range(1, experiments + 1):
            start_experiment(client.person(people.ANA), number)
        yield Servers(bot, echo, client)


def _echo_database(folder: Path, database_url: str) -> str:
    """Return the same server; on SQLite another file, which only one process writes to."""
    return f"sqlite:///{folder / 'echo.db'}" if database_url.startswith("sqlite") else database_url


def start_experiment(ana: Person, number: int, metric: str = "orders per user") -> None:
    """Bring a hypothesis to a running experiment, through Slack's forms."""
    forms: list[tuple[str, str, dict[str, Any]]] = [
        ("/hypothesis", f"Change {number}", {"metric": metric, "because": "Five people asked for it"}),
        (
            "/experiment",
            f"plan H-{number}",
            {"goal": metric, "baseline": "10 %", "minimum_effect": "5 %", "evidence_reason": "A switch"},
        ),
        ("/experiment", f"start E-{number}", {}),
    ]
    for command, text, values in forms:
        ana.command(command, text, channel=people.CHANNEL)
        _await_form(ana)
        outcome = ana.submit(values)
        if command == "/hypothesis" and ana.find_view() is not None:
            outcome = ana.submit()  # it asked whether this was tried before
        if not outcome.ok or outcome.errors:
            message = f"{command} {text}: {outcome}"
            raise RuntimeError(message)


def _await_form(person: Person) -> None:
    """Wait for a form: on a busy machine a command is taken first, and its form follows."""
    deadline = time.monotonic() + 30
    while person.find_view() is None and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def process(command: list[str], port: int, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a process until the block ends; the block begins when it takes connections."""
    started = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
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
        started.wait(timeout=60)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
