"""A file that somebody gave in a form: read from Slack's own hosts only, into a file, in pieces.

The token goes with the first request and with no other: a redirect is followed to Slack's own hosts alone, and without.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx
from slack_sdk import WebClient

from labcoat.domain.refusal import Reason, Refusal

SMALL_BYTES = 1_000_000
SECONDS = 1.5
"""What a form may wait for: Slack waits three seconds, and the file has to be understood too."""
FILES_HOST = "files.slack.com"
MOST_REDIRECTS = 3
_PIECE = 65_536
_LONGEST_SILENCE = 10.0
_PORTS = {"http": 80, "https": 443}


class TryDownloadLaterError(Exception):  # not an error of ours: Slack, or the way there, has trouble
    """The file may be had later."""


class TooSlowError(TryDownloadLaterError):
    """The time was over before the file was there."""


Origin = tuple[str, str, int]
"""Scheme, host and port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Reads private files with the app's token. origins: who may be asked, and be shown it."""

    token: str
    origins: frozenset[Origin]

    def small(self, url: str) -> bytes:
        """Return a file of 1 MB at most, while a form waits; raise Refusal with what to do instead."""
        with TemporaryDirectory(prefix="labcoat-file-") as folder:
            path = Path(folder) / "file"
            try:
                self.into(path, url, most_bytes=SMALL_BYTES, seconds=SECONDS)
            except TryDownloadLaterError as error:
                raise Refusal(Reason.FILE_UNREADABLE, "file") from error
            return path.read_bytes()

    def into(self, path: Path, url: str, *, most_bytes: int, seconds: float) -> None:
        """Write the file to a path.

        Raises Refusal for what is too large, or is not to be had at all; TooSlow and NotNow for what may come later.
        """
        deadline = monotonic() + seconds
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        timeout = httpx.Timeout(min(seconds, _LONGEST_SILENCE))
        try:
            with path.open("wb") as target, httpx.Client(timeout=timeout, follow_redirects=False) as http:
                for _ in range(1 + MOST_REDIRECTS):
                    self._require_slack(url)
                    with http.stream("GET", url, headers=headers) as answer:
                        if not answer.is_redirect:
                            return _write(answer, target, most_bytes=most_bytes, deadline=deadline)
                        url = urljoin(url, answer.headers.get("location", ""))
                    headers.pop("Authorization", None)
        except httpx.TimeoutException as error:
            raise TooSlowError(str(error)) from error
        except httpx.HTTPError as error:
            raise TryDownloadLaterError(str(error)) from error
        raise Refusal(Reason.FILE_UNREADABLE, "file")

    def _require_slack(self, url: str) -> None:
        if _origin(url) not in self.origins:
            raise Refusal(Reason.FILE_UNREADABLE, "file")


def downloader(client: WebClient) -> Download:
    """Return what reads private files with the client's token: from Slack's file host, and from the Web API's own."""
    own = _origin(client.base_url)
    hosts = {("https", FILES_HOST, 443), *([own] if own else [])}
    return Download(token=client.token or "", origins=frozenset(hosts))


def _origin(url: str) -> Origin | None:
    try:
        address = urlsplit(url)
        port = address.port or _PORTS[address.scheme]
    except (ValueError, KeyError):
        return None
    return address.scheme, (address.hostname or "").lower(), port


def _write(answer: httpx.Response, target: BinaryIO, *, most_bytes: int, deadline: float) -> None:
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TryDownloadLaterError(f"HTTP {answer.status_code}")  # noqa: EM102
    is_login_page = answer.headers.get("content-type", "").startswith("text/html")
    if answer.status_code != httpx.codes.OK or is_login_page:
        raise Refusal(Reason.FILE_UNREADABLE, "file")
    length = answer.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most_bytes:
        raise too_large(most_bytes)
    written = 0
    for piece in answer.iter_bytes(_PIECE):
        written += len(piece)
        if written > most_bytes:
            raise too_large(most_bytes)
        if monotonic() > deadline:
            raise TooSlowError("the time is over")
        target.write(piece)


def too_large(most_bytes: int) -> Refusal:
    """Return the refusal of a file that is larger than it may be."""
    return Refusal(Reason.FILE_TOO_LARGE, "file", megabytes=most_bytes // 1_000_000)
