"""The log: one event a line, with the reference of the request that it belongs to, and no secret."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

FORMATS = ("json", "text")
HIDDEN = "[removed]"

_SECRETS = (
    re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[\w-]+"),
    re.compile(r"\bxapp-[\w-]+"),
    re.compile(r"\blabcoat_\w{8,}"),
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),  # user and password of an address
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}"),
    re.compile(r"(?<=hooks\.slack\.com/)[\w/.%-]+"),
    re.compile(r"(?i)(?<=response_url)(\W{1,4}(?:u?['\"])?)https?://[^\s'\",}]+"),
    re.compile(r"(?i)(?<=wss://)[^\s'\"]+"),  # the ticket of a Socket Mode link
    re.compile(r"(?<=\bv0=)[0-9a-f]{64}\b"),
    re.compile(
        r"(?i)((?:signing_secret|client_secret|password|passwd|token|ticket|authorization|api_?key|secret)"
        r"['\"]?\s*[=:]\s*)(?:u?['\"])?[^\s'\",;&)}]+"
    ),
)

_MAY_BE_SECRET = re.compile(
    r"xox|xapp|labcoat_|://|bearer|basic|hooks|response_url|v0=|secret|passw|token|ticket|authorization|api_?key"
)
"""Found in whatever any of them finds, in small letters: one look at a line that has none instead of ten."""


def configure(*, level: str, format_: str | None, hidden: tuple[str, ...] = (), stream: TextIO | None = None) -> None:
    """Send what is logged, by ourselves and by libraries, to stderr; or to `stream`.

    format_: of FORMATS; None: text on a terminal, JSON elsewhere. hidden: values that are never written, as they are.
    """
    out = stream or sys.stderr
    is_text = format_ == "text" or (format_ is None and out.isatty())
    rendered: list[Processor] = (
        [structlog.processors.ExceptionRenderer(), structlog.dev.ConsoleRenderer(colors=out.isatty())]
        if is_text
        else [structlog.processors.ExceptionRenderer(), structlog.processors.JSONRenderer(sort_keys=False)]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("event"),
            rendered[0],
            _Hiding(hidden),
            rendered[1],
        ],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    # Which thread and process it was is in no line, so nobody looks it up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # at INFO it writes two lines a tick
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it writes whole addresses
    for library in ("slack_sdk", "slack_bolt", "urllib3", "websockets", "sqlalchemy.engine"):
        logging.getLogger(library).setLevel(logging.WARNING)  # at DEBUG they write bodies and tokens


def without_secrets(text: str, *, hidden: tuple[str, ...] = ()) -> str:
    """Return a text without what looks like a secret, and without the values of `hidden`.

    >>> without_secrets("postgresql://labcoat:hunter2@db/labcoat refused xoxb-12-ab")
    'postgresql://[removed]@db/labcoat refused [removed]'
    >>> without_secrets('{"token": "abc", "user": "U1"}')
    '{"token": [removed]", "user": "U1"}'
    """
    for value in hidden:
        text = text.replace(value, HIDDEN)
    if text.isascii() and _MAY_BE_SECRET.search(text.lower()) is None:
        return text
    for pattern in _SECRETS:
        text = pattern.sub(lambda found: (found[1] if found.re.groups else "") + HIDDEN, text)
    return text


class _Hiding:
    """The last line before a log is written: whatever was put into it, no secret leaves."""

    def __init__(self, hidden: tuple[str, ...]) -> None:
        # Longest first, for one may be a part of another; what is short would take words away.
        self._hidden = tuple(sorted({value for value in hidden if len(value) >= 6}, key=len, reverse=True))

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> Mapping[str, object]:
        return {name: self._plain(value) for name, value in event.items()}

    def _plain(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        return without_secrets(str(value), hidden=self._hidden)
