"""The reference of a request: in every line that it logs, and in what a person reads when it crashed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars


def begin() -> str:
    """Give what runs in this context a reference; return it. For a task that ends with its request."""
    reference = secrets.token_hex(4)
    bind_contextvars(ref=reference)
    return reference


@contextmanager
def within(**facts: str) -> Iterator[str]:
    """Yield the reference of this request, a new one if it has none; its log lines have it and the facts."""
    reference = current() or secrets.token_hex(4)
    with bound_contextvars(ref=reference, **facts):
        yield reference


def current() -> str | None:
    """Return the reference of the request that is worked on, None outside of one."""
    found = get_contextvars().get("ref")
    return None if found is None else str(found)
