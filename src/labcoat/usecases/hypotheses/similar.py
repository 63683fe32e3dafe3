"""Have we tried this? The hypotheses that are much like some words, of the whole workspace, open and closed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

from labcoat.db import dossiers, similar
from labcoat.db.database import Transaction
from labcoat.db.similar import Words
from labcoat.domain.hypothesis import Ending
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.lifecycle import Stage
from labcoat.domain.similarity import Similarity

NEAREST = 3
NEAR_ENOUGH = 0.34
"""Tried on the demo's hypotheses and pairs of others, see tests/domain/test_similarity.py."""
FOUND_ENOUGH = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One hypothesis that was found. score: 0-1."""

    number: HypothesisNumber
    change: str
    stage: Stage
    ending: Ending | None
    score: float


@dataclass(frozen=True, slots=True)
class _Known:
    """claims: of change and reason only. A metric in common makes nobody's hypothesis another's."""

    state: tuple[int, int]
    words: dict[HypothesisNumber, Words]
    claims: Similarity[HypothesisNumber]
    texts: Callable[[], Similarity[HypothesisNumber]]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of each workspace's words; made anew when anything there has changed since."""

    _known: dict[WorkspaceId, _Known] = field(default_factory=dict)

    def nearest(self, tx: Transaction, workspace: WorkspaceId, text: str, *, limit: int = NEAREST) -> tuple[Found, ...]:
        """Return the hypotheses that are most like the text, if any is near enough."""
        known = self._of(tx, workspace)
        return _best(tx, workspace, known, known.claims.alike(text), least=NEAR_ENOUGH, limit=limit)[0]

    def search(
        self, tx: Transaction, workspace: WorkspaceId, text: str, *, limit: int
    ) -> tuple[tuple[Found, ...], int]:
        """Return the best hits and how many there are; "H-12" itself is its own best hit."""
        known = self._of(tx, workspace)
        return _best(tx, workspace, known, known.texts().containing(text), least=FOUND_ENOUGH, limit=limit)

    def _of(self, tx: Transaction, workspace: WorkspaceId) -> _Known:
        state = similar.state_of_all(tx, workspace)
        known = self._known.get(workspace)
        if known is None or known.state != state:
            words = similar.words_of_all(tx, workspace)
            claims = Similarity({number: one.claim for number, one in words.items()})
            known = _Known(state, words, claims, cache(partial(_texts, words)))
            self._known[workspace] = known
        return known


def _texts(words: dict[HypothesisNumber, Words]) -> Similarity[HypothesisNumber]:
    return Similarity({number: one.text for number, one in words.items()})


def _best(
    tx: Transaction,
    workspace: WorkspaceId,
    known: _Known,
    scores: dict[HypothesisNumber, float],
    *,
    least: float,
    limit: int,
) -> tuple[tuple[Found, ...], int]:
    hits = sorted(((score, number) for number, score in scores.items() if score >= least), reverse=True)
    endings = dossiers.endings(tx, workspace, [number for _, number in hits[:limit]])
    found = tuple(
        Found(
            number=number,
            change=known.words[number].change,
            stage=known.words[number].stage,
            ending=endings.get(number),
            score=score,
        )
        for score, number in hits[:limit]
    )
    return found, len(hits)
