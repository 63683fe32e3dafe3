"""Files are read from Slack's own hosts only, in pieces; the token goes nowhere else, and with no redirect."""

import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from slack_sdk import WebClient

from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.incoming import downloads
from labcoat.slack.incoming.downloads import SMALL_BYTES, Download, TooSlowError, TryDownloadLaterError

TOKEN = "xoxb-secret"
CONTENT = b"title\nBigger photos\n"
PIECE = b"x" * 40_000
LARGE = 1000 * len(PIECE)


class Files(BaseHTTPRequestHandler):
    """A file host. seen: what it was asked, with the tokens that it was shown. elsewhere: another host's address."""

    seen: list[str]
    elsewhere: str
    is_over: threading.Event

    def do_GET(self) -> None:
        self.seen.append(f"{self.path} {self.headers.get('Authorization')}")
        match self.path:
            case "/redirect-here":
                self._answer(302, location="/file.csv")
            case "/redirect-elsewhere":
                self._answer(302, location=f"{self.elsewhere}/file.csv")
            case "/redirect-ever":
                self._answer(302, location="/redirect-ever")
            case "/busy":
                self._answer(503)
            case "/gone":
                self._answer(404)
            case "/login":
                self._answer(200, kind="text/html")
            case "/hangs":
                self.is_over.wait(30)
            case "/cut":
                self._answer(200, length=100)
                self.wfile.write(CONTENT)
            case "/declared":
                self._answer(200, length=2_000_000_000)
            case "/large":
                self._answer(200)
                for _ in range(LARGE // len(PIECE)):
                    self.wfile.write(PIECE)
            case _:
                self._answer(200)
                self.wfile.write(CONTENT)

    def _answer(self, code: int, *, location: str = "", length: int | None = None, kind: str = "text/csv") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        if location:
            self.send_header("Location", location)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  the base class names it so


class Server(HTTPServer):
    """Says nothing of readers that went away: that is what these tests are about."""

    def handle_error(self, request: object, client_address: object) -> None: ...


class Host:
    """A file host that runs, and one that is not Slack's."""

    def __init__(self, url: str, seen: list[str], seen_elsewhere: list[str]) -> None:
        self.url, self.seen, self.seen_elsewhere = url, seen, seen_elsewhere

    def download(self) -> Download:
        return downloads.downloader(WebClient(token=TOKEN, base_url=f"{self.url}/api/"))


@pytest.fixture
def host() -> Iterator[Host]:
    is_over = threading.Event()
    servers: list[Server] = []
    kinds: list[type[Files]] = []
    for _ in range(2):
        kind: type[Files] = type("Handler", (Files,), {"seen": [], "elsewhere": "", "is_over": is_over})
        server = Server(("127.0.0.1", 0), kind)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        kinds.append(kind)
    kinds[0].elsewhere = f"http://127.0.0.1:{servers[1].server_port}"
    yield Host(f"http://127.0.0.1:{servers[0].server_port}", kinds[0].seen, kinds[1].seen)
    is_over.set()
    for server in servers:
        server.shutdown()
        server.server_close()


def refused(host: Host, url: str, path: Path, *, most_bytes: int = LARGE, seconds: float = 30) -> Reason:
    with pytest.raises(Refusal) as raised:
        host.download().into(path, url, most_bytes=most_bytes, seconds=seconds)
    return raised.value.reason


def test_a_file_is_read_with_the_token(host: Host) -> None:
    assert host.download().small(f"{host.url}/file.csv") == CONTENT
    assert host.seen == [f"/file.csv Bearer {TOKEN}"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9/file.csv",
        "http://127.0.0.1:9/file.csv",  # the Web API's host, and another port
        "https://example.org/file.csv",
        "http://files.slack.com/file.csv",
        "https://files.slack.com:8443/file.csv",
        "https://files.slack.com.example.org/file.csv",
        "https://files.slack.com@127.0.0.1:9/file.csv",
        "http://127.0.0.1:none/file.csv",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_other_host_is_asked(host: Host, url: str, tmp_path: Path) -> None:
    assert refused(host, url, tmp_path / "file") is Reason.FILE_UNREADABLE
    assert host.seen == []


def test_slack_s_own_host_is_asked() -> None:
    origins = downloads.downloader(WebClient(token=TOKEN)).origins

    assert origins == {("https", "files.slack.com", 443), ("https", "slack.com", 443)}


def test_a_redirect_to_slack_s_own_host_is_followed_without_the_token(host: Host) -> None:
    assert host.download().small(f"{host.url}/redirect-here") == CONTENT
    assert host.seen == [f"/redirect-here Bearer {TOKEN}", "/file.csv None"]


def test_a_redirect_to_another_host_is_not_followed(host: Host, tmp_path: Path) -> None:
    assert refused(host, f"{host.url}/redirect-elsewhere", tmp_path / "file") is Reason.FILE_UNREADABLE
    assert host.seen_elsewhere == []


def test_redirects_have_an_end(host: Host, tmp_path: Path) -> None:
    assert refused(host, f"{host.url}/redirect-ever", tmp_path / "file") is Reason.FILE_UNREADABLE
    assert len(host.seen) == 1 + downloads.MOST_REDIRECTS
    assert sum("Bearer" in one for one in host.seen) == 1


@pytest.mark.parametrize("path", ["login", "gone"])
def test_a_login_page_or_a_deleted_file_is_no_file(host: Host, path: str, tmp_path: Path) -> None:
    assert refused(host, f"{host.url}/{path}", tmp_path / "file") is Reason.FILE_UNREADABLE


@pytest.mark.parametrize("path", ["busy", "cut"])
def test_what_breaks_on_the_way_may_be_had_later(host: Host, path: str, tmp_path: Path) -> None:
    with pytest.raises(TryDownloadLaterError):
        host.download().into(tmp_path / "file", f"{host.url}/{path}", most_bytes=LARGE, seconds=30)


def test_what_does_not_come_in_time_may_be_had_later(host: Host, tmp_path: Path) -> None:
    with pytest.raises(TooSlowError):
        host.download().into(tmp_path / "file", f"{host.url}/hangs", most_bytes=LARGE, seconds=0.2)


def test_a_form_is_told_to_try_again_where_it_cannot_wait(host: Host) -> None:
    with pytest.raises(Refusal) as raised:
        host.download().small(f"{host.url}/busy")
    assert raised.value.reason is Reason.FILE_UNREADABLE


def test_what_says_that_it_is_too_large_is_not_read(host: Host, tmp_path: Path) -> None:
    assert refused(host, f"{host.url}/declared", tmp_path / "file") is Reason.FILE_TOO_LARGE
    assert (tmp_path / "file").stat().st_size == 0


def test_what_is_too_large_is_not_read_to_its_end(host: Host, tmp_path: Path) -> None:
    reason = refused(host, f"{host.url}/large", tmp_path / "file", most_bytes=SMALL_BYTES)

    assert reason is Reason.FILE_TOO_LARGE
    assert (tmp_path / "file").stat().st_size <= SMALL_BYTES


def test_a_large_file_is_never_whole_in_memory(host: Host, tmp_path: Path) -> None:
    tracemalloc.start()
    host.download().into(tmp_path / "file", f"{host.url}/large", most_bytes=LARGE, seconds=60)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (tmp_path / "file").stat().st_size == LARGE
    assert most < LARGE / 10
