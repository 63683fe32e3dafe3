"""`labcoat doctor`: check the configuration and explain how to fix it."""

import argparse
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labcoat.db.database import Database

PATIENCE_SECONDS = 20.0
MOST_SKEW_SECONDS = 60
"""Slack's signatures are taken for five minutes; leases and retries want clocks that agree much better."""
MOST_CHANNELS = 20
LEAST_FREE_BYTES = 100_000_000

GOOD, BAD, OPEN = "✓", "✗", "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line. sign: GOOD; BAD, and something needed is wrong; OPEN, and it is only to be known. fix: what to do."""

    sign: str
    name: str
    text: str
    fix: str = ""


Check = Callable[[Mapping[str, str]], list[Finding]]


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    doctor = commands.add_parser("doctor", help="check your configuration and explain how to fix it")
    doctor.set_defaults(run=_run)


def _run(_given: argparse.Namespace) -> int:
    from labcoat.observability import logs

    checks: dict[str, Check] = {
        "settings": _settings,
        "Slack": _slack,
        "Socket Mode": _app_token,
        "database": _database,
        "metrics file": _metrics,
    }
    findings = _answers(checks)
    secrets = tuple(value for name, value in os.environ.items() if _is_secret(name, value))
    for one in findings:
        print(logs.without_secrets(f"{one.sign} {one.name}: {one.text}", hidden=secrets))
        if one.fix:
            print(logs.without_secrets(f"    {one.fix}", hidden=secrets))
    return 1 if any(one.sign == BAD for one in findings) else 0


def _answers(checks: Mapping[str, Check]) -> list[Finding]:
    """Return what the checks found, in their order, and which were not done when the time was over."""
    found: dict[str, list[Finding]] = {}
    # Daemons: one that hangs ends with the command.
    threads = [
        threading.Thread(target=_keep, args=(found, name, check), name=name, daemon=True)
        for name, check in checks.items()
    ]
    deadline = time.monotonic() + PATIENCE_SECONDS
    with _crashes_in(found):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
    late = f"did not answer in {PATIENCE_SECONDS:.0f} seconds"
    return [
        one
        for name in checks
        for one in found.get(name, [Finding(sign=BAD, name=name, text=late, fix="Check what it connects to.")])
    ]


def _keep(found: dict[str, list[Finding]], name: str, check: Check) -> None:
    found[name] = check(os.environ)


@contextmanager
def _crashes_in(found: dict[str, list[Finding]]) -> Iterator[None]:
    """Say of a check that crashed that it did, in place of its traceback."""

    def tell(crash: threading.ExceptHookArgs) -> None:
        name = crash.thread.name if crash.thread is not None else "doctor"
        text = f"could not be checked: {crash.exc_type.__name__}: {crash.exc_value}"
        found[name] = [
            Finding(sign=BAD, name=name, text=text, fix="This is a bug of labcoat doctor. Please report it.")
        ]

    before, threading.excepthook = threading.excepthook, tell
    try:
        yield
    finally:
        threading.excepthook = before


def _is_secret(name: str, value: str) -> bool:
    return len(value) >= 6 and any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "KEY"))


def _settings(environment: Mapping[str, str]) -> list[Finding]:
    from labcoat import settings

    try:
        settings.read(environment)
    except settings.SettingsError as error:
        return [Finding(sign=BAD, name="settings", text=str(error))]
    return [Finding(sign=GOOD, name="settings", text="all can be read")]


def _slack(environment: Mapping[str, str]) -> list[Finding]:
    from labcoat.slack import installation

    token, api_url = environment.get("SLACK_BOT_TOKEN", "").strip(), _api_url(environment)
    if not token:
        return []  # the settings say so
    try:
        found = installation.installation(token=token, api_url=api_url)
    except installation.SlackRefusedError as refused:
        fix = "Copy it anew from the app's page, OAuth & Permissions."
        return [Finding(sign=BAD, name="bot", text=f"Slack does not take SLACK_BOT_TOKEN ({refused})", fix=fix)]
    except (installation.SlackUnreachableError, ValueError) as problem:
        fix = "Token, scopes, channels and clock were not checked. Let this machine reach it, or set HTTPS_PROXY."
        return [Finding(sign=BAD, name="Slack", text=f"{api_url} cannot be reached ({problem})", fix=fix)]
    return [
        Finding(sign=GOOD, name="bot", text=f"{found.bot} in {found.team}"),
        *_scopes(found.scopes),
        _skew("clock", "Slack's", found.at),
        *_channels(environment, token, api_url),
    ]


