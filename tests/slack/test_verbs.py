"""Every button and form that is shown does something, and whatever can be done is shown somewhere."""

import largest
from labcoat.sandbox.blocks import interactive_elements
from labcoat.slack import grammar
from labcoat.slack.listeners import dispatch
from labcoat.slack.listeners.verbs import ALONE, BUTTON_VERBS, FORMS, VERBS
from labcoat.slack.views import planning

ONLY_TYPED = ("menu", "digest")
"""Home is what the menu is; the digest comes by itself."""


def shown_verbs() -> set[str]:
    elements = [
        element
        for blocks in [
            *(message.blocks for _, message in largest.messages()),
            *(view["blocks"] for _, view in [*largest.forms(), *largest.homes()]),
        ]
        for block in blocks
        if block["type"] != "input"
        for element in interactive_elements(block)
    ]
    verbs = {element["action_id"].partition(":")[0] for element in elements} - {dispatch.MORE, planning.LIVE}
    menus = [element["options"] for element in elements if element["type"] == "overflow"]
    return verbs | {option["value"].partition(" ")[0] for options in menus for option in options}


def test_every_button_is_answered_and_every_verb_has_a_button() -> None:
    assert shown_verbs() == {*BUTTON_VERBS, *ALONE} - {*ONLY_TYPED}


def test_every_form_is_taken_and_every_taker_has_a_form() -> None:
    assert {form["callback_id"] for _, form in largest.forms()} == set(FORMS)


def test_every_typed_verb_about_one_is_known_to_both_grammar_and_listeners() -> None:
    assert set(VERBS) == grammar.ABOUT_ONE


def test_every_choice_that_changes_its_form_is_answered() -> None:
    live = {
        form["callback_id"] for _, form in largest.forms() for block in form["blocks"] if block.get("dispatch_action")
    }

    assert live == set(dispatch._LIVE_FORMS)
