"""What somebody reads in private whose decision rests on totals that were corrected."""

from collections.abc import Mapping

from labcoat.domain.dossier import Dossier
from labcoat.domain.totals_facts import Decided, DecisionQuestioned
from labcoat.slack.blocks import Message, actions, button, escape, section
from labcoat.words import corrections, numbers

CHANGE_LENGTH = 120
_WHAT_NOW: Mapping[Decided, str] = {
    Decided.APPROVED: "If you would decide otherwise now, reopen it: it goes back to its experiment, and the approval "
    "stays in its history.",
    Decided.SHIPPED: "If you would decide otherwise now, a lead can reopen it.",
    Decided.CLOSED: "If you would decide otherwise now, reopen it.",
}


def corrected_message(dossier: Dossier, fact: DecisionQuestioned, line: str) -> Message:
    """Return the message. line: who corrected what, in mrkdwn, as the thread reads it."""
    number = dossier.hypothesis.number
    experiment = fact.correction.experiment
    has_several = len(dossier.get_experiment(experiment).plan.variants) > 2
    treatment = f"{escape(fact.treatment)}: " if fact.treatment and has_several else ""
    verdict = corrections.was_and_is(fact.before, fact.after, is_inside=bool(treatment))
    what_now = _WHAT_NOW[fact.decision] if fact.is_changed else "Nothing that you decided on has changed."
    lead = f"*The totals behind H-{number} were corrected after it was {fact.decision}.* {treatment}{verdict}"
    change = escape(numbers.shortened(dossier.hypothesis.change, CHANGE_LENGTH))
    buttons = [button("Result", verb="result", value=f"E-{experiment}")]
    if fact.is_changed:
        buttons.insert(0, button("Reopen", verb="reopen", value=f"H-{number}"))
    blocks = (section(f":pencil2: {lead}\n> {change}\n{line}\n{what_now}"), actions(buttons))
    return Message(
        text=f"H-{number}: totals were corrected after it was {fact.decision}. {treatment}{verdict}", blocks=blocks
    )