def _scopes(granted: frozenset[str] | None) -> list[Finding]:
    from labcoat.slack import scopes

    if granted is None:
        return [Finding(sign=OPEN, name="scopes", text="the server does not say which the token has")]
    lacking = scopes.missing(granted)
    if not lacking:
        return [Finding(sign=GOOD, name="scopes", text="all that the manifest asks for")]
    fix = "Add it at the app's page, OAuth & Permissions, and install the app again."
    return [
        Finding(
            sign=OPEN if scope in scopes.OPTIONAL else BAD,
            name="scopes",
            text=f"{scope} is missing: {scopes.WITHOUT[scope]}",
            fix=fix if scope not in scopes.OPTIONAL else "",
        )
        for scope in lacking
    ]


def _skew(name: str, whose: str, at: datetime | None) -> Finding:
    if at is None:
        return Finding(sign=OPEN, name=name, text=f"{whose} time is not told")
    seconds = (datetime.now(UTC) - at).total_seconds()
    if abs(seconds) <= MOST_SKEW_SECONDS:
        return Finding(sign=GOOD, name=name, text=f"agrees with {whose}")
    text = f"{abs(seconds):.0f} seconds {'ahead of' if seconds > 0 else 'behind'} {whose}"
    return Finding(sign=BAD, name=name, text=text, fix="Let this machine take its time from NTP (timedatectl status).")


def _channels(environment: Mapping[str, str], token: str, api_url: str) -> list[Finding]:
    from labcoat.slack import installation

    home = environment.get("LABCOAT_HOME_CHANNEL", "").strip()
    channels = dict.fromkeys([*([home] if home else []), *_used_channels(environment)])
    findings, unasked = [], dict[str, list[str]]()
    for channel in channels:
        try:
            is_in, why = installation.is_member(token=token, api_url=api_url, channel=channel), ""
        except installation.SlackRefusedError as refused:
            if str(refused) != "channel_not_found":
                unasked.setdefault(str(refused), []).append(channel)
                continue
            is_in, why = False, " (channel_not_found)"
        except installation.SlackUnreachableError:
            unasked.setdefault("no answer", []).append(channel)
            continue
        if not is_in:
            fix = f"Invite it there: /invite @labcoat in <#{channel}>."
            text = f"Labcoat is not in {channel}{why}, where hypotheses live"
            findings.append(Finding(sign=BAD, name="channels", text=text, fix=fix))
    for why, some in unasked.items():
        text = f"whether Labcoat is in {', '.join(some)} is not known ({why})"
        findings.append(Finding(sign=OPEN, name="channels", text=text))
    if findings or not channels:
        return findings
    return [Finding(sign=GOOD, name="channels", text=f"Labcoat is in all {len(channels)} that were asked about")]


def _used_channels(environment: Mapping[str, str]) -> tuple[str, ...]:
    from labcoat.db import installation
    from labcoat.db.database import DatabaseError, DatabaseUnusableError

    try:
        database = _opened(environment)
        if database.file is not None and not database.file.exists():
            return ()
        found = installation.inspect(database, most_channels=MOST_CHANNELS)
    except (DatabaseUnusableError, DatabaseError):
        return ()  # the database's own lines say so
    database.dispose()
    return found.channels or ()


def _app_token(environment: Mapping[str, str]) -> list[Finding]:
    from labcoat.slack import installation

    token, app_token = environment.get("SLACK_BOT_TOKEN", "").strip(), environment.get("SLACK_APP_TOKEN", "").strip()
    if not token or not app_token:
        return []
    try:
        installation.opens_links(token=token, app_token=app_token, api_url=_api_url(environment))
    except installation.SlackRefusedError as refused:
        fix = "Make one with the scope connections:write at the app's page, Basic Information; switch Socket Mode on."
        return [Finding(sign=BAD, name="Socket Mode", text=f"Slack does not take SLACK_APP_TOKEN ({refused})", fix=fix)]
    except (installation.SlackUnreachableError, ValueError):
        return []  # the token's line says so
    return [Finding(sign=GOOD, name="Socket Mode", text="can be used")]


