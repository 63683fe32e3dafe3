"""The HTTP shell: checks Slack's signature on the raw bytes, then lets the desk have it worked on."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from anyio import CapacityLimiter, to_thread
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from labcoat.api import problem_details
from labcoat.api.app import Api
from labcoat.api.app import Request as ApiRequest
from labcoat.api.problem_details import Answer
from labcoat.slack.incoming import correlation_id, payloads
from labcoat.slack.incoming.payloads import MalformedPayloadError, Payload

_log = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
"""Bytes; Slack's largest payload is a view of 250 KB with its values."""

API_THREADS = 4

Handle = Callable[[Payload, str], Awaitable[BoltResponse]]
"""Takes what Slack sent, and what names this delivery, so that a replay is known. It answers in Slack's time."""


def build(
    *,
    signing_secret: str | None,
    handle: Handle,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
    api: Api | None = None,
    more_routes: tuple[BaseRoute, ...] = (),
) -> Starlette:
    """Return the ASGI app.

    signing_secret: None where Slack sends by Socket Mode alone. api: results over HTTP, None for none.
    more_routes: for `labcoat demo` only.
    """
    routes: list[BaseRoute] = [Route("/healthz", _healthy), *more_routes]
    if signing_secret is not None:
        routes.append(_events_route(SignatureVerifier(signing_secret), handle))
    if api is not None:
        routes.append(_api_route(api))
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _crashed})


def _events_route(verifier: SignatureVerifier, handle: Handle) -> Route:
    async def take(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        correlation_id.begin()
        headers = {name.lower(): value for name, value in request.headers.items()}
        # Bolt parses before it verifies and logs what it rejects; what Slack did not sign goes no further than here.
        if not _is_signed(verifier, body, headers):
            return PlainTextResponse("not signed by Slack", status_code=401)
        try:
            payload = payloads.read(body, headers.get("content-type", ""))
        except MalformedPayloadError:
            _log.warning("a request that Slack signed is not understood", exc_info=True)
            return PlainTextResponse("not understood", status_code=400)
        return _response(await handle(payload, headers["x-slack-signature"]))

    return Route("/slack/events", take, methods=["POST"])


def _api_route(api: Api) -> Route:
    # Threads of their own: however much programs send, every click of a person finds one free.
    threads = CapacityLimiter(API_THREADS)

    async def take(request: Request) -> Response:
        correlation_id.begin()
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await _body(request)
        asked = ApiRequest(method=request.method, path=request.url.path, headers=headers, body=body)
        return _api_response(await to_thread.run_sync(api.answer, asked, limiter=threads))

    return Route("/api/{rest:path}", take, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])


def _api_response(answer: Answer) -> Response:
    return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))


async def _crashed(request: Request, error: Exception) -> Response:
    """Answer a bug outside Bolt, which has a handler of its own for those of listeners."""
    with correlation_id.within() as reference:
        _log.error("%s %s crashed (ref %s)", request.method, request.url.path, reference, exc_info=error)
    return _api_response(problem_details.crashed(reference))


def _is_signed(verifier: SignatureVerifier, body: bytes, headers: dict[str, str]) -> bool:
    try:
        return verifier.is_valid_request(body, headers)
    except (ValueError, TypeError, OverflowError):  # a time that is no number, a body or signature that is no text
        return False


async def _body(request: Request) -> bytes | None:
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST_BODY:
                return None
            chunks.append(chunk)
    except ClientDisconnect:
        return b""
    return b"".join(chunks)


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok")


def _response(answer: BoltResponse) -> Response:
    headers: dict[str, Any] = dict(answer.first_headers_without_set_cookie())
    return Response(answer.body, status_code=answer.status, headers=headers)
