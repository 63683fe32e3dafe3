"""The one Web API client: no retries of its own, because the default one posts twice when an answer is lost."""

import logging
from http.client import HTTPException
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from labcoat.domain.ids import UserId
from labcoat.slack.blocks import Message

_log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
REPLY_SECONDS = 3


def connect(*, token: str, api_url: str) -> WebClient:
    """Return the client. api_url: Slack's Web API, or any server that speaks it."""
    if urlsplit(api_url).scheme not in ("http", "https"):
        msg = f"LABCOAT_SLACK_API_URL must be an http address, not {api_url!r}"
        raise ValueError(msg)
    url = api_url if api_url.endswith("/") else f"{api_url}/"
    return WebClient(token=token, base_url=url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def zone_of(client: WebClient, person: UserId, *, otherwise: str) -> str | None:
    """Return the IANA name of a person's zone as Slack knows it.

    otherwise: for somebody whom Slack does not know, or whose zone is none. None if Slack does not answer now.
    """
    try:
        answer = client.users_info(user=person)
        ZoneInfo(answer["user"].get("tz") or otherwise)
    except SlackApiError as error:
        return otherwise if error.response["error"] in ("user_not_found", "user_not_visible") else None
    except (SlackClientError, HTTPException, OSError):
        return None
    except (KeyError, ValueError):
        return otherwise
    return answer["user"].get("tz") or otherwise


def answer_privately(response_url: str, message: Message) -> None:
    """Answer a click in private; an answer that gets lost is only logged, since what was done is done."""
    try:
        WebhookClient(response_url, timeout=REPLY_SECONDS, retry_handlers=[]).send_dict(
            {"response_type": "ephemeral", "replace_original": False, **message.arguments()}
        )
    except (SlackClientError, HTTPException, OSError):
        _log.warning("a private answer did not arrive", exc_info=True)
