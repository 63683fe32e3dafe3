"""Every button and form that is shown does something, and whatever can be done is shown somewhere."""

from dataclasses import replace

import pytest

import largest
from labcoat.slack.commands import BY_VERB, COMMANDS, Command, Scope
from labcoat.slack.listeners import dispatch, registry
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.listeners.registry import FORMS, HANDLERS, RegistryError
from labcoat.slack.views import planning
from slack_sandbox.blocks import interactive_elements

ONLY_TYPED = ("menu", "digest", "note")
"""Home is what the menu is; the digest comes by itself; a note is written where people talk."""

VERBS_OF_0_1 = [
    "adopt",
    "again",
    "approve",
    "ask",
    "ask_other",
    "away",
    "back",
    "cancel",
    "cap",
    "close",
    "correct",
    "correct_file",
    "decide",
    "decline",
    "digest",
    "drop",
    "edit",
    "evidence",
    "export",
    "file",
    "fixed",
    "follow",
    "handover",
    "help",
    "home",
    "import",
    "list",
    "menu",
    "need",
    "pivot",
    "plan",
    "predict",
    "prototype",
    "record",
    "redeliver",
    "reopen",
    "result",
    "search",
    "send_back",
    "settings",
    "ship",
    "show",
    "size",
    "snooze",
    "start",
    "stop",
    "take",
    "unfollow",
    "withdraw",
]
FORMS_OF_0_1 = [
    "adopt",
    "approve",
    "ask",
    "away",
    "cancel",
    "cap",
    "close",
    "decline",
    "drop",
    "edit",
    "evidence",
    "file",
    "fixed",
    "handover",
    "import",
    "need",
    "pivot",
    "plan",
    "predict",
    "prototype",
    "record",
    "reopen",
    "search",
    "send_back",
    "settings",
    "ship",
    "size",
    "snooze",
    "start",
    "stop",
    "withdraw",
]
"""Ids that messages and open forms of version 0.1 have."""


def shown_verbs() -> set[str]:
    """Return every verb of a button or a menu's choice, in messages, in forms and in Home."""
    views = [*largest.forms(), *largest.homes()]
    blocks = [block for _, message in largest.messages() for block in message.blocks]
    blocks += [block for _, view in views for block in view["blocks"] if block["type"] != "input"]
    elements = [element for block in blocks for element in interactive_elements(block)]
    chosen = [option["value"].partition(" ")[0] for element in elements for option in element.get("options", ())]
    own = {element["action_id"].partition(":")[0] for element in elements}
    return own.union(chosen) - {dispatch.MORE, planning.LIVE}


def test_every_button_is_answered_and_every_verb_has_a_button() -> None:
    assert shown_verbs() == {one.verb for one in COMMANDS} - {*ONLY_TYPED}


def test_every_form_is_taken_and_every_taker_has_a_form() -> None:
    assert {form["callback_id"] for _, form in largest.forms()} == set(FORMS)


def test_every_choice_that_changes_its_form_is_answered() -> None:
    live = {
        form["callback_id"] for _, form in largest.forms() for block in form["blocks"] if block.get("dispatch_action")
    }

    assert live == {verb for verb, handler in HANDLERS.items() if handler.renew is not None}


@pytest.mark.parametrize("verb", VERBS_OF_0_1)
def test_buttons_of_earlier_messages_still_work(verb: str) -> None:
    command = BY_VERB[verb]
    handler = HANDLERS[command.verb]

    assert (handler.run if command.scope is Scope.GLOBAL else handler.open) is not None


@pytest.mark.parametrize("callback", FORMS_OF_0_1)
def test_forms_that_were_open_during_an_upgrade_are_taken(callback: str) -> None:
    assert HANDLERS[BY_VERB[callback].verb].submit is not None


COMMAND = Command(verb="nod", scope=Scope.ONE)
BOW = Command(verb="bow", scope=Scope.ONE, aliases=("nod",))


def _nod_form(_form: Submission) -> None: ...


def test_a_form_is_taken_by_every_id_that_it_had() -> None:
    assert registry.form_ids([BOW], {"bow": Handler(open=_nod, submit=_nod_form)}) == {"bow", "nod"}
    assert registry.form_ids([BOW], {"bow": Handler(open=_nod)}) == frozenset()


def _nod(_call: Call, _target: Target) -> None: ...


def _nod_alone(_call: Call, _rest: str) -> None: ...


NOD = Handler(open=_nod)


@pytest.mark.parametrize(
    ("commands", "parts", "said"),
    [
        ([COMMAND], [], "nod has no handler"),
        ([], [{"nod": NOD}], "nod is no command"),
        ([COMMAND], [{"nod": NOD}, {"nod": NOD}], "nod has 2 handlers"),
        (
            [COMMAND, replace(COMMAND, verb="bow", aliases=("nod",))],
            [{"nod": NOD, "bow": NOD}],
            "nod is declared 2 times",
        ),
        ([replace(COMMAND, scope=Scope.GLOBAL)], [{"nod": NOD}], "nod needs run, and nothing else"),
        ([COMMAND], [{"nod": Handler(run=_nod_alone)}], "nod needs open, and nothing else"),
    ],
)
def test_the_start_fails_unless_commands_and_handlers_agree(
    commands: list[Command], parts: list[dict[str, Handler]], said: str
) -> None:
    registry.check([COMMAND], [{"nod": NOD}])

    with pytest.raises(RegistryError, match=said):
        registry.check(commands, parts)
