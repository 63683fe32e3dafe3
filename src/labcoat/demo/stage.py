"""The stage of the demo: a sandbox, a bot that takes it for Slack, a seeded world; on loopback, in its own folder."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from labcoat.demo import people, world
from labcoat.sandbox import serving
from labcoat.sandbox.client import SandboxClient

START_SECONDS = 30


class StageFailed(Exception):  # noqa: N818  the stage fails, not the program
    """Raised when a part of the stage does not start."""


@dataclass(slots=True)
class BotProcess:
    """The bot's process, which can be killed and started again over the same database."""

    environment: Mapping[str, str]
    url: str
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "labcoat.demo.bot"]
        self.process = subprocess.Popen(command, env={**os.environ, **self.environment})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=1).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        msg = "the bot did not start; what it said is above"
        raise StageFailed(msg)

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
        return datetime.fromisoformat(httpx.get(f"{self.bot.url}/demo/clock", timeout=10).json()["now"])

    def move_to(self, moment: datetime) -> None:
        """Move business time forward; what is due on the way has happened and is told when this returns."""
        answer = httpx.post(f"{self.bot.url}/demo/clock", json={"to": moment.isoformat()}, timeout=300)
        answer.raise_for_status()


@contextmanager
def raised(folder: Path, *, port: int = 0, environment: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """Run sandbox and bot until the block ends. environment: settings of the bot beside the demo's own."""
    start = next_working_morning(datetime.now(UTC))
    metrics = world.build(folder, start=start)
    with serving.running_sandbox(people.workspace(), port=port) as sandbox:
        bot_port = _free_port()
        sandbox.app_url = f"http://127.0.0.1:{bot_port}/slack/events"
        settings = {
            "SLACK_BOT_TOKEN": people.workspace().bot.token,
            "SLACK_SIGNING_SECRET": serving.DEFAULT_SIGNING_SECRET,
            "SLACK_APP_TOKEN": "",
            "LABCOAT_SLACK_API_URL": sandbox.api_url,
            "DATABASE_URL": f"sqlite:///{folder / 'labcoat.db'}",
            "PORT": str(bot_port),
            "LABCOAT_HOME_CHANNEL": people.CHANNEL,
            "LABCOAT_LEADS": ",".join(people.LEADS),
            "LABCOAT_METRICS": str(metrics),
            "LABCOAT_TIMEZONE": people.ZONE,
            **(environment or {}),
        }
        bot = BotProcess(settings, f"http://127.0.0.1:{bot_port}")
        bot.start()
        try:
            with SandboxClient(sandbox.url) as slack:
                stage = Stage(slack, bot, sandbox.url, start)
                stage.move_to(start)
                yield stage
        finally:
            bot.stop()


def next_working_morning(now: datetime) -> datetime:
    """Return the next Tuesday at 9:00 in the demo's zone: everybody is there, and Monday's digest is six days off."""
    local = now.astimezone(ZoneInfo(people.ZONE))
    days = (1 - local.weekday()) % 7 or 7
    return (local + timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0).astimezone(UTC)


def next_monday(now: datetime) -> datetime:
    """Return the next Monday, a minute after the digest is due."""
    local = now.astimezone(ZoneInfo(people.ZONE))
    days = (7 - local.weekday()) % 7 or 7
    return datetime.combine(local.date() + timedelta(days=days), time_of_day(9, 31), tzinfo=local.tzinfo)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
