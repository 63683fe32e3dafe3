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
from labcoat import cli
from labcoat.sandbox.serving import DEFAULT_SIGNING_SECRET, RunningSandbox, running_sandbox
from labcoat.sandbox.workspace import Bot

COMMANDS = ("serve", "migrate", "demo", "sandbox")


@pytest.fixture(scope="module")
def slack() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def environment(slack: RunningSandbox, tmp_path: Path) -> dict[str, str]:
    """What `labcoat serve` needs."""
    return {
        "PATH": os.environ["PATH"],
        "SLACK_BOT_TOKEN": Bot().token,
        "SLACK_SIGNING_SECRET": DEFAULT_SIGNING_SECRET,
        "LABCOAT_SLACK_API_URL": slack.api_url,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'labcoat.db'}",
        "LABCOAT_HOST": "127.0.0.1",
    }


def labcoat_(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "labcoat.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def assert_refused(ended: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"\n    {command} " in shown for command in COMMANDS)


def test_help_loads_neither_slack_nor_database_nor_numbers() -> None:
    program = "import sys, labcoat.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"

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


@pytest.mark.parametrize("arguments", [["deploy"], ["demo", "--port", "high"], ["sandbox"], ["serve", "now"]])
def test_what_is_not_understood_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert "usage: labcoat" in capsys.readouterr().err


def test_migrate_can_be_run_again(environment: dict[str, str], tmp_path: Path) -> None:
    first, second = (labcoat_("migrate", environment=environment) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout == second.stdout == "The database is at this version's schema.\n"
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
    command: str, url: str, sentence: str, environment: dict[str, str]
) -> None:
    ended = labcoat_(command, environment={**environment, "DATABASE_URL": url})

    assert_refused(ended, sentence)


def test_the_password_of_a_database_that_does_not_answer_is_not_said(environment: dict[str, str]) -> None:
    url = f"postgresql://labcoat:very-secret@127.0.0.1:{_closed_port()}/labcoat"

    ended = labcoat_("migrate", environment={**environment, "DATABASE_URL": url})

    assert_refused(ended, "DATABASE_URL cannot be used:")
    assert "very-secret" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("missing", ["SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"])
def test_serve_without_a_secret_says_which(missing: str, environment: dict[str, str]) -> None:
    ended = labcoat_("serve", environment={**environment, missing: ""})

    assert_refused(ended, f"{missing} is not set.")


def test_serve_refuses_socket_mode(environment: dict[str, str]) -> None:
    ended = labcoat_("serve", environment={**environment, "SLACK_APP_TOKEN": "xapp-1"})

    assert_refused(ended, "SLACK_APP_TOKEN asks for Socket Mode, which is not built yet.")


def test_serve_on_a_database_that_was_not_migrated_says_what_to_run(environment: dict[str, str]) -> None:
    ended = labcoat_("serve", environment=environment)

    assert_refused(ended, "Run: labcoat migrate")


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-of-somebody-else", "Slack does not take SLACK_BOT_TOKEN (invalid_auth)"),
        ("LABCOAT_SLACK_API_URL", "ftp://slack", "LABCOAT_SLACK_API_URL must be an http address"),
        ("LABCOAT_SLACK_API_URL", "closed port", "Slack cannot be reached at http://127.0.0.1:"),
        ("LABCOAT_METRICS", "/nowhere/metrics.yml", "LABCOAT_METRICS: metrics.yml can't be read"),
    ],
)
def test_serve_says_what_it_cannot_use(setting: str, value: str, sentence: str, environment: dict[str, str]) -> None:
    labcoat_("migrate", environment=environment)
    value = f"http://127.0.0.1:{_closed_port()}/api/" if value == "closed port" else value

    ended = labcoat_("serve", environment={**environment, setting: value})

    assert_refused(ended, sentence)
    assert environment["SLACK_SIGNING_SECRET"] not in ended.stdout + ended.stderr


@pytest.mark.parametrize("written", [None, "{", json.dumps({"users": [{"id": "nobody"}]})])
def test_sandbox_says_what_is_wrong_with_its_workspace_file(written: str | None, tmp_path: Path) -> None:
    path = tmp_path / "workspace.json"
    if written is not None:
        path.write_text(written, encoding="utf-8")

    ended = labcoat_("sandbox", "--app-url", "http://127.0.0.1:9/", "--signing-secret", "s", "--workspace", str(path))

    assert_refused(ended, "The sandbox could not run:")


@pytest.mark.parametrize(
    "arguments", [["demo"], ["sandbox", "--app-url", "http://127.0.0.1:9/", "--signing-secret", "s"]]
)
def test_a_port_that_is_taken_is_said(arguments: list[str], slack: RunningSandbox) -> None:
    ended = labcoat_(*arguments, "--port", slack.url.rpartition(":")[2])

    assert_refused(ended, "could not run:")


def _closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
