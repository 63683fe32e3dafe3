"""What a person typed after a slash command: a verb with its arguments, or the text of a new hypothesis."""

import difflib
import re
from dataclasses import dataclass

from labcoat.domain.subject import Subject, find_subject
from labcoat.slack.commands import BY_VERB, COMMANDS, EXPERIMENT, HYPOTHESIS, Scope

ABOUT_ONE = frozenset(one.verb for one in COMMANDS if one.scope is Scope.ONE)
"""Verbs that are followed by an id."""
ALONE = frozenset(one.verb for one in COMMANDS if one.scope is Scope.GLOBAL and one.rest is not None)
"""Verbs that stand alone; what may follow them is in their command."""
AFTER_EXPERIMENT = frozenset({"need"})
"""Verbs that take any words: after /hypothesis these are the text of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A verb to carry out. number: a bare number, which may be H or E. rest: what follows the id, or the arguments."""

    verb: str
    subject: Subject | None = None
    number: int | None = None
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeText:
    """The words of a new hypothesis; empty for an empty form."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """A near miss. suggestion: what was probably meant, None if nothing is near."""

    text: str
    suggestion: str | None


def parse(root: str, text: str) -> Intent | FreeText | Unclear:
    """Return what the text means after this root. A verb works after either root: people mix them up.

    >>> parse(HYPOTHESIS, "show h12").subject
    Subject(hypothesis=12, experiment=None)
    >>> parse(HYPOTHESIS, "show more offers on the first page")
    FreeText(text='show more offers on the first page')
    >>> parse(HYPOTHESIS, "shwo H-12")
    Unclear(text='shwo H-12', suggestion='show H-12')
    """
    cleaned = " ".join(text.split())
    first, _, rest = cleaned.partition(" ")
    intent = _intent(first.lower(), rest) if root == EXPERIMENT or first.lower() not in AFTER_EXPERIMENT else None
    if intent is not None:
        return intent
    lone = find_subject(cleaned)
    if lone is not None:
        return Intent(verb="show" if root == HYPOTHESIS else "result", subject=lone)
    near = _near_miss(first.lower(), rest)
    if near is not None:
        return Unclear(text=cleaned, suggestion=near)
    if root == HYPOTHESIS:
        return FreeText(text=text.strip())
    if not cleaned:
        return Intent(verb="menu")
    return Unclear(text=cleaned, suggestion=None)


def _intent(verb: str, rest: str) -> Intent | None:
    if verb in ALONE:
        command = BY_VERB[verb]
        assert command.rest is not None
        kept = rest if command.takes_words else rest.lower()
        return Intent(verb=verb, rest=kept) if command.rest.match(rest) else None
    if verb not in ABOUT_ONE:
        return None
    word, _, more = rest.partition(" ")
    subject = find_subject(word)
    if more and not BY_VERB[verb].takes_words:
        return None
    if subject is not None:
        return Intent(verb=verb, subject=subject, rest=more)
    if re.fullmatch(r"\d{1,9}", word):
        return Intent(verb=verb, number=int(word), rest=more)
    return Intent(verb=verb) if not rest else None


def _near_miss(first: str, rest: str) -> str | None:
    subject = find_subject(rest.partition(" ")[0])
    if subject is None:
        return None
    near = difflib.get_close_matches(first, sorted(ABOUT_ONE), n=1, cutoff=0.6)
    return f"{near[0]} {subject}" if near else None
