"""The HTTP shell: checks Slack's signature on the raw bytes, then lets Bolt work in a thread."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

LARGEST_BODY = 1_000_000
"""Bytes; Slack's largest payload is a view of 250 KB with its values."""

Handle = Callable[[bytes, dict[str, str], str], BoltResponse]
"""Takes the raw body, the headers, and what names this delivery, so that a replay is known."""


def build(
    *,
    signing_secret: str,
    handle: Handle,
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
    more_routes: tuple[BaseRoute, ...] = (),
) -> Starlette:
    """Return the ASGI app. more_routes: for `labcoat demo` only."""
    verifier = SignatureVerifier(signing_secret)

    async def events(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too large", status_code=413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        # Bolt parses before it verifies and logs what it rejects; what Slack did not sign goes no further than here.
        if not _is_signed(verifier, body, headers):
            return PlainTextResponse("not signed by Slack", status_code=401)
        answer = await run_in_threadpool(handle, body, headers, headers["x-slack-signature"])
        return _response(answer)

    routes = [Route("/slack/events", events, methods=["POST"]), Route("/healthz", _healthy), *more_routes]
    return Starlette(routes=routes, lifespan=lifespan)


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
