"""A look's headline, its other treatments and its effects as mrkdwn, for every message that shows them."""

from collections.abc import Sequence

from labcoat.domain.plan import Plan
from labcoat.slack.blocks import SECTION_LENGTH, Block, escape, section
from labcoat.stats.results import Readout, TreatmentVerdict
from labcoat.words import effects, verdicts
from labcoat.words.verdict_words import WORDS

_ROOM_FOR_THE_REST = 30


def headline(readout: Readout, plan: Plan, one: TreatmentVerdict | None = None, *, after: str = "") -> str:
    """Return a verdict with the effect that decided. one: None for the one that comes first. after: what follows."""
    lead, effect = verdicts.parts(readout, plan, one)
    verdict = one.verdict if one is not None else readout.verdict
    return f":{WORDS[verdict].sign}: *{escape(lead)}*{escape(effect)}{after}"


def arms(readout: Readout, plan: Plan, *, beside: TreatmentVerdict | None = None) -> str:
    """Return the other treatments, a line each; empty for none."""
    return "".join(f"\n• {escape(line)}" for line in verdicts.arms(readout, plan, beside=beside))


def effect_list(readout: Readout, plan: Plan) -> Block:
    """Return all effects that may be read, as many lines as fit and how many do not."""
    return section(listed([escape(line) for line in effects.lines(readout, plan)]))


def listed(lines: Sequence[str], longest: int = SECTION_LENGTH) -> str:
    """Return lines as a list, as many as fit, then "and 6 more". lines: mrkdwn."""
    shown, length = [], 0
    for line in lines:
        length += len(line) + len("• \n")
        if length > longest - _ROOM_FOR_THE_REST:
            break
        shown.append(f"• {line}")
    left = len(lines) - len(shown)
    return "\n".join([*shown, f"• and {left} more"] if left else shown)
