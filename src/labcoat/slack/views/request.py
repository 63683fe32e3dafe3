"""The request as the lead reads it, and the answer as the owner reads it."""

from collections.abc import Sequence
from enum import StrEnum

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.request import NoExperimentReason, Request, is_against
from labcoat.domain.steps.hypothesis import PROPOSED_OUTCOME
from labcoat.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    fields,
    form,
    header,
    option,
    person_input,
    radio_input,
    section,
    select_input,
    text_input,
)
from labcoat.slack.views.card import sentence, verdict_line
from labcoat.slack.views.people import mention
from labcoat.stats.results import Readout, Verdict
from labcoat.usecases.requests import Candidates
from labcoat.words import numbers, verdicts

CHANGE_LENGTH = 120
EVIDENCE_SHOWN = 3


class Reader(StrEnum):
    """Who reads a request, which decides about its buttons."""

    DECIDER = "decider"
    OWNER = "owner"
    OTHER = "other"


def request_message(
    dossier: Dossier, request: Request, *, readout: Readout | None, zone: str, reader: Reader = Reader.DECIDER
) -> Message:
    """Return the request with its buttons, or with what became of it: all that a decision needs, in one message."""
    hypothesis = dossier.hypothesis
    amount = numbers.person_days(request.amount_days)
    learning = "\n".join(f">{line}" for line in escape(request.learning).splitlines())
    blocks: list[Block] = [
        header(f"H-{hypothesis.number}: {amount} to productionize?"),
        section(sentence(hypothesis)),
        section(f":bulb: *Learned*, says {mention(request.asked_by)}\n{learning}"),
    ]
    result = _result(dossier, request, readout, zone)
    blocks += [section(result)] if result else []
    blocks.append(fields(_facts(dossier, request)))
    evidence = _evidence(dossier)
    blocks += [section(evidence)] if evidence else []
    notes = request_notes(dossier, request)
    blocks += (
        [section("*Worth knowing*\n" + "\n".join(f":small_orange_diamond: {one}" for one in notes))] if notes else []
    )
    blocks += _ending(request, hypothesis.number, zone, reader)
    text = f"H-{hypothesis.number}: {mention(request.asked_by)} asks for {amount} to productionize"
    return Message(text=text, blocks=tuple(blocks))


def _result(dossier: Dossier, request: Request, readout: Readout | None, zone: str) -> str:
    experiment = dossier.newest_experiment
    if readout is None or experiment is None:
        return ""
    lines = [verdict_line(readout, experiment)]
    if experiment.since is not None and experiment.ended_at is not None:
        units = sum(readout.sample_ratio.exposed)
        since, ended = numbers.day(experiment.since, zone), numbers.day(experiment.ended_at, zone)
        lines.append(
            f"E-{experiment.number}, {since} to {ended}, {numbers.count(units)} {escape(experiment.plan.unit)}s"
        )
    if request.verdict is not None and request.verdict is not readout.verdict:
        was = verdicts.WORDS[request.verdict].name
        lines.append(f":warning: *This has changed since it was asked:* then it was “{was}”.")
    return "\n".join(lines)


def _facts(dossier: Dossier, request: Request) -> list[str]:
    spent = sum(prototype.spent_days for prototype in dossier.prototypes)
    guesses = [one.build_guess_days for one in dossier.prototypes if one.build_guess_days is not None]
    guess = f" (guessed at first: {numbers.plain(guesses[-1])})" if guesses else ""
    return [
        f"*Conclusion*\n{request.conclusion.value.capitalize()}",
        f"*Asked for*\n{numbers.person_days(request.amount_days)}{guess}",
        f"*Spent so far*\n{numbers.person_days(spent)}",
        f"*Tried with*\n{_tried_with(dossier)}",
    ]


def _tried_with(dossier: Dossier) -> str:
    tried = [
        numbers.counted(len(dossier.prototypes), "prototype") if dossier.prototypes else "",
        numbers.counted(len(dossier.experiments), "experiment") if dossier.experiments else "",
    ]
    return ", ".join(one for one in tried if one) or "nothing yet"


