"""`labcoat doctor` against the local Slack and real databases: it finds what is wrong, and says how to mend it."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labcoat.cli import app as cli
from labcoat.cli import doctor
from labcoat.db import migrating
from labcoat.db.database import Database
from labcoat.slack import scopes
from slack_sandbox.client import SandboxClient
from slack_sandbox.faults import FaultKind
from slack_sandbox.serving import DEFAULT_SIGNING_SECRET, RunningSandbox, running_sandbox
from slack_sandbox.workspace import Bot


@pytest.fixture(scope="module")
def slack() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def grant(slack: RunningSandbox, granted: frozenset[str]) -> None:
    """Install the app with these scopes."""
    whole = slack.slack.workspace
    bot = whole.bot.model_copy(update={"scopes": tuple(sorted(granted))})
    slack.slack.workspace = whole.model_copy(update={"bot": bot})


@pytest.fixture
def environment(slack: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What `labcoat serve` needs, with a database that was migrated."""
    for name in [name for name in os.environ if name.startswith(("SLACK_", "LABCOAT_"))]:
        monkeypatch.delenv(name)
    grant(slack, frozenset(scopes.WITHOUT))
    monkeypatch.setenv("SLACK_BOT_TOKEN", Bot().token)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", DEFAULT_SIGNING_SECRET)
    monkeypatch.setenv("LABCOAT_SLACK_API_URL", slack.api_url)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'labcoat.db'}")
    database = Database(f"sqlite:///{tmp_path / 'labcoat.db'}")
    migrating.migrate(database)
    database.dispose()
    return monkeypatch


def test_where_all_is_well_it_says_so_line_by_line(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["doctor"])

    said = capsys.readouterr().out
    assert "✗" not in said
    assert code == 0
    assert [one for one in ("settings", "bot", "clock", "schema", "outbox", "disk") if f"✓ {one}: " not in said] == []
    assert Bot().token not in said
    assert DEFAULT_SIGNING_SECRET not in said


def test_a_wrong_token_and_an_old_schema_are_found_together(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SLACK_BOT_TOKEN", "xoxb-wrong-and-secret")
    environment.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    Database(f"sqlite:///{tmp_path / 'other.db'}").require_reachable()

    code = cli.main(["doctor"])

    said = capsys.readouterr().out
    assert code == 1
    assert "✗ bot: Slack does not take SLACK_BOT_TOKEN (invalid_auth)" in said
    assert "✗ schema: is not this version's\n    Run: labcoat migrate" in said
    assert "xoxb-wrong" not in said


def test_a_scope_that_is_missing_says_what_it_costs(
    environment: pytest.MonkeyPatch, slack: RunningSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(slack, frozenset(scopes.WITHOUT) - {"im:write", "im:history"})

    code = cli.main(["doctor"])

    said = capsys.readouterr().out
    assert code == 1
    assert "✗ scopes: im:write is missing: no request, answer or nudge reaches anybody in private" in said
    assert "– scopes: im:history is missing" in said


def test_a_home_channel_without_the_bot_is_found(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("LABCOAT_HOME_CHANNEL", "C0NOWHERE")

    code = cli.main(["doctor"])

    said = capsys.readouterr().out
    assert code == 1
    assert "✗ channels: Labcoat is not in C0NOWHERE" in said
    assert "/invite" in said


@pytest.mark.parametrize(
    ("fault", "why"), [(FaultKind.RATELIMITED, "ratelimited"), (FaultKind.DROP_BEFORE, "no answer")]
)
def test_a_channel_that_could_not_be_asked_about_is_neither_good_nor_bad(
    environment: pytest.MonkeyPatch,
    slack: RunningSandbox,
    capsys: pytest.CaptureFixture[str],
    fault: FaultKind,
    why: str,
) -> None:
    environment.setenv("LABCOAT_HOME_CHANNEL", "C0NOWHERE")
    with SandboxClient(slack.url) as client:
        client.faults.add("conversations.info", fault, times=None, seconds=1)
        code = cli.main(["doctor"])
        client.faults.release()

    said = capsys.readouterr().out
    assert code == 0
    assert f"– channels: whether Labcoat is in C0NOWHERE is not known ({why})" in said


def test_a_channel_that_the_token_may_not_ask_about_is_not_said_to_be_without_the_bot(
    environment: pytest.MonkeyPatch, slack: RunningSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    grant(slack, frozenset(scopes.WITHOUT) - {"channels:read", "groups:read"})
    environment.setenv("LABCOAT_HOME_CHANNEL", "CGENERAL")

    cli.main(["doctor"])

    assert "whether Labcoat is in CGENERAL is not known (missing_scope)" in capsys.readouterr().out


def test_checks_that_hang_share_one_time(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    hangs = threading.Event()
    environment.setattr(doctor, "PATIENCE_SECONDS", 2.0)

    def hang(_environment: object) -> list[doctor.Finding]:
        hangs.wait(60)
        return []

    for check in ("_settings", "_slack", "_app_token", "_database", "_metrics"):
        environment.setattr(doctor, check, hang)
    began = time.monotonic()

    code = cli.main(["doctor"])

    took = time.monotonic() - began
    hangs.set()
    assert code == 1
    assert capsys.readouterr().out.count("did not answer in 2 seconds") == 5
    assert took < 4 * 2  # one after the other it would be five times


def test_a_check_that_crashes_is_said_to_have_and_the_others_are_done(
    environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def crash(_environment: object) -> list[doctor.Finding]:
        raise ZeroDivisionError("with the token xoxb-1111-2222-abcDEF")

    environment.setattr(doctor, "_database", crash)

    code = cli.main(["doctor"])

    said = capfd.readouterr()
    assert code == 1
    assert "✗ database: could not be checked: ZeroDivisionError: with the token" in said.out
    assert "✓ bot: " in said.out
    assert "xoxb-1111" not in said.out
    assert "Traceback" not in said.err


def test_without_a_network_and_a_database_it_says_what_was_not_checked(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("LABCOAT_SLACK_API_URL", "http://127.0.0.1:1/api/")
    environment.setenv("DATABASE_URL", "postgresql://labcoat:very-secret@127.0.0.1:1/labcoat")
    environment.setenv("LABCOAT_METRICS", str(tmp_path / "none.yml"))

    code = cli.main(["doctor"])

    said = capsys.readouterr().out
    assert code == 1
    assert "✗ Slack: http://127.0.0.1:1/api/ cannot be reached" in said
    assert "✗ database: DATABASE_URL cannot be used" in said
    assert "✗ metrics file: " in said
    assert "very-secret" not in said


def test_what_is_not_set_is_named(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.delenv("SLACK_SIGNING_SECRET")

    assert cli.main(["doctor"]) == 1
    assert "✗ settings: SLACK_SIGNING_SECRET is not set" in capsys.readouterr().out
