"""The app's own clock, for an app under test whose time can be moved; Slack's own times never move.

The app offers one address. GET answers {"now": ISO 8601} once it has said what was due by now. POST {"to": ...} moves
its time towards that moment, does what is due there, and answers how far it came. Whoever moves asks again until it is
there, so an app may stop on the way where something happens, and what it says there is shown with that stop's time.
"""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx

from slack_sandbox.certificates import trusted
from slack_sandbox.wire import PersonError

STEP_SECONDS = 60.0  # an app may have much to do at one stop


class AppClock:
    """What time the app thinks it is."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self._offset_seconds = 0.0

    def now(self) -> float:
        """Return the app's time in seconds since 1970; the wall's for an app without a clock of its own."""
        return time.time() + self._offset_seconds

    async def read(self) -> None:
        """Ask the app what time it has."""
        if self.url:
            async with _client() as http:
                await self._ask(http, "GET")

    async def move_to(self, moment: datetime) -> AsyncIterator[None]:
        """Move the app's time forward, and yield before it moves and at each stop, once all that was due there is said.

        Raises PersonError where that cannot be.
        """
        if self.url is None:
            raise PersonError("This app has no clock that can be moved.")
        async with _client() as http:
            at = await self._ask(http, "GET")
            if moment <= at:
                raise PersonError("Time only moves forward.")
            yield
            while at < moment:
                reached = await self._ask(http, "POST", to=moment)
                if reached <= at:
                    raise PersonError("The app's clock does not move.")
                at = reached
                yield

    async def _ask(self, http: httpx.AsyncClient, http_method: str, *, to: datetime | None = None) -> datetime:
        assert self.url
        body = {"to": to.isoformat()} if to else None
        try:
            answer = await http.request(http_method, self.url, json=body)
            at = datetime.fromisoformat(answer.raise_for_status().json()["now"])
        except (httpx.HTTPError, ValueError, KeyError) as problem:
            message = f"The app's clock gave no answer: {problem}"
            raise PersonError(message) from problem
        self._offset_seconds = (at - datetime.now(UTC)).total_seconds()
        return at


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, verify=trusted(), timeout=STEP_SECONDS)
