"""A hypothesis: change + audience + metric + because, owned by a person, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.lifecycle import Stage
from labcoat.domain.refusal import require_text
from labcoat.stats.rule import Direction


class Outcome(StrEnum):
    """What the evidence says about the hypothesis."""

    SUPPORTED = "supported"
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    ABANDONED = "abandoned"


class Decision(StrEnum):
    """What people chose."""

    SHIPPED = "shipped"
    NOT_BUILT = "not built"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a hypothesis was closed.

    days_spent: person-days over its whole life. overrides: the reason if the outcome is not what the verdict proposes.
    replaced_by: the hypothesis that goes on from here. link: to what was shipped. treatment: that was shipped, None
    without an experiment.
    """

    outcome: Outcome
    decision: Decision
    learning: str
    days_spent: float
    by: UserId
    at: datetime
    overrides: str | None = None
    replaced_by: HypothesisNumber | None = None
    link: str | None = None
    treatment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One hypothesis; `version` counts every change of it or of anything that belongs to it.

    involved: everybody who ever owned it, stood in for its owner or asked for its approval; none of them may approve.
    stage_since: when it came to its stage. replaces: the hypothesis it goes on from. deputy: may do what the owner may.
    is_imported: from before Labcoat, and nobody has taken it up since; no digest tells of it.
    """

    workspace: WorkspaceId
    number: HypothesisNumber
    version: int = 0
    channel: ChannelId
    stage: Stage = Stage.HYPOTHESIZE
    stage_since: datetime
    change: str
    metric: str
    direction: Direction
    because: str
    smallest_effect: str = ""
    refuted_by: str = ""
    different_because: str = ""
    tags: tuple[str, ...] = ()
    owner: UserId | None
    deputy: UserId | None = None
    filed_by: UserId
    filed_at: datetime
    involved: tuple[UserId, ...] = ()
    replaces: HypothesisNumber | None = None
    is_imported: bool = False
    ending: Ending | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self.ending is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a person files or edits: the words of a hypothesis. Only the first four are needed.

    different_because: what sets it apart from an earlier one that is much like it.
    """

    change: str
    metric: str
    direction: Direction
    because: str
    smallest_effect: str = ""
    refuted_by: str = ""
    different_because: str = ""
    tags: tuple[str, ...] = ()


def checked(statement: Statement) -> Statement:
    """Return the statement trimmed; raise Refusal for what is missing or too long."""
    return Statement(
        change=require_text(statement.change, field="change", longest=600),
        metric=require_text(statement.metric, field="metric", longest=80),
        direction=statement.direction,
        because=require_text(statement.because, field="because", longest=1000),
        smallest_effect=statement.smallest_effect.strip()[:80],
        refuted_by=statement.refuted_by.strip()[:600],
        different_because=statement.different_because.strip()[:600],
        tags=tuple(dict.fromkeys(tag.strip().lower() for tag in statement.tags if tag.strip())),
    )
