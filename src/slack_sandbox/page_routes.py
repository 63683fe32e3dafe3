"""Serves the sandbox's page: plain files from this package, under a strict policy."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: http://127.0.0.1:* http://localhost:*; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def routes() -> list[Route]:
    """Return the routes of the page."""
    return [
        Route("/", _index, methods=["GET"]),
        Route("/page/{name}", _asset, methods=["GET"]),
        Route("/archives/{channel}/{message}", _permalink, methods=["GET"]),
    ]


async def _index(request: Request) -> Response:  # noqa: ARG001  an endpoint takes a request
    return _send("index.html")


async def _asset(request: Request) -> Response:
    return _send(request.path_params["name"])


async def _permalink(request: Request) -> Response:
    """Lead a permalink to the page, which opens channel, message and thread from the fragment."""
    channel, message = request.path_params["channel"], request.path_params["message"]
    thread = request.query_params.get("thread_ts", "")
    return RedirectResponse(f"/#{channel}/{message}/{thread}")


def _send(name: str) -> Response:
    folder = files("slack_sandbox") / "page"
    known = {entry.name: entry for entry in folder.iterdir()}
    if name not in known:
        return Response("not found", status_code=404, media_type="text/plain")
    suffix = "." + name.rpartition(".")[2]
    return Response(known[name].read_bytes(), media_type=TYPES[suffix], headers=HEADERS)
