"""The bot as `labcoat serve` runs it, plus the one endpoint that moves business time; a process of its own.

Run by `stage` as `python -m labcoat.demo.bot`; `serve` never mounts this endpoint.
"""

import argparse
import logging
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from labcoat import settings, wiring
from labcoat.db import clock, migrating, outbox
from labcoat.db.database import Database
from labcoat.demo import past, people
from labcoat.domain.ids import ChannelId, WorkspaceId
from labcoat.domain.schedule import DIGEST_TIME, NUDGE_TIME, at_local, local_date
from labcoat.web import serving
from labcoat.wiring import Bot

STOPS = (time_of_day(8), DIGEST_TIME, NUDGE_TIME, time_of_day(14), time_of_day(20))
"""Where time stops on its way, so that what is due there is told with the time it was due: local, each day."""

TELL_SECONDS = 0.5
"""How long a stop waits for the last notice; one that Slack makes wait, or a killed process left, is told later."""


def main() -> None:
    """Migrate and serve, on loopback only."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("--start", type=datetime.fromisoformat, help="where business time begins, the first time")
    parser.add_argument("--past", action="store_true", help="write the team's past year, the first time")
    given = parser.parse_args()
    _end_with_parent()
    read = settings.read(os.environ)
    _prepare(Database(read.database_url), start=given.start, has_past=given.past)
    made: list[Bot] = []

    async def move(request: Request) -> Response:
        if request.method == "POST":
            wanted = datetime.fromisoformat((await request.json())["to"])
            await run_in_threadpool(_move, made[0], wanted)
        else:
            await run_in_threadpool(_tell_all, made[0])
        return JSONResponse({"now": _now(made[0]).isoformat()})

    made.append(wiring.build(read, more_routes=(Route("/demo/clock", move, methods=["GET", "POST"]),)))
    serving.run(made[0].web, host="127.0.0.1", port=read.port, stop_seconds=read.stop_seconds)


def _end_with_parent() -> None:
    """Leave nothing behind when whoever began the demo was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _prepare(database: Database, *, start: datetime | None, has_past: bool) -> None:
    migrating.migrate(database)
    with database.writing() as tx:
        is_first = clock.offset_seconds(tx) == 0
        if start is not None and is_first:
            clock.set_offset(tx, (start - datetime.now(UTC)).total_seconds())
    if start is not None and is_first and has_past:
        team = WorkspaceId(people.workspace().team.id)
        past.write(database, workspace=team, channel=ChannelId(people.CHANNEL), now=start)
    database.dispose()


def _now(bot: Bot) -> datetime:
    with bot.database.reading() as tx:
        return clock.business_now(tx)


def _move(bot: Bot, wanted: datetime) -> None:
    """Move business time to the next stop before the wanted moment, or there, and do and tell what is due."""
    at = min(next_stop(_now(bot)), wanted)
    with bot.database.writing() as tx:
        clock.set_offset(tx, (at - datetime.now(UTC)).total_seconds())
    bot.jobs.tick()
    _tell_all(bot)


def next_stop(now: datetime) -> datetime:
    """Return the first stop after now."""
    today = local_date(now, people.ZONE)
    stops = (at_local(day, stop, people.ZONE) for day in (today, today + timedelta(days=1)) for stop in STOPS)
    return next(stop for stop in stops if stop > now)


def _tell_all(bot: Bot) -> None:
    """Deliver what is due, and wait for what the bot's own loop is telling: the rest of its channel is behind it."""
    deadline = time.monotonic() + TELL_SECONDS
    while _has_to_tell(bot) and time.monotonic() < deadline:
        if bot.jobs.deliver_all() == 0:
            time.sleep(0.01)


def _has_to_tell(bot: Bot) -> bool:
    with bot.database.reading() as tx:
        return not outbox.count(tx).keys().isdisjoint((outbox.PENDING, outbox.SENDING))


if __name__ == "__main__":
    main()