def _evidence(dossier: Dossier) -> str:
    newest = dossier.evidence[-EVIDENCE_SHOWN:][::-1]
    if not newest:
        return ""
    lines = [
        f"• {one.kind}, n {numbers.count(one.count)}: {escape(numbers.shortened(one.summary, 200))}" for one in newest
    ]
    left = len(dossier.evidence) - len(newest)
    more = f"\n_and {left} more in the card's thread_" if left else ""
    return "*Evidence*\n" + "\n".join(lines) + more


def request_notes(dossier: Dossier, request: Request) -> list[str]:
    """Return what was skipped, overridden or is unusual about a request, in mrkdwn, each with its reason."""
    notes = []
    if request.no_experiment_reason is not None:
        note = f": {escape(request.no_experiment_note)}" if request.no_experiment_note else ""
        notes.append(f"No experiment: {request.no_experiment_reason}{note}")
    for experiment in dossier.experiments:
        if experiment.state is ExperimentState.CANCELLED:
            continue
        if experiment.skip_reason:
            notes.append(f"E-{experiment.number} without a prototype: {escape(experiment.skip_reason)}")
        if experiment.no_feedback_reason:
            notes.append(f"No user feedback before E-{experiment.number}: {escape(experiment.no_feedback_reason)}")
        if experiment.stop_reason:
            notes.append(f"E-{experiment.number} was stopped early: {escape(experiment.stop_reason)}")
        if experiment.is_registered_late:
            notes.append(f"E-{experiment.number} was registered late")
    if dossier.prototypes and dossier.prototypes[-1].is_over_cap:
        notes.append("The prototype went over its cap")
    if is_against(request.verdict, request.conclusion):
        notes.append(f"Asked against the verdict “{request.verdict}”")
    if request.is_member_confirmation:
        notes.append("No lead is free to decide, so a member confirms")
    if request.is_self_release:
        notes.append(f"{mention(request.asked_of)} owns it and is the only lead here, so no second person decides")
    return notes


def _ending(request: Request, number: int, zone: str, reader: Reader) -> list[Block]:
    if request.state is not RequestState.WAITING:
        return [context(outcome_line(request, zone))]
    value = f"H-{number} {request.position}"
    asked = f"Asked on {numbers.day(request.asked_at, zone)}, expires on {numbers.day(request.expires_at, zone)}."
    waits = f"Waits for {mention(request.asked_of)}; every lead who has no part in it may answer."
    if request.is_self_release:
        waits = f"Waits for {mention(request.asked_of)}."
    buttons = {
        Reader.DECIDER: [
            button("Approve", verb="approve", value=value, style="primary"),
            button("Send back", verb="send_back", value=value),
            button("Decline", verb="decline", value=value, style="danger"),
        ],
        Reader.OWNER: [
            button("Ask someone else", verb="ask_other", value=value),
            button("Withdraw", verb="withdraw", value=value),
        ],
        Reader.OTHER: [],
    }[reader]
    return [*([actions(buttons)] if buttons else []), context(f"{asked} {waits}")]


def stuck_message(dossier: Dossier, request: Request) -> Message:
    """Return what the owner reads when nobody who may answer is there any more."""
    number = dossier.hypothesis.number
    lead = (
        f":hourglass_flowing_sand: *H-{number}* waits for {mention(request.asked_of)}, who can't answer now, and no "
        "other lead is free to. Ask someone else: what you wrote is kept."
    )
    value = f"H-{number} {request.position}"
    buttons = [
        button("Ask someone else", verb="ask_other", value=value, style="primary"),
        button("Withdraw", verb="withdraw", value=value),
    ]
    text = f"H-{number}: nobody is there to answer your request"
    return Message(text=text, blocks=(section(lead), actions(buttons)))


def outcome_line(request: Request, zone: str) -> str:
    """Return what became of a request, in mrkdwn."""
    by = f" by {mention(request.decided_by)}" if request.decided_by else ""
    if request.state is RequestState.APPROVED and request.is_self_release and request.decided_by == request.asked_of:
        by = f" by its owner {mention(request.decided_by)}, the only lead here,"
    if (
        request.state is RequestState.APPROVED
        and request.is_member_confirmation
        and request.decided_by == request.asked_of
    ):
        by = f", confirmed by a member ({mention(request.decided_by)}),"
    at = f" on {numbers.day_and_time(request.decided_at, zone)}" if request.decided_at else ""
    why = f": {escape(request.answer)}" if request.answer else ""
    return f"*{request.state.value.capitalize()}*{by}{at}{why}"