def _database(environment: Mapping[str, str]) -> list[Finding]:
    from labcoat.db import installation
    from labcoat.db.database import DatabaseError, DatabaseUnusableError

    try:
        database = _opened(environment)
        if database.file is not None and not database.file.exists():
            return [Finding(sign=BAD, name="database", text=f"{database.file} is not there", fix="labcoat migrate")]
        database.require_reachable()
        found = installation.inspect(database, most_channels=0)
    except (DatabaseUnusableError, DatabaseError) as error:
        text = f"DATABASE_URL cannot be used: {str(error).splitlines()[0]}"
        fix = "Check host, name, user and password, and that the server takes connections from here."
        return [Finding(sign=BAD, name="database", text=text, fix=fix)]
    database.dispose()
    findings = [Finding(sign=GOOD, name="database", text=f"{found.server} at {database.address}"), *_disk(database)]
    if not database.is_sqlite:
        findings.append(_skew("database's clock", "this machine's", found.at))
    if found.is_newer:
        fix = "Install that version here, or restore a backup of this one's."
        findings.append(Finding(sign=BAD, name="schema", text="a newer version has migrated the database", fix=fix))
    elif found.is_current:
        findings.append(Finding(sign=GOOD, name="schema", text="is this version's"))
    else:
        findings.append(Finding(sign=BAD, name="schema", text="is not this version's", fix="Run: labcoat migrate"))
    if found.given_up:
        fix = "See which and why: labcoat outbox. Try again: labcoat outbox retry --all"
        findings.append(Finding(sign=OPEN, name="outbox", text=f"{found.given_up} could not be delivered", fix=fix))
    elif found.given_up == 0:
        findings.append(Finding(sign=GOOD, name="outbox", text="nothing was given up"))
    return findings


def _disk(database: "Database") -> list[Finding]:
    file = database.file
    if file is None:
        return []
    folder = file.resolve().parent
    if not (os.access(file, os.W_OK) and os.access(folder, os.W_OK)):
        fix = f"Let the user who runs Labcoat write {file} and its folder."
        return [Finding(sign=BAD, name="disk", text=f"{file} or its folder cannot be written", fix=fix)]
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        fix = "Make room, or move the file and set DATABASE_URL."
        return [Finding(sign=BAD, name="disk", text=f"only {free / 1e6:.0f} MB are free in {folder}", fix=fix)]
    return [Finding(sign=GOOD, name="disk", text=f"can be written, {free / 1e9:.1f} GB free")]


def _metrics(environment: Mapping[str, str]) -> list[Finding]:
    from labcoat import settings
    from labcoat.warehouse import checking, metrics_file

    path = settings.metrics_path(environment)
    if path is None:
        return [Finding(sign=OPEN, name="metrics file", text="none: people type their totals (LABCOAT_METRICS)")]
    fix = "The whole check, with lines: labcoat metrics check"
    try:
        loaded = metrics_file.load(path, environment=environment)
    except metrics_file.MetricsFileError as error:
        return [Finding(sign=BAD, name="metrics file", text=str(error), fix=fix)]
    # One metric for each exposures asks every source that decides something, and costs little.
    names = {loaded.exposures_of(metric): name for name, metric in loaded.metrics.items()}.values()
    checked = checking.check(loaded, names=tuple(names), key=None, now=datetime.now(UTC))
    if checked.troubles:
        return [Finding(sign=BAD, name="metrics file", text=one.message, fix=fix) for one in checked.troubles]
    text = f"{path.name}: every source answers ({len(loaded.metrics)} metrics)"
    return [Finding(sign=GOOD, name="metrics file", text=text)]


def _opened(environment: Mapping[str, str]) -> "Database":
    from labcoat import settings
    from labcoat.db.database import Database

    return Database(settings.database_url(environment), pool_size=1)


def _api_url(environment: Mapping[str, str]) -> str:
    return environment.get("LABCOAT_SLACK_API_URL", "").strip() or "https://slack.com/api/"
