"""What the team's infrastructure misses, ranked by how many hypotheses miss it."""

from collections.abc import Sequence
from dataclasses import dataclass

from labcoat.db import needs
from labcoat.db.database import Transaction
from labcoat.db.needs import FoundNeed
from labcoat.domain.ids import HypothesisNumber, WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedNeed:
    """One component, in the words of whoever found it first, and the hypotheses that miss it, oldest first."""

    summary: str
    hypotheses: tuple[HypothesisNumber, ...]


def ranked(tx: Transaction, workspace: WorkspaceId) -> list[RankedNeed]:
    """Return the needs of a workspace, what most hypotheses miss first."""
    return rank(needs.list_all(tx, workspace))


def rank(found: Sequence[FoundNeed]) -> list[RankedNeed]:
    """Return needs of the same words as one, however they are capitalised and punctuated; most missed first."""
    groups: dict[str, list[FoundNeed]] = {}
    for need in found:
        groups.setdefault(_key(need.summary), []).append(need)
    ranked_needs = [
        RankedNeed(summary=group[0].summary, hypotheses=tuple(sorted({need.hypothesis for need in group})))
        for group in groups.values()
    ]
    return sorted(ranked_needs, key=lambda need: -len(need.hypotheses))


def _key(summary: str) -> str:
    return "".join(sign for sign in summary.casefold() if sign.isalnum())
