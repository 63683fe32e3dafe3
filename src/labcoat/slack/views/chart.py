"""One result in the digest's thread: what was found, with its chart."""

from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.verdicts import may_show_effects
from labcoat.slack.blocks import ALT_LENGTH, Block, Message, actions, button, context, cut, escape, section
from labcoat.slack.views import effects
from labcoat.slack.views.card import next_buttons
from labcoat.stats.results import Readout
from labcoat.usecases.looks.counting import makes_invalid
from labcoat.words import findings, numbers, verdicts

NOT_DRAWN = "The chart could not be drawn this time; `/experiment result` has the same numbers."


def chart_message(
    dossier: Dossier, experiment: Experiment, readout: Readout, *, alt_text: str | None, file_id: str | None
) -> Message:
    """Return the reply. alt_text, file_id: None if the picture could not be had; then its words stand alone."""
    change = escape(numbers.shortened(dossier.hypothesis.change, 120))
    plan = experiment.plan
    lead = f"*E-{experiment.number}* {change}\n{effects.headline(readout, plan)}"
    reasons = escape(findings.reasons(readout))
    blocks: list[Block] = [section(f"{lead}\n{reasons}".strip())]
    arms = effects.arms(readout, plan)
    blocks += [section(arms.strip())] if arms else []
    if may_show_effects(readout):
        blocks.append(effects.effect_list(readout, plan))
    if alt_text is not None and file_id is not None:
        blocks.append({"type": "image", "slack_file": {"id": file_id}, "alt_text": cut(alt_text, ALT_LENGTH)})
    else:
        blocks.append(context(NOT_DRAWN))
    blocks.append(context(escape(verdicts.look_line(readout, plan))))
    is_split_uneven = makes_invalid(readout, None) and not experiment.is_void(readout)
    blocks.append(actions(next_buttons(dossier, is_split_uneven=is_split_uneven)))
    text = f"E-{experiment.number} · {escape(verdicts.headline(readout, plan))}"
    return Message(text=text, blocks=tuple(blocks))


def see_all(count: int) -> Message:
    """Return the last reply of a thread that would get too long."""
    text = f"The charts of the first are here; all {count}: `/hypothesis list stage experiment`"
    see = button(f"See all {count}", verb="list", value="stage experiment")
    return Message(text=text, blocks=(section(text), actions([see])))
