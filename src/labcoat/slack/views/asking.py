"""The forms of a request: ask a lead, or another one; the lead's three answers; take it back."""

from collections.abc import Sequence

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import Stage
from labcoat.domain.request import NoExperimentReason, Request, is_against, why_reason_needed
from labcoat.domain.steps.hypothesis import PROPOSED_OUTCOME
from labcoat.domain.verdicts import verdict_of
from labcoat.slack.blocks import (
    OPTION_LENGTH,
    Block,
    context,
    cut,
    escape,
    form,
    option,
    person_input,
    radio_input,
    section,
    select_input,
    text_input,
)
from labcoat.slack.views.card import sentence
from labcoat.slack.views.people import mention
from labcoat.slack.views.request import outcome_line
from labcoat.stats.results import Readout, Verdict
from labcoat.usecases.hypotheses.requests import Candidates
from labcoat.words import numbers

NAMES_SHOWN = 12


def ask_form(
    dossier: Dossier,
    *,
    candidates: Candidates,
    readout: Readout | None,
    earlier: Request | None,
    zone: str,
    metadata: str,
    is_instead: bool = False,
) -> Block:
    """Return the form that asks a lead, for which of several treatments too.

    readout: of the newest look. earlier: the request before, whose words are kept. is_instead: that one still waits,
    and is withdrawn for this one.
    """
    verdict = verdict_of(readout, earlier.treatment if earlier else None).verdict if readout is not None else None
    treatments = _treatments(dossier, readout, earlier)
    proposed = PROPOSED_OUTCOME.get(verdict) if verdict is not None else None
    conclusion = earlier.conclusion if earlier else proposed or (Outcome.SUPPORTED if verdict is None else None)
    blocks: list[Block] = [section(sentence(dossier.hypothesis))]
    if earlier is not None and is_instead:
        blocks.append(context(f"It waits for {mention(earlier.asked_of)} now, who reads that you asked someone else."))
    elif earlier is not None and earlier.answer:
        blocks.append(context(outcome_line(earlier, zone)))
    blocks += [
        *treatments,
        radio_input(
            "conclusion",
            "What does the evidence say?",
            [option(outcome, outcome.value.capitalize()) for outcome in Outcome if outcome is not Outcome.ABANDONED],
            initial=conclusion,
            hint="" if verdict is None else _OF_YOURS if treatments else f"The verdict is “{verdict}”.",
        ),
        text_input(
            "learning",
            "What did you learn?",
            initial=earlier.learning if earlier else "",
            example="Fresh offers first raise orders, most of all for people who come back daily",
            is_long=True,
        ),
        text_input(
            "amount",
            "What do you ask for, in person-days?",
            initial=f"{earlier.amount_days:g}" if earlier else "",
            example="30",
        ),
    ]
    if dossier.hypothesis.stage is Stage.PROTOTYPE:
        why = earlier.no_experiment_reason if earlier else None
        note = earlier.no_experiment_note if earlier else ""
        reasons = [option(reason) for reason in NoExperimentReason]
        blocks += [
            select_input("no_experiment", "Why no experiment?", reasons, initial=why),
            text_input(
                "no_experiment_note", "In a sentence", hint="Needed for “other”.", initial=note, is_optional=True
            ),
        ]
    default = None if is_instead and earlier and candidates.default == earlier.asked_of else candidates.default
    if is_instead and earlier and default is None:
        default = next((lead for lead in candidates.leads if lead != earlier.asked_of), None)
    label = "Who should decide?" if candidates.leads else "Who should confirm?"
    hint = _LEAD_HINT if candidates.leads else _MEMBER_HINT
    blocks.append(person_input("lead", label, initial=default, hint=hint))
    blocks += [context(" ".join(_who_can(candidates, zone)))] if _who_can(candidates, zone) else []
    return form("ask", title="Ask for approval", submit="Ask", metadata=metadata, blocks=blocks)


