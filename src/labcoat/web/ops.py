"""The second, small server for whoever operates: /healthz, /readyz and /metrics, on an address of its own.

It has a thread of its own, so that it answers while Slack's requests wait, and it never goes where Slack comes in.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from labcoat.db import backlog, migrating
from labcoat.db.database import Database, DatabaseError
from labcoat.observability.telemetry import Heartbeat
from labcoat.slack.incoming.socket_mode import Connections

_log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
MOST_SECONDS_WITHOUT_LINKS = 60.0

Check = Callable[[], str | None]
"""Returns what is wrong and what to do, None if nothing is."""


def checks(database: Database, *, pulses: dict[Heartbeat, float], links: Connections | None = None) -> dict[str, Check]:
    """Return what /readyz asks. pulses: parts, and how many seconds each may be silent."""

    def reachable() -> str | None:
        try:
            found = migrating.revision(database)
        except DatabaseError as error:
            return f"The database does not answer: {error}"
        if found == migrating.newest():
            return None
        if found is not None and not migrating.is_known(found):
            return "A newer version has migrated the database. Upgrade this one, or restore a backup."
        return "The database is not at this version's schema. Run: labcoat migrate"

    def alive(pulse: Heartbeat, seconds: float) -> str | None:
        age = pulse.age_seconds()
        if age is None:
            return f"The {pulse.part} has not run yet."
        return None if age <= seconds else f"The {pulse.part} has not run for {age:.0f} seconds. See the log; restart."

    parts = {pulse.part: (lambda pulse=pulse, most=most: alive(pulse, most)) for pulse, most in pulses.items()}
    return {"database": reachable, **parts, **({} if links is None else {"socket links": lambda: _linked(links)})}


def _linked(links: Connections) -> str | None:
    seconds = links.seconds_without
    if seconds <= MOST_SECONDS_WITHOUT_LINKS:
        return None
    return f"No link to Slack has been open for {seconds:.0f} seconds. The log says why."


def build(database: Database, asked: dict[str, Check], *, links: Connections | None = None) -> Starlette:
    """Return the ASGI app."""
    registry = CollectorRegistry()
    registry.register(_Waiting(database))
    if links is not None:
        opened = Gauge("labcoat_socket_links_open", "Links of Socket Mode that Slack may use.", registry=registry)
        opened.set_function(lambda: links.open_count)

    def answers() -> dict[str, str]:
        return {name: found for name, check in asked.items() if (found := check()) is not None}

    async def ready(_request: Request) -> Response:
        wrong = await run_in_threadpool(answers)
        parts = {name: wrong.get(name, "ok") for name in asked}
        return JSONResponse({"ready": not wrong, **parts}, status_code=503 if wrong else 200)

    async def metrics(_request: Request) -> Response:
        body = generate_latest(REGISTRY) + await run_in_threadpool(generate_latest, registry)
        return Response(body, headers={"content-type": CONTENT_TYPE_LATEST})

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/healthz", healthy), Route("/readyz", ready), Route("/metrics", metrics)])


class _Waiting(Collector):
    """What is the same for all replicas, read from the database when somebody asks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: so nothing is asked of the database at registration."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what waits; only that it cannot be told, where the database does not answer."""
        up = GaugeMetricFamily("labcoat_database_up", "1 if the database answers.")
        try:
            with self._database.reading() as tx:
                found = backlog.measure(tx)
        except DatabaseError:
            _log.warning("the database did not answer /metrics", exc_info=True)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        outbox = GaugeMetricFamily("labcoat_outbox", "Notices that were not sent, by state.", labels=["state"])
        for state, number in found.outbox.items():
            outbox.add_metric([state], number)
        yield outbox
        for name, help_, value in (
            ("labcoat_outbox_oldest_seconds", "How long the oldest notice has waited.", found.oldest_seconds),
            ("labcoat_experiments_running", "Experiments that run.", found.running),
            ("labcoat_source_problems", "Experiments whose data cannot be read now.", found.source_problems),
        ):
            gauge = GaugeMetricFamily(name, help_)
            gauge.add_metric([], value)
            yield gauge


class OpsServer:
    """Serves an app from `start` to `stop`. Raises OSError where the address cannot be had."""

    def __init__(self, app: Starlette, *, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=self._run, name="ops", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens; told by the system if it was asked for 0."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
