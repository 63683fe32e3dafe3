"""App Home: waiting for you, yours by stage, the team."""

from itertools import groupby

from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.lifecycle import Stage
from labcoat.domain.notice import Undelivered
from labcoat.domain.waiting import Waiting, WaitingCase
from labcoat.slack.blocks import Block, actions, button, context, divider, escape, header, overflow, section
from labcoat.usecases.people.home import Home
from labcoat.words import home as words
from labcoat.words import numbers, undelivered

PAGE, MOST_WAITING = 10, 10
CHANGE_LENGTH = 110
WHY_LENGTH = 200

_NEXT = {
    WaitingCase.DECIDE: ("decide", "Decide"),
    WaitingCase.ANSWERED: ("show", "Show"),
    WaitingCase.END_REACHED: ("stop", "Stop"),
    WaitingCase.UNDECIDED: ("ask", "Ask a lead"),
    WaitingCase.DRAFT: ("start", "Start"),
    WaitingCase.OVER_CAP: ("cap", "Raise the cap"),
    WaitingCase.NO_USERS: ("evidence", "Add evidence"),
}
_MENU = (("show", "Show"), ("evidence", "Add evidence"), ("edit", "Edit the words"), ("close", "Close"))
_MENU_OF_NEW = (("show", "Show"), ("prototype", "Begin a prototype"), ("edit", "Edit the words"), ("close", "Close"))


def home_view(home: Home, *, page: int, zone: str) -> Block:
    """Return a person's Home. page: of their own hypotheses, from 0; one that is not there shows the last."""
    blocks: list[Block] = [_buttons()]
    blocks += _first_run() if home.is_first_run else [*_waiting(home, zone), *_mine(home, page), *_team(home)]
    blocks += _undelivered(home)
    return {"type": "home", "blocks": blocks}


def _buttons() -> Block:
    return actions(
        [
            button("New hypothesis", verb="file", value="", style="primary"),
            button("Search", verb="search", value=""),
            button("Size", verb="size", value=""),
            button("Needs", verb="need", value=""),
            button("Export", verb="export", value=""),
            button("Settings", verb="settings", value=""),
            button("Help", verb="help", value=""),
        ]
    )


def _first_run() -> list[Block]:
    return [
        header("Learn before you build"),
        section("\n".join(words.FIRST_RUN)),
        actions(
            [
                button("File the first", verb="file", value="", style="primary", key="first"),
                button("Bring past work", verb="import", value=""),
            ]
        ),
        context("What waits for you, what is yours and how the team does will be here."),
    ]


def _waiting(home: Home, zone: str) -> list[Block]:
    blocks = [header("Waiting for you")]
    blocks += [_waiting_item(item, zone) for item in home.waiting[:MOST_WAITING]]
    if not home.waiting:
        blocks.append(context(":white_check_mark: Nothing waits for you."))
    if len(home.waiting) > MOST_WAITING:
        blocks.append(context(f"and {len(home.waiting) - MOST_WAITING} more, below among yours"))
    return blocks


def _waiting_item(item: Waiting, zone: str) -> Block:
    verb, label = _NEXT[item.case]
    is_about_experiment = verb in ("stop", "start") and item.experiment is not None
    value = f"E-{item.experiment}" if is_about_experiment else f"H-{item.hypothesis}"
    style = "primary" if item.case is WaitingCase.DECIDE else None
    change = escape(numbers.shortened(item.change, CHANGE_LENGTH))
    text = f"*H-{item.hypothesis}* {change}\n{words.reason(item, zone=zone)}"
    return section(text, accessory=button(label, verb=verb, value=value, style=style, key=str(item.hypothesis)))


def _mine(home: Home, page: int) -> list[Block]:
    blocks: list[Block] = [divider(), header("Yours, by stage")]
    if not home.mine:
        return [*blocks, context("You own no open hypothesis. What do you believe that could be wrong?")]
    order = list(Stage)
    mine = sorted(home.mine, key=lambda one: (-order.index(one.stage), -one.number))
    pages = (len(mine) + PAGE - 1) // PAGE
    page = max(0, min(page, pages - 1))
    counts = {stage: sum(one.stage is stage for one in mine) for stage in order}
    for stage, shown in groupby(mine[page * PAGE : (page + 1) * PAGE], key=lambda one: one.stage):
        blocks.append(context(f"*{stage.value.capitalize()}* · {counts[stage]}"))
        blocks += [_mine_item(one) for one in shown]
    turns = [button("Newer", verb="home", value=str(page - 1), key="newer")] if page > 0 else []
    turns += [button("Older", verb="home", value=str(page + 1), key="older")] if page < pages - 1 else []
    return [*blocks, actions(turns), context(f"Page {page + 1} of {pages}")] if turns else blocks


def _mine_item(one: Hypothesis) -> Block:
    value = f"H-{one.number}"
    menu = _MENU_OF_NEW if one.stage is Stage.HYPOTHESIZE else _MENU
    choices = [(f"{verb} {value}", label) for verb, label in menu]
    change = escape(numbers.shortened(one.change, CHANGE_LENGTH))
    return section(f"*{value}* {change}", accessory=overflow(choices, key=str(one.number)))


def _team(home: Home) -> list[Block]:
    running = "\n".join(f"• {escape(words.running_line(item))}" for item in home.running)
    more = home.running_count - len(home.running)
    if more > 0:
        running += f"\n• and {more} more: `/hypothesis list stage experiment`"
    lines = "\n".join(words.team_lines(home))
    return [
        divider(),
        header("The team"),
        section(f"*Running*\n{running}" if running else "*Running*\nNo experiment runs now."),
        section(lines),
    ]


def _undelivered(home: Home) -> list[Block]:
    """Return what admins see of messages that could not be delivered."""
    if not home.given_up:
        return []
    lines = [
        f"• {undelivered.what(one.kind)} for {_place(one)}, {one.since:%d %b}: {escape(_why(one))}"
        for one in home.undelivered
    ]
    more = home.given_up - len(home.undelivered)
    if more > 0:
        lines.append(f"• and {more} more: `labcoat outbox` lists them where Labcoat runs")
    again = button("Try again", verb="redeliver", value="")
    return [divider(), header(f"Not delivered: {home.given_up}"), section("\n".join(lines)), actions([again])]


def _why(one: Undelivered) -> str:
    return numbers.shortened(undelivered.why(one.problem), WHY_LENGTH)


def _place(one: Undelivered) -> str:
    return f"<#{one.channel}>" if one.channel else f"<@{one.person}>"
