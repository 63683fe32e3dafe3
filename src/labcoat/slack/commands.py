"""The commands: everything that people can type or press, as data. What each does is in `listeners`, by its verb.

Grammar and help are made of this; `listeners.registry` stops the start unless every command has its handler.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

HYPOTHESIS, EXPERIMENT = "/hypothesis", "/experiment"


class Scope(StrEnum):
    """What a command is about."""

    ONE = "one"  # a hypothesis or an experiment, typed after the verb or named by a button
    GLOBAL = "global"  # nothing in particular; its arguments follow the verb
    BUTTON = "button"  # like ONE, but only a button in its place can mean it


class Group(StrEnum):
    """The titles of the help's parts."""

    HYPOTHESES = "Hypotheses"
    PROTOTYPES = "Prototypes"
    EXPERIMENTS = "Experiments (H-12 stands for its newest)"
    DECISIONS = "Decisions"
    CHANNEL = "The channel and you"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb: its id in commands, buttons and forms, which stays for ever, as old messages keep their buttons.

    typed: as the help shows it, "" for what has no line there. does: what the help says of it. six: its line in the
    short help. rest: what may follow a global verb. takes_words: any words follow it, in any case. answers_in_place:
    its answer replaces the private message that it was pressed in. aliases: ids that earlier versions gave it.
    """

    verb: str
    scope: Scope
    group: Group | None = None
    typed: str = ""
    does: str = ""
    six: tuple[str, str] | None = None
    rest: re.Pattern[str] | None = None
    takes_words: bool = False
    answers_in_place: bool = False
    aliases: tuple[str, ...] = ()


def _of(group: Group | None, scope: Scope, verb: str, typed: str = "", does: str = "", **more: object) -> Command:
    return Command(verb=verb, scope=scope, group=group, typed=typed, does=does, **more)  # type: ignore[arg-type]


def _rest(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^{pattern}$", re.IGNORECASE)


_STAGES = "hypothesize|prototype|experiment|productionize"
_SIZE = r"([\d.,]+\s*%?\s+(sd\s+[\d.,]+\s+)?[\d.,]+\s*(%|percent|points?|pp|pts?)?(\s+[\d.,]+){0,2})?"

COMMANDS: tuple[Command, ...] = (
    Command(
        verb="file",
        scope=Scope.GLOBAL,
        group=Group.HYPOTHESES,
        typed="/hypothesis what we change, for whom",
        does="file one; nothing is filed by itself",
        six=("/hypothesis", "file what you believe"),
    ),
    Command(
        verb="list",
        scope=Scope.GLOBAL,
        group=Group.HYPOTHESES,
        typed="/hypothesis list [mine|open|closed|stage <stage>|tag <tag>]",
        does="lists",
        six=("/hypothesis list", "what is open"),
        rest=_rest(rf"(mine|open|closed|stage\s+({_STAGES})|tag\s+\S.*)?"),
        answers_in_place=True,
    ),
    Command(
        verb="show",
        scope=Scope.ONE,
        group=Group.HYPOTHESES,
        typed="/hypothesis show H-12",
        does="its card, only for you",
        six=("/hypothesis show H-12", "one, with its buttons"),
    ),
    Command(
        verb="search",
        scope=Scope.GLOBAL,
        group=Group.HYPOTHESES,
        typed="/hypothesis search <words>",
        does="what was tried before, with what was learned",
        six=("/hypothesis search words", "have we tried this?"),
        rest=_rest(".*"),
        takes_words=True,
    ),
    _of(Group.HYPOTHESES, Scope.ONE, "edit", "/hypothesis edit H-12", "its words, until the first start"),
    _of(Group.HYPOTHESES, Scope.ONE, "take", "/hypothesis take H-12", "one that nobody owns", answers_in_place=True),
    _of(Group.HYPOTHESES, Scope.ONE, "handover", "/hypothesis handover H-12", "to a new owner, or name a deputy"),
    _of(Group.HYPOTHESES, Scope.ONE, "close", "/hypothesis close H-12", "with what was learned"),
    _of(Group.HYPOTHESES, Scope.ONE, "pivot", "/hypothesis pivot H-12", "close it, and go on from it"),
    _of(Group.HYPOTHESES, Scope.ONE, "reopen", "/hypothesis reopen H-12", "a closed one, with a reason"),
    _of(Group.HYPOTHESES, Scope.GLOBAL, "import", "/hypothesis import", "bring past work", rest=_rest("")),
    _of(
        Group.PROTOTYPES,
        Scope.ONE,
        "prototype",
        "/hypothesis prototype H-12",
        "begin the cheapest thing that tests it",
    ),
    _of(Group.PROTOTYPES, Scope.ONE, "evidence", "/hypothesis evidence H-12", "add what users or data said"),
    _of(Group.PROTOTYPES, Scope.ONE, "cap", "/hypothesis cap H-12", "raise its cost cap, with a reason"),
    _of(
        Group.PROTOTYPES,
        Scope.GLOBAL,
        "need",
        "/experiment need <text>",
        "note what infrastructure is missing; alone: the list",
        rest=_rest(".*"),
        takes_words=True,
    ),
    _of(
        Group.EXPERIMENTS,
        Scope.GLOBAL,
        "size",
        "/experiment size 19% 5% [power alpha]",
        "how many units that takes",
        rest=_rest(_SIZE),
    ),
    _of(
        Group.EXPERIMENTS,
        Scope.ONE,
        "plan",
        "/experiment plan H-12",
        "units and days are worked out while you fill it in",
    ),
    _of(Group.EXPERIMENTS, Scope.ONE, "adopt", "/experiment adopt H-12", "one that runs already"),
    _of(Group.EXPERIMENTS, Scope.ONE, "predict", "/experiment predict E-7", "hidden until the start"),
    _of(Group.EXPERIMENTS, Scope.ONE, "start", "/experiment start E-7", "Labcoat does not switch traffic"),
    _of(
        Group.EXPERIMENTS,
        Scope.ONE,
        "record",
        "/experiment record E-7 [metric] control=1200/24000 treatment=1310/24100",
        "totals; alone: a form, for a file too",
        takes_words=True,
    ),
    Command(
        verb="result",
        scope=Scope.ONE,
        group=Group.EXPERIMENTS,
        typed="/experiment result E-7",
        does="asking makes no look and spends nothing",
        six=("/experiment result H-12", "what the numbers say"),
    ),
    _of(
        Group.EXPERIMENTS,
        Scope.ONE,
        "drop",
        "/experiment drop E-7",
        "take out one of several treatments; the others go on",
    ),
    _of(
        Group.EXPERIMENTS,
        Scope.ONE,
        "fixed",
        "/experiment fixed E-7",
        "the cause of an uneven split is fixed: start over, once",
    ),
    _of(
        Group.EXPERIMENTS,
        Scope.ONE,
        "note",
        "/experiment note E-7 <text>",
        "what you saw, kept in its thread and history",
        takes_words=True,
    ),
    _of(Group.EXPERIMENTS, Scope.ONE, "stop", "/experiment stop E-7", "tell that traffic is off"),
    _of(Group.EXPERIMENTS, Scope.ONE, "cancel", "/experiment cancel E-7", "a draft"),
    _of(Group.EXPERIMENTS, Scope.ONE, "again", "/experiment again E-7", "a new draft with a stopped one's plan"),
    Command(
        verb="ask",
        scope=Scope.ONE,
        group=Group.DECISIONS,
        typed="/experiment ask E-7",
        does="ask a lead to release the investment",
        six=("/experiment ask H-12", "ask a lead to release it"),
    ),
    _of(Group.DECISIONS, Scope.ONE, "decide", "/experiment decide E-7", "answer, as a lead"),
    _of(Group.DECISIONS, Scope.ONE, "ship", "/experiment ship H-12", "tell that it is live"),
    _of(Group.CHANNEL, Scope.GLOBAL, "menu", "/experiment", "what waits for you"),
    _of(
        Group.CHANNEL,
        Scope.GLOBAL,
        "digest",
        "/experiment digest [preview|now]",
        "only for you, or for the channel",
        rest=_rest("(preview|now|settings)?"),
    ),
    _of(
        Group.CHANNEL,
        Scope.GLOBAL,
        "settings",
        "/experiment settings",
        "digest, nudges, quiet hours, tags, leads",
        rest=_rest(""),
    ),
    _of(Group.CHANNEL, Scope.GLOBAL, "away", "/experiment away", "until when, and who stands in", rest=_rest("")),
    _of(
        Group.CHANNEL,
        Scope.GLOBAL,
        "export",
        "/experiment export [csv|parquet]",
        "everything as files, sent to you",
        rest=_rest("(csv|parquet)?"),
    ),
    Command(verb="help", scope=Scope.GLOBAL, rest=_rest("(all)?"), answers_in_place=True),
    Command(verb="home", scope=Scope.GLOBAL),
    Command(verb="redeliver", scope=Scope.GLOBAL),
    Command(verb="back", scope=Scope.GLOBAL, answers_in_place=True),
    Command(verb="correct", scope=Scope.BUTTON, answers_in_place=True),
    Command(verb="correct_file", scope=Scope.BUTTON, answers_in_place=True),
    Command(verb="follow", scope=Scope.BUTTON, answers_in_place=True),
    Command(verb="unfollow", scope=Scope.BUTTON, answers_in_place=True),
    Command(verb="approve", scope=Scope.BUTTON),
    Command(verb="send_back", scope=Scope.BUTTON),
    Command(verb="decline", scope=Scope.BUTTON),
    Command(verb="ask_other", scope=Scope.BUTTON),
    Command(verb="withdraw", scope=Scope.BUTTON),
    Command(verb="snooze", scope=Scope.BUTTON),
)

BY_VERB: dict[str, Command] = {name: one for one in COMMANDS for name in (one.verb, *one.aliases)}
"""Commands by every id that they have or had."""

SIX_ORDER = ("file", "list", "show", "result", "ask", "search")
"""The short help, in the order of a hypothesis's life."""
