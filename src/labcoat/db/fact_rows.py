"""Facts as JSON: written with their type, read back whatever version wrote them."""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from labcoat.db import facts_v1
from labcoat.db.types import storable
from labcoat.domain.facts import Fact
from labcoat.domain.notice import NoticeKind

VERSION = 2
"""1: rows without a type, see `facts_v1`."""

_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {one.__name__: TypeAdapter(one) for one in get_args(Fact)}


class UnreadableFactError(Exception):
    """A row holds what no version of Labcoat that this one knows has written."""


def dump(fact: Fact) -> object:
    """Return a fact as JSON with its type."""
    name = type(fact).__name__
    return storable({"type": name, "v": VERSION, **_ADAPTERS[name].dump_python(fact, mode="json")})


def load(kind: NoticeKind, stored: Mapping[str, Any]) -> Fact:
    """Return the fact that a row of the outbox holds; raise UnreadableFactError. kind: of its notice."""
    name, version = stored.get("type"), stored.get("v")
    try:
        if name is None:
            return facts_v1.load(kind, stored)
        if version != VERSION:
            message = f"version {version} of {name} is unknown"
            raise UnreadableFactError(message)
        fields = {key: value for key, value in stored.items() if key not in ("type", "v")}
        fact: Fact = _ADAPTERS[name].validate_python(fields)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        message = f"a {kind} holds no fact: {error}"
        raise UnreadableFactError(message) from error
    return fact
