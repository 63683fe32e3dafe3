"""A nudge as a message: one for all that waits for a person, each with the buttons that end it, or what ended it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labcoat.domain.ids import UserId
from labcoat.domain.nudge import Nudge, Role
from labcoat.domain.stall import URGENT, NudgeCase
from labcoat.slack.blocks import (
    Block,
    Message,
    actions,
    button,
    context,
    date_input,
    escape,
    form,
    overflow,
    section,
)
from labcoat.slack.views.people import mention
from labcoat.words import nudges

_Verbs = tuple[tuple[str, str], ...]
_RUNNING: _Verbs = (("result", "Result"), ("stop", "Stop"))
_KEEP = ("snooze", "Keep")
_VERBS: Mapping[NudgeCase, _Verbs] = {
    NudgeCase.SPLIT: _RUNNING,
    NudgeCase.HARM: _RUNNING,
    NudgeCase.REQUEST_WAITING: (("decide", "Decide"),),
    NudgeCase.OWNER_GONE: (("take", "Take it"), ("handover", "Hand over"), ("close", "Close")),
    NudgeCase.END_REACHED: (("stop", "Stop"), ("result", "Result")),
    NudgeCase.UNDECIDED: (("ask", "Ask for approval"), ("again", "Run again"), ("close", "Close")),
    NudgeCase.NO_NUMBERS: _RUNNING,
    NudgeCase.NO_DATA: _RUNNING,
    NudgeCase.TOTALS: (("record", "Send totals"), ("stop", "Stop")),
    NudgeCase.DRAFT: (("start", "Start"), ("cancel", "Cancel")),
    NudgeCase.OVER_CAP: (("cap", "Raise the cap"), ("plan", "Plan an experiment"), ("close", "Close")),
    NudgeCase.NO_USERS: (("evidence", "Add evidence"), ("close", "Close")),
    NudgeCase.IDLE: (("plan", "Plan an experiment"), ("evidence", "Add evidence"), ("close", "Close")),
    NudgeCase.QUIET: (("ship", "Ship"), ("close", "Close")),
    NudgeCase.UNTOUCHED: (_KEEP, ("handover", "Hand over"), ("close", "Close")),
}
_VERBS_OF_LEADS: Mapping[NudgeCase, _Verbs] = {
    NudgeCase.UNDECIDED: (("show", "Show"), ("handover", "Hand over"), ("close", "Close")),
    NudgeCase.QUIET: (("show", "Show"), ("handover", "Hand over"), ("close", "Close")),
}
_VERBS_OF_ADMINS: _Verbs = (("show", "Show"), ("settings", "Settings"))

_ABOUT_EXPERIMENT = frozenset({"result", "stop", "drop", "fixed", "again", "start", "cancel", "record"})
"""An old message's button must not act on the experiment that runs today."""

SHOWN = 15
DAY, THREE_DAYS, MONDAY, A_DATE, KEEP = "1d", "3d", "monday", "date", "keep"
"""How long a snooze lasts, as the menu and the button *Keep* say it."""
_SNOOZES = (
    (DAY, "Snooze: 1 day"),
    (THREE_DAYS, "Snooze: 3 days"),
    (MONDAY, "Snooze: until Monday"),
    (A_DATE, "Snooze: until …"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One nudge. detail: the figures it rests on, as text. ended: what took the place of its buttons, as mrkdwn.

    more: what whoever owns it can do beside what everybody can, verbs with labels.
    """

    nudge: Nudge
    detail: str = ""
    more: _Verbs = ()
    ended: str | None = None


def nudge_message(items: Sequence[Item], *, zone: str) -> Message:
    """Return one reminder for everything that waits."""
    open_items = [item.nudge for item in items if item.ended is None]
    title = nudges.title(open_items) if open_items else "Done, nothing of this waits any more"
    blocks: list[Block] = [section(f"*{title}*")]
    for item in items[:SHOWN]:
        blocks += _blocks(item, zone)
    if len(items) > SHOWN:
        blocks.append(context(f"and {len(items) - SHOWN} more: `/hypothesis list mine`"))
    first = nudges.line((open_items or [items[0].nudge])[0], zone=zone) if open_items else ""
    return Message(text=escape(f"{title}: {first}" if first else title), blocks=tuple(blocks))


def _blocks(item: Item, zone: str) -> list[Block]:
    nudge = item.nudge
    if item.ended is not None:
        return [section(f":white_check_mark: {_with_bold_id(nudges.label(nudge))}: {item.ended}")]
    sign = ":rotating_light: " if nudge.case in URGENT else ""
    lines = [sign + _with_bold_id(nudges.line(nudge, zone=zone))]
    lines += [f"_{escape(item.detail)}_"] if item.detail else []
    whose = nudges.whose(nudge, lambda person: mention(UserId(person)))
    lines += [whose] if whose else []
    return [section("\n".join(lines)), actions([*_buttons(item), *_snooze(nudge)])]


def _with_bold_id(line: str) -> str:
    name, _, rest = line.partition(" ")
    return f"*{name}* {escape(rest)}"


def _buttons(item: Item) -> list[Block]:
    nudge = item.nudge
    verbs = (*_VERBS[nudge.case], *item.more)
    if nudge.role is Role.LEAD:
        verbs = _VERBS_OF_LEADS.get(nudge.case, _VERBS[nudge.case])
    elif nudge.role is Role.ADMIN:
        verbs = (("take", "Take it"), *_VERBS_OF_ADMINS) if nudge.case is NudgeCase.OWNER_GONE else _VERBS_OF_ADMINS
    return [button(label, verb=verb, value=_value(nudge, verb), key=str(nudge.hypothesis)) for verb, label in verbs]


def _value(nudge: Nudge, verb: str) -> str:
    if verb == "settings":
        return ""
    if verb in _ABOUT_EXPERIMENT and nudge.experiment is not None:
        return f"E-{nudge.experiment}"
    return f"H-{nudge.hypothesis} {KEEP}" if verb == "snooze" else f"H-{nudge.hypothesis}"


def _snooze(nudge: Nudge) -> list[Block]:
    if nudge.case in URGENT:
        return []
    choices = [(f"snooze H-{nudge.hypothesis} {word}", label) for word, label in _SNOOZES]
    return [overflow(choices, key=str(nudge.hypothesis))]


def snooze_form(number: int, *, first_day: str, metadata: str) -> Block:
    """Return the form that asks until when. first_day: what it proposes, as 2026-11-23."""
    blocks = [
        date_input(
            "until",
            f"When should I come back to H-{number}?",
            initial=first_day,
            hint="Until that day you hear nothing of it, unless it moves or does harm. The digest leaves it out too.",
            is_optional=False,
        )
    ]
    return form("snooze", title="Snooze", submit="Snooze", metadata=metadata, blocks=blocks)


def snoozed_message(number: int, day: str) -> Message:
    """Return the answer to a snooze. day: when it ends, in words."""
    text = f"Fine. You hear of H-{number} again from {day} on, unless it moves before."
    return Message(text=text, blocks=(section(text),))
