"""The request as the lead reads it, and the answer as the owner reads it."""

from datetime import datetime
from enum import StrEnum

from labcoat.domain.dossier import Dossier
from labcoat.domain.lifecycle import RequestState
from labcoat.domain.plan import Plan
from labcoat.domain.request import Request, is_against
from labcoat.domain.verdicts import verdict_of
from labcoat.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    escape,
    fields,
    header,
    quote,
    section,
)
from labcoat.slack.views import effects
from labcoat.slack.views.card import sentence, skipped
from labcoat.slack.views.people import mention
from labcoat.stats.results import Estimate, Readout, TreatmentVerdict
from labcoat.stats.rule import Role
from labcoat.words import corrections, numbers, run_stories, verdicts
from labcoat.words import effects as words
from labcoat.words.verdict_words import WORDS

CHANGE_LENGTH = 120
EVIDENCE_SHOWN = 3
GUARDRAILS_SHOWN = 5


class Reader(StrEnum):
    """Who reads a request, which decides about its buttons."""

    DECIDER = "decider"
    OWNER = "owner"
    OTHER = "other"


def request_message(
    dossier: Dossier,
    request: Request,
    *,
    readout: Readout | None,
    corrected_at: datetime | None = None,
    zone: str,
    reader: Reader = Reader.DECIDER,
) -> Message:
    """Return the request with its buttons, or with what became of it: all that a decision needs, in one message.

    corrected_at: when totals were corrected last; a request that waits on says so if that was since it was asked.
    """
    hypothesis = dossier.hypothesis
    amount, treatment = numbers.person_days(request.amount_days), dossier.asked_treatment(request)
    what = f" {treatment}" if treatment else ""
    blocks: list[Block] = [
        header(f"H-{hypothesis.number}: {amount} to productionize{what}?"),
        section(sentence(hypothesis)),
        section(f":bulb: *Learned*, says {mention(request.asked_by)}\n{quote(request.learning)}"),
    ]
    result = _result(dossier, request, readout, zone)
    if request.state is RequestState.WAITING and corrected_at is not None and corrected_at > request.asked_at:
        result = "\n".join(one for one in (result, f":pencil2: {corrections.STILL_THE_SAME}") if one)
    blocks += [section(result)] if result else []
    blocks.append(fields(_facts(dossier, request)))
    evidence = _evidence(dossier)
    blocks += [section(evidence)] if evidence else []
    notes = request_notes(dossier, request)
    worth_knowing = "\n".join([":warning: *Worth knowing*", *(f"• {one}" for one in notes)])
    blocks += [section(worth_knowing)] if notes else []
    blocks += _ending(request, hypothesis.number, zone, reader)
    text = f"H-{hypothesis.number}: {mention(request.asked_by)} asks for {amount} to productionize{escape(what)}"
    return Message(text=text, blocks=tuple(blocks))


def _result(dossier: Dossier, request: Request, readout: Readout | None, zone: str) -> str:
    experiment = dossier.newest_experiment
    if readout is None or experiment is None:
        return ""
    plan, one = experiment.plan, verdict_of(readout, request.treatment)
    day = f", {verdicts.day(readout, plan)}"
    lines = [effects.headline(readout, plan, one, after=day), *_guardrails(readout, one, plan)]
    arms = effects.arms(readout, plan, beside=one).strip()
    lines += [f"_Other arms_\n{arms}"] if arms else []
    if experiment.since is not None and experiment.ended_at is not None:
        units = sum(readout.sample_ratio.exposed)
        since, ended = numbers.day(experiment.since, zone), numbers.day(experiment.ended_at, zone)
        lines.append(
            f"E-{experiment.number}, {since} to {ended}, {numbers.count(units)} {escape(experiment.plan.unit)}s"
        )
    if request.verdict is not None and request.verdict is not one.verdict:
        was = WORDS[request.verdict].name
        lines.append(f":warning: *This has changed since it was asked:* then it was “{was}”.")
    return "\n".join(lines)


def _guardrails(readout: Readout, one: TreatmentVerdict, plan: Plan) -> list[str]:
    """Return each guardrail as harmed, open or safe for the treatment, the worst first."""
    if not one.verdict.is_valid:
        return []
    mine = [each for each in readout.as_decided.estimates if each.role is Role.GUARDRAIL and _is_of(each, one)]
    states = {each.metric: words.guardrail_state(readout, each, plan) for each in mine}
    order = list(words.GuardrailState)
    said = []
    for each in sorted(mine, key=lambda each: order.index(states[each.metric])):
        effect = words.guardrail_effect(readout, each, plan)
        said.append(f"{each.metric}: {states[each.metric]}{f', {effect}' if effect else ''}")
    more = [f"and {numbers.counted(len(said) - GUARDRAILS_SHOWN, 'guardrail')} more"]
    shown = said if len(said) <= GUARDRAILS_SHOWN else said[:GUARDRAILS_SHOWN] + more
    return [f"• {escape(line)}" for line in shown]


def _is_of(estimate: Estimate, one: TreatmentVerdict) -> bool:
    return one.treatment in ("", estimate.treatment)


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
        notes += skipped(experiment)
        notes += [escape(note) for note in run_stories.notes(dossier.while_it_ran(experiment))]
        if experiment.stop_reason:
            early = " early" if experiment.is_stopped_early else ""
            notes.append(f"E-{experiment.number} was stopped{early}: {escape(experiment.stop_reason)}")
        if experiment.is_registered_late:
            notes.append(f"E-{experiment.number} was registered late")
    if dossier.prototypes and dossier.prototypes[-1].is_over_cap:
        notes.append("The prototype went over its cap")
    if is_against(request.verdict, request.conclusion):
        notes.append(f"Asked against the verdict “{request.verdict}”")
    if request.is_member_confirmation:
        notes.append("No lead is free to decide, so a member confirms")
    if request.is_self_release:
        notes.append(
            f"{mention(request.asked_of)} owns it and was the only lead here when it was asked: no second person"
        )
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
    RequestState.WITHDRAWN: (
        "ask",
        "Ask again",
        "What it was about has changed. Ask again when you are ready; what you wrote is kept.",
    ),
}
