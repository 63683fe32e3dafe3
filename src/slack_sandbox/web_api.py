"""Slack's Web API as an app sees it: tokens, scopes, the table of methods, uploads and response URLs."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slack_sandbox import methods_chat, methods_conversations, methods_views, response_urls
from slack_sandbox.faults import HungUp, too_many
from slack_sandbox.local_slack import LocalSlack
from slack_sandbox.socket_mode import require_app_token
from slack_sandbox.wire import Json, SlackError, read_args

MOST_UPLOAD_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method and the scopes of which one is needed."""

    run: Callable[[LocalSlack, Json], Json]
    scopes: tuple[str, ...] = ()


CHANNELS_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
METHODS = {
    "auth.test": Method(methods_conversations.auth_test),
    "team.info": Method(methods_conversations.team_info, ("team:read",)),
    "users.info": Method(methods_conversations.user_info, ("users:read",)),
    "users.list": Method(methods_conversations.list_users, ("users:read",)),
    "conversations.open": Method(methods_conversations.open_direct, ("im:write",)),
    "conversations.info": Method(methods_conversations.conversation_info, CHANNELS_READ),
    "conversations.members": Method(methods_conversations.conversation_members, CHANNELS_READ),
    "conversations.list": Method(methods_conversations.list_conversations, CHANNELS_READ),
    "conversations.history": Method(methods_conversations.history, HISTORY),
    "conversations.replies": Method(methods_conversations.replies, HISTORY),
    "chat.postMessage": Method(methods_chat.post_message, ("chat:write",)),
    "chat.update": Method(methods_chat.update, ("chat:write",)),
    "chat.delete": Method(methods_chat.delete, ("chat:write",)),
    "chat.postEphemeral": Method(methods_chat.post_ephemeral, ("chat:write",)),
    "chat.getPermalink": Method(methods_chat.get_permalink),
    "reactions.add": Method(methods_chat.add_reaction, ("reactions:write",)),
    "views.open": Method(methods_views.open_view),
    "views.push": Method(methods_views.push_view),
    "views.update": Method(methods_views.update_view),
    "views.publish": Method(methods_views.publish_view),
    "files.getUploadURLExternal": Method(methods_views.get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(methods_views.complete_upload, ("files:write",)),
    "files.info": Method(methods_views.file_info, ("files:read",)),
}


def routes(slack: LocalSlack) -> list[Route]:
    """Return the routes an app calls."""

    async def call(request: Request) -> Response:
        method = request.path_params["method"]
        return await _with_trouble(slack, request, method, work=lambda: _answer(slack, request, method))

    async def respond(request: Request) -> Response:
        return await _with_trouble(slack, request, "response_url", work=response_urls.answer(slack, request))

    async def upload(request: Request) -> Response:
        return await _receive_upload(slack, request)

    async def download(request: Request) -> Response:
        return _send_file(slack, request)

    return [
        Route("/api/{method}", call, methods=["GET", "POST"]),
        Route("/respond/{secret}", respond, methods=["POST"]),
        Route("/upload/{file_id}/{secret}", upload, methods=["POST"]),
        Route("/files-pri/{team_and_file}/{name}", download, methods=["GET"]),
    ]


async def _with_trouble(
    slack: LocalSlack, request: Request, method: str, *, work: Callable[[], Awaitable[Response]]
) -> Response:
    """Return the answer, with the trouble asked for, which the log of calls shows too."""
    started = time.monotonic()
    answer = await slack.faults.around(request, method=method, work=work)
    if isinstance(answer, HungUp) or answer.status_code in (429, 500):
        is_gone = isinstance(answer, HungUp)
        slack.journal.record(
            "to_slack",
            method=method,
            status=None if is_gone else answer.status_code,
            elapsed_ms=round((time.monotonic() - started) * 1000),
            error="hung_up" if is_gone else "ratelimited" if answer.status_code == 429 else "internal_error",
            payload=await _args_of(request),
        )
    return answer


async def _args_of(request: Request) -> Json | None:
    """Return what a call that met trouble had sent, without its token."""
    try:
        args = await read_args(request)
    except SlackError:
        return None
    args.pop("token", None)
    return args


async def _answer(slack: LocalSlack, request: Request, method: str) -> Response:
    started = time.monotonic()
    args: Json = {}
    try:
        args = await read_args(request)
        token = args.pop("token", None) or _bearer(request)
        if method == "chat.postMessage" and (wait := slack.pace.seconds_to_wait(str(args.get("channel")))):
            return too_many(wait)
        if method == "apps.connections.open":
            answer = _open_link(slack, token=_bearer(request))
        else:
            answer = _run(slack, method, args, token=token)
    except SlackError as refusal:
        answer = refusal.answer
    slack.journal.record(
        "to_slack",
        method=method,
        status=200,
        elapsed_ms=round((time.monotonic() - started) * 1000),
        error=None if answer["ok"] else answer["error"],
        payload=args,
        answer=answer,
    )
    return JSONResponse(answer, headers={"x-oauth-scopes": ",".join(slack.workspace.bot.scopes)})


def _run(slack: LocalSlack, method: str, args: Json, *, token: str | None) -> Json:
    bot = slack.workspace.bot
    known = METHODS.get(method)
    if known is None:
        raise SlackError("unknown_method", req_method=method)
    if not token:
        raise SlackError("not_authed")
    if token == bot.app_token:
        raise SlackError("not_allowed_token_type")
    if token != bot.token:
        raise SlackError("invalid_auth")
    if known.scopes and not set(known.scopes) & set(bot.scopes):
        raise SlackError("missing_scope", needed=",".join(known.scopes), provided=",".join(bot.scopes))
    return known.run(slack, args)


def _open_link(slack: LocalSlack, *, token: str | None) -> Json:
    """Return where to open a link of Socket Mode; Slack reads the app-level token from the header only."""
    require_app_token(token, app_token=slack.workspace.bot.app_token)
    return {"ok": True, "url": slack.socket_mode.new_url()}


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


async def _receive_upload(slack: LocalSlack, request: Request) -> Response:
    file = slack.files.find(request.path_params["file_id"])
    if file is None or file.upload_secret != request.path_params["secret"]:
        return PlainTextResponse("not found", status_code=404)
    content = await request.body()
    if len(content) > MOST_UPLOAD_BYTES:
        return PlainTextResponse("too large", status_code=413)
    file.content = content
    return PlainTextResponse(f"OK - {len(content)}")


def _send_file(slack: LocalSlack, request: Request) -> Response:
    """Return a file's content to the app; Slack wants the bot's token and the files:read scope."""
    bot = slack.workspace.bot
    file = slack.files.find(request.path_params["team_and_file"].rpartition("-")[2])
    if _bearer(request) != bot.token or "files:read" not in bot.scopes:
        return PlainTextResponse("", status_code=403)
    if file is None or file.content is None:
        return PlainTextResponse("", status_code=404)
    return Response(file.content, media_type=file.mimetype or "application/octet-stream")
