"""What people do with a prototype: begin it, add evidence about it, raise its cap, note what it needs."""

from datetime import datetime

from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind, OfflineEvaluation
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.steps import prototype as steps
from labcoat.usecases import publish


def begin(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: Member,
    summary: str,
    cap_days: float,
    stop_when: str,
    build_guess_days: float | None,
    now: datetime,
) -> Dossier:
    """Begin a prototype with its cost cap."""
    new = steps.begin(
        dossier,
        by=by,
        summary=summary,
        cap_days=cap_days,
        stop_when=stop_when,
        build_guess_days=build_guess_days,
        now=now,
    )
    return publish.save(tx, dossier, new, step=Step.PROTOTYPE, by=by, now=now)


def add_evidence(
    tx: Transaction,
    dossier: Dossier,
    *,
    by: Member,
    kind: EvidenceKind,
    count: int,
    summary: str,
    link: str | None,
    spent_days: float | None,
    offline: OfflineEvaluation | None,
    now: datetime,
) -> Dossier:
    """Add a piece of evidence."""
    new = steps.add_evidence(
        dossier,
        by=by,
        kind=kind,
        count=count,
        summary=summary,
        link=link,
        spent_days=spent_days,
        offline=offline,
        now=now,
    )
    return publish.save(tx, dossier, new, step=Step.ADD_EVIDENCE, by=by, now=now)


def raise_cap(tx: Transaction, dossier: Dossier, *, by: Member, cap_days: float, reason: str, now: datetime) -> Dossier:
    """Let a prototype cost more than was agreed, for a reason."""
    new = steps.raise_cap(dossier, by=by, cap_days=cap_days, reason=reason)
    return publish.save(tx, dossier, new, step=Step.RAISE_CAP, by=by, now=now, reason=reason)


def add_need(tx: Transaction, dossier: Dossier, *, by: Member, summary: str, now: datetime) -> Dossier:
    """Note a component that was found missing."""
    new = steps.add_need(dossier, by=by, summary=summary, now=now)
    return publish.save(tx, dossier, new, step=Step.ADD_NEED, by=by, now=now)
