"""Runs a sandbox: in the foreground for people, in a thread for tests and tours."""

import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from slack_sandbox import control, page_routes, web_api
from slack_sandbox.faults import HANG_UP
from slack_sandbox.local_slack import LocalSlack, Timing
from slack_sandbox.outbound import AppLink
from slack_sandbox.socket_mode import LINE
from slack_sandbox.wire import PersonError
from slack_sandbox.workspace import Workspace, default_workspace, load_workspace

HOST = "127.0.0.1"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
DEFAULT_SIGNING_SECRET = "sandbox-signing-secret"  # noqa: S105  opens nothing but an app under test
START_SECONDS = 10.0


def run(
    *,
    port: int,
    app_url: str | None,
    signing_secret: str = DEFAULT_SIGNING_SECRET,
    workspace_file: Path | None = None,
    clock_url: str | None = None,
) -> None:
    """Serve a sandbox until interrupted, saying where it is; this is what a command line calls.

    app_url: None for an app that opens links of Socket Mode.
    """
    workspace = load_workspace(workspace_file) if workspace_file else default_workspace()
    listener = _listen(port)
    slack = LocalSlack(
        workspace,
        base_url=_address(listener),
        app_url=app_url,
        clock_url=clock_url,
        signing_secret=signing_secret,
    )
    sys.stderr.write(
        f"Slack sandbox: {slack.base_url}  (Web API {slack.base_url}/api/, app {app_url or 'by Socket Mode'})\n"
    )
    with suppress(KeyboardInterrupt):
        _Server(slack).run(sockets=[listener])


class RunningSandbox:
    """A sandbox that runs in a thread."""

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack

    @property
    def url(self) -> str:
        """Where the page and the control API are."""
        return self.slack.base_url

    @property
    def api_url(self) -> str:
        """What an app's WebClient takes as `base_url`."""
        return f"{self.slack.base_url}/api/"

    @property
    def app_url(self) -> str | None:
        """Where the app listens; may be set later, once its port is known."""
        return self.slack.app_url

    @app_url.setter
    def app_url(self, url: str | None) -> None:
        self.slack.app_url = url

    def use_clock(self, url: str) -> None:
        """Let the time machine move the app's clock at this address."""
        self.slack.app_clock.url = url


@contextmanager
def running_sandbox(
    workspace: Workspace | None = None,
    *,
    app_url: str | None = None,
    signing_secret: str = DEFAULT_SIGNING_SECRET,
    port: int = 0,
    timing: Timing | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[RunningSandbox]:
    """Run a sandbox in a thread, on a free port unless one is named.

    clock: ages trigger ids and response URLs, in seconds.
    """
    listener = _listen(port)
    slack = LocalSlack(
        workspace or default_workspace(),
        base_url=_address(listener),
        app_url=app_url,
        signing_secret=signing_secret,
        timing=timing,
        clock=clock,
    )
    server = _Server(slack)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        if not server.is_ready.wait(START_SECONDS):
            message = "The sandbox did not start."
            raise RuntimeError(message)
        yield RunningSandbox(slack)
    finally:
        server.stop()
        thread.join(START_SECONDS)


def build_app(slack: LocalSlack) -> ASGIApp:
    """Return the sandbox as an ASGI app for uvicorn."""
    lines: list[AppLink] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        lines.append(AppLink(slack))
        yield
        await lines.pop().close()

    app = Starlette(
        routes=[
            *web_api.routes(slack),
            slack.socket_mode.route(is_enabled=lambda: slack.is_socket_mode),
            *control.routes(slack, lambda: lines[0]),
            *page_routes.routes(),
        ],
        exception_handlers={PersonError: control.refused, ClientDisconnect: _nobody_listens},
        lifespan=lifespan,
    )
    return _Guard(app)


async def _nobody_listens(_request: Request, _error: Exception) -> Response:
    """Answer an app that died while it called, which is no bug here."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


class _Guard:
    """Lets in only this machine's own names, and control calls only from the sandbox's own page or no page at all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if scope["type"] == "websocket":
            if urlsplit(f"//{host}").hostname not in LOOPBACK_NAMES or "origin" in headers:
                await send({"type": "websocket.close"})  # no app of this machine: a page in a browser
                return
            scope[LINE] = lambda: send.__self__.transport  # type: ignore[attr-defined]  # as in _hang_up
            await self._app(scope, receive, send)
        elif urlsplit(f"//{host}").hostname not in LOOPBACK_NAMES:
            await JSONResponse({"ok": False, "error": "wrong_host"}, status_code=421)(scope, receive, send)
        elif scope["path"].startswith("/sandbox/") and headers.get("origin") not in (None, f"http://{host}"):
            await JSONResponse({"ok": False, "error": "wrong_origin"}, status_code=403)(scope, receive, send)
        else:
            scope[HANG_UP] = _hang_up(send)
            await self._app(scope, receive, send)


def _hang_up(send: Send) -> Callable[[], None]:
    """Return how to close a connection without an answer, which ASGI has no word for: uvicorn's own transport."""

    def close() -> None:
        cycle = send.__self__  # type: ignore[attr-defined]  # uvicorn passes a bound method
        cycle.transport.close()

    return close


class _Server(uvicorn.Server):
    """A server that says when it is ready and lets go of streams and held calls when it stops."""

    def __init__(self, slack: LocalSlack) -> None:
        self.is_ready = threading.Event()
        self._slack = slack
        config = uvicorn.Config(
            build_app(slack),
            http="h11",
            ws="websockets-sansio",
            loop="asyncio",
            lifespan="on",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._slack.faults.release()
        self._slack.journal.close()
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Ask the server to stop; safe from another thread."""
        self.should_exit = True


def _listen(port: int) -> socket.socket:
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    listener.listen()  # who comes before the server is up waits instead of being refused
    return listener


def _address(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"
