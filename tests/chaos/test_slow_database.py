"""The warehouse hangs and each transaction takes a second longer: Slack is answered in time, and nothing is lost."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from benchmarks.acking import servers

import postgres
from labcoat.db import dossiers
from labcoat.db.database import Database
from labcoat.demo import people
from labcoat.domain.ids import HypothesisNumber, WorkspaceId

ROOT = Path(__file__).parents[2]
RATE = 20.0
PROMPT_KINDS, FORM_KINDS = ("read", "record", "click"), ("edit", "file")
EXPERIMENTS = 3
SMALL_SECONDS = 2
TEAM = WorkspaceId(people.workspace().team.id)

METRICS = """
sources:
  shop:
    engine: postgresql
    url: ${SHOP_URL}
exposures:
  users:
    source: shop
    table: exposures
    unit: unit
    variant: variant
metrics:
  clicks:
    exposures: users
    kind: proportion
    direction: up
    value: clicked
"""


@dataclass
class Abyss:
    """A warehouse that takes connections and never says a word."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    taken: list[socket.socket] = field(default_factory=list)

    def take(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])


@pytest.fixture
def abyss() -> Iterator[Abyss]:
    made = Abyss()
    thread = threading.Thread(target=made.take, daemon=True)
    thread.start()
    yield made
    made.listener.shutdown(socket.SHUT_RDWR)
    made.listener.close()
    thread.join(10)
    for one in made.taken:
        one.close()


def p99(all_ms: list[float]) -> float:
    return sorted(all_ms)[-(-99 * len(all_ms) // 100) - 1]


@dataclass(frozen=True)
class Outcome:
    """What came of a load. odd: answers that said something else than "taken", and how many did."""

    prompt_ms: list[float]
    form_ms: list[float]
    odd: dict[str, int]
    filed: int
    found: int


def load(server: postgres.Server, folder: Path, abyss: Abyss, *, seconds: int, answer_within_ms: int) -> Outcome:
    """Send requests while everything is slow, then let it recover and count what was filed."""
    folder.mkdir()
    slow = folder / "slow"
    (folder / "metrics.yml").write_text(METRICS, encoding="utf-8")
    settings = {
        "SLOW_WHILE": str(slow),
        "SHOP_URL": f"postgresql://reader@127.0.0.1:{abyss.port}/shop",
        "LABCOAT_METRICS": str(folder / "metrics.yml"),
        "LABCOAT_ANSWER_WITHIN_MS": str(answer_within_ms),
    }
    bot = [sys.executable, str(Path(__file__).with_name("slow_bot.py"))]
    with (
        server.fresh_database() as url,
        servers.running(folder, url, serve=bot, experiments=EXPERIMENTS, settings=settings) as running,
    ):
        servers.start_experiment(running.slack.person(people.ANA), EXPERIMENTS + 1, "clicks")
        slow.touch()
        said = send(running.bot, seconds=seconds)
        slow.unlink()
        filed = len(said["took_ms"]["file"])
        found = count_filed(url, expected=EXPERIMENTS + 1 + filed)
    took = said["took_ms"]
    return Outcome(
        prompt_ms=[ms for kind in PROMPT_KINDS for ms in took[kind]],
        form_ms=[ms for kind in FORM_KINDS for ms in took[kind]],
        odd={text: count for text, count in said["odd"].items() if text},
        filed=filed,
        found=found - EXPERIMENTS - 1,
    )


def send(port: int, *, seconds: int) -> dict[str, Any]:
    told = {
        "port": port,
        "kinds": [*PROMPT_KINDS, *FORM_KINDS],
        "seconds": seconds,
        "first": 1000,
        "rate": RATE,
        "experiments": EXPERIMENTS,
        "may_be_odd": True,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.acking.load"],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        timeout=seconds + 300,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def count_filed(url: str, *, expected: int) -> int:
    """Return how many hypotheses there are, once there are as many as expected, or after two minutes."""
    database, until, pause = Database(url), time.monotonic() + 120, threading.Event()
    while True:
        with database.reading() as tx:
            found = len(dossiers.read_many(tx, TEAM, [HypothesisNumber(one) for one in range(1, expected + 100)]))
        if found >= expected or time.monotonic() > until:
            database.dispose()
            return found
        pause.wait(0.2)


def test_slack_is_answered_in_time_while_all_is_slow(
    postgres_server: postgres.Server,
    tmp_path: Path,
    abyss: Abyss,
    size: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    seconds = size(SMALL_SECONDS, 60)

    outcome = load(postgres_server, tmp_path / "run", abyss, seconds=seconds, answer_within_ms=200)

    prompt, forms = p99(outcome.prompt_ms), p99(outcome.form_ms)
    tell(f"commands and clicks p99 {prompt:.0f} ms, forms p99 {forms:.0f} ms, {outcome.found} of {outcome.filed} filed")
    assert outcome.found == outcome.filed  # every form was done, once
    assert all("still being worked on" in text for text in outcome.odd), outcome.odd
    assert min(outcome.prompt_ms) < 1000  # answered before any transaction can have ended
    assert min(outcome.form_ms) > 1000  # who waits for the database waits for a transaction
    if seconds > SMALL_SECONDS:  # figures need a machine that does nothing else
        assert prompt < 300
        assert forms < 2500
        assert abyss.taken  # the warehouse was asked, and hung
        control = load(postgres_server, tmp_path / "control", abyss, seconds=20, answer_within_ms=2500)
        assert p99(control.prompt_ms) > 300
