"""Obeying Slack's "slow down": a method of a workspace is called by no replica before Retry-After has passed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError

from labcoat.db import clock
from labcoat.db import retry_after as holds
from labcoat.db.database import Database
from labcoat.domain.ids import WorkspaceId

TOO_MANY_REQUESTS = 429
RETRY_AFTER_SECONDS = 30.0
"""If Slack does not say."""


class RateLimitedError(Exception):  # not an error: it has to wait
    """Raised instead of a call that Slack does not want yet, and when it answered one so. until: machine time."""

    def __init__(self, method: str, until: datetime) -> None:
        super().__init__(f"Slack wants no {method} before {until:%H:%M:%S} UTC")
        self.until = until


@contextmanager
def minding(database: Database, workspace: WorkspaceId, method: str) -> Iterator[None]:
    """Let the block call a method, unless it has to wait; raise RateLimitedError then, and when Slack says so now."""
    with database.reading() as tx:
        until = holds.find(tx, workspace, method)
        is_held = until is not None and until > clock.lease_now(tx)
    if until is not None and is_held:
        raise RateLimitedError(method, until)
    try:
        yield
    except SlackApiError as error:
        if not is_too_many(error):
            raise
        with database.writing() as tx:
            until = clock.lease_now(tx) + retry_after(error)
            holds.hold(tx, workspace, method, until=until)
        raise RateLimitedError(method, until) from error


def is_too_many(error: SlackApiError) -> bool:
    """Whether Slack answered that we call too often."""
    return bool(error.response.status_code == TOO_MANY_REQUESTS or error.response["error"] == "ratelimited")


def retry_after(error: SlackApiError) -> timedelta:
    """Return how long Slack wants us to wait."""
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    return timedelta(seconds=float(headers.get("retry-after", RETRY_AFTER_SECONDS)))
