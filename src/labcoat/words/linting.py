"""What could make a hypothesis better: a warning each, with a better example; none of them ever refuses."""

import re

from labcoat.domain.hypothesis import Statement
from labcoat.words import numbers

_WISH = re.compile(
    r"^\s*as an?\s+(?P<who>[^,]{1,60}?),?\s+(i|we)\s+(want|would like|need|wish|can)\s+(to\s+)?(?P<what>.+)",
    re.I | re.S,
)
_JUDGED = re.compile(r"\bid[e]as?\b", re.IGNORECASE)
_NO_REASON = re.compile(
    r"^\W*(because\s+)?(we (just )?(want|need|like|think so|believe so)\b.*|i (just )?(want|think so|like)\b.*|why not|"
    r"it('s| is| would be)? (obvious(ly)?|better|nice(r)?|cool|good|great|needed)\b.*|tbd|todo|n/?a|none|no reason|\?+|\.+|-+)\W*$",
    re.IGNORECASE,
)
_FEW_WORDS = 3
_HARD_TO_COUNT = """
    happiness ux usability experience quality engagement satisfaction performance value relevance success growth trust
    delight perception mood feeling
"""
_NOT_COUNTED = frozenset(_HARD_TO_COUNT.split())


def warnings(statement: Statement) -> list[str]:
    """Return what a person may want to say better, most telling first; each with an example."""
    return [text for text in (_wish(statement), _judged(statement), _reason(statement), _counted(statement)) if text]


def _wish(statement: Statement) -> str | None:
    match = _WISH.match(statement.change)
    if match is None:
        return None
    what, who = numbers.shortened(match["what"], 60).rstrip("."), match["who"]
    return (
        f"“As a … I want” presumes that we know our users. Say what we change, and for whom: "
        f"“{what[:1].upper()}{what[1:]}, for every {who}”."
    )


def _judged(statement: Statement) -> str | None:
    match = _JUDGED.search(f"{statement.change} {statement.because}")
    if match is None:
        return None
    return f"“{match[0]}” invites judgement. A hypothesis can be right or wrong, and both teach: “We believe that …”."


def _reason(statement: Statement) -> str | None:
    if not _NO_REASON.match(statement.because) and len(statement.because.split()) >= _FEW_WORDS:
        return None
    return "What have you seen that makes you believe it? Better: “4 of 5 people we watched scrolled past it”."


def _counted(statement: Statement) -> str | None:
    words = set(re.findall(r"\w+", statement.metric.casefold()))
    if not words & _NOT_COUNTED or words & {"per", "rate", "share", "score", "number", "of"}:
        return None
    metric = numbers.shortened(statement.metric, 40)
    return (
        f"“{metric}” is hard to count. Name something that happens or not, per user: “searches with a click per user”."
    )
