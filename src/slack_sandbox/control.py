"""The control API: what the page, tours and tests use to act as a person and to look over their shoulder."""

import base64
import binascii
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from slack_sandbox import acting, acting_in_views, changing, seeing
from slack_sandbox.faults import Fault, FaultKind
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.outbound import AppLink
from slack_sandbox.wire import Json, PersonError

ACTS: dict[str, Callable[..., Awaitable[Json]]] = {
    "command": acting.command,
    "click": acting.click,
    "shortcut": acting.shortcut,
    "say": acting.say,
    "join": acting.join,
    "read": acting.mark_read,
    "open_home": acting_in_views.open_home,
    "view_click": acting_in_views.view_click,
    "submit": acting_in_views.submit,
    "close": acting_in_views.close,
    "leave": changing.leave,
    "archive": changing.archive,
    "deactivate": changing.deactivate,
}
SIGHTS: dict[str, Callable[..., Json]] = {
    "workspace": seeing.workspace,
    "screen": seeing.screen,
    "conversations": seeing.conversations,
    "messages": seeing.messages,
    "views": seeing.views,
    "home": seeing.home,
}
RETRY_AFTER_SECONDS = 1.0
# Whatever a file holds, opened by itself it is no page of this origin.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
Endpoint = Callable[[Request], Awaitable[Response]]


