"""A request: asking a lead to release the investment to productionize."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from labcoat.domain.hypothesis import Hypothesis, Outcome
from labcoat.domain.ids import ExperimentNumber, UserId
from labcoat.domain.lifecycle import RequestState
from labcoat.domain.member import Member
from labcoat.domain.person import EVERYBODY_THERE, Presence
from labcoat.stats.results import Verdict

EXPIRES_AFTER_WORKING_DAYS = 10


class NoExperimentReason(StrEnum):
    """Why a request comes straight from a prototype."""

    TOO_LITTLE_TRAFFIC = "too little traffic"
    CANNOT_RANDOMISE = "cannot randomise"
    LEGAL_OR_SAFETY = "legal or safety"
    DEARER_THAN_BUILD = "dearer than the build"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. position: 1, 2, ... within its hypothesis.

    asked_of: the person picked; any other eligible lead may answer too. amount_days: person-days asked for.
    is_member_confirmation: nobody eligible leads, so a member confirms.
    is_self_release: the only lead there is owns it and releases it alone, which stays visible.
    treatment: that shall be built, None without an experiment, or in one that an earlier version asked.
    verdict: of that treatment at the newest look when it was asked.
    seen_version: the hypothesis's version that the deciding lead saw.
    """

    position: int
    state: RequestState = RequestState.WAITING
    experiment: ExperimentNumber | None
    asked_by: UserId
    asked_of: UserId
    asked_at: datetime
    expires_at: datetime
    conclusion: Outcome
    learning: str
    amount_days: float
    no_experiment_reason: NoExperimentReason | None = None
    no_experiment_note: str = ""
    is_member_confirmation: bool = False
    is_self_release: bool = False
    treatment: str | None = None
    verdict: Verdict | None = None
    decided_by: UserId | None = None
    decided_at: datetime | None = None
    answer: str | None = None
    seen_version: int | None = None


def eligible_leads(
    hypothesis: Hypothesis, leads: Collection[UserId], *, presence: Presence = EVERYBODY_THERE
) -> tuple[UserId, ...]:
    """Return the leads who never owned, stood in for or asked for this hypothesis, in the given order.

    Whoever is away stays eligible; who is no member any more does not.
    """
    barred = {*hypothesis.involved, *presence.gone, presence.stand_in(hypothesis.owner)}
    return tuple(lead for lead in leads if lead not in barred)


def may_decide(request: Request, hypothesis: Hypothesis, by: Member) -> bool:
    """Whether this person may answer this request."""
    if request.is_self_release and by.user == request.asked_of:
        return by.is_only_lead
    if by.user in hypothesis.involved or hypothesis.owner in by.stands_in_for:
        return False
    return by.is_lead or (request.is_member_confirmation and by.user == request.asked_of)


def is_against(verdict: Verdict | None, outcome: Outcome) -> bool:
    """Whether building on this outcome goes against what the numbers say; without numbers nothing is against them."""
    return verdict is not None and (outcome is not Outcome.SUPPORTED or not verdict.is_win)


def why_reason_needed(verdict: Verdict | None, outcome: Outcome) -> str | None:
    """Return for what whoever approves owes the team a sentence, None where a plain win is built."""
    if is_against(verdict, outcome):
        return f"the verdict is “{verdict}”"
    match verdict:
        case Verdict.WIN_GUARDRAIL_OPEN:
            return "a guardrail is not shown safe"
        case Verdict.WIN_EFFECT_MOVED:
            return "the effect has moved since it won"
        case _:
            return None
