"""Where objects are made: the one place that knows which parts stand behind each other."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException

from anyio import to_thread
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from labcoat.api.app import Api
from labcoat.api.token_limit import TokenLimit
from labcoat.db import database_lock, migrating, workspaces
from labcoat.db.database import Database, DatabaseUnusableError
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.person import Person
from labcoat.settings import Settings, SettingsError
from labcoat.slack import app as slack_app
from labcoat.slack import web_client
from labcoat.slack.app import Identity
from labcoat.slack.app_context import AppContext
from labcoat.slack.incoming.deadline import Responder
from labcoat.slack.incoming.downloads import downloader
from labcoat.slack.incoming.payloads import Payload
from labcoat.slack.incoming.person_limit import PersonLimit
from labcoat.slack.incoming.socket_mode import Connections, Handle
from labcoat.slack.outgoing.delivery import Delivery
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.web import app as web_app
from labcoat.web import ops as web_ops
from labcoat.web.ops import OpsServer
from labcoat.worker.background import Background
from labcoat.worker.file_worker import FileWork
from labcoat.worker.schedule import Jobs

MOST_TICKING_SECONDS = 180.0
"""How long a tick may take, with all digests of a Monday in it, before this replica counts as not ready."""
MOST_DELIVERING_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """Everything that `labcoat serve` runs. desk: takes a request of Slack, by whatever way it came.

    links: of Socket Mode, None without.
    """

    web: Starlette
    jobs: Jobs
    database: Database
    desk: Responder
    links: Connections | None


def build(settings: Settings, *, more_routes: tuple[BaseRoute, ...] = ()) -> Bot:
    """Return the bot; raise SettingsError if its database, metrics file or token cannot be used."""
    database = _database(settings)
    migrating.wait_for_others(database)  # replicas that start together: the first may still be at it
    if not migrating.is_current(database):
        msg = "The database is not at this version's schema. Run: labcoat migrate"
        raise SettingsError(msg)
    metrics = _metrics(settings)
    client, identity = _connected(settings)
    workspace = WorkspaceId(identity.workspace)
    with database.writing() as tx:
        workspaces.set_leads(tx, workspace, settings.leads, from_settings=True)
    download = downloader(client)
    app_context = AppContext(
        database=database,
        metrics=metrics,
        zone=settings.timezone,
        home_channel=settings.home_channel,
        download=download,
    )
    bolt = slack_app.build(app_context, client=client, identity=identity)
    pace = PersonLimit(settings.acts_per_minute)

    def describe(person: UserId) -> Person | None:
        return web_client.describe(database, client, person, workspace=workspace, zone=settings.timezone)

    jobs = Jobs(
        database=database,
        delivery=_delivery(settings, database),
        files=FileWork(database=database, client=client, download=download, zone=settings.timezone),
        metrics=metrics,
        count_every=settings.refresh,
        workspace=workspace,
        zone=settings.timezone,
        keep_sent=settings.keep_sent,
        describe=describe,
    )

    def handle(payload: Payload, transport_key: str) -> BoltResponse:
        return slack_app.handle(bolt, payload, pace=pace, transport_key=transport_key)

    desk = Responder(handle, client=client, threads=settings.threads, patience=settings.answer_within)
    links = _links(settings, client, desk.answer)
    running = Background(jobs, deliverers=settings.deliverers, is_busy=desk.is_busy)
    ops = _ops(settings, database, running, links)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        running.start()
        if links is not None:
            links.start()
        if ops is not None:
            ops.start()
        yield
        if links is not None:
            await links.stop()
        # First what people asked for: it may be answered already, so nobody sends it again; then what it has to tell.
        await to_thread.run_sync(desk.close)
        await to_thread.run_sync(running.stop)
        if ops is not None:
            await to_thread.run_sync(ops.stop)
        database.dispose()

    web = web_app.build(
        signing_secret=settings.slack_signing_secret,
        handle=desk.answer,
        lifespan=lifespan,
        api=Api(database=database, pace=TokenLimit(settings.api_per_minute)),
        more_routes=more_routes,
    )
    return Bot(web=web, jobs=jobs, database=database, desk=desk, links=links)


@contextmanager
def occupied(settings: Settings) -> Iterator[None]:
    """Keep the database from being restored until the block ends; raise SettingsError if it cannot be had."""
    try:
        with database_lock.serving(Database(settings.database_url)):
            yield
    except (DatabaseUnusableError, database_lock.DatabaseLockedError) as error:
        msg = f"DATABASE_URL cannot be used: {error}"
        raise SettingsError(msg) from error


def _database(settings: Settings) -> Database:
    try:
        database = Database(settings.database_url, pool_size=settings.threads + settings.deliverers + 4)
        database.require_reachable()
    except DatabaseUnusableError as error:
        msg = f"DATABASE_URL cannot be used: {error}"
        raise SettingsError(msg) from error
    return database


def _ops(settings: Settings, database: Database, running: Background, links: Connections | None) -> OpsServer | None:
    if settings.ops_port is None:
        return None
    silent = {running.ticking: MOST_TICKING_SECONDS, running.delivering: MOST_DELIVERING_SECONDS}
    app = web_ops.build(database, web_ops.checks(database, pulses=silent, links=links), links=links)
    try:
        return OpsServer(app, host=settings.ops_host, port=settings.ops_port)
    except OSError as error:
        msg = f"LABCOAT_OPS_PORT {settings.ops_port} cannot be had on {settings.ops_host}: {error.strerror}"
        raise SettingsError(msg) from error


def _delivery(settings: Settings, database: Database) -> Delivery:
    # A post has two waits, for the connection and for the answer, and must end before the lease does.
    patience = min(float(web_client.TIMEOUT_SECONDS), settings.lease.total_seconds() / 2)
    client = web_client.connect(
        token=settings.slack_bot_token, api_url=settings.slack_api_url, timeout_seconds=patience
    )
    return Delivery(
        database=database,
        client_of=lambda _workspace: client,  # one token, so one workspace
        zone=settings.timezone,
        lease=settings.lease,
        sending=timedelta(seconds=2 * patience),
        settling=settings.settling,
    )


def _connected(settings: Settings) -> tuple[WebClient, Identity]:
    try:
        client = web_client.connect(token=settings.slack_bot_token, api_url=settings.slack_api_url)
        return client, slack_app.identify(client)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    except SlackApiError as error:
        msg = f"Slack does not take SLACK_BOT_TOKEN ({error.response['error']}). Copy it anew from the app's page."
        raise SettingsError(msg) from error
    except (SlackClientError, HTTPException, OSError) as error:
        msg = f"Slack cannot be reached at {settings.slack_api_url}: {error}"
        raise SettingsError(msg) from error


def _links(settings: Settings, client: WebClient, handle: Handle) -> Connections | None:
    token = settings.slack_app_token
    if token is None:
        return None
    try:
        first = deque([web_client.link_url(client, token)])  # refused at the start rather than in the log
    except SlackApiError as error:
        msg = (
            f"Slack does not take SLACK_APP_TOKEN ({error.response['error']}). Make one with the scope "
            "connections:write at the app's page, under Basic Information."
        )
        raise SettingsError(msg) from error
    except (SlackClientError, HTTPException, OSError) as error:
        msg = f"Slack cannot be reached at {settings.slack_api_url}: {error}"
        raise SettingsError(msg) from error

    def next_url() -> str:
        try:
            return first.popleft()
        except IndexError:
            return web_client.link_url(client, token)

    return Connections(count=settings.links, open_url=next_url, handle=handle)


def _metrics(settings: Settings) -> MetricsFile | None:
    if settings.metrics is None:
        return None
    try:
        return metrics_file.load(settings.metrics, environment=settings.secrets)
    except MetricsFileError as error:
        msg = f"LABCOAT_METRICS: {error}"
        raise SettingsError(msg) from error
