"""The one Web API client: no retries of its own, because the default one posts twice when an answer is lost."""

from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from labcoat.domain.ids import UserId

TIMEOUT_SECONDS = 10


def connect(*, token: str, api_url: str) -> WebClient:
    """Return the client. api_url: Slack's Web API, or any server that speaks it."""
    if urlsplit(api_url).scheme not in ("http", "https"):
        msg = f"LABCOAT_SLACK_API_URL must be an http address, not {api_url!r}"
        raise ValueError(msg)
    url = api_url if api_url.endswith("/") else f"{api_url}/"
    return WebClient(token=token, base_url=url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def zone_of(client: WebClient, person: UserId) -> str | None:
    """Return the IANA name of a person's zone as Slack knows it, None if it tells none."""
    try:
        answer = client.users_info(user=person)
    except SlackApiError:
        return None
    return answer["user"].get("tz") or None
