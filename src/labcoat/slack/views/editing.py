"""The form that changes the words of a hypothesis."""

from collections.abc import Sequence

from labcoat.domain.dossier import Dossier
from labcoat.domain.history import HistoryEntry
from labcoat.domain.hypothesis import Statement
from labcoat.slack.blocks import Block, context, escape, form, radio_input, section, text_input
from labcoat.slack.views.hypothesis import DIRECTIONS
from labcoat.slack.views.people import mention
from labcoat.words import numbers, stories


def edit_form(
    dossier: Dossier, statement: Statement, *, reason: str, meanwhile: Sequence[HistoryEntry], zone: str, metadata: str
) -> Block:
    """Return the form. statement, reason: what its fields hold. meanwhile: what others changed since it was opened."""
    blocks = [section(_changed_meanwhile(entry, zone)) for entry in meanwhile[-3:]]
    if dossier.has_started:
        locked = "An experiment has started, so the words are fixed: only the tags can change."
        blocks += [section(f"*{escape(statement.change)}*"), context(locked)]
    else:
        blocks += _words(statement)
    blocks.append(
        text_input("tags", "Tags", initial=", ".join(statement.tags), example="search, freshness", is_optional=True)
    )
    if dossier.evidence and not dossier.has_started:
        hint = "There is evidence about the words as they were: if they change, the reason stays visible."
        blocks.append(text_input("reason", "Why change it now?", initial=reason, hint=hint, is_optional=True))
    submit = "Replace theirs" if meanwhile else "Save"
    return form("edit", title=f"Edit H-{dossier.hypothesis.number}", submit=submit, blocks=blocks, metadata=metadata)


def _changed_meanwhile(entry: HistoryEntry, zone: str) -> str:
    changed = escape("; ".join(stories.changed_words(entry)))
    at = numbers.day_and_time(entry.at, zone)
    return (
        f":busts_in_silhouette: {mention(entry.by)} changed this on {at}, while you were typing: {changed}. "
        "What you typed is below; saving it replaces theirs."
    )


def _words(statement: Statement) -> list[Block]:
    return [
        text_input("change", "What do we change, and for whom?", initial=statement.change, is_long=True),
        text_input("metric", "Which metric should react?", initial=statement.metric),
        radio_input("direction", "Which way?", DIRECTIONS, initial=statement.direction),
        text_input("because", "Because", initial=statement.because, is_long=True),
        text_input(
            "smallest_effect",
            "Smallest effect worth having",
            initial=statement.smallest_effect,
            example="2 %",
            is_optional=True,
        ),
        text_input("refuted_by", "What would refute it?", initial=statement.refuted_by, is_optional=True),
        text_input(
            "different_because",
            "Different from what was tried before, because",
            initial=statement.different_because,
            is_optional=True,
        ),
    ]
