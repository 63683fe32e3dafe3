"""Giving Slack a picture, uploaded without a channel and ready once Slack has read its type, and files for a person.

Nobody sees a file before a message names it, so a crash between the two leaves a file that nobody finds, and no more.
"""

import logging
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path

import httpx
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.slack.retry_after import is_too_many

_log = logging.getLogger(__name__)

TRIES, PAUSE_SECONDS = 20, 0.5
GONE = "file_not_found"
PERMANENT = frozenset(
    {
        "access_denied", "account_inactive", "channel_not_found", "file_type_not_allowed",
        "file_upload_size_restricted", "file_uploads_disabled", "file_uploads_except_images_disabled", "invalid_auth",
        "missing_scope", "not_authed", "restricted_action", "token_revoked", "user_disabled", "user_not_found",
        "users_not_found",
    }
)  # fmt: skip
_PIECE = 1 << 16
_UPLOAD_SECONDS = 60.0


def upload_picture(client: WebClient, png: bytes, *, name: str, title: str) -> str | None:
    """Return the id of the uploaded picture, None if Slack does not take it: its message goes without.

    Raises SlackApiError only where Slack wants us to come back later.
    """
    try:
        answer = client.files_upload_v2(content=png, filename=name, title=title)
        file_id = str(answer["files"][0]["id"])
        for _ in range(TRIES):
            found = client.files_info(file=file_id)["file"]
            if found.get("mimetype"):
                return file_id
            time.sleep(PAUSE_SECONDS)
    except (SlackApiError, SlackClientError, HTTPException, OSError) as error:
        if isinstance(error, SlackApiError) and is_too_many(error):
            raise
        _log.warning("a chart could not be uploaded", exc_info=True)
    return None


def upload_file(client: WebClient, path: Path, *, name: str) -> str:
    """Give Slack a file in pieces; return its id. Nobody sees it before it is shared."""
    length = path.stat().st_size
    place = client.files_getUploadURLExternal(filename=name, length=length)
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
    with path.open("rb") as file:
        pieces = iter(lambda: file.read(_PIECE), b"")
        httpx.post(
            str(place["upload_url"]), content=pieces, headers=headers, timeout=_UPLOAD_SECONDS
        ).raise_for_status()
    return str(place["file_id"])


def share(client: WebClient, files: Sequence[str], channel: str, *, comment: str) -> None:
    """Finish the uploads and show the files in a channel, in one message; once done they cannot be finished again."""
    client.files_completeUploadExternal(
        files=[{"id": file} for file in files], channel_id=channel, initial_comment=comment
    )


def is_shared(client: WebClient, file: str, channel: str) -> bool:
    """Whether a file is shown in a channel already; one whose upload is not finished does not exist for Slack yet."""
    try:
        found = client.files_info(file=file)["file"]
    except SlackApiError as error:
        if error.response["error"] == GONE:
            return False
        raise
    return channel in {*found.get("ims", ()), *found.get("channels", ()), *found.get("groups", ())}
