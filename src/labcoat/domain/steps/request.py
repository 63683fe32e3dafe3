"""Steps of a request: ask, approve, send back, decline, expire, withdraw."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from labcoat.domain.dossier import Dossier, involved, moved
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Hypothesis, Outcome
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.person import EVERYBODY_THERE, Presence
from labcoat.domain.refusal import Reason, Refusal, require_reason, require_text
from labcoat.domain.request import (
    NoExperimentReason,
    Request,
    eligible_leads,
    may_decide,
    why_reason_needed,
)
from labcoat.stats.results import Verdict


def ask(
    dossier: Dossier,
    *,
    by: Member,
    of: UserId,
    leads: Collection[UserId],
    presence: Presence = EVERYBODY_THERE,
    conclusion: Outcome,
    learning: str,
    amount_days: float,
    verdict: Verdict | None,
    no_experiment_reason: NoExperimentReason | None,
    no_experiment_note: str,
    expires_at: datetime,
    now: datetime,
    treatment: str | None = None,
) -> Dossier:
    """Return the dossier with a waiting request; the stage stays.

    of: an eligible lead who is there; where there is none, any uninvolved member, or the owner as the only lead.
    leads: everybody who leads here. presence: who of all people is not there now.
    treatment: that shall be built; needed where the experiment has several. verdict: of it, at the newest look of the
    stopped experiment; None without one.
    """
    dossier.require(Step.ASK)
    dossier.require_owner(by)
    if dossier.waiting_request is not None:
        raise Refusal(
            Reason.REQUEST_WAITING, hypothesis=dossier.hypothesis.number, asked_of=dossier.waiting_request.asked_of
        )
    experiment = dossier.newest_experiment
    if dossier.hypothesis.stage is Stage.EXPERIMENT:
        if experiment is None or experiment.state is not ExperimentState.STOPPED:
            state = experiment.state if experiment else None
            number = experiment.number if experiment else None
            raise Refusal(Reason.WRONG_STATE, experiment=number, state=state, step=Step.ASK)
        no_experiment_reason, no_experiment_note = None, ""
        treatment = _require_treatment(experiment, treatment)
    elif no_experiment_reason is None:
        raise Refusal(Reason.REASON_NEEDED, "no_experiment", because="there was no experiment")
    elif no_experiment_reason is NoExperimentReason.OTHER:
        no_experiment_note = require_reason(
            no_experiment_note, because="“other” says nothing yet", field="no_experiment_note"
        )
    hypothesis = involved(dossier.hypothesis, by.user)
    eligible = eligible_leads(hypothesis, leads, presence=presence)
    is_self_release = of == by.user == hypothesis.owner and by.is_only_lead
    if not is_self_release:
        _require_askable(hypothesis, of, eligible, presence)
    if not amount_days > 0:
        raise Refusal(Reason.NOT_POSITIVE, "amount", text=f"{amount_days:g}")
    request = Request(
        position=len(dossier.requests) + 1,
        experiment=experiment.number if experiment and dossier.hypothesis.stage is Stage.EXPERIMENT else None,
        asked_by=by.user,
        asked_of=of,
        asked_at=now,
        expires_at=expires_at,
        conclusion=conclusion,
        learning=require_text(learning, field="learning", longest=1000),
        amount_days=amount_days,
        no_experiment_reason=no_experiment_reason,
        no_experiment_note=no_experiment_note.strip(),
        is_member_confirmation=of not in eligible and not is_self_release,
        is_self_release=is_self_release,
        treatment=treatment if dossier.hypothesis.stage is Stage.EXPERIMENT else None,
        verdict=verdict,
    )
    return dossier.with_hypothesis(hypothesis).with_request(request)


def _require_treatment(experiment: Experiment, treatment: str | None) -> str:
    """Return which treatment is meant; the only one need not be named."""
    names = experiment.plan.variant_names[1:]
    if treatment is None and len(names) == 1:
        return names[0]
    if treatment not in names:
        raise Refusal(Reason.MISSING, "treatment")
    return treatment


def _require_askable(hypothesis: Hypothesis, of: UserId, eligible: Collection[UserId], presence: Presence) -> None:
    there = [lead for lead in eligible if presence.is_there(lead)]
    is_barred = of in hypothesis.involved or of == presence.stand_in(hypothesis.owner)
    if is_barred or (there and of not in eligible):
        raise Refusal(Reason.NOT_ELIGIBLE, "lead", hypothesis=hypothesis.number)
    away = presence.away.get(of)
    if there and away is not None and away.away_until is not None:
        raise Refusal(Reason.PERSON_AWAY, "lead", until=away.away_until.isoformat())


def approve(
    dossier: Dossier,
    position: int,
    *,
    by: Member,
    reason: str | None,
    verdict: Verdict | None,
    seen_version: int,
    now: datetime,
) -> Dossier:
    """Return the hypothesis in the stage productionize.

    verdict: of the treatment asked for, at the newest look, which may be newer than the request. reason: needed if
    building goes against it, or a guardrail is open.
    seen_version: the version that the lead's form was made from.
    """
    request = answerable(dossier, position, by=by, step=Step.APPROVE)
    because = why_reason_needed(verdict, request.conclusion)
    if because is not None:
        reason = require_reason(reason, because=because)
    if request.is_self_release and by.user == request.asked_of:
        reason = require_reason(reason, because="nobody but you looks at the evidence")
    answered = replace(_answered(request, RequestState.APPROVED, by, reason, now), seen_version=seen_version)
    return dossier.with_hypothesis(moved(dossier.hypothesis, Stage.PRODUCTIONIZE, at=now)).with_request(answered)


def send_back(dossier: Dossier, position: int, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Return the request sent back with what is missing; the stage stays."""
    request = answerable(dossier, position, by=by, step=Step.SEND_BACK)
    missing = require_reason(reason, because="the owner must know what is missing")
    return dossier.with_request(_answered(request, RequestState.SENT_BACK, by, missing, now))