def routes(slack: LocalSlack, app: Callable[[], AppLink]) -> list[Route]:
    """Return the routes of the control API.

    app: gives the line to the app, which exists only once the server runs.
    """
    return [
        *(Route(f"/sandbox/{name}", _act(slack, app, act), methods=["POST"]) for name, act in ACTS.items()),
        *(Route(f"/sandbox/{name}", _see(slack, sight), methods=["GET"]) for name, sight in SIGHTS.items()),
        Route("/sandbox/event", _send_event(slack, app), methods=["POST"]),
        Route("/sandbox/curtain", _curtain(slack), methods=["POST"]),
        Route("/sandbox/clock", _clock(slack), methods=["GET", "POST"]),
        Route("/sandbox/faults", _faults(slack), methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/links", _links(slack), methods=["GET", "POST"]),
        Route("/sandbox/calls", _calls(slack), methods=["GET"]),
        Route("/sandbox/stream", _stream(slack), methods=["GET"]),
        Route("/sandbox/files", _take_file(slack), methods=["POST"]),
        Route("/sandbox/files/{file_id}", _show_file(slack), methods=["GET"]),
    ]


async def refused(request: Request, refusal: Exception) -> Response:  # noqa: ARG001  Starlette's shape
    """Answer an act that Slack's own screens would not offer."""
    return JSONResponse({"ok": False, "error": str(refusal)}, status_code=400)


def _act(slack: LocalSlack, app: Callable[[], AppLink], act: Callable[..., Awaitable[Json]]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        arguments = await _body(request)
        _check_arguments(act, slack, app(), arguments)
        return JSONResponse(await act(slack, app(), **arguments))

    return endpoint


def _see(slack: LocalSlack, sight: Callable[..., Json]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        arguments = dict(request.query_params)
        _check_arguments(sight, slack, arguments)
        return JSONResponse(sight(slack, **arguments))

    return endpoint


def _send_event(slack: LocalSlack, app: Callable[[], AppLink]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        event = (await _body(request)).get("event")
        if not isinstance(event, dict) or "type" not in event:
            raise PersonError("Give the event as an object with a type.")
        reply = await app().send_event({"event_ts": slack.conversations.next_ts(), **event})
        return JSONResponse(reply.shown())

    return endpoint


def _curtain(slack: LocalSlack) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        slack.curtain = str((await _body(request)).get("words") or "")
        slack.journal.tell({"what": "curtain"})
        return JSONResponse({"ok": True})

    return endpoint


def _clock(slack: LocalSlack) -> Endpoint:
    """Show the app's time, and move it for an app that has a clock of its own."""

    async def endpoint(request: Request) -> Response:
        if request.method == "POST":
            wanted = _read_moment((await _body(request)).get("to"))
            await slack.move_clock(wanted)
        else:
            await slack.app_clock.read()
        return JSONResponse(seeing.clock(slack))

    return endpoint


def _read_moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as problem:
        raise PersonError("Say where to move time as ISO 8601, with the offset from UTC.") from problem
    if moment.tzinfo is None:
        raise PersonError("Say the offset from UTC too.")
    return moment


def _faults(slack: LocalSlack) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        kind = request.query_params.get("kind")
        if request.method == "DELETE" and kind:
            slack.faults.lift(kind)
        elif request.method == "DELETE":
            slack.faults.release()
        elif request.method == "POST":
            slack.faults.add(_read_fault(await _body(request)))
        return JSONResponse(slack.faults.shown())

    return endpoint


def _read_fault(asked: Json) -> Fault:
    try:
        kind = FaultKind(asked["kind"])
        seconds = float(asked.get("seconds", RETRY_AFTER_SECONDS))
        times = asked.get("times", 1)
        return Fault(
            method=str(asked["method"]), kind=kind, times=None if times is None else int(times), seconds=seconds
        )
    except (KeyError, TypeError, ValueError) as problem:
        message = f"A fault needs a method and a kind of {', '.join(FaultKind)}."
        raise PersonError(message) from problem


def _links(slack: LocalSlack) -> Endpoint:
    """Show how many links of Socket Mode are open, and make trouble for them."""

    async def endpoint(request: Request) -> Response:
        if request.method == "POST":
            asked = await _body(request)
            count = asked.get("count")
            await slack.socket_mode.trouble(str(asked.get("kind")), count=count if isinstance(count, int) else None)
        return JSONResponse({"open": slack.socket_mode.open_links})

    return endpoint


def _calls(slack: LocalSlack) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        limit, after = (request.query_params.get(name, "") for name in ("limit", "after"))
        calls = slack.journal.latest(int(limit) if limit.isdigit() else 100, after=int(after) if after.isdigit() else 0)
        return JSONResponse({"calls": calls})

    return endpoint


def _stream(slack: LocalSlack) -> Endpoint:
    async def lines() -> AsyncIterator[str]:
        async for news in slack.journal.watch():
            yield f"event: changed\ndata: {json.dumps(news)}\n\n"

    async def endpoint(request: Request) -> Response:  # noqa: ARG001  an endpoint takes a request
        return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return endpoint


def _take_file(slack: LocalSlack) -> Endpoint:
    """Take a file a person uploads, to name it in a form's file input."""

    async def endpoint(request: Request) -> Response:
        asked = await _body(request)
        person = acting.acting_person(slack, str(asked.get("user")))
        try:
            content = base64.b64decode(str(asked.get("content_base64", "")), validate=True)
        except binascii.Error as problem:
            raise PersonError("content_base64 is not base64.") from problem
        created = int(float(slack.conversations.next_ts()))
        file = slack.files.reserve(str(asked.get("name") or "file"), user=person.id, created=created)
        file.content, file.is_complete, file.looks_left = content, True, 0
        return JSONResponse({"ok": True, "file": slack.file_object(file)})

    return endpoint


def _show_file(slack: LocalSlack) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        file = slack.files.find(request.path_params["file_id"])
        if file is None or file.content is None:
            raise PersonError("There is no such file.")
        media_type = file.mimetype or "application/octet-stream"
        return Response(file.content, media_type=media_type, headers=HARMLESS)

    return endpoint


def _check_arguments(verb: Callable[..., Any], *given: Any) -> None:
    """Raise PersonError unless the last of `given`, a dict, fits the verb's named arguments."""
    *first, arguments = given
    try:
        inspect.signature(verb).bind(*first, **arguments)
    except TypeError as problem:
        reason = f"{verb.__name__}: {problem}."
        raise PersonError(reason) from problem


async def _body(request: Request) -> Json:
    try:
        body = await request.json()
    except ValueError as problem:
        raise PersonError("The body is not JSON.") from problem
    if not isinstance(body, dict):
        raise PersonError("The body is not a JSON object.")
    return body
