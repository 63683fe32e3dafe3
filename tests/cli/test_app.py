"""The commands as a shell sees them: exit codes, and a sentence instead of a traceback."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import labcoat
from labcoat.cli import app as cli
from slack_sandbox.serving import DEFAULT_SIGNING_SECRET, RunningSandbox, running_sandbox
from slack_sandbox.workspace import Bot

COMMANDS = ("serve", "migrate", "demo", "sandbox", "analyse", "metrics", "token", "import", "export")
SANDBOX = ["sandbox", "--app-url", "http://127.0.0.1:9/", "--signing-secret", "s"]


@pytest.fixture(scope="module")
def slack() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def environment(slack: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with what `labcoat serve` needs, and a database that was not migrated."""
    for name in [name for name in os.environ if name.startswith(("SLACK_", "LABCOAT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLACK_BOT_TOKEN", Bot().token)
    monkeypatch.setenv("SLACK_SIGNING_SECRET", DEFAULT_SIGNING_SECRET)
    monkeypatch.setenv("LABCOAT_SLACK_API_URL", slack.api_url)
    monkeypatch.setenv("LABCOAT_HOST", "127.0.0.1")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'labcoat.db'}")
    return monkeypatch


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n    {command} " in shown for command in COMMANDS)


def test_help_loads_neither_slack_nor_database_nor_numbers() -> None:
    program = "import sys, labcoat.cli.app as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    heavy = {"slack_bolt", "slack_sdk", "sqlalchemy", "alembic", "numpy", "scipy", "duckdb", "pydantic", "starlette"}
    assert heavy.isdisjoint(ended.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])

    assert ended.value.code == 0
    assert f"labcoat {command}" in capsys.readouterr().out


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"labcoat {labcoat.__version__}\n"


def test_no_command_shows_help_and_is_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "usage: labcoat" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["deploy"], ["demo", "--port", "high"], ["sandbox", "--port"], ["serve", "now"]])
def test_what_is_not_understood_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert "usage: labcoat" in capsys.readouterr().err


def test_a_refusal_reaches_the_shell_as_a_sentence_and_exit_code_1(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SLACK_BOT_TOKEN")

    ended = subprocess.run(
        [sys.executable, "-m", "labcoat.cli", "serve"], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("SLACK_BOT_TOKEN is not set.")
    assert ended.stderr.count("\n") == 1


def test_migrate_can_be_run_again(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [cli.main(["migrate"]) for _ in range(2)]

    assert codes == [0, 0]
    assert capsys.readouterr().out == 2 * "The database is at this version's schema.\n"
    assert (tmp_path / "labcoat.db").exists()


@pytest.mark.parametrize("command", ["migrate", "serve"])
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "DATABASE_URL cannot be used: it must begin with sqlite:/// or postgresql://"),
        ("mysql://db/labcoat", "not mysql://"),
        ("sqlite:////nowhere/at/all/labcoat.db", "DATABASE_URL cannot be used: unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_used_is_said(
    command: str, url: str, sentence: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DATABASE_URL", url)

    assert cli.main([command]) == 1
    assert sentence in capsys.readouterr().err


def test_the_password_of_a_database_that_does_not_answer_is_not_said(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("DATABASE_URL", f"postgresql://labcoat:very-secret@127.0.0.1:{_closed_port()}/labcoat")

    assert cli.main(["migrate"]) == 1

    said = capsys.readouterr()
    assert "DATABASE_URL cannot be used:" in said.err
    assert "very-secret" not in said.out + said.err


@pytest.mark.parametrize("missing", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"])
def test_serve_without_a_secret_says_which(
    missing: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv(missing)

    assert cli.main(["serve"]) == 1
    assert f"{missing} is not set." in capsys.readouterr().err


def test_serve_with_an_app_token_of_another_app_says_so(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["migrate"])
    environment.setenv("SLACK_APP_TOKEN", "xapp-1")

    assert cli.main(["serve"]) == 1
    assert "Slack does not take SLACK_APP_TOKEN (not_allowed_token_type)." in capsys.readouterr().err


def test_serve_on_a_database_that_was_not_migrated_says_what_to_run(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["serve"]) == 1
    assert "Run: labcoat migrate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-of-somebody-else", "Slack does not take SLACK_BOT_TOKEN (invalid_auth)"),
        ("LABCOAT_SLACK_API_URL", "ftp://slack", "LABCOAT_SLACK_API_URL must be an http address"),
        ("LABCOAT_SLACK_API_URL", "closed port", "Slack cannot be reached at http://127.0.0.1:"),
        ("LABCOAT_METRICS", "/nowhere/metrics.yml", "LABCOAT_METRICS: metrics.yml can't be read"),
    ],
)
def test_serve_says_what_it_cannot_use(
    setting: str, value: str, sentence: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["migrate"])
    environment.setenv(setting, f"http://127.0.0.1:{_closed_port()}/" if value == "closed port" else value)

    assert cli.main(["serve"]) == 1

    said = capsys.readouterr()
    assert sentence in said.err
    assert DEFAULT_SIGNING_SECRET not in said.out + said.err


@pytest.mark.parametrize("written", [None, "{", json.dumps({"users": [{"id": "nobody"}]})])
def test_sandbox_says_what_is_wrong_with_its_workspace_file(
    written: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "workspace.json"
    if written is not None:
        path.write_text(written, encoding="utf-8")

    assert cli.main([*SANDBOX, "--workspace", str(path)]) == 1
    assert "The sandbox could not run:" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["demo"], SANDBOX])
def test_a_port_that_is_taken_is_said(
    arguments: list[str], slack: RunningSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "--port", slack.url.rpartition(":")[2]]) == 1
    assert "could not run:" in capsys.readouterr().err


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
