"""Trouble on demand: Slack failing, slow, or dropping the line around the moment it stores something."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from slack_sandbox.wire import Json

HANG_UP = "slack_sandbox.hang_up"  # where serving puts the way to close the connection


class FaultKind(StrEnum):
    """What goes wrong with a call."""

    ERROR_500 = "error_500"
    RATELIMITED = "ratelimited"
    SLOW = "slow"
    HOLD_BEFORE = "hold_before"
    HOLD_AFTER = "hold_after"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    HISTORY_LAGS = "history_lags"  # what was posted shows in history and replies some seconds later


@dataclass(slots=True)
class Fault:
    """Trouble waiting for the next calls of a method; `*` is any method."""

    method: str
    kind: FaultKind
    times: int | None  # None is until released
    seconds: float


def too_many(seconds: float) -> Response:
    """Return Slack's answer to one who should come back later."""
    headers = {"Retry-After": f"{seconds:.0f}"}
    return JSONResponse({"ok": False, "error": "ratelimited"}, status_code=429, headers=headers)


class HungUp(Response):
    """An answer that never comes: the connection is closed instead."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's shape
        """Close the connection and wait until the server has noticed, so that it sends nothing."""
        scope[HANG_UP]()
        while (await receive())["type"] != "http.disconnect":
            pass


class Faults:
    """The trouble asked for, and the calls held right now."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._held: list[Fault] = []
        self._release = asyncio.Event()

    @property
    def history_lag_seconds(self) -> float:
        """How old a message must be before history and replies show it, until the trouble is lifted."""
        return max((fault.seconds for fault in self._waiting if fault.kind is FaultKind.HISTORY_LAGS), default=0.0)

    def add(self, fault: Fault) -> None:
        """Ask for trouble with the next calls."""
        self._waiting.append(fault)

    def lift(self, kind: str) -> None:
        """Forget the trouble of one kind that has not come yet."""
        self._waiting = [fault for fault in self._waiting if fault.kind != kind]

    def release(self) -> None:
        """Let go of every held call and forget the trouble that has not come yet."""
        self._waiting.clear()
        self._release.set()
        self._release = asyncio.Event()

    def shown(self) -> Json:
        """Return how many calls are held, which, and what still waits for its call."""
        return {
            "held": len(self._held),
            "holding": [{"method": fault.method, "kind": fault.kind} for fault in self._held],
            "waiting": [{"method": f.method, "kind": f.kind, "times": f.times} for f in self._waiting],
        }

    async def around(self, request: Request, *, method: str, work: Callable[[], Awaitable[Response]]) -> Response:
        """Return the answer of `work`, or the trouble that was asked for instead of it or after it."""
        fault = self._take(method)
        if fault is None:
            return await work()
        await request.body()  # what follows on the line can only be its end
        if fault.kind is FaultKind.ERROR_500:
            return PlainTextResponse("Internal Server Error", status_code=500)
        if fault.kind is FaultKind.RATELIMITED:
            return too_many(fault.seconds)
        if fault.kind is FaultKind.DROP_BEFORE:
            return HungUp()
        if fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        if fault.kind is FaultKind.HOLD_BEFORE and not await self._hold(fault, request):
            return HungUp()
        answer = await work()
        if fault.kind is FaultKind.DROP_AFTER:
            return HungUp()
        if fault.kind is FaultKind.HOLD_AFTER:
            await self._hold(fault, request)
        return answer

    def _take(self, method: str) -> Fault | None:
        fault = next((fault for fault in self._waiting if _is_for(fault, method)), None)
        if fault and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
        return fault

    async def _hold(self, fault: Fault, request: Request) -> bool:
        """Wait until released, or the caller is gone; return whether the caller is still there."""
        self._held.append(fault)
        released = asyncio.create_task(self._release.wait())
        gone = asyncio.create_task(_is_gone(request))
        try:
            await asyncio.wait({released, gone}, return_when=asyncio.FIRST_COMPLETED)
            return not gone.done()
        finally:
            self._held.remove(fault)
            released.cancel()
            gone.cancel()


def _is_for(fault: Fault, method: str) -> bool:
    return fault.kind is not FaultKind.HISTORY_LAGS and fault.method in (method, "*")


async def _is_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
