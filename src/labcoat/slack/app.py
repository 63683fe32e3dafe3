"""The Bolt app: one stack, synchronous, told everything explicitly."""

import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient

from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack import ephemeral_reply, errors
from labcoat.slack.app_context import AppContext
from labcoat.slack.incoming import correlation_id
from labcoat.slack.incoming.payloads import ACTS, Kind, Payload
from labcoat.slack.incoming.person_limit import PersonLimit
from labcoat.slack.listeners import dispatch, fallback
from labcoat.words import refusals

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Identity:
    """Who we are in Slack, as auth.test says."""

    token: str
    workspace: str
    bot_id: str
    bot_user: str


def identify(client: WebClient) -> Identity:
    """Ask Slack who we are; raise SlackApiError if the token is not valid."""
    answer = client.auth_test()
    return Identity(
        token=str(client.token),
        workspace=str(answer["team_id"]),
        bot_id=str(answer.get("bot_id", "")),
        bot_user=str(answer["user_id"]),
    )


def build(app_context: AppContext, *, client: WebClient, identity: Identity) -> App:
    """Return the app with all listeners.

    The signature is checked on the raw bytes before Bolt sees a request (`labcoat.web`), so Bolt's own check is off.
    """
    quiet = logging.getLogger("labcoat.bolt")
    quiet.setLevel(logging.ERROR)  # at INFO Bolt logs rejected bodies with their token
    app = App(
        name=quiet.name,  # Bolt gives the level to the logger of this name
        logger=quiet,
        client=client,
        authorize=_authorizer(identity),
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=True,
        token_verification_enabled=False,
        raise_error_for_unhandled_request=False,
    )
    app.error(_on_error)
    dispatch.register(app, app_context)
    fallback.register(app)
    return app


def _authorizer(identity: Identity) -> Any:
    def authorize() -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.workspace,
            bot_user_id=identity.bot_user,
            bot_id=identity.bot_id,
            bot_token=identity.token,
        )

    return authorize


def _on_error(error: Exception, body: dict[str, Any], client: WebClient) -> BoltResponse:
    return ephemeral_reply.answer(client, body, errors.crash_text(error))


def handle(app: App, payload: Payload, *, pace: PersonLimit, transport_key: str) -> BoltResponse:
    """Dispatch one checked request of Slack, however it came; the answer is ready when this returns.

    transport_key: names one passage of a request that has no name of its own.
    """
    began = time.monotonic()
    with correlation_id.within(kind=payload.kind):
        answer = _answer(app, payload, pace=pace, transport_key=transport_key)
        _log.info("answered %s in %.0f ms", answer.status, (time.monotonic() - began) * 1000)
    return answer


def _answer(app: App, payload: Payload, *, pace: PersonLimit, transport_key: str) -> BoltResponse:
    if payload.kind is Kind.OTHER:  # what nobody listens to is taken, or Slack would send it again
        return ephemeral_reply.DONE
    body = dict(payload.body)
    if payload.kind in ACTS and not pace.admits(payload.user):
        return _slower(app.client, payload.kind, body, is_to_be_told=pace.is_to_be_told(payload.user))
    request = BoltRequest(
        body=body,
        context={dispatch.DELIVERY_KEY: payload.key(transport_key)},
        mode="socket_mode",  # how Bolt takes a body that was read already
    )
    answer = app.dispatch(request)
    return ephemeral_reply.DONE if answer.status == HTTPStatus.NOT_FOUND else answer


def _slower(client: WebClient, kind: Kind, body: dict[str, Any], *, is_to_be_told: bool) -> BoltResponse:
    # A command and a form are answered in their own response; what would take a call to Slack is said once.
    if kind not in (Kind.COMMAND, Kind.FORM) and not is_to_be_told:
        return ephemeral_reply.DONE
    return ephemeral_reply.answer(client, body, refusals.text(Refusal(Reason.TOO_FAST)))
