"""Asking a lead to release the investment, and the lead's answer."""

from dataclasses import dataclass
from datetime import UTC, datetime

from labcoat.db import dossiers, looks, people, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.domain.member import Member
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.request import EXPIRES_AFTER_WORKING_DAYS, NoExperimentReason, eligible_leads
from labcoat.domain.steps import request as steps
from labcoat.usecases import results, telling


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Whom the owner may ask. Without an eligible lead a member confirms instead."""

    leads: tuple[UserId, ...]
    default: UserId | None


def candidates(tx: Transaction, dossier: Dossier, *, by: UserId) -> Candidates:
    """Return the eligible leads, the one asked least recently first."""
    workspace = dossier.hypothesis.workspace
    asked = workspaces.last_asked(tx, workspace)
    never = datetime.min.replace(tzinfo=UTC)
    eligible = [lead for lead in eligible_leads(dossier.hypothesis, workspaces.leads(tx, workspace)) if lead != by]
    ordered = tuple(sorted(eligible, key=lambda lead: asked.get(lead, never)))
    return Candidates(leads=ordered, default=ordered[0] if ordered else None)


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
) -> Dossier:
    """Ask a lead; the request reaches them as a message with three buttons."""
    workspace = dossier.hypothesis.workspace
    require_last_look(tx, dossier)
    new = steps.ask(
        dossier,
        by=by,
        of=of,
        leads=workspaces.leads(tx, workspace),
        conclusion=conclusion,
        learning=learning,
        amount_days=amount_days,
        verdict=results.newest_verdict(tx, dossier),
        no_experiment_reason=no_experiment_reason,
        no_experiment_note=no_experiment_note,
        expires_at=schedule.add_working_days(now, EXPIRES_AFTER_WORKING_DAYS, zone=zone),
        now=now,
    )
    saved = telling.save(tx, dossier, new, step=Step.ASK, by=by.user, now=now)
    people.meet(tx, workspace, of)
    telling.send_request(tx, saved, saved.requests[-1].position, of)
    return saved


def require_last_look(tx: Transaction, dossier: Dossier) -> None:
    """Raise Refusal while a stopped experiment's last look is being made; one that cannot be made blocks nobody."""
    experiment = dossier.newest_experiment
    if experiment is None or experiment.state is not ExperimentState.STOPPED:
        return
    is_coming = looks.is_scheduled(tx, dossier.hypothesis.workspace, experiment.number)
    if is_coming and looks.find_problem(tx, dossier.hypothesis.workspace, experiment.number) is None:
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
    verdict = results.newest_verdict(tx, dossier)
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
    saved = telling.save(tx, old, new, step=step, by=by.user, now=now, reason=reason)
    telling.refresh_requests(tx, saved, position)
    telling.answer_owner(tx, saved, position)
    return saved


def expired(tx: Transaction, *, now: datetime) -> list[Dossier]:
    """Return the hypotheses whose waiting request has run out of time."""
    found = [dossiers.find(tx, workspace, number) for workspace, number in dossiers.with_expired_request(tx, now)]
    return [dossier for dossier in found if dossier is not None]


def expire(tx: Transaction, dossier: Dossier, *, now: datetime) -> Dossier:
    """Let a request expire; the owner can ask again."""
    request = dossier.waiting_request
    assert request is not None
    new = steps.expire(dossier, request.position, now=now)
    saved = telling.save(tx, dossier, new, step=Step.EXPIRE, by=None, now=now)
    telling.refresh_requests(tx, saved, request.position)
    telling.answer_owner(tx, saved, request.position)
    return saved
