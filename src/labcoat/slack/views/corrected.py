"""What somebody reads in private whose decision rests on totals that were corrected."""

from collections.abc import Mapping
from typing import Any

from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ExperimentNumber
from labcoat.slack.blocks import Message, actions, button, escape, section
from labcoat.stats.results import Verdict
from labcoat.words import corrections, numbers

CHANGE_LENGTH = 120
_WHAT_NOW: Mapping[str, str] = {
    "approved": "If you would decide otherwise now, reopen it: it goes back to its experiment, and the approval "
    "stays in its history.",
    "shipped": "If you would decide otherwise now, a lead can reopen it.",
    "closed": "If you would decide otherwise now, reopen it.",
}


def corrected_message(dossier: Dossier, details: Mapping[str, Any], line: str) -> Message:
    """Return the message. line: who corrected what, in mrkdwn, as the thread reads it."""
    number = dossier.hypothesis.number
    decision, is_changed = str(details["decision"]), bool(details["is_changed"])
    was, now = (None if one is None else Verdict(str(one)) for one in details["verdict"])
    has_several = len(dossier.get_experiment(ExperimentNumber(int(details["experiment"]))).plan.variants) > 2
    treatment = f"{escape(str(details['treatment']))}: " if details["treatment"] and has_several else ""
    verdict = corrections.was_and_is(was, now, is_inside=bool(treatment))
    what_now = _WHAT_NOW[decision] if is_changed else "Nothing that you decided on has changed."
    lead = f"*The totals behind H-{number} were corrected after it was {decision}.* {treatment}{verdict}"
    change = escape(numbers.shortened(dossier.hypothesis.change, CHANGE_LENGTH))
    buttons = [button("Result", verb="result", value=f"E-{details['experiment']}")]
    if is_changed:
        buttons.insert(0, button("Reopen", verb="reopen", value=f"H-{number}"))
    blocks = (section(f":pencil2: {lead}\n> {change}\n{line}\n{what_now}"), actions(buttons))
    return Message(
        text=f"H-{number}: totals were corrected after it was {decision}. {treatment}{verdict}", blocks=blocks
    )
