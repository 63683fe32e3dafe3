"""The stage of the demo: a sandbox, a bot that takes it for Slack, a seeded world; on loopback, in its own folder."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import httpx

from labcoat.demo import past, people, world
from labcoat.domain.schedule import at_local, local_date
from slack_sandbox import serving
from slack_sandbox.certificates import trusted
from slack_sandbox.client import SandboxClient

START_SECONDS = 120
OPENING_DAYS = 16


class StageError(Exception):  # the stage fails, not the program
    """Raised when a part of the stage does not start."""


@dataclass(slots=True)
class BotProcess:
    """The bot's process, which can be killed and started again over the same database."""

    environment: Mapping[str, str]
    url: str
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "labcoat.demo.bot", *self.arguments]
        self.process = subprocess.Popen(command, env={**os.environ, **self.environment})
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(trust_env=False, verify=trusted(), timeout=1) as client:
            while time.monotonic() < deadline:
                try:
                    if client.get(f"{self.url}/healthz").status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    if self.process.poll() is not None:
                        break
                    time.sleep(0.05)
        msg = "the bot did not start; what it said is above"
        raise StageError(msg)

    def stop(self) -> None:
        """End it, as an operator would."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        """End it as a crash would, at whatever line it is."""
        self._end(lambda process: process.kill())

    def _end(self, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self.process is not None:
            end(self.process)
            self.process.wait(timeout=START_SECONDS)
            self.process = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is running."""

    slack: SandboxClient
    bot: BotProcess
    page: str
    start: datetime

    def now(self) -> datetime:
        """Return business now."""
        return self.slack.now()

    def move_to(self, moment: datetime) -> None:
        """Move business time forward; what is due on the way has happened and is told when this returns."""
        self.slack.move_to(moment)


@contextmanager
def raised(
    folder: Path,
    *,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    has_past: bool = False,
    has_links: bool = False,
) -> Iterator[Stage]:
    """Run sandbox and bot until the block ends, business time beginning on a Tuesday morning a while ago.

    environment: settings of the bot beside the demo's own. has_past: whether the team has worked here for a year.
    has_links: whether Slack reaches the bot by Socket Mode instead of HTTP.
    """
    start = opening_morning(datetime.now(UTC))
    first = past.EXPERIMENTS + 1 if has_past else 1
    with serving.running_sandbox(people.workspace(), port=port) as sandbox, ThreadPoolExecutor() as beside:
        bot_port = _free_port()
        sandbox.app_url = None if has_links else f"http://127.0.0.1:{bot_port}/slack/events"
        sandbox.use_clock(f"http://127.0.0.1:{bot_port}/demo/clock")
        settings = {
            "SLACK_BOT_TOKEN": people.workspace().bot.token,
            "SLACK_SIGNING_SECRET": serving.DEFAULT_SIGNING_SECRET,
            "SLACK_APP_TOKEN": people.workspace().bot.app_token if has_links else "",
            "LABCOAT_SLACK_API_URL": sandbox.api_url,
            "DATABASE_URL": f"sqlite:///{folder / 'labcoat.db'}",
            "PORT": str(bot_port),
            "LABCOAT_HOME_CHANNEL": people.CHANNEL,
            "LABCOAT_LEADS": ",".join(people.LEADS),
            "LABCOAT_METRICS": str(world.write_metrics(folder)),
            "LABCOAT_TIMEZONE": people.ZONE,
            "LABCOAT_SETTLE_SECONDS": "0",  # this Slack shows at once what it takes
            "LABCOAT_ACTS_PER_MINUTE": "0",  # days are played in seconds
            "LABCOAT_ANSWER_WITHIN_MS": "2500",  # who plays looks at once for what was answered
            "LABCOAT_REFRESH_MINUTES": "1440",  # each count reads the files, and weeks are played in seconds
            **(environment or {}),
        }
        arguments = ("--start", start.isoformat(), *(["--past"] if has_past else []))
        bot = BotProcess(settings, f"http://127.0.0.1:{bot_port}", arguments)
        data = beside.submit(world.build, folder, start=start, first=first)
        bot.start()
        data.result()
        try:
            with SandboxClient(sandbox.url) as slack:
                yield Stage(slack, bot, sandbox.url, start)
        finally:
            bot.stop()


def opening_morning(now: datetime) -> datetime:
    """Return the Tuesday, 9:00, on which the opening begins, so that it ends on the newest Thursday."""
    today = local_date(now, people.ZONE)
    thursday = today - timedelta(days=(today.weekday() - 3) % 7)
    return at_local(thursday - timedelta(days=OPENING_DAYS), time_of_day(9), people.ZONE)


def next_monday(now: datetime) -> datetime:
    """Return the next Monday, a minute after the digest is due."""
    today = local_date(now, people.ZONE)
    days = (7 - today.weekday()) % 7 or 7
    return at_local(today + timedelta(days=days), time_of_day(9, 31), people.ZONE)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
