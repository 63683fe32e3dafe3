"""Steps of a prototype: begin it, add evidence, raise its cap, note what it needs."""

from dataclasses import replace
from datetime import datetime

from labcoat.domain.dossier import Dossier, moved
from labcoat.domain.evidence import Evidence, EvidenceKind, OfflineEvaluation
from labcoat.domain.lifecycle import Stage, Step
from labcoat.domain.member import Member
from labcoat.domain.need import Need
from labcoat.domain.prototype import Prototype
from labcoat.domain.refusal import Reason, Refusal, require_reason, require_text


def begin(
    dossier: Dossier,
    *,
    by: Member,
    summary: str,
    cap_days: float,
    stop_when: str,
    build_guess_days: float | None,
    now: datetime,
) -> Dossier:
    """Return the hypothesis in the stage prototype.

    cap_days: person-days released, > 0. build_guess_days: person-days the real thing would take, None for "don't know".
    """
    dossier.require(Step.PROTOTYPE)
    dossier.require_owner(by)
    if not cap_days > 0:
        raise Refusal(Reason.NOT_POSITIVE, "cap", text=f"{cap_days:g}")
    prototype = Prototype(
        position=len(dossier.prototypes) + 1,
        summary=require_text(summary, field="summary", longest=600),
        cap_days=cap_days,
        stop_when=require_text(stop_when, field="stop_when", longest=600),
        build_guess_days=build_guess_days,
        begun_by=by.user,
        begun_at=now,
    )
    hypothesis = moved(dossier.hypothesis, Stage.PROTOTYPE, at=now)
    return dossier.with_hypothesis(hypothesis).with_prototype(prototype)


def add_evidence(
    dossier: Dossier,
    *,
    by: Member,
    kind: EvidenceKind,
    count: int,
    summary: str,
    link: str | None,
    spent_days: float | None,
    now: datetime,
    offline: OfflineEvaluation | None = None,
) -> Dossier:
    """Return the dossier with one more piece of evidence; the stage stays.

    count: users, queries or rows it rests on, > 0. spent_days: person-days spent so far, None: as before.
    """
    dossier.require(Step.ADD_EVIDENCE)
    dossier.require_in_channel(by)
    if count < 1:
        raise Refusal(Reason.NOT_POSITIVE, "count", text=str(count))
    if kind is EvidenceKind.OFFLINE and offline is None:
        raise Refusal(Reason.MISSING, "offline")
    link = (link or "").strip() or None
    evidence = Evidence(
        position=len(dossier.evidence) + 1,
        kind=kind,
        count=count,
        summary=require_text(summary or (link or ""), field="summary"),
        link=link,
        added_by=by.user,
        added_at=now,
        offline=offline,
    )
    dossier = replace(dossier, evidence=(*dossier.evidence, evidence))
    if spent_days is None or not dossier.prototypes:
        return dossier
    return dossier.with_prototype(replace(dossier.prototypes[-1], spent_days=spent_days))


def raise_cap(dossier: Dossier, *, by: Member, cap_days: float, reason: str) -> Dossier:
    """Return the newest prototype with a higher cap."""
    dossier.require(Step.RAISE_CAP)
    dossier.require_owner(by)
    if not dossier.prototypes:
        raise Refusal(Reason.NO_PROTOTYPE, hypothesis=dossier.hypothesis.number)
    newest = dossier.prototypes[-1]
    if not cap_days > newest.cap_days:
        raise Refusal(Reason.CAP_NOT_RAISED, "cap", cap=newest.cap_days)
    require_reason(reason, because="more than the agreed cap is to be spent")
    return dossier.with_prototype(replace(newest, cap_days=cap_days))


def add_need(dossier: Dossier, *, by: Member, summary: str, now: datetime) -> Dossier:
    """Return the dossier with one more missing component; anyone in the channel may find one, at any open stage."""
    dossier.require(Step.ADD_NEED)
    dossier.require_in_channel(by)
    need = Need(
        position=len(dossier.needs) + 1,
        summary=require_text(summary, field="summary", longest=300),
        found_by=by.user,
        found_at=now,
    )
    return replace(dossier, needs=(*dossier.needs, need))
