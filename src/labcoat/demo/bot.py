"""The bot as `labcoat serve` runs it, plus the one endpoint that moves business time; a process of its own.

Run by `stage` as `python -m labcoat.demo.bot`; `serve` never mounts this endpoint.
"""

import logging
import os
import time
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from labcoat import settings, wiring
from labcoat.db import clock, migrating, outbox
from labcoat.db.database import Database
from labcoat.wiring import Bot

STEP = timedelta(hours=1)
"""Time moves in steps, so that what is due on the way happens on the way."""

TELL_SECONDS = 30
"""How long to wait for the last notice; one that Slack makes wait, or a killed process left, is told later."""


def main() -> None:
    """Migrate and serve, on loopback only."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    read = settings.read(os.environ)
    migrating.migrate(Database(read.database_url))
    made: list[Bot] = []

    async def move(request: Request) -> Response:
        if request.method == "POST":
            wanted = datetime.fromisoformat((await request.json())["to"])
            await run_in_threadpool(_move, made[0], wanted)
        return JSONResponse({"now": _now(made[0]).isoformat()})

    made.append(wiring.build(read, more_routes=(Route("/demo/clock", move, methods=["GET", "POST"]),)))
    uvicorn.run(made[0].web, host="127.0.0.1", port=read.port, log_level="warning")


def _now(bot: Bot) -> datetime:
    with bot.database.reading() as tx:
        return clock.business_now(tx)


def _move(bot: Bot, wanted: datetime) -> None:
    """Move business time forward to the wanted moment, doing what is due at every step."""
    at = _now(bot)
    while at < wanted:
        at = min(at + STEP, wanted)
        with bot.database.writing() as tx:
            clock.set_offset(tx, (at - datetime.now(UTC)).total_seconds())
        bot.jobs.tick()
    bot.jobs.tick()
    _tell_all(bot)


def _tell_all(bot: Bot) -> None:
    """Deliver what is due, and wait for what the bot's own loop is telling: the rest of its channel is behind it."""
    deadline = time.monotonic() + TELL_SECONDS
    while _has_to_tell(bot) and time.monotonic() < deadline:
        if bot.jobs.deliver_all() == 0:
            time.sleep(0.02)


def _has_to_tell(bot: Bot) -> bool:
    with bot.database.reading() as tx:
        return not outbox.count(tx).keys().isdisjoint((outbox.PENDING, outbox.SENDING))


if __name__ == "__main__":
    main()
