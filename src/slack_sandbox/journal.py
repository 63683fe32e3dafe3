"""What happened lately: a log of the calls both ways, and news for whoever watches."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from slack_sandbox.wire import Json

KEPT_CALLS = 2000


class Journal:
    """The last calls, and a queue for each watcher of the stream."""

    def __init__(self) -> None:
        self._last_number = 0
        self._calls: deque[Json] = deque(maxlen=KEPT_CALLS)
        self._watchers: set[asyncio.Queue[Json | None]] = set()

    def record(
        self,
        direction: str,
        *,
        method: str,
        status: int | None,
        elapsed_ms: int,
        error: str | None,
        payload: Any,
        answer: Any = None,
    ) -> None:
        """Remember a call.

        direction: "to_slack" for the app's calls, "to_app" for ours.
        status: None when no HTTP answer came or went. answer: what came back, as text or JSON.
        """
        self._last_number += 1
        self._calls.append(
            {
                "number": self._last_number,
                "at": time.time(),
                "direction": direction,
                "method": method,
                "status": status,
                "ms": elapsed_ms,
                "ok": error is None,
                "error": error,
                "payload": payload,
                "answer": answer,
            }
        )
        self.tell({"what": "calls"})

    def latest(self, limit: int, *, after: int = 0) -> list[Json]:
        """Return the last calls with a number above `after`, oldest first."""
        newer = [call for call in self._calls if call["number"] > after]
        return newer[-limit:] if limit > 0 else []

    def tell(self, news: Json) -> None:
        """Let every watcher know what changed."""
        for watcher in self._watchers:
            watcher.put_nowait(news)

    async def watch(self) -> AsyncIterator[Json]:
        """Yield what changes from now on, until the sandbox closes."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield {"what": "hello"}
            while (news := await queue.get()) is not None:
                yield news
        finally:
            self._watchers.discard(queue)

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        for watcher in self._watchers:
            watcher.put_nowait(None)