def answer_message(dossier: Dossier, request: Request, *, zone: str) -> Message:
    """Return what became of a request, for whoever asked, with the next step."""
    if request.state is RequestState.WAITING:
        return stuck_message(dossier, request)
    hypothesis = dossier.hypothesis
    change = escape(numbers.shortened(hypothesis.change, CHANGE_LENGTH))
    value = f"H-{hypothesis.number}"
    verb, label, what_now = _NEXT[request.state]
    lead = f"*H-{hypothesis.number}* {change}\n{outcome_line(request, zone)}\n{what_now}"
    blocks = (section(lead), actions([button(label, verb=verb, value=value, style="primary")]))
    return Message(text=f"H-{hypothesis.number}: your request was {request.state}", blocks=blocks)


_NEXT = {
    RequestState.APPROVED: ("ship", "Ship", "Go all in. When it is live, ship it here."),
    RequestState.SENT_BACK: ("ask", "Ask again", "Add what is missing, then ask again."),
    RequestState.DECLINED: (
        "close",
        "Close with what was learned",
        "A no is a result too: close it with what you learned.",
    ),
    RequestState.EXPIRED: ("ask", "Ask again", "Nobody answered in time. Ask again, perhaps someone else."),
    RequestState.WITHDRAWN: ("ask", "Ask again", "What it was about has changed. Ask again when you are ready."),
}


def ask_form(
    dossier: Dossier,
    *,
    candidates: Candidates,
    verdict: Verdict | None,
    earlier: Request | None,
    zone: str,
    metadata: str,
    is_instead: bool = False,
) -> Block:
    """Return the form that asks a lead.

    earlier: the request before, whose words are kept. is_instead: that one still waits, and is withdrawn for this one.
    """
    proposed = PROPOSED_OUTCOME.get(verdict) if verdict is not None else None
    conclusion = earlier.conclusion if earlier else proposed or (Outcome.SUPPORTED if verdict is None else None)
    blocks: list[Block] = [section(sentence(dossier.hypothesis))]
    if earlier is not None and is_instead:
        blocks.append(context(f"It waits for {mention(earlier.asked_of)} now, who reads that you asked someone else."))
    elif earlier is not None and earlier.answer:
        blocks.append(context(outcome_line(earlier, zone)))
    blocks += [
        radio_input(
            "conclusion",
            "What does the evidence say?",
            [option(outcome, outcome.value.capitalize()) for outcome in Outcome if outcome is not Outcome.ABANDONED],
            initial=conclusion,
            hint=f"The verdict is “{verdict}”." if verdict else "",
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


NAMES_SHOWN = 12


def decision_form(
    verb: str,
    dossier: Dossier,
    request: Request,
    *,
    verdict: Verdict | None,
    metadata: str,
    changed: Sequence[str] = (),
    typed: str = "",
) -> Block:
    """Return the form behind Approve, Send back and Decline: each asks for the reason.

    verdict: of the newest look. changed: what has changed since the form was opened first, as mrkdwn; typed: the reason
    that was typed before.
    """
    title, label, hint = _DECISIONS[verb]
    against = is_against(verdict, request.conclusion)
    if verb == "approve" and against:
        hint = f"The verdict is “{verdict}”, the conclusion “{request.conclusion}”: say why you build it."
    elif verb == "approve" and request.is_self_release:
        hint = "You own it and are the only lead here: say why nobody else needs to look."
    needs_reason = verb != "approve" or against or request.is_self_release
    lead = f"*H-{dossier.hypothesis.number}* {escape(dossier.hypothesis.change)}"
    blocks = [section(_changed(changed))] if changed else []
    blocks += [
        section(f"{lead}\n{numbers.person_days(request.amount_days)} to productionize"),
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
