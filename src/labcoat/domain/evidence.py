"""Evidence: something a real user or real data said about a prototype."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.ids import UserId


class EvidenceSource(StrEnum):
    """Who said it; only users give feedback."""

    USERS = "users"
    DATA = "data"


class EvidenceKind(StrEnum):
    """How it was gathered."""

    INTERVIEW = "interview"
    USABILITY = "usability test"
    DOGFOOD = "dogfood outside the team"
    LIVE_USE = "live use"
    SQL = "SQL query"
    LOG_REPLAY = "log replay"
    OFFLINE = "offline evaluation"

    @property
    def source(self) -> EvidenceSource:
        """Whether users or data said it."""
        return EvidenceSource.DATA if self in _FROM_DATA else EvidenceSource.USERS


_FROM_DATA = frozenset({EvidenceKind.SQL, EvidenceKind.LOG_REPLAY, EvidenceKind.OFFLINE})


class Strength(StrEnum):
    """How much weight evidence can bear, strongest first."""

    CONTROLLED = "controlled"
    OBSERVATIONAL = "observational"
    OFFLINE = "offline"
    QUALITATIVE = "qualitative"


_STRENGTH = {
    EvidenceKind.LIVE_USE: Strength.OBSERVATIONAL,
    EvidenceKind.SQL: Strength.OBSERVATIONAL,
    EvidenceKind.LOG_REPLAY: Strength.OFFLINE,
    EvidenceKind.OFFLINE: Strength.OFFLINE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineEvaluation:
    """What an offline evaluation must say to be believed; an offline gain is never a verdict."""

    metric: str
    baseline: float
    candidate: float
    data_set: str
    split: str
    was_tuned_on_it: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One piece of evidence. position: 1, 2, ... within its hypothesis. count: users, queries or rows it rests on."""

    position: int
    kind: EvidenceKind
    count: int
    summary: str
    link: str | None
    added_by: UserId
    added_at: datetime
    offline: OfflineEvaluation | None = None

    @property
    def strength(self) -> Strength:
        """How much weight it can bear."""
        return _STRENGTH.get(self.kind, Strength.QUALITATIVE)
