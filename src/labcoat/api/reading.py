"""A body read with suspicion: its size, its depth, and names that are there twice are checked before its meaning."""

import json
import re
from typing import Any

MOST_BYTES = 1_000_000
DEEPEST = 8
"""Results are four levels deep."""

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.|\\\Z)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
"""Strings are taken whole, also one without an end, so that no body makes it begin again at every sign."""


class NotJsonError(Exception):  # the sender's doing
    """Raised for a body that is no JSON of ours; the text says why and what to do."""


def require_plain(body: bytes) -> None:
    """Raise NotJsonError unless the body is JSON in UTF-8, not too deep, without a name twice in one object."""
    try:
        text = body.decode()
        _require_shallow(body)
        json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        msg = "The body is not UTF-8. Send JSON in UTF-8."
        raise NotJsonError(msg) from error
    except json.JSONDecodeError as error:
        msg = f"The body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}. Nothing was stored."
        raise NotJsonError(msg) from error
    except ValueError as error:  # a number of thousands of digits
        msg = "A number in the body is too long to be read. Nothing was stored."
        raise NotJsonError(msg) from error


def _require_shallow(body: bytes) -> None:
    depth = 0
    for found in _BRACKETS.finditer(body):
        sign = found[0]
        if sign in (b"[", b"{"):
            depth += 1
        elif sign in (b"]", b"}"):
            depth -= 1
        if depth > DEEPEST:
            msg = f"The body is nested more than {DEEPEST} deep; results are 4. Nothing was stored."
            raise NotJsonError(msg)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            msg = f"“{name[:80]}” is in the body twice, and only one could count. Nothing was stored."
            raise NotJsonError(msg)
        found[name] = value
    return found


def _refuse_constant(name: str) -> None:
    msg = f"{name} is no number. Leave the metric out until it has one. Nothing was stored."
    raise NotJsonError(msg)
