"""The one Web API client: no retries of its own, because the default one posts twice when an answer is lost."""

import logging
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from labcoat.db.database import Database
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.person import Person, Standing
from labcoat.slack.blocks import Message
from labcoat.slack.retry_after import RateLimitedError, minding

_log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
REPLY_SECONDS = 3


def connect(*, token: str, api_url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> WebClient:
    """Return a client. api_url: Slack's Web API, or any server that speaks it. timeout_seconds: for each wait."""
    if urlsplit(api_url).scheme not in ("http", "https"):
        msg = f"LABCOAT_SLACK_API_URL must be an http address, not {api_url!r}"
        raise ValueError(msg)
    url = api_url if api_url.endswith("/") else f"{api_url}/"
    timeout: Any = timeout_seconds  # the client says int; what it hands it to takes fractions
    return WebClient(token=token, base_url=url, timeout=timeout, retry_handlers=[])


def link_url(client: WebClient, app_token: str) -> str:
    """Return where to open one link of Socket Mode; raise SlackApiError if Slack does not take the token."""
    return str(client.apps_connections_open(app_token=app_token)["url"])


def describe(
    database: Database, client: WebClient, user: UserId, *, workspace: WorkspaceId, zone: str
) -> Person | None:
    """Return who somebody is, as Slack knows them; None if Slack does not answer now, or is not to be asked now.

    zone: for somebody whom Slack does not know, or whose zone is none.
    """
    try:
        with minding(database, workspace, "users.info"):
            found = client.users_info(user=user)["user"]
    except SlackApiError as error:
        is_unknown = error.response["error"] in ("user_not_found", "user_not_visible")
        return Person(user=user, standing=Standing.STRANGER, zone=zone) if is_unknown else None
    except (RateLimitedError, SlackClientError, HTTPException, OSError):
        return None
    return Person(
        user=user,
        standing=_standing(found, workspace),
        is_admin=bool(found.get("is_admin")) or bool(found.get("is_owner")),
        zone=_zone(found.get("tz") or "") or zone,
    )


def _standing(found: Mapping[str, Any], workspace: WorkspaceId) -> Standing:
    if found.get("deleted"):
        return Standing.DEACTIVATED
    if found.get("is_bot"):
        return Standing.BOT
    if found.get("team_id", workspace) != workspace:
        return Standing.STRANGER
    return Standing.GUEST if found.get("is_restricted") or found.get("is_ultra_restricted") else Standing.MEMBER


def _zone(name: str) -> str | None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
    return name


def answer_privately(response_url: str, message: Message, *, replaces: bool = False) -> None:
    """Answer a click in private; one that gets lost is only logged, since what was done is done.

    replaces: in place of the private message that was clicked, which has nothing more to do.
    """
    said = {"response_type": "ephemeral", "replace_original": replaces, **message.arguments()}
    answer_by_url(response_url, said)


def answer_by_url(response_url: str, said: Mapping[str, Any]) -> None:
    """Say something by a response URL; what gets lost is only logged."""
    try:
        follow_up(response_url, dict(said))
    except (SlackClientError, HTTPException, OSError):
        _log.warning("a private answer did not arrive", exc_info=True)


def follow_up(response_url: str, body: dict[str, Any]) -> None:
    """Answer a command or a click after its own response, as that would have. Raises what the network raises."""
    WebhookClient(response_url, timeout=REPLY_SECONDS, retry_handlers=[]).send_dict(body)