def decline(dossier: Dossier, position: int, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Return the request declined; the stage stays, and ending the hypothesis is the owner's next step."""
    request = answerable(dossier, position, by=by, step=Step.DECLINE)
    why = require_reason(reason, because="the team should learn from it")
    return dossier.with_request(_answered(request, RequestState.DECLINED, by, why, now))


def expire(dossier: Dossier, position: int, *, now: datetime) -> Dossier:
    """Return the request expired, once its time has passed."""
    request = waiting(dossier, position, Step.EXPIRE)
    if now < request.expires_at:
        raise Refusal(Reason.NOT_EXPIRED, hypothesis=dossier.hypothesis.number)
    return dossier.with_request(replace(request, state=RequestState.EXPIRED, decided_at=now))


def withdraw(dossier: Dossier, *, now: datetime, by: Member | None = None, reason: str | None = None) -> Dossier:
    """Return the waiting request withdrawn. by: the owner who does it, None where what it was about has changed."""
    reason = (reason or "").strip() or None
    request = dossier.waiting_request
    if request is None:
        raise Refusal(Reason.NO_REQUEST, hypothesis=dossier.hypothesis.number)
    dossier.require(Step.WITHDRAW)
    if by is None:
        return dossier.with_request(replace(request, state=RequestState.WITHDRAWN, decided_at=now, answer=reason))
    dossier.require_owner(by)
    return dossier.with_request(_answered(request, RequestState.WITHDRAWN, by, reason, now))


def waiting(dossier: Dossier, position: int, step: Step = Step.WITHDRAW) -> Request:
    """Return the request if it still waits for an answer; raise Refusal otherwise."""
    request = dossier.get_request(position)
    if request.state is not RequestState.WAITING:
        # Said before the stage is checked: a second click should hear who was first, not what the stage allows.
        raise Refusal(
            Reason.ALREADY_DECIDED,
            hypothesis=dossier.hypothesis.number,
            state=request.state,
            by=request.decided_by,
            at=request.decided_at.isoformat() if request.decided_at else None,
            why=request.answer if request.decided_by is None else None,
        )
    dossier.require(step)
    return request


def answerable(dossier: Dossier, position: int, *, by: Member, step: Step = Step.APPROVE) -> Request:
    """Return the waiting request if this person may answer it; raise Refusal otherwise."""
    request = waiting(dossier, position, step)
    if not may_decide(request, dossier.hypothesis, by):
        is_involved = by.user in dossier.hypothesis.involved
        raise Refusal(Reason.NOT_ELIGIBLE, hypothesis=dossier.hypothesis.number, is_involved=is_involved)
    return request


def _answered(request: Request, state: RequestState, by: Member, answer: str | None, now: datetime) -> Request:
    return replace(request, state=state, decided_by=by.user, decided_at=now, answer=(answer or "").strip() or None)
