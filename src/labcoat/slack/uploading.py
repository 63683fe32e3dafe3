"""Giving Slack a picture: uploaded without a channel, and ready once Slack has read its type.

Nobody sees a file before a message names it, so a crash between the two leaves a file that nobody finds, and no more.
"""

import logging
import time
from http.client import HTTPException

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from labcoat.slack.holding import is_too_many

_log = logging.getLogger(__name__)

TRIES, PAUSE_SECONDS = 20, 0.5


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
