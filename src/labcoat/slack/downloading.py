"""A file that somebody gave in a form: read from Slack's own host only, in small, and in little time.

The form waits for its answer meanwhile, and Slack waits three seconds: what is larger or slower is refused, not queued.
"""

from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from time import monotonic
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

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
        if not is_slack or address.scheme not in ("http", "https"):
            raise Refusal(Reason.FILE_UNREADABLE, "file")
        asked = Request(url, headers={"Authorization": f"Bearer {client.token}"})  # noqa: S310  checked above
        try:
            with _opener.open(asked, timeout=SECONDS) as answer:
                if answer.headers.get_content_type() == "text/html":  # a login page
                    raise Refusal(Reason.FILE_UNREADABLE, "file")
                return _read(answer)
        except HTTPError as error:  # also a redirect, which is not followed
            error.close()
            raise Refusal(Reason.FILE_UNREADABLE, "file") from error
        except (OSError, HTTPException) as error:
            raise Refusal(Reason.FILE_UNREADABLE, "file") from error

    return download


def _read(answer: HTTPResponse) -> bytes:
    deadline, content = monotonic() + SECONDS, b""
    while chunk := answer.read1(65_536):
        content += chunk
        if len(content) > LARGEST_BYTES:
            raise Refusal(Reason.FILE_TOO_LARGE, "file", megabytes=LARGEST_BYTES // 1_000_000)
        if monotonic() > deadline:
            raise Refusal(Reason.FILE_UNREADABLE, "file")
    return content


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing: the token would go along."""


_opener = build_opener(_NoRedirect)
