"""Asking a lead to release the investment, and the lead's answer."""

from dataclasses import dataclass
from datetime import UTC, datetime

from labcoat.db import audience, dossiers, looks, outbox, people, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import notices, schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import RequestAnswered, RequestPassedOn
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.domain.look import Look
from labcoat.domain.member import Member
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.person import Person, Presence
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.request import EXPIRES_AFTER_WORKING_DAYS, NoExperimentReason, Request, eligible_leads
from labcoat.domain.stall import owner_or_stand_in
from labcoat.domain.steps import request as steps
from labcoat.domain.verdicts import leading, verdict_of
from labcoat.stats.results import Verdict
from labcoat.usecases import publish
from labcoat.usecases.experiments import results
from labcoat.usecases.people import team


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Whom the owner may ask. Without an eligible lead who is there a member confirms instead.

    leads: eligible and there, the one asked least recently first. away: eligible, not there now.
    may_release_alone: whoever asks owns it and is the only lead. default: who is proposed, None for nobody.
    """

    leads: tuple[UserId, ...]
    away: tuple[Person, ...] = ()
    may_release_alone: bool = False
    default: UserId | None


def candidates(tx: Transaction, dossier: Dossier, *, by: Member, now: datetime) -> Candidates:
    """Return whom the owner may ask."""
    workspace = dossier.hypothesis.workspace
    asked = workspaces.last_asked(tx, workspace)
    never = datetime.min.replace(tzinfo=UTC)
    presence = team.presence(tx, workspace, now)
    eligible = _eligible(tx, dossier, presence)
    ordered = sorted((lead for lead in eligible if lead != by.user), key=lambda lead: asked.get(lead, never))
    there = tuple(lead for lead in ordered if presence.is_there(lead))
    away = tuple(presence.away[lead] for lead in ordered if lead in presence.away)
    delegates = [one.stand_in for one in away if one.stand_in is not None and presence.is_there(one.stand_in)]
    free = [one for one in delegates if one != by.user and one not in dossier.hypothesis.involved]
    return Candidates(
        leads=there,
        away=away,
        may_release_alone=by.is_only_lead and by.user == dossier.hypothesis.owner,
        default=there[0] if there else free[0] if free else None,
    )


def _eligible(tx: Transaction, dossier: Dossier, presence: Presence) -> tuple[UserId, ...]:
    all_leads = workspaces.leads(tx, dossier.hypothesis.workspace)
    return eligible_leads(dossier.hypothesis, all_leads, presence=presence)


def ask(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: Member,
    of: UserId,
    conclusion: Outcome,
    learning: str,
    amount_days: float,
    no_experiment_reason: NoExperimentReason | None,
    no_experiment_note: str,
    zone: str,
    now: datetime,
    treatment: str | None = None,
) -> Dossier:
    """Ask a lead; the request reaches them as a message with three buttons.

    treatment: that shall be built; None for the one that comes first.
    """
    workspace = dossier.hypothesis.workspace
    look = results.newest_look(tx, dossier)
    readout = look.readout if look is not None else None
    treatment = treatment or (leading(readout).treatment if readout is not None else None) or None
    require_last_look(tx, dossier, look)
    team.require_members(tx, workspace, [of], field="lead")
    new = steps.ask(
        dossier,
        by=by,
        of=of,
        leads=workspaces.leads(tx, workspace) if by.leads is None else by.leads,
        presence=by.presence or team.presence(tx, workspace, now),
        conclusion=conclusion,
        learning=learning,
        amount_days=amount_days,
        treatment=treatment,
        verdict=verdict_of(readout, treatment).verdict if readout is not None else None,
        no_experiment_reason=no_experiment_reason,
        no_experiment_note=no_experiment_note,
        expires_at=schedule.add_working_days(now, EXPIRES_AFTER_WORKING_DAYS, zone=zone),
        now=now,
    )
    people.meet(tx, workspace, of)
    return publish.save(tx, dossier, new, step=Step.ASK, by=by, now=now)


def withdraw(tx: Transaction, dossier: Dossier, *, by: Member, reason: str | None, now: datetime) -> Dossier:
    """Take a waiting request back; whoever has it reads so."""
    new = steps.withdraw(dossier, by=by, reason=reason, now=now)
    return publish.save(tx, dossier, new, step=Step.WITHDRAW, by=by, now=now, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a decision rests on, as it was when a lead's form was made.

    verdict: of the treatment asked for.
    look: when the newest look was made, None without one. plan: number and version of the newest experiment's plan.
    corrected_at: when totals were corrected last, None for never.
    """

    version: int
    verdict: Verdict | None
    look: datetime | None
    plan: tuple[int, int] | None
    evidence_count: int
    corrected_at: datetime | None = None


def seen(tx: Transaction, dossier: Dossier, request: Request) -> Seen:
    """Return what a decision about a request rests on now."""
    look, experiment = results.newest_look(tx, dossier), dossier.newest_experiment
    return Seen(
        version=dossier.hypothesis.version,
        verdict=verdict_of(look.readout, request.treatment).verdict if look is not None and look.readout else None,
        look=look.made_at if look is not None else None,
        plan=(experiment.number, experiment.plan_version) if experiment is not None else None,
        evidence_count=len(dossier.evidence),
        corrected_at=results.current_correction(tx, dossier),
    )


