"""The environment is read once, and what is wrong in it is said in a sentence that names the setting."""

import ast
import inspect
from datetime import timedelta
from pathlib import Path

import pytest

from labcoat import settings
from labcoat.settings import SettingsError

TOKEN, SECRET, PASSWORD = "xoxb-very-secret", "signing-very-secret", "database-very-secret"
NEEDED = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_SIGNING_SECRET": SECRET}


def test_a_token_and_a_signing_secret_are_enough() -> None:
    read = settings.read(NEEDED)

    assert read.slack_api_url == "https://slack.com/api/"
    assert read.database_url == "sqlite:///labcoat.db"
    assert (read.host, read.port, read.threads) == ("0.0.0.0", 3000, 32)
    assert (read.home_channel, read.leads, read.metrics, read.timezone) == (None, (), None, "UTC")
    assert read.lease == timedelta(minutes=1)


@pytest.mark.parametrize("missing", NEEDED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_token_or_secret_the_sentence_names_it_and_the_way_to_try(missing: str, value: str | None) -> None:
    environment = {name: text for name, text in {**NEEDED, missing: value}.items() if text is not None}

    with pytest.raises(SettingsError, match=rf"{missing} is not set.*labcoat demo"):
        settings.read(environment)


def test_with_an_app_token_nothing_needs_to_be_signed() -> None:
    read = settings.read({"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": " xapp-1 "})

    assert (read.slack_app_token, read.slack_signing_secret, read.links) == ("xapp-1", None, 2)


def test_with_token_and_secret_both_ways_are_open() -> None:
    read = settings.read({**NEEDED, "SLACK_APP_TOKEN": "xapp-1"})

    assert (read.slack_app_token, read.slack_signing_secret) == ("xapp-1", SECRET)


def test_a_bot_token_is_no_app_token() -> None:
    with pytest.raises(SettingsError, match="SLACK_APP_TOKEN must be an app-level token, which begins with xapp-"):
        settings.read({**NEEDED, "SLACK_APP_TOKEN": "xoxb-1"})


def test_more_links_than_slack_allows_are_refused() -> None:
    with pytest.raises(SettingsError, match="LABCOAT_LINKS must be a whole number from 1 to 10"):
        settings.read({**NEEDED, "LABCOAT_LINKS": "11"})


@pytest.mark.parametrize("name", ["PORT", "LABCOAT_THREADS", "LABCOAT_LEASE_SECONDS", "LABCOAT_DELIVERERS"])
@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5", "1000000", "²"])
def test_what_is_not_a_whole_number_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be a whole number"):
        settings.read({**NEEDED, name: value})


def test_a_port_that_no_machine_has_is_refused() -> None:
    with pytest.raises(SettingsError, match="PORT must be a whole number from 1 to 65535"):
        settings.read({**NEEDED, "PORT": "65536"})


@pytest.mark.parametrize("value", ["Berlin", "Europe/Atlantis", "../etc/passwd", "/etc/localtime", "Europe/"])
def test_what_is_not_a_time_zone_is_refused_with_an_example(value: str) -> None:
    with pytest.raises(SettingsError, match=r"LABCOAT_TIMEZONE must be an IANA name such as Europe/Berlin"):
        settings.read({**NEEDED, "LABCOAT_TIMEZONE": value})


def test_leads_are_a_list_with_commas_and_spaces_forgiven() -> None:
    read = settings.read({**NEEDED, "LABCOAT_LEADS": " U1, U2 ,,U3 "})

    assert read.leads == ("U1", "U2", "U3")


def test_values_are_taken_without_the_spaces_around_them() -> None:
    more = {"PORT": " 80 ", "LABCOAT_HOME_CHANNEL": " C1 ", "LABCOAT_METRICS": " m.yml ", "LABCOAT_HOST": " ::1 "}

    read = settings.read({**NEEDED, **more})

    assert (read.port, read.home_channel, read.metrics, read.host) == (80, "C1", Path("m.yml"), "::1")


def test_secrets_never_show() -> None:
    read = settings.read({**NEEDED, "DATABASE_URL": f"postgresql://labcoat:{PASSWORD}@db/labcoat"})

    shown = f"{read!r} {read}"

    assert all(secret not in shown for secret in (TOKEN, SECRET, PASSWORD))


def test_the_environment_is_read_here_and_handed_over_whole_by_the_commands() -> None:
    source = Path(inspect.getfile(settings)).parent
    readers = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }

    assert readers == {
        "cli/app.py",
        "cli/backup.py",
        "cli/database.py",
        "cli/doctor.py",
        "cli/metrics.py",
        "demo/bot.py",
        "demo/stage.py",
    }
