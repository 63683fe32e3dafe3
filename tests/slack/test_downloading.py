"""Files are read from Slack's own hosts only, small and soon; the token goes nowhere else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from slack_sdk import WebClient

from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack import downloading
from labcoat.slack.downloading import LARGEST_BYTES, Download

TOKEN = "xoxb-secret"


class Files(BaseHTTPRequestHandler):
    """A file host. seen: the tokens that it was shown."""

    seen: list[str]

    def do_GET(self) -> None:
        self.seen.append(f"{self.path} {self.headers.get('Authorization')}")
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://localhost:9/elsewhere")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/login" else "text/csv")
        self.end_headers()
        self.wfile.write(b"x" * (LARGEST_BYTES + 1) if self.path == "/large" else b"title\nBigger photos\n")

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  the base class names it so


@pytest.fixture
def host() -> Iterator[tuple[str, type[Files]]]:
    handler = type("Handler", (Files,), {"seen": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join(5)


def reader(host: tuple[str, type[Files]]) -> Download:
    return downloading.downloader(WebClient(token=TOKEN, base_url=f"{host[0]}/api/"))


def refused(read: Download, url: str) -> Reason:
    with pytest.raises(Refusal) as raised:
        read(url)
    return raised.value.reason


def test_a_file_is_read_with_the_token(host: tuple[str, type[Files]]) -> None:
    assert reader(host)(f"{host[0]}/file.csv") == b"title\nBigger photos\n"
    assert host[1].seen == [f"/file.csv Bearer {TOKEN}"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9/file.csv",
        "https://example.org/file.csv",
        "http://files.slack.com/file.csv",
        "file:///etc/passwd",
        "",
    ],
)
def test_no_other_host_is_asked(host: tuple[str, type[Files]], url: str) -> None:
    assert refused(reader(host), url) is Reason.FILE_UNREADABLE
    assert host[1].seen == []


@pytest.mark.parametrize("path", ["redirect", "login"])
def test_a_redirect_or_a_login_page_is_no_file(host: tuple[str, type[Files]], path: str) -> None:
    assert refused(reader(host), f"{host[0]}/{path}") is Reason.FILE_UNREADABLE
    assert len(host[1].seen) == 1


def test_what_is_too_large_is_not_read_to_its_end(host: tuple[str, type[Files]]) -> None:
    assert refused(reader(host), f"{host[0]}/large") is Reason.FILE_TOO_LARGE