def require_last_look(tx: Transaction, dossier: Dossier, look: Look | None) -> None:
    """Raise Refusal while a stopped experiment's last look is being made; one that cannot be made blocks nobody.

    look: its newest one.
    """
    experiment = dossier.newest_experiment
    if experiment is None or experiment.state is not ExperimentState.STOPPED:
        return
    is_made = look is not None and results.is_decided_by(look)  # what is to come then are late data
    is_coming = not is_made and looks.is_scheduled(tx, dossier.hypothesis.workspace, experiment.number)
    if is_coming and looks.find_problem(tx, dossier.hypothesis.workspace, experiment.number) is None:
        wait = results.current_wait(tx, dossier)
        if wait is not None:
            sources, latest = ", ".join(one.source for one in wait.short), wait.until.isoformat()
            raise Refusal(Reason.LAST_LOOK_WAITS, experiment=experiment.number, sources=sources, latest=latest)
        raise Refusal(Reason.LAST_LOOK_PENDING, experiment=experiment.number)


def approve(
    tx: Transaction,
    dossier: Dossier,
    position: int,
    *,
    by: Member,
    reason: str | None,
    seen_version: int,
    now: datetime,
) -> Dossier:
    """Release the investment: the hypothesis goes to productionize."""
    verdict = results.newest_verdict(tx, dossier, dossier.get_request(position).treatment)
    new = steps.approve(dossier, position, by=by, reason=reason, verdict=verdict, seen_version=seen_version, now=now)
    return _answered(tx, dossier, new, position, Step.APPROVE, by, now)


def send_back(tx: Transaction, dossier: Dossier, position: int, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Ask the owner for what is missing."""
    new = steps.send_back(dossier, position, by=by, reason=reason, now=now)
    return _answered(tx, dossier, new, position, Step.SEND_BACK, by, now)


def decline(tx: Transaction, dossier: Dossier, position: int, *, by: Member, reason: str, now: datetime) -> Dossier:
    """Say no, with the reason."""
    new = steps.decline(dossier, position, by=by, reason=reason, now=now)
    return _answered(tx, dossier, new, position, Step.DECLINE, by, now)


def _answered(
    tx: Transaction, old: Dossier, new: Dossier, position: int, step: Step, by: Member, now: datetime
) -> Dossier:
    reason = new.get_request(position).answer
    return publish.save(tx, old, new, step=step, by=by, now=now, reason=reason)


def stuck(tx: Transaction, workspace: WorkspaceId, *, now: datetime) -> list[Dossier]:
    """Return the hypotheses whose request waits for somebody who is not there, or may not answer any more."""
    asked = dossiers.with_waiting_request(tx, workspace)
    if not asked:
        return []
    presence, all_leads = team.presence(tx, workspace, now), set(workspaces.leads(tx, workspace))
    waits = dossiers.read_many(tx, workspace, asked)
    return [one for one in waits if _is_stuck(one, presence, all_leads)]


def _is_stuck(dossier: Dossier, presence: Presence, all_leads: set[UserId]) -> bool:
    request = dossier.waiting_request
    if request is None:
        return False
    has_lost_it = request.asked_of not in all_leads and not request.is_member_confirmation
    is_alone_no_more = request.is_self_release and len(all_leads) > 1
    return has_lost_it or is_alone_no_more or not presence.is_there(request.asked_of)


def pass_on(tx: Transaction, dossier: Dossier, *, now: datetime) -> bool:
    """Send a stuck request to the other eligible leads at once; to nobody left, tell its owner. Each happens once."""
    workspace = dossier.hypothesis.workspace
    dossiers.hold(tx, workspace, dossier.hypothesis.number)  # another replica may be at it: it tells once
    dossier = dossiers.find(tx, workspace, dossier.hypothesis.number) or dossier
    request = dossier.waiting_request
    if request is None:  # it was answered since the tick began
        return False
    presence = team.presence(tx, workspace, now)
    others = [one for one in _eligible(tx, dossier, presence) if presence.is_there(one) and one != request.asked_of]
    number, position = dossier.hypothesis.number, request.position
    heard = audience.read(tx, workspace, number, positions=[position])
    has_it = {person for _, person in heard.asked}
    new = [one for one in others if one not in has_it]
    if new:
        passed_on = RequestPassedOn(hypothesis=number, asked_of=request.asked_of, to=tuple(new))
        more = [notices.request(dossier, position, lead) for lead in new]
        publish.publish(tx, dossier, passed_on, more=more)
    if not others:
        return _tell_owner_nobody_is_left(tx, dossier, request.position, presence) or bool(new)
    return bool(new)


def _tell_owner_nobody_is_left(tx: Transaction, dossier: Dossier, position: int, presence: Presence) -> bool:
    subject = f"stuck H-{dossier.hypothesis.number} {position} "
    owner = owner_or_stand_in(dossier.hypothesis, presence)
    if owner is None or outbox.people_told(tx, dossier.hypothesis.workspace, subject_prefix=subject):
        return False
    fact = RequestAnswered(hypothesis=dossier.hypothesis.number, position=position)
    workspace = dossier.hypothesis.workspace
    told = Notice(kind=NoticeKind.ANSWER, workspace=workspace, person=owner, subject=subject + owner, fact=fact)
    outbox.put(tx, told)
    return True


def expired(tx: Transaction, *, now: datetime) -> list[Dossier]:
    """Return the hypotheses whose waiting request has run out of time."""
    found = [dossiers.find(tx, workspace, number) for workspace, number in dossiers.with_expired_request(tx, now)]
    return [dossier for dossier in found if dossier is not None]


def expire(tx: Transaction, dossier: Dossier, *, now: datetime) -> Dossier:
    """Let a request expire; the owner can ask again."""
    request = dossier.waiting_request
    assert request is not None
    new = steps.expire(dossier, request.position, now=now)
    return publish.save(tx, dossier, new, step=Step.EXPIRE, by=None, now=now)
