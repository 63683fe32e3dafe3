"""What Slack says of an installation, asked by `labcoat doctor`: its token, scopes, channels and clock."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException

from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.slack import web_client

PATIENCE_SECONDS = 5.0


class SlackUnreachableError(Exception):  # the world is at fault
    """Raised when Slack does not answer."""


class SlackRefusedError(Exception):  # the text is Slack's own word
    """Raised when Slack answers no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """scopes: None where the server does not say. at: Slack's clock, None where it does not say."""

    team: str
    bot: str
    scopes: frozenset[str] | None
    at: datetime | None


def installation(*, token: str, api_url: str) -> Installation:
    """Return what Slack says of a bot token; raise Unreachable or Refused."""
    client = web_client.connect(token=token, api_url=api_url, timeout_seconds=PATIENCE_SECONDS)
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        raise SlackRefusedError(str(error.response["error"])) from error
    except (SlackClientError, HTTPException, OSError) as error:
        raise SlackUnreachableError(type(error).__name__) from error
    headers = {name.lower(): value for name, value in answer.headers.items()}
    scopes = headers.get("x-oauth-scopes")
    return Installation(
        team=str(answer["team"]),
        bot=str(answer["user"]),
        scopes=None if scopes is None else frozenset(one.strip() for one in scopes.split(",") if one.strip()),
        at=_time(headers.get("date")),
    )


def is_member(*, token: str, api_url: str, channel: str) -> bool:
    """Whether the bot is in a channel; raise Unreachable or Refused."""
    client = web_client.connect(token=token, api_url=api_url, timeout_seconds=PATIENCE_SECONDS)
    try:
        answer = client.conversations_info(channel=channel)
        return bool(answer["channel"].get("is_member"))
    except SlackApiError as error:
        raise SlackRefusedError(str(error.response["error"])) from error
    except (SlackClientError, HTTPException, OSError) as error:
        raise SlackUnreachableError(type(error).__name__) from error


def opens_links(*, token: str, app_token: str, api_url: str) -> None:
    """Ask for a link of Socket Mode and leave it unused; raise Unreachable or Refused."""
    client = web_client.connect(token=token, api_url=api_url, timeout_seconds=PATIENCE_SECONDS)
    try:
        client.apps_connections_open(app_token=app_token)
    except SlackApiError as error:
        raise SlackRefusedError(str(error.response["error"])) from error
    except (SlackClientError, HTTPException, OSError) as error:
        raise SlackUnreachableError(type(error).__name__) from error


def _time(text: object) -> datetime | None:
    # urllib's headers are lists in slack_sdk's answers.
    first = text[0] if isinstance(text, list) and text else text
    if not isinstance(first, str):
        return None
    try:
        return parsedate_to_datetime(first).astimezone(UTC)
    except ValueError:
        return None
