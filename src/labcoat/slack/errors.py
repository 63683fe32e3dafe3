"""The one handler for what goes wrong in a listener: a refusal is answered, a bug gets a short reference."""

import logging

from labcoat.domain.refusal import Refusal
from labcoat.slack.blocks import Message, escape, section
from labcoat.slack.incoming import correlation_id
from labcoat.words import refusals

_log = logging.getLogger(__name__)


def refusal_message(refusal: Refusal, *, zone: str) -> Message:
    """Return a refusal as a private answer."""
    _log.info("refused: %s %s", refusal.reason, dict(refusal.facts))
    text = refusals.text(refusal, zone=zone, escape=escape)
    return Message(text=text, blocks=(section(text),))


def refusal_for_form(refusal: Refusal, *, zone: str) -> str:
    """Return a refusal as the plain text under a field, where mentions and formatting do not work."""
    _log.info("refused in a form: %s %s", refusal.reason, dict(refusal.facts))
    return refusals.text(refusal, zone=zone, mention=lambda _person: "someone else").replace("`", "")


def crash_text(error: BaseException) -> str:
    """Log a bug with a reference, and return what the person reads; the text of the error stays in the log."""
    with correlation_id.within() as reference:
        _log.error("a listener crashed (ref %s)", reference, exc_info=error)
    return (
        f"That didn't work, and nothing was changed. We've logged it (ref {reference}). Please try again in a minute."
    )
