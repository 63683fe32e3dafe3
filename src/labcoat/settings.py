"""The environment, read once and checked; docs/operate.md lists every setting."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from labcoat.domain.ids import ChannelId, UserId


class SettingsError(Exception):
    """Raised for a setting that is missing or cannot be used; the text says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says. Secrets never show in `repr`.

    refresh: between counts of units, None for never. settling: within which Slack's history shows what it accepted.
    deliverers: how many messages are told at once. acts_per_minute: of one person, None for as many as they like.
    slack_signing_secret: None
    if nothing comes over HTTP. slack_app_token: None without Socket Mode. links: of Socket Mode, of this process.
    stop_seconds: how long a stop may take. ops_port: of /readyz and /metrics, None for none. log_format: None to go by
    the terminal. keep_sent: how long what was delivered is remembered, None for ever. secrets: all of it, for the
    `${NAME}`s of the metrics file.
    """

    slack_bot_token: str = field(repr=False)
    slack_signing_secret: str | None = field(repr=False)
    slack_app_token: str | None = field(repr=False)
    slack_api_url: str
    database_url: str = field(repr=False)
    host: str
    port: int
    home_channel: ChannelId | None
    leads: tuple[UserId, ...]
    metrics: Path | None
    refresh: timedelta | None
    timezone: str
    threads: int
    answer_within: timedelta
    api_per_minute: int
    lease: timedelta
    settling: timedelta
    deliverers: int
    acts_per_minute: int | None
    links: int
    stop_seconds: int
    ops_host: str
    ops_port: int | None
    log_level: str
    log_format: str | None
    keep_sent: timedelta | None
    secrets: Mapping[str, str] = field(repr=False)

    @property
    def hidden(self) -> tuple[str, ...]:
        """What no log may have, as it is."""
        named = re.compile(r"TOKEN|SECRET|PASSWORD|KEY|DATABASE_URL")
        return tuple(value for name, value in self.secrets.items() if named.search(name))


def read(environment: Mapping[str, str]) -> Settings:
    """Return the settings; raise SettingsError for the first that is missing or wrong."""
    app_token = _app_token(environment)
    return Settings(
        slack_bot_token=_required(environment, "SLACK_BOT_TOKEN"),
        slack_signing_secret=_signing_secret(environment, has_links=app_token is not None),
        slack_app_token=app_token,
        slack_api_url=environment.get("LABCOAT_SLACK_API_URL", "").strip() or "https://slack.com/api/",
        database_url=database_url(environment),
        host=environment.get("LABCOAT_HOST", "").strip() or "0.0.0.0",  # noqa: S104  as PORT: for whoever routes to us
        port=_whole(environment, "PORT", 3000, most=65_535),
        home_channel=ChannelId(environment["LABCOAT_HOME_CHANNEL"].strip())
        if environment.get("LABCOAT_HOME_CHANNEL", "").strip()
        else None,
        leads=tuple(UserId(one.strip()) for one in environment.get("LABCOAT_LEADS", "").split(",") if one.strip()),
        metrics=metrics_path(environment),
        refresh=_minutes_or_never(environment, "LABCOAT_REFRESH_MINUTES", 60),
        timezone=_zone(environment),
        threads=_whole(environment, "LABCOAT_THREADS", 32),
        answer_within=timedelta(milliseconds=_whole(environment, "LABCOAT_ANSWER_WITHIN_MS", 200, most=2500)),
        api_per_minute=_whole(environment, "LABCOAT_API_PER_MINUTE", 60),
        lease=timedelta(seconds=_whole(environment, "LABCOAT_LEASE_SECONDS", 60)),
        settling=timedelta(seconds=_whole(environment, "LABCOAT_SETTLE_SECONDS", 5, least=0, most=3600)),
        deliverers=_whole(environment, "LABCOAT_DELIVERERS", 4, most=64),
        acts_per_minute=_whole_or_never(environment, "LABCOAT_ACTS_PER_MINUTE", 60),
        links=_whole(environment, "LABCOAT_LINKS", 2, most=10),
        stop_seconds=_whole(environment, "LABCOAT_STOP_SECONDS", 25, most=3600),
        ops_host=environment.get("LABCOAT_OPS_HOST", "").strip() or "127.0.0.1",
        ops_port=_whole(environment, "LABCOAT_OPS_PORT", 0, most=65_535) or None,
        log_level=_one_of(environment, "LABCOAT_LOG_LEVEL", ("debug", "info", "warning", "error"), "info").upper(),
        log_format=_one_of(environment, "LABCOAT_LOG_FORMAT", ("json", "text"), "") or None,
        keep_sent=_days_or_ever(environment, "LABCOAT_KEEP_SENT_DAYS", 90),
        secrets=dict(environment),
    )


def database_url(environment: Mapping[str, str]) -> str:
    """Return where the database is; a SQLite file in the working folder unless told otherwise."""
    return environment.get("DATABASE_URL", "").strip() or "sqlite:///labcoat.db"


def metrics_path(environment: Mapping[str, str]) -> Path | None:
    """Return where the metrics file is, None without one."""
    path = environment.get("LABCOAT_METRICS", "").strip()
    return Path(path) if path else None


def _app_token(environment: Mapping[str, str]) -> str | None:
    token = environment.get("SLACK_APP_TOKEN", "").strip()
    if token and not token.startswith("xapp-"):
        msg = "SLACK_APP_TOKEN must be an app-level token, which begins with xapp-. README says where Slack makes one."
        raise SettingsError(msg)
    return token or None


def _signing_secret(environment: Mapping[str, str], *, has_links: bool) -> str | None:
    # Nothing is signed that comes by a link of our own; with both, Slack may use either.
    if has_links and not environment.get("SLACK_SIGNING_SECRET", "").strip():
        return None
    return _required(environment, "SLACK_SIGNING_SECRET")


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        msg = f"{name} is not set. README says where Slack shows it; to try without Slack: labcoat demo"
        raise SettingsError(msg)
    return value


def _whole(environment: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int = 999_999) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        msg = f"{name} must be a whole number from {least} to {most}, not {text!r}"
        raise SettingsError(msg)
    return int(text)


def _whole_or_never(environment: Mapping[str, str], name: str, default: int) -> int | None:
    return None if environment.get(name, "").strip() == "0" else _whole(environment, name, default)


def _minutes_or_never(environment: Mapping[str, str], name: str, default: int) -> timedelta | None:
    if environment.get(name, "").strip() == "0":
        return None
    return timedelta(minutes=_whole(environment, name, default, most=1440))


def _days_or_ever(environment: Mapping[str, str], name: str, default: int) -> timedelta | None:
    days = _whole_or_never(environment, name, default)
    return None if days is None else timedelta(days=days)


def _one_of(environment: Mapping[str, str], name: str, words: tuple[str, ...], default: str) -> str:
    word = environment.get(name, "").strip().lower() or default
    if word not in (*words, default):
        msg = f"{name} must be one of {', '.join(words)}, not {word!r}"
        raise SettingsError(msg)
    return word


def _zone(environment: Mapping[str, str]) -> str:
    name = environment.get("LABCOAT_TIMEZONE", "").strip() or "UTC"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = f"LABCOAT_TIMEZONE must be an IANA name such as Europe/Berlin, not {name!r}"
        raise SettingsError(msg) from error
    return name
