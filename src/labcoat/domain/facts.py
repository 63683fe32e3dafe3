"""Facts: what happened, as a notice tells it. Each is a plain value; `db.fact_rows` stores it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.channel import ChannelSettings
from labcoat.domain.digest import Digest
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.refusal import FactValue, Reason
from labcoat.domain.totals_facts import DecisionQuestioned, TotalsCorrected, TotalsRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChanged:
    """The card of a hypothesis is out of date."""

    hypothesis: HypothesisNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """Somebody took a step of the lifecycle. entry: the id of its history entry."""

    hypothesis: HypothesisNumber
    entry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunWithMessage:
    """A hypothesis was filed from a message in Slack. author: "" if unknown."""

    hypothesis: HypothesisNumber
    link: str
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionClosest:
    """An experiment is decided; this person's prediction came closest. chance: of a win, 0 to 1."""

    hypothesis: HypothesisNumber
    person: UserId
    chance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPassedOn:
    """A request went to other leads too, because the one who was asked can't answer."""

    hypothesis: HypothesisNumber
    asked_of: UserId
    to: tuple[UserId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestChanged:
    """A person's message about a request is out of date. position: of the request within its hypothesis."""

    hypothesis: HypothesisNumber
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswered:
    """A request was answered, or nobody is left to answer it."""

    hypothesis: HypothesisNumber
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookMade:
    """A look says something new. slot: which look."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    slot: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionsChanged:
    """The metrics file measures these metrics differently since the look before."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFailed:
    """The numbers of an experiment could not be read."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitUneven:
    """Traffic is not split as planned. exposed: units of each variant, in the plan's order."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    p_value: float
    exposed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLive:
    """Exposures arrive for an experiment that nobody has started. since: None if unknown."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    since: datetime | None
    exposed: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestMade:
    """A digest was composed. asked_by: who is told if it can't be shown; None on Mondays."""

    digest: Digest
    asked_by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartDue:
    """A look's chart belongs in the digest's thread."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    slot: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartsLeftOut:
    """The digest has more charts than its thread shows. count: all of them."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NudgesChanged:
    """The nudges of a message were sent, answered or snoozed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeChanged:
    """A person's Home is out of date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotInvited:
    """The bot was invited to a channel."""


class OwnershipRole(StrEnum):
    """What somebody is to a hypothesis."""

    OWNER = "owner"
    DEPUTY = "deputy"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipGiven:
    """Somebody made a person owner or deputy of a hypothesis."""

    hypothesis: HypothesisNumber
    role: OwnershipRole
    by: UserId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInNamed:
    """Somebody is away, and a person stands in for them."""

    by: UserId
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadNamed:
    """Somebody made a person a lead."""

    by: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """Somebody changed a channel's settings. leads: everybody who leads now, None if that stayed."""

    channel: ChannelId
    by: UserId
    old: ChannelSettings
    new: ChannelSettings
    next_digest: datetime
    leads: tuple[UserId, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStored:
    """The totals of a file were stored. size: bytes. metrics: those that were new. taken: what was read of it."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    file: str
    size: int
    metrics: tuple[str, ...]
    units: int
    taken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRefused:
    """The totals of a file were not stored. facts: of the refusal. job: whose totals may replace earlier ones."""

    hypothesis: HypothesisNumber
    experiment: ExperimentNumber
    file: str
    size: int
    reason: Reason
    facts: tuple[tuple[str, FactValue], ...]
    job: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFailed:
    """The files that somebody asked for could not be made."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDelivered:
    """A message could not be shown in a channel or to a person. problem: Slack's own word."""

    what: str
    channel: ChannelId | None
    person: UserId | None
    problem: str


Fact = (
    CardChanged
    | StepTaken
    | BegunWithMessage
    | PredictionClosest
    | RequestPassedOn
    | RequestChanged
    | RequestAnswered
    | LookMade
    | DefinitionsChanged
    | SourceFailed
    | SplitUneven
    | DraftLive
    | TotalsRecorded
    | TotalsCorrected
    | DecisionQuestioned
    | DigestMade
    | ChartDue
    | ChartsLeftOut
    | NudgesChanged
    | HomeChanged
    | BotInvited
    | OwnershipGiven
    | StandInNamed
    | LeadNamed
    | SettingsChanged
    | FileStored
    | FileRefused
    | ExportFailed
    | NotDelivered
)
