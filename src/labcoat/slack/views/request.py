"""The request as the lead reads it, and the answer as the owner reads it."""

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.lifecycle import RequestState, Stage
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
from labcoat.words import numbers

CHANGE_LENGTH = 120


def request_message(dossier: Dossier, request: Request, *, readout: Readout | None, zone: str) -> Message:
    """Return the request with its three buttons, or with what became of it."""
    hypothesis = dossier.hypothesis
    amount = numbers.person_days(request.amount_days)
    blocks: list[Block] = [
        header(f"H-{hypothesis.number}: {amount} to productionize?"),
        section(sentence(hypothesis)),
        section(f"*Learned*, says {mention(request.asked_by)}\n{escape(request.learning)}"),
        fields(_facts(dossier, request)),
    ]
    experiment = dossier.newest_experiment
    if readout is not None and experiment is not None:
        blocks.append(section(verdict_line(readout, experiment)))
    blocks += _ending(request, hypothesis.number, zone)
    text = f"H-{hypothesis.number}: {mention(request.asked_by)} asks for {amount} to productionize"
    return Message(text=text, blocks=tuple(blocks))


def _facts(dossier: Dossier, request: Request) -> list[str]:
    spent = sum(prototype.spent_days for prototype in dossier.prototypes)
    facts = [
        f"*Conclusion*\n{request.conclusion}",
        f"*Asked for*\n{numbers.person_days(request.amount_days)}",
        f"*Spent so far*\n{numbers.person_days(spent)}",
        f"*Evidence*\n{_evidence(dossier)}",
    ]
    if request.no_experiment_reason is not None:
        note = f": {escape(request.no_experiment_note)}" if request.no_experiment_note else ""
        facts.append(f"*No experiment*\n{request.no_experiment_reason}{note}")
    return facts


def _evidence(dossier: Dossier) -> str:
    pieces = numbers.counted(len(dossier.evidence), "piece")
    return f"{pieces}, {numbers.counted(len(dossier.experiments), 'experiment')}"


def _ending(request: Request, number: int, zone: str) -> list[Block]:
    if request.state is RequestState.WAITING:
        value = f"H-{number} {request.position}"
        return [
            actions(
                [
                    button("Approve", verb="approve", value=value, style="primary"),
                    button("Send back", verb="send_back", value=value),
                    button("Decline", verb="decline", value=value, style="danger"),
                ]
            ),
            context(f"Expires on {numbers.day(request.expires_at, zone)}. Whoever is eligible may answer."),
        ]
    return [context(outcome_line(request, zone))]


def outcome_line(request: Request, zone: str) -> str:
    """Return what became of a request, in mrkdwn."""
    by = f" by {mention(request.decided_by)}" if request.decided_by else ""
    at = f" on {numbers.day_and_time(request.decided_at, zone)}" if request.decided_at else ""
    why = f": {escape(request.answer)}" if request.answer else ""
    return f"*{request.state.value.capitalize()}*{by}{at}{why}"


def answer_message(dossier: Dossier, request: Request, *, zone: str) -> Message:
    """Return what became of a request, for whoever asked, with the next step."""
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
    dossier: Dossier, *, candidates: Candidates, verdict: Verdict | None, earlier: Request | None, metadata: str
) -> Block:
    """Return the form that asks a lead. earlier: the request that was answered before, whose words are kept."""
    proposed = PROPOSED_OUTCOME.get(verdict) if verdict is not None else None
    conclusion = earlier.conclusion if earlier else proposed or (Outcome.SUPPORTED if verdict is None else None)
    blocks: list[Block] = [
        section(sentence(dossier.hypothesis)),
        radio_input(
            "conclusion",
            "What does the evidence say?",
            [option(outcome) for outcome in Outcome if outcome is not Outcome.ABANDONED],
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
        blocks += [
            select_input("no_experiment", "Why no experiment?", [option(reason) for reason in NoExperimentReason]),
            text_input("no_experiment_note", "In a sentence", hint="Needed for “other”.", is_optional=True),
        ]
    if candidates.leads:
        blocks.append(person_input("lead", "Who should decide?", initial=candidates.default, hint=_LEAD_HINT))
    else:
        blocks.append(person_input("lead", "Who should confirm?", hint=_MEMBER_HINT))
    return form("ask", title="Ask for approval", submit="Ask", metadata=metadata, blocks=blocks)


_LEAD_HINT = "A lead who never owned this hypothesis. Proposed: the one asked least recently."
_MEMBER_HINT = "No lead is eligible here, so another member confirms, and the card says so."


def decision_form(verb: str, dossier: Dossier, request: Request, *, verdict: Verdict | None, metadata: str) -> Block:
    """Return the form behind Approve, Send back and Decline: each asks for the reason. verdict: of the newest look."""
    title, label, hint = _DECISIONS[verb]
    against = is_against(verdict, request.conclusion)
    if verb == "approve" and against:
        hint = f"The verdict is “{verdict}”, the conclusion “{request.conclusion}”: say why you build it."
    lead = f"*H-{dossier.hypothesis.number}* {escape(dossier.hypothesis.change)}"
    return form(
        verb,
        title=title,
        submit=title,
        metadata=metadata,
        blocks=[
            section(f"{lead}\n{numbers.person_days(request.amount_days)} to productionize"),
            text_input("reason", label, hint=hint, is_long=True, is_optional=verb == "approve" and not against),
        ],
    )


_DECISIONS = {
    "approve": ("Approve", "A word to the team", "Shown with your approval."),
    "send_back": ("Send back", "What is missing?", "The owner can add it and ask again."),
    "decline": ("Decline", "Why not?", "The team should learn from it."),
}
