"""Whoever sends the requests: a process of its own, told by one line of JSON, answering with one.

Closed: some connections, each with a request under way all the time; how many a second come through.
Open: requests at fixed times whatever comes back, each timed from when it was due, so that no wait is overlooked.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from benchmarks.acking.requests import EXPERIMENTS, Requests

from labcoat.words import waiting

ODD = ("That didn't work", "response_action", "more in one minute", waiting.TOO_BUSY)
"""What an answer must not say: then it was not what is timed."""
LONGEST_IDLE_SECONDS = 2.0
"""The server closes a connection that nobody used for 5 s."""


@dataclass(frozen=True, slots=True)
class Told:
    """What to do. kinds: in turn. connections: of a closed load. rate: of an open one, a second; 0 for a closed one.

    experiments: how many there are. may_be_odd: answers that are not what is timed are counted by what they say.
    """

    port: int
    kinds: list[str]
    seconds: float
    first: int
    connections: int = 8
    rate: float = 0.0
    experiments: int = EXPERIMENTS
    may_be_odd: bool = False


class Connection:
    """A kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, request: bytes, *, may_be_odd: bool = False) -> str:
        """Send a request and return its answer; raise RuntimeError for one that is not what is timed."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        said = (await self._reader.readexactly(int(length.partition(b":")[2]))).decode()
        is_odd = b" 200 " not in head.split(b"\r\n", 1)[0] or any(odd in said for odd in ODD)
        if is_odd and not may_be_odd:
            message = f"{request[-300:]!r} was answered {head!r} {said[:300]}"
            raise RuntimeError(message)
        return said if is_odd else ""

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def connected(port: int) -> Connection:
    """Return a connection to an app on this machine."""
    return Connection(*await asyncio.open_connection("127.0.0.1", port))


async def closed(told: Told, requests: Requests) -> dict[str, Any]:
    """Return how many requests a second came through."""
    begun = time.perf_counter()
    until = begun + told.seconds

    async def keep_sending() -> int:
        connection, done = await connected(told.port), 0
        while time.perf_counter() < until:
            await connection.send(requests.make(told.kinds[done % len(told.kinds)]))
            done += 1
        connection.close()
        return done

    done = sum(await asyncio.gather(*(keep_sending() for _ in range(told.connections))))
    return {"per_second": done / (time.perf_counter() - begun)}


async def opened(told: Told, requests: Requests) -> dict[str, Any]:
    """Return the milliseconds of each kind, from when each request was due."""
    free: list[tuple[float, Connection]] = []
    took: dict[str, list[float]] = {kind: [] for kind in told.kinds}
    odd: Counter[str] = Counter()
    begun = time.perf_counter() + 0.1

    async def send(kind: str, due_at: float) -> None:
        request = requests.make(kind)
        freed_at, connection = free.pop() if free else (0.0, None)
        if connection is None or time.perf_counter() - freed_at > LONGEST_IDLE_SECONDS:
            connection = await connected(told.port)
        odd[await connection.send(request, may_be_odd=told.may_be_odd)] += 1
        took[kind].append((time.perf_counter() - due_at) * 1000)
        free.append((time.perf_counter(), connection))

    async with asyncio.TaskGroup() as tasks:
        for number in range(int(told.rate * told.seconds)):
            due_at = begun + number / told.rate
            await asyncio.sleep(max(0.0, due_at - time.perf_counter()))
            tasks.create_task(send(told.kinds[number % len(told.kinds)], due_at))
    for _, connection in free:
        connection.close()
    return {"took_ms": took, "odd": odd}


async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what the app answers at a response_url, as Slack would."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    await reader.readexactly(int(length[0].partition(b":")[2]) if length else 0)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()
    writer.close()


async def main() -> None:
    """Do what standard input says."""
    told = Told(**json.loads(sys.stdin.read()))
    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    requests = Requests(respond_url=f"http://127.0.0.1:{port}/", first=told.first, experiments=told.experiments)
    found = await (opened if told.rate else closed)(told, requests)
    server.close()
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
