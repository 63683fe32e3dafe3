"""A program that sends results to a play's bot over HTTP."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from journeys.playing import CONFIDENCE_SEQUENCE, DAY, TEAM, Play
from labcoat.db.clock import machine_now
from labcoat.domain.token import Scope
from labcoat.usecases.people import tokens
from slack_sandbox.wire import Json

ORDERS = "orders per user"
JSON = "application/json"


class Program:
    """Sends with a token of its own."""

    def __init__(self, play: Play, token: str) -> None:
        self._address = play.url.removesuffix("/slack/events")
        self.token = token

    def send(self, body: Any, *, to: str = "E-1", key: str | None = None, **headers: str) -> httpx.Response:
        """Send a body, bytes as they are and anything else as JSON. headers: with _ for -, over the usual ones."""
        usual = {"Authorization": f"Bearer {self.token}", "Content-Type": JSON}
        if key is not None:
            usual["Idempotency-Key"] = key
        named = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self._address}/api/v1/experiments/{to}/results"
        return httpx.post(url, content=content, headers=encoded, timeout=30, trust_env=False, verify=False)

    def ask(self, method: str, path: str) -> httpx.Response:
        """Send a request without a body."""
        return httpx.request(method, self._address + path, timeout=30, trust_env=False, verify=False)


def a_program(
    play: Play,
    *,
    name: str = "CI pipeline",
    workspace: str = TEAM,
    scopes: frozenset[Scope] = frozenset(Scope),
) -> Program:
    """Return a program with a new token."""
    with play.bot.database.writing() as tx:
        _, shown = tokens.create(tx, name=name, workspace=workspace, at=machine_now(), scopes=scopes)
    return Program(play, shown)


def run_experiment(play: Play, **plan: Any) -> None:
    """Let an experiment that takes typed totals run for two days."""
    play.runs(play.ana, **{"design": CONFIDENCE_SEQUENCE} | plan)
    play.set_clock(play.now() + 2 * DAY)


def share(successes: int, units: int) -> Json:
    """Return a variant's totals."""
    return {"units": units, "successes": successes}


def totals(control: Json, treatment: Json, *, metric: str = ORDERS, **more: Any) -> Json:
    """Return a body for one metric."""
    return {"metrics": {metric: {"control": control, "treatment": treatment}}, **more}


GOOD: Mapping[str, Any] = totals(share(1000, 10_000), share(1400, 10_000))
