"""What a module of listeners gives for each of its commands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labcoat.slack.blocks import Block
from labcoat.slack.listeners.call import Call, Submission, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """What a command does. Exactly one of `open` and `run` is there.

    open: for what is about one hypothesis or experiment; typically opens a form. run: for a global command, with what
    followed it. submit: takes the form, whose callback id is the verb. renew: returns the form anew, after a choice in
    it that decides what else it asks.
    """

    open: Callable[[Call, Target], None] | None = None
    run: Callable[[Call, str], None] | None = None
    submit: Callable[[Submission], None] | None = None
    renew: Callable[[Submission, dict[str, Any]], Block] | None = None
