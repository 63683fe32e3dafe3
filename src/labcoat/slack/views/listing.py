"""Lists of hypotheses, the menu and help: private answers."""

from collections.abc import Sequence

from labcoat.domain.hypothesis import Hypothesis
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, section
from labcoat.slack.views.people import mention
from labcoat.words import help as texts
from labcoat.words import numbers

SHOWN = 20


def hypothesis_list(found: Sequence[Hypothesis], *, title: str, words: str = "", offset: int = 0) -> Message:
    """Return a page of a list, one line each, newest first.

    found: one more than fits if there are more. words: what was asked for. offset: how many came before this page.
    """
    title = escape(title)
    if not found:
        text = f"{title}: none. File one with `/hypothesis what we change, for whom`."
        return Message(text=text, blocks=(section(text),))
    lines = [f"*{title}*", *(_line(one) for one in found[:SHOWN])]
    blocks = [section("\n".join(lines[part : part + 10])) for part in range(0, len(lines), 10)]
    turns = [_turn(f"Newer {SHOWN}", words, offset - SHOWN)] if offset else []
    turns += [_turn(f"Next {SHOWN}", words, offset + SHOWN)] if len(found) > SHOWN else []
    blocks += [actions(turns)] if turns else []
    blocks.append(context(f"One with its buttons: `/hypothesis show H-{found[0].number}`"))
    last = offset + min(len(found), SHOWN)
    place = f" {offset + 1} to {last}" if turns else f" {len(found)}"
    return Message(text=f"{title}:{place}", blocks=tuple(blocks))


def _turn(label: str, words: str, offset: int) -> Block:
    return button(label, verb="list", value=f"{words} from {max(0, offset)}".strip(), key=label.split()[0].lower())


def _line(one: Hypothesis) -> str:
    where = f"{one.ending.outcome}, {one.ending.decision}" if one.ending else one.stage.value
    change = escape(numbers.shortened(one.change, 90))
    return f"• *H-{one.number}* {change} ({where}; {mention(one.owner)})"


def menu(mine: Sequence[Hypothesis]) -> Message:
    """Return the answer to a bare `/experiment`: what is the person's, with the likeliest buttons."""
    if not mine:
        text = "Nothing of yours is open. File a hypothesis with `/hypothesis what we change, for whom`."
        return Message(text=text, blocks=(section(text), context("`/hypothesis help` shows the six words you need.")))
    lines = "\n".join(_line(one) for one in mine[:10])
    buttons = [button(f"H-{one.number}", verb="show", value=f"H-{one.number}", key=str(one.number)) for one in mine[:5]]
    blocks = (section(f"*Yours, open*\n{lines}"), actions(buttons))
    return Message(text=f"Yours, open: {len(mine)}", blocks=blocks)


def help_message(*, is_all: bool) -> Message:
    """Return the six words, or everything."""
    text = texts.ALL if is_all else texts.SHORT
    return Message(text=text, blocks=(section(text),))


def which_of_two(verb: str, number: int, *, rest: str) -> Message:
    """Ask which of H-7 and E-7 a bare 7 means. rest: what was typed after it, which the buttons keep."""
    text = f"Do you mean H-{number} or E-{number}?"
    buttons = [
        button(f"{kind}-{number}", verb=verb, value=f"{kind}-{number} {rest}".strip(), key=kind) for kind in ("H", "E")
    ]
    return Message(text=text, blocks=(section(text), actions(buttons)))


def did_you_mean(root: str, suggestion: str) -> Message:
    """Offer the nearest command."""
    verb, _, subject = suggestion.partition(" ")
    text = f"Did you mean `{root} {suggestion}`?"
    blocks = (section(text), actions([button(suggestion, verb=verb, value=subject)]))
    return Message(text=text, blocks=blocks)
