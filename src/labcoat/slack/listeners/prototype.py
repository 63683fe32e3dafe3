"""Prototypes: begin one, add evidence, raise its cap."""

from collections.abc import Mapping
from typing import Any

from labcoat.domain.amounts import read_count, read_days, read_number, read_positive
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind, OfflineEvaluation
from labcoat.domain.lifecycle import Step
from labcoat.domain.refusal import Reason, Refusal, require_text
from labcoat.slack.form_values import Answers
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import prototype as views
from labcoat.usecases.hypotheses import prototypes


def open_prototype_form(call: Call, target: Target) -> None:
    """Open the form that begins a prototype."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.PROTOTYPE)
    call.open_form(views.prototype_form(dossier, metadata=call.metadata(target.subject)))


def submit_prototype(form: Submission) -> None:
    """Begin a prototype."""
    answers = form.answers
    cap = read_positive(answers.text("cap"), field="cap")
    guess = answers.text("build_guess")
    build_guess = read_positive(guess, field="build_guess") if guess else None
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        prototypes.begin(
            tx,
            dossier,
            by=form.member(tx, dossier),
            summary=answers.text("summary"),
            cap_days=cap,
            stop_when=answers.text("stop_when"),
            build_guess_days=build_guess,
            now=now,
        )


def open_evidence_form(call: Call, target: Target) -> None:
    """Open the form that adds evidence."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        dossier.require(Step.ADD_EVIDENCE)
        dossier.require_in_channel(call.member(tx, dossier))
    call.open_form(views.evidence_form(dossier, kind=_likeliest_kind(dossier), metadata=call.metadata(target.subject)))


def _likeliest_kind(dossier: Dossier) -> EvidenceKind:
    """Return the kind of the newest evidence; the first is likeliest what five people did with a prototype."""
    return dossier.evidence[-1].kind if dossier.evidence else EvidenceKind.USABILITY


def evidence_form_for(form: Submission, view: dict[str, Any]) -> dict[str, Any]:
    """Return the evidence form as the chosen kind needs it."""
    with form.reading() as (tx, _):
        dossier = form.dossier(tx)
    kind = form.answers.word("kind", EvidenceKind)
    return views.evidence_form(dossier, kind=kind, metadata=view["private_metadata"])


def submit_evidence(form: Submission) -> None:
    """Add a piece of evidence."""
    answers = form.answers
    kind = answers.required_word("kind", EvidenceKind)
    count = read_count(answers.text("count"), field="count")
    spent = answers.text("spent")
    spent_days = read_days(spent, field="spent") if spent else None
    offline = _offline(answers) if kind is EvidenceKind.OFFLINE else None
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        prototypes.add_evidence(
            tx,
            dossier,
            by=form.member(tx, dossier),
            kind=kind,
            count=count,
            summary=answers.text("summary"),
            link=answers.text("link") or None,
            spent_days=spent_days,
            offline=offline,
            now=now,
        )


def open_cap_form(call: Call, target: Target) -> None:
    """Open the form that raises a prototype's cap."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.RAISE_CAP)
        if not dossier.prototypes:
            raise Refusal(Reason.NO_PROTOTYPE, hypothesis=dossier.hypothesis.number)
    call.open_form(views.cap_form(dossier, metadata=call.metadata(f"H-{dossier.hypothesis.number}")))


def submit_cap(form: Submission) -> None:
    """Raise a prototype's cap."""
    cap = read_positive(form.answers.text("cap"), field="cap")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        reason = form.answers.text("reason")
        prototypes.raise_cap(tx, dossier, by=form.member(tx, dossier), cap_days=cap, reason=reason, now=now)


def _offline(answers: Answers) -> OfflineEvaluation:
    return OfflineEvaluation(
        metric=require_text(answers.text("offline_metric"), field="offline_metric", longest=80),
        baseline=read_number(answers.text("baseline"), field="baseline"),
        candidate=read_number(answers.text("candidate"), field="candidate"),
        data_set=require_text(answers.text("data_set"), field="data_set", longest=300),
        split=require_text(answers.text("split"), field="split", longest=300),
        was_tuned_on_it=answers.choice(views.TUNED) == "yes",
    )


HANDLERS: Mapping[str, Handler] = {
    "prototype": Handler(open=open_prototype_form, submit=submit_prototype),
    "evidence": Handler(open=open_evidence_form, submit=submit_evidence, renew=evidence_form_for),
    "cap": Handler(open=open_cap_form, submit=submit_cap),
}
