"""A notice: a fact to tell, written in the transaction of the change that caused it and delivered later."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.facts import Fact
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId


class NoticeKind(StrEnum):
    """What is told; each has one view that renders it when it is delivered."""

    CARD = "card"  # the hypothesis's one message in its channel, edited in place
    STORY = "story"  # one line of history in the card's thread
    REQUEST = "request"  # the lead's message with the three buttons, edited in place
    ANSWER = "answer"  # tells the owner what became of a request
    DIGEST = "digest"
    NUDGE = "nudge"
    CHART = "chart"  # one experiment's result with its chart, in the digest's thread
    WELCOME = "welcome"  # what Labcoat does, once, to a channel that it was invited to
    OWNERSHIP = "ownership"  # tells a person what is theirs now: a hypothesis, standing in, leading
    SETTINGS = "settings"  # tells who changed a channel's settings what they did, and the channel when its digest comes
    FOLLOWED = "followed"  # tells who follows a hypothesis what became of it
    CORRECTED = "corrected"  # tells who decided on an experiment's totals that these were corrected
    HEALTH = "health"  # tells an owner in private that an experiment's numbers need them
    FILE = "file"  # tells a person in private what became of a file that they gave or asked for
    HOME = "home"  # a person's Home tab, published anew
    PROBLEM = "problem"  # tells a person in private that something could not be done


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to send or edit.

    Goes to a channel or to a person. subject: names a message that is edited in place, and sent only once.
    parent: the subject whose thread it belongs in. is_loud: a thread line that the channel sees too.
    """

    kind: NoticeKind
    workspace: WorkspaceId
    fact: Fact
    channel: ChannelId | None = None
    person: UserId | None = None
    subject: str | None = None
    parent: str | None = None
    is_loud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """A notice that was given up. problem: Slack's own word, or ours. since: when it was given up."""

    id: int
    workspace: WorkspaceId
    kind: NoticeKind
    channel: ChannelId | None
    person: UserId | None
    problem: str
    since: datetime


def card_subject(number: HypothesisNumber) -> str:
    """Return the subject of a hypothesis's card."""
    return f"card H-{number}"


def request_subject(number: HypothesisNumber, position: int, person: UserId) -> str:
    """Return the subject of one person's message about one request."""
    return f"{request_prefix(number)}{position} {person}"


def request_prefix(number: HypothesisNumber) -> str:
    """Return how the subjects of all messages about the requests of a hypothesis begin."""
    return f"request H-{number} "


def home_subject(person: UserId) -> str:
    """Return the subject of a person's Home."""
    return f"home {person}"
