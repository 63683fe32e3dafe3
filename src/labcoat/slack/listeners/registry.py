"""Every command with its handler, merged from the modules of listeners. The start fails unless both sets agree."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labcoat.slack.commands import BY_VERB, COMMANDS, Command, Scope
from labcoat.slack.listeners import (
    digest,
    editing,
    ending,
    experiment,
    exporting,
    filing,
    home,
    hypothesis,
    importing,
    lists,
    need,
    nudge,
    people,
    prediction,
    prototype,
    request,
    result,
    running,
    search,
    settings,
    sizing,
)
from labcoat.slack.listeners.call import Call
from labcoat.slack.listeners.command_handler import Handler

_PARTS: tuple[Mapping[str, Handler], ...] = (
    digest.HANDLERS,
    editing.HANDLERS,
    ending.HANDLERS,
    experiment.HANDLERS,
    exporting.HANDLERS,
    filing.HANDLERS,
    home.HANDLERS,
    hypothesis.HANDLERS,
    importing.HANDLERS,
    lists.HANDLERS,
    need.HANDLERS,
    nudge.HANDLERS,
    people.HANDLERS,
    prediction.HANDLERS,
    prototype.HANDLERS,
    request.HANDLERS,
    result.HANDLERS,
    running.HANDLERS,
    search.HANDLERS,
    settings.HANDLERS,
    sizing.HANDLERS,
)

HANDLERS: Mapping[str, Handler] = {verb: handler for part in _PARTS for verb, handler in part.items()}
"""What each verb does, once for commands and buttons alike: every command has a button twin because both end here."""

FORMS = frozenset(verb for verb, handler in HANDLERS.items() if handler.submit is not None)
"""Callback ids of the forms that open now."""

SHORTCUTS: Mapping[str, Callable[[Call, dict[str, Any]], None]] = {
    "new_hypothesis": filing.open_from_nowhere,
    "turn_into_hypothesis": filing.open_from_message,
}
"""What each shortcut of manifest.yml does, given Slack's payload."""


def handler_of(name: str) -> Handler:
    """Return what carries out a verb, by the id that it has or had."""
    return HANDLERS[BY_VERB[name].verb]


def form_ids(commands: Iterable[Command] = COMMANDS, handlers: Mapping[str, Handler] = HANDLERS) -> frozenset[str]:
    """Return the callback ids of all forms that are taken, also of those that an earlier version opened."""
    with_form = [one for one in commands if handlers[one.verb].submit is not None]
    return frozenset(name for one in with_form for name in (one.verb, *one.aliases))


class RegistryError(Exception):
    """Commands and handlers do not agree; a program of ours is wrong, and nothing should start."""


def check(commands: Iterable[Command] = COMMANDS, parts: Iterable[Mapping[str, Handler]] = _PARTS) -> None:
    """Raise RegistryError unless every command has exactly one handler of its kind, and every handler a command."""
    commands, parts = tuple(commands), tuple(parts)
    ids = Counter(name for one in commands for name in (one.verb, *one.aliases))
    handled = Counter(verb for part in parts for verb in part)
    handlers = {verb: handler for part in parts for verb, handler in part.items()}
    wrong = [f"{name} is declared {times} times" for name, times in ids.items() if times > 1]
    wrong += [f"{verb} has {times} handlers" for verb, times in handled.items() if times > 1]
    wrong += [f"{one.verb} has no handler" for one in commands if one.verb not in handlers]
    wrong += [f"{verb} is no command" for verb in handlers if verb not in {one.verb for one in commands}]
    for one in commands:
        handler = handlers.get(one.verb)
        if handler is not None and (one.scope is Scope.GLOBAL) is not (
            handler.run is not None and handler.open is None
        ):
            wrong.append(f"{one.verb} needs {'run' if one.scope is Scope.GLOBAL else 'open'}, and nothing else")
    if wrong:
        raise RegistryError("; ".join(wrong))
