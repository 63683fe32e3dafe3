"""Where objects are made: the one place that knows which parts stand behind each other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio import to_thread
from slack_bolt.response import BoltResponse
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from labcoat.db import migrating, workspaces
from labcoat.db.database import Database
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.jobs import Jobs, Running
from labcoat.settings import Settings, SettingsError
from labcoat.slack import app as slack_app
from labcoat.slack import connection
from labcoat.slack.delivery import Delivery
from labcoat.slack.house import House
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.web import app as web_app


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """Everything that `labcoat serve` runs."""

    web: Starlette
    jobs: Jobs
    database: Database


def build(settings: Settings, *, more_routes: tuple[BaseRoute, ...] = ()) -> Bot:
    """Return the bot; raise SettingsError if its database, metrics file or token cannot be used."""
    database = Database(settings.database_url, pool_size=settings.threads + 4)
    if not migrating.is_current(database):
        msg = "The database is not at this version's schema. Run: labcoat migrate"
        raise SettingsError(msg)
    metrics = _metrics(settings)
    client = connection.connect(token=settings.slack_bot_token, api_url=settings.slack_api_url)
    identity = slack_app.identify(client)
    workspace = WorkspaceId(identity.workspace)
    with database.writing() as tx:
        workspaces.set_leads(tx, workspace, settings.leads)
    house = House(database=database, metrics=metrics, zone=settings.timezone, home_channel=settings.home_channel)
    bolt = slack_app.build(house, client=client, identity=identity)
    jobs = Jobs(
        database=database,
        delivery=Delivery(database=database, client=client, zone=settings.timezone, lease=settings.lease),
        metrics=metrics,
        workspace=workspace,
        zone=settings.timezone,
        zone_of=lambda person: connection.zone_of(client, UserId(person)),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = settings.threads
        running = Running(jobs)
        running.start()
        yield
        await to_thread.run_sync(running.stop)
        database.dispose()

    def handle(body: bytes, headers: dict[str, str], delivery_key: str) -> BoltResponse:
        return slack_app.handle(bolt, body=body, headers=headers, delivery_key=delivery_key)

    web = web_app.build(
        signing_secret=settings.slack_signing_secret, handle=handle, lifespan=lifespan, more_routes=more_routes
    )
    return Bot(web=web, jobs=jobs, database=database)


def _metrics(settings: Settings) -> MetricsFile | None:
    if settings.metrics is None:
        return None
    try:
        return metrics_file.load(settings.metrics)
    except MetricsFileError as error:
        msg = f"{settings.metrics.name}: {error}"
        raise SettingsError(msg) from error
