"""Every button and form that is shown does something, and whatever can be done is shown somewhere."""

import largest
from labcoat.slack import grammar
from labcoat.slack.listeners import dispatch
from labcoat.slack.listeners.verbs import ALONE, BUTTON_VERBS, FORMS, VERBS
from labcoat.slack.views import planning
from slack_sandbox.blocks import interactive_elements

ONLY_TYPED = ("menu", "digest")
"""Home is what the menu is; the digest comes by itself."""


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
