"""The Bolt app: one stack, synchronous, told everything explicitly."""

import logging
from dataclasses import dataclass
from typing import Any

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient

from labcoat.slack import connection, errors
from labcoat.slack.blocks import Message, notice_view, section
from labcoat.slack.house import House
from labcoat.slack.listeners import dispatch


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


def build(house: House, *, client: WebClient, identity: Identity) -> App:
    """Return the app with all listeners.

    The signature is checked on the raw bytes before Bolt sees a request (`labcoat.web`), so Bolt's own check is off.
    """
    quiet = logging.getLogger("labcoat.bolt")
    quiet.setLevel(logging.ERROR)  # at INFO Bolt logs rejected bodies with their token
    app = App(
        name="labcoat",
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
    dispatch.register(app, house)
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


def _on_error(error: Exception, body: dict[str, Any]) -> BoltResponse:
    text = errors.crash_text(error)
    if body.get("type") == "view_submission":
        inputs = [block["block_id"] for block in body["view"]["blocks"] if block["type"] == "input"]
        if inputs:
            return BoltResponse(status=200, body={"response_action": "errors", "errors": {inputs[0]: text}})
        said = notice_view(body["view"]["title"]["text"], Message(text=text, blocks=(section(text),)))
        return BoltResponse(status=200, body={"response_action": "update", "view": said})
    if "command" in body:
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
    if body.get("response_url"):
        connection.answer_privately(body["response_url"], Message(text=text))
    return BoltResponse(status=200, body="")


def handle(app: App, *, body: bytes, headers: dict[str, str], delivery_key: str) -> BoltResponse:
    """Dispatch one verified request of Slack; the answer is ready when this returns."""
    request = BoltRequest(
        body=body.decode(),
        headers=dict(headers),
        context={dispatch.DELIVERY_KEY: delivery_key},
    )
    return app.dispatch(request)
