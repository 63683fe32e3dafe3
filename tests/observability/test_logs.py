"""What is logged is one JSON object a line with its request's reference, and never a secret, whoever put it there."""

import io
import json
import logging

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from labcoat.observability import logs
from labcoat.slack import errors
from labcoat.slack.incoming import correlation_id

PASSWORD, SIGNING = "a-password-of-a-database", "0123456789abcdef0123456789abcdef"
SECRETS = (
    "xoxb-1111-2222-abcDEF",
    "xoxe.xoxp-1-Mi0yLTk",
    "xapp-1-A1-22-fff",
    "https://hooks.slack.com/actions/T1/22/abcDEF",
    "labcoat_1f3a9c2e_Zm9vYmFyYmF6",
    "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc",
    "v0=" + "a1" * 32,
    f"postgresql://labcoat:{PASSWORD}@127.0.0.1:1/labcoat",
    SIGNING,
)


@pytest.fixture
def written() -> io.StringIO:
    """What the log has, as JSON lines."""
    stream = io.StringIO()
    logs.configure(level="INFO", format_=None, hidden=(SIGNING,), stream=stream)
    return stream


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def core(secret: str) -> str:
    """Return the part that must not be seen."""
    return secret.removeprefix("Bearer ").removeprefix("v0=").removeprefix("https://hooks.slack.com/")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_removed_from_words_arguments_and_crashes(written: io.StringIO, secret: str) -> None:
    log = logging.getLogger("labcoat.test")

    log.warning("in the words %s", secret)
    log.warning("in a dict %s", {"authorization": secret, "nested": [secret]}, extra={"more": {"deep": [secret]}})
    try:
        raise ValueError("crashed with", secret)
    except ValueError:
        log.exception("in a traceback")

    hidden = PASSWORD if PASSWORD in secret else core(secret)
    assert len(lines(written)) == 3
    assert hidden not in written.getvalue()
    assert logs.HIDDEN in written.getvalue()


@pytest.mark.parametrize(
    "said",
    [
        *("basıc dXNlcjpwYXNz", "AUTHORİZATİON: abcdefgh", "tıcket=abcdef", "Ticket=abcdef", "Basic dXNlcjpwYXNz"),
        *(
            "WSS://slack.example/link/abc",
            "Passwd=hunter22",
            "client_secret: abcdef",
            "API_KEY=abcdef",
            "apikey=abcdef",
        ),
    ],
)
def test_no_spelling_that_is_taken_for_a_secret_is_overlooked(said: str) -> None:
    assert logs.HIDDEN in logs.without_secrets(said)


def test_a_database_that_refuses_writes_no_password(written: io.StringIO) -> None:
    url = f"postgresql+psycopg://labcoat:{PASSWORD}@127.0.0.1:1/labcoat"
    try:
        create_engine(url, connect_args={"connect_timeout": 2}).connect()
    except OperationalError:
        logging.getLogger("labcoat.test").exception("no database at %s", url)

    assert "127.0.0.1" in written.getvalue()
    assert PASSWORD not in written.getvalue()


def test_the_values_of_response_urls_and_tokens_go_and_their_names_stay(written: io.StringIO) -> None:
    body = {"response_url": "https://slack.example/r/1/abc", "token": "old-style", "user": "U1"}

    logging.getLogger("labcoat.test").info("body %s", body)

    said = str(lines(written)[0]["event"])
    assert "slack.example" not in said
    assert "old-style" not in said
    assert "response_url" in said
    assert "'user': 'U1'" in said


def test_words_that_only_look_like_secrets_stay(written: io.StringIO) -> None:
    said = "H-12 of U0123 in C0456 was filed; token create, secret santa; 10:30 at https://example.com/a?b=c"

    logging.getLogger("labcoat.test").info(said)

    assert lines(written)[0]["event"] == said


def test_all_lines_of_a_request_have_the_reference_that_its_crash_shows(written: io.StringIO) -> None:
    log = logging.getLogger("labcoat.test")

    with correlation_id.within(kind="command") as reference:
        log.info("began")
        shown = errors.crash_text(ValueError("a bug"))
    log.info("outside")

    began, crashed, outside = lines(written)
    assert f"(ref {reference})" in shown
    assert began["ref"] == crashed["ref"] == reference
    assert began["kind"] == "command"
    assert "ValueError: a bug" in str(crashed["exception"])
    assert "ref" not in outside
    assert {"event", "level", "logger", "timestamp"} <= began.keys()


def test_on_request_it_is_text_for_people() -> None:
    stream = io.StringIO()

    logs.configure(level="WARNING", format_="text", stream=stream)
    logging.getLogger("labcoat.test").info("too little")
    logging.getLogger("labcoat.test").warning("enough")

    assert "enough" in stream.getvalue()
    assert "too little" not in stream.getvalue()
    assert not stream.getvalue().startswith("{")
