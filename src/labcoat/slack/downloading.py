"""A file that somebody gave in a form: read from Slack's own host only, in small, and in little time.

The form waits for its answer meanwhile, and Slack waits three seconds: what is larger or slower is refused, not queued.
"""

from collections.abc import Callable
from time import monotonic
from urllib.parse import urlsplit

import httpx
from slack_sdk import WebClient

from labcoat.domain.refusal import Reason, Refusal

LARGEST_BYTES = 1_000_000
SECONDS = 2.0
FILES_HOST = "files.slack.com"

Download = Callable[[str], bytes]
"""Takes a file's private address; raises Refusal with what to do instead."""


def downloader(client: WebClient) -> Download:
    """Return what reads private files with the client's token.

    The token goes to Slack's file host and to the Web API's own, and nowhere else: redirects are not followed.
    """
    hosts = {FILES_HOST, urlsplit(client.base_url).hostname}

    def download(url: str) -> bytes:
        address = urlsplit(url)
        is_slack = address.hostname in hosts and (address.scheme == "https" or address.hostname != FILES_HOST)
        if not is_slack:
            raise Refusal(Reason.FILE_UNREADABLE, "file")
        deadline, content = monotonic() + SECONDS, b""
        headers = {"Authorization": f"Bearer {client.token}"}
        try:
            with httpx.stream("GET", url, headers=headers, timeout=SECONDS, follow_redirects=False) as answer:
                if answer.status_code != httpx.codes.OK or "text/html" in answer.headers.get("Content-Type", ""):
                    raise Refusal(Reason.FILE_UNREADABLE, "file")
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > LARGEST_BYTES:
                        raise Refusal(Reason.FILE_TOO_LARGE, "file", megabytes=LARGEST_BYTES // 1_000_000)
                    if monotonic() > deadline:
                        raise Refusal(Reason.FILE_UNREADABLE, "file")
        except httpx.HTTPError as error:
            raise Refusal(Reason.FILE_UNREADABLE, "file") from error
        return content

    return download
