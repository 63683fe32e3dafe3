"""Lists of hypotheses, the menu and help: private answers."""

from collections.abc import Iterable, Sequence

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Hypothesis
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, section
from labcoat.slack.commands import BY_VERB, COMMANDS, SIX_ORDER, Group
from labcoat.slack.views.people import mention
from labcoat.usecases.people.home import Home
from labcoat.words import home as words
from labcoat.words import numbers

SHOWN, MENU_SHOWN = 20, 5
_IDS = (
    "Ids work in any case, with or without the dash. Everything is a button too: on the card, in its “…” menu, in Home."
)
CHOICE = "choice"
"""The key of buttons in a private question: once one is pressed, the question is replaced by what came of it."""


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


def menu(shown: Home, *, zone: str) -> Message:
    """Return the answer to a bare `/experiment`: what waits, what is the person's, what runs."""
    blocks: list[Block] = []
    if shown.waiting:
        waiting = [
            f"• *H-{item.hypothesis}* {escape(numbers.shortened(item.change, 70))}: {words.reason(item, zone=zone)}"
            for item in shown.waiting[:MENU_SHOWN]
        ]
        blocks.append(section("*Waiting for you*\n" + "\n".join(waiting)))
    if shown.mine:
        blocks.append(section("*Yours, open*\n" + "\n".join(_line(one) for one in shown.mine[:MENU_SHOWN])))
    if shown.running:
        running = "\n".join(f"• {escape(words.running_line(item))}" for item in shown.running[:MENU_SHOWN])
        blocks.append(section(f"*Running*\n{running}"))
    if not blocks:
        blocks.append(section("Nothing of yours is open, and nothing runs. What do you believe that could be wrong?"))
    own = [*(item.hypothesis for item in shown.waiting), *(one.number for one in shown.mine)]
    ids = list(dict.fromkeys(own))[:4]
    blocks.append(
        actions(
            [
                *(button(f"H-{number}", verb="show", value=f"H-{number}", key=str(number)) for number in ids),
                button("New hypothesis", verb="file", value="", style="primary"),
                button("All of mine", verb="list", value="mine"),
                button("Settings", verb="settings", value=""),
            ]
        )
    )
    waits = numbers.counted(len(shown.waiting), "thing waits", "things wait")
    return Message(text=f"{waits} for you; yours, open: {len(shown.mine)}", blocks=tuple(blocks))


def help_message(*, is_all: bool) -> Message:
    """Return the six words, or everything."""
    if is_all:
        text = "\n".join(f"*{group}*\n{_help_lines(_typed(group))}" for group in Group)
        return Message(text=text, blocks=(section(text), context(_IDS)))
    six = [one.six for verb in SIX_ORDER if (one := BY_VERB[verb]).six is not None]
    text = f"*Labcoat* helps you learn before you build.\n{_help_lines(six)}"
    everything = button("Everything else", verb="help", value="all")
    return Message(text=text, blocks=(section(text), actions([everything])))


def _typed(group: Group) -> list[tuple[str, str]]:
    return [(one.typed, one.does) for one in COMMANDS if one.group is group]


def _help_lines(lines: Iterable[tuple[str, str] | None]) -> str:
    return "\n".join(f"• `{line[0]}` {line[1]}" for line in lines if line is not None)


def noted_message(dossier: Dossier) -> Message:
    """Return the answer to whoever wrote a note."""
    number = dossier.hypothesis.number
    text = f"Noted in the thread of H-{number}, and in its history."
    return Message(text=text, blocks=(section(text), actions([button("Show", verb="show", value=f"H-{number}")])))


def which_of_two(verb: str, number: int, *, rest: str) -> Message:
    """Ask which of H-7 and E-7 a bare 7 means. rest: what was typed after it, which the buttons keep."""
    text = f"Do you mean H-{number} or E-{number}?"
    buttons = [
        button(f"{kind}-{number}", verb=verb, value=f"{kind}-{number} {rest}".strip(), key=f"{CHOICE}-{kind}")
        for kind in ("H", "E")
    ]
    return Message(text=text, blocks=(section(text), actions(buttons)))


def did_you_mean(root: str, suggestion: str) -> Message:
    """Offer the nearest command."""
    verb, _, subject = suggestion.partition(" ")
    text = f"Did you mean `{root} {suggestion}`?"
    blocks = (section(text), actions([button(suggestion, verb=verb, value=subject, key=CHOICE)]))
    return Message(text=text, blocks=blocks)