def _treatments(dossier: Dossier, readout: Readout | None, earlier: Request | None) -> list[Block]:
    """Return the question which of several treatments shall be built, wins first; nothing where there is no choice."""
    experiment = dossier.newest_experiment
    if experiment is None or dossier.hypothesis.stage is not Stage.EXPERIMENT or len(experiment.plan.variants) < 3:
        return []
    read = [one.treatment for one in readout.by_treatment] if readout is not None else []
    names = dict.fromkeys([*read, *experiment.plan.variant_names[1:]])
    options = [option(name, _with_verdict(readout, name)) for name in names]
    named = earlier.treatment if earlier is not None else None
    initial = named or next(iter(read), None)
    return [select_input("treatment", "Which treatment?", options, initial=initial, hint="One that won comes first.")]


def _with_verdict(readout: Readout | None, treatment: str) -> str:
    one = readout.find(treatment) if readout is not None else None
    if one is None:
        return treatment
    said = f": {one.verdict}{', dropped' if one.is_dropped else ''}"
    return f"{cut(treatment, OPTION_LENGTH - len(said))}{said}"


_OF_YOURS = "Of the treatment that you picked."
_LEAD_HINT = "A lead who never owned this hypothesis. Proposed: the one asked least recently."
_MEMBER_HINT = "No lead is free to decide, so another member confirms, and the card says so."


def _who_can(candidates: Candidates, zone: str) -> list[str]:
    said = []
    if candidates.leads:
        said.append(f"Free to decide: {', '.join(mention(lead) for lead in candidates.leads[:NAMES_SHOWN])}.")
    away = [
        f"{mention(one.user)} until {numbers.day(one.away_until, zone)}"
        for one in candidates.away[:NAMES_SHOWN]
        if one.away_until is not None
    ]
    if away:
        said.append(f":palm_tree: Away: {', '.join(away)}.")
    if candidates.may_release_alone:
        said.append("You are the only lead here, so you may also pick yourself; the card will say so.")
    return said


def decision_form(
    verb: str,
    dossier: Dossier,
    request: Request,
    *,
    verdict: Verdict | None,
    metadata: str,
    is_alone: bool = False,
    changed: Sequence[str] = (),
    typed: str = "",
) -> Block:
    """Return the form behind Approve, Send back and Decline: each asks for the reason.

    verdict: of the treatment asked for, at the newest look. is_alone: the only lead answers their own request.
    changed: what has changed since the form was opened first, as mrkdwn; typed: the reason that was typed before.
    """
    title, label, hint = _DECISIONS[verb]
    because = why_reason_needed(verdict, request.conclusion)
    if verb == "approve" and is_against(verdict, request.conclusion):
        hint = f"The verdict is “{verdict}”, the conclusion “{request.conclusion}”: say why you build it."
    elif verb == "approve" and because is not None:
        hint = f"{because[0].upper()}{because[1:]}: say why you build it all the same."
    elif verb == "approve" and is_alone:
        hint = "You own it and are the only lead here: say why nobody else needs to look."
    needs_reason = verb != "approve" or because is not None or is_alone
    treatment = dossier.asked_treatment(request)
    what = f" {escape(treatment)}" if treatment else ""
    lead = f"*H-{dossier.hypothesis.number}* {escape(dossier.hypothesis.change)}"
    blocks = [section(_changed(changed))] if changed else []
    blocks += [
        section(f"{lead}\n{numbers.person_days(request.amount_days)} to productionize{what}"),
        text_input("reason", label, hint=hint, initial=typed, is_long=True, is_optional=not needs_reason),
    ]
    return form(verb, title=title, submit=title, metadata=metadata, blocks=blocks)


def _changed(lines: Sequence[str]) -> str:
    said = "\n".join(f"• {line}" for line in lines)
    return f":eyes: *This changed while you were reading:*\n{said}\nIf you still mean it, press once more."


_DECISIONS = {
    "approve": ("Approve", "A word to the team", "Shown with your approval."),
    "send_back": ("Send back", "What is missing?", "The owner can add it and ask again."),
    "decline": ("Decline", "Why not?", "The team should learn from it."),
}


def withdraw_form(dossier: Dossier, request: Request, *, metadata: str) -> Block:
    """Return the form that takes a request back."""
    number = dossier.hypothesis.number
    lead = (
        f"*H-{number}*: {mention(request.asked_of)} reads that you took the request back. You can ask again any time."
    )
    return form(
        "withdraw",
        title="Withdraw",
        submit="Withdraw",
        metadata=metadata,
        blocks=[
            section(lead),
            text_input("reason", "Why?", example="One more week of data first", is_long=True, is_optional=True),
        ],
    )
