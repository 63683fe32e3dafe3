"""Replicas of the bot as processes of their own, which can be killed at a named line, and what balances between them.

A process that has imported everything is forked for each, so that a thousand of them do not take a day. Nothing in the
bot knows of this: where it has to die is wrapped from here.
"""

import importlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from multiprocessing.process import BaseProcess
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from labcoat import settings, wiring
from labcoat.cli import app as cli
from labcoat.slack.outgoing import delivery
from labcoat.worker import background, delivery_threads, file_worker
from slack_sandbox.certificates import trusted

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["labcoat.wiring", "labcoat.slack.outgoing.charts", "uvicorn", "httpx"])

START_SECONDS = 120.0
FAST = {"LABCOAT_LEASE_SECONDS": "2", "LABCOAT_SETTLE_SECONDS": "1", "LABCOAT_THREADS": "8"}
"""So that another process soon takes over what a dead one began."""


@dataclass(frozen=True, slots=True)
class Fatal:
    """Where a process kills itself: before or after a pass of a function, "module:name" or "module:Class.name"."""

    function: str
    moment: str
    passes: int = 1

    def __str__(self) -> str:
        return f"{self.moment} {self.function}"


Change = tuple[str, str]
"""A function, and how a control makes it worse: "nothing" (it does nothing) or "true" (it always says yes)."""


@dataclass(slots=True)
class Replica:
    """One process at one port."""

    environment: Mapping[str, str]
    port: int
    changes: tuple[Change, ...] = ()
    process: BaseProcess | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/slack/events"

    def start(self, fatal: Fatal | None = None) -> None:
        """Start it; it may die before it answers."""
        arguments = (dict(self.environment), self.port, fatal, self.changes)
        self.process = _FORKS.Process(target=run, args=arguments, daemon=True)
        self.process.start()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.is_alive()

    def wait_until_it_answers(self) -> bool:
        """Return True once it answers, False if it died before."""
        deadline = time.monotonic() + START_SECONDS
        while self.is_alive and time.monotonic() < deadline:
            with socket.socket() as line:
                if line.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.01)
        return False

    def kill(self) -> None:
        """Kill it at whatever line it is."""
        if self.process is not None:
            self.process.kill()
            self.process.join()

    def has_killed_itself(self) -> bool:
        return self.process is not None and self.process.exitcode == -signal.SIGKILL


@contextmanager
def replicas(
    environment: Mapping[str, str], number: int, *, changes: tuple[Change, ...] = ()
) -> Iterator[list[Replica]]:
    """Run so many replicas until the block ends."""
    made = [Replica(environment, free_port(), changes) for _ in range(number)]
    for replica in made:
        replica.start()
    try:
        assert all(replica.wait_until_it_answers() for replica in made)
        yield made
    finally:
        for replica in made:
            replica.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def run(environment: dict[str, str], port: int, fatal: Fatal | None, changes: tuple[Change, ...]) -> None:
    """Be a replica, as `labcoat serve` is one, in a hurry."""
    logging.disable(logging.CRITICAL)
    _end_with_parent()
    background.TICK_SECONDS, background.FILES_SECONDS = 1, 1
    file_worker.LEASE = timedelta(seconds=2)
    delivery_threads.BREATH_SECONDS, delivery_threads.COURTESY_SECONDS, delivery_threads.POLL_SECONDS = 0.0, 0.0, 0.1
    # Trouble is a thousand times denser here than in life, so a notice meets it often without a fault of its own.
    # What is called seldom, as conversations.open is, may find hundreds of troubles that wait for it.
    delivery.WAITS = (timedelta(seconds=0.3),) * 2_000
    delivery.MOST_TRIES, delivery.LONGEST_WAIT = len(delivery.WAITS) + 1, timedelta(seconds=1)
    for function, instead in changes:
        _replace(function, _answering(None if instead == "nothing" else True))
    if fatal is not None:
        _replace(fatal.function, lambda old: _dying(old, fatal))
    bot = wiring.build(settings.read(environment))
    uvicorn.run(bot.web, host="127.0.0.1", port=port, log_level="critical", lifespan="on")


def run_command(arguments: list[str], environment: Mapping[str, str], fatal: Fatal | None = None) -> int:
    """Run `labcoat` in a process of its own; return its exit code, -9 where it was killed."""
    process = _FORKS.Process(target=_be_command, args=(arguments, dict(environment), fatal), daemon=True)
    process.start()
    process.join(START_SECONDS)
    return process.exitcode if process.exitcode is not None else 1


def _be_command(arguments: list[str], environment: dict[str, str], fatal: Fatal | None) -> None:
    os.environ.update(environment)
    if fatal is not None:
        _replace(fatal.function, lambda old: _dying(old, fatal))
    sys.exit(cli.main(arguments))


def _replace(function: str, new: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    module, _, path = function.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    setattr(owner, name, new(getattr(owner, name)))


def _answering(answer: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def new(_old: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *_, **__: answer

    return new


def _dying(old: Callable[..., Any], fatal: Fatal) -> Callable[..., Any]:
    passes = count(1)

    def die() -> None:
        if next(passes) == fatal.passes:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if fatal.moment == "before":
            die()
        answer = old(*args, **kwargs)
        # A pass that found nothing to do is no moment: there is nothing to lose.
        if (
            fatal.moment == "after"
            and answer is not False
            and (answer is not None or not fatal.function.endswith("claim"))
        ):
            die()
        return answer

    return wrapped


def _end_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def balanced(urls: list[str], *, copies: int = 1) -> Iterator[str]:
    """Yield an address that hands each request to the next that takes it.

    copies: how many of them get it, each the very same bytes; the answer is the first one's.
    """
    turns = count()

    async def forward(request: Request) -> Response:
        body, headers = await request.body(), dict(request.headers)
        answers: list[Response] = []
        async with httpx.AsyncClient(trust_env=False, verify=trusted(), timeout=60) as line:
            for _ in range(2 * len(urls)):
                if len(answers) == copies:
                    break
                url = urls[next(turns) % len(urls)]
                try:
                    got = await line.post(url, content=body, headers=headers)
                except httpx.TransportError:
                    continue
                kept = {"content-type": got.headers.get("content-type", "text/plain")}
                answers.append(Response(got.content, status_code=got.status_code, headers=kept))
        return answers[0] if answers else Response("nobody is there", status_code=503)

    app = Starlette(routes=[Route("/slack/events", forward, methods=["POST"])])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
    finally:
        server.should_exit = True
        thread.join(10)
