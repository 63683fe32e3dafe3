"""Buttons and forms of version 0.1 do what they did: each id that it gave them reaches its listener."""

import json
import secrets
from collections.abc import Callable

import pytest
from slack_sdk import WebClient

import largest
from journeys.playing import Play, payload_fields, read
from journeys.test_catch_all import EARLIER, interaction
from labcoat.demo import people
from labcoat.slack.blocks import Message, actions, button
from labcoat.slack.commands import BY_VERB, Scope
from rules.test_verbs import FORMS_OF_0_1, VERBS_OF_0_1
from slack_sandbox.wire import Json

GONE = "a_verb_of_last_year"
FORMS = {form["callback_id"]: form for _, form in largest.forms()}


@pytest.fixture(scope="module")
def play(module_play: Callable[..., Play]) -> Play:
    return module_play()


def press(play: Play, verb: str) -> str:
    """Press a button of an earlier message; return what was said or opened, as one text."""
    value = "" if verb in BY_VERB and BY_VERB[verb].scope is Scope.GLOBAL else "H-999"
    old = Message(text="Old", blocks=(actions([button("Old", verb=verb, value=value, key="old")]),))
    bot = WebClient(token=play.sandbox.slack.workspace.bot.token, base_url=play.sandbox.api_url)
    bot.chat_postMessage(channel=people.CHANNEL, **old.arguments())
    before = len(play.private_messages(play.ana))
    form = play.presses(play.ana, play.channel()[-1], f"{verb}:old")
    said = [read(one) for one in play.private_messages(play.ana)[before:]]
    return json.dumps([said, form], ensure_ascii=False)


def submit(play: Play, callback: str) -> Json:
    """Submit an empty form about something that is not there."""
    shown = FORMS.get(callback, FORMS["close"])
    metadata = {
        **json.loads(shown["private_metadata"]),
        "channel": people.CHANNEL,
        "subject": "H-999",
        "of": people.CHANNEL,
    }
    blocks = [
        {"block_id": f"b{number}", **block} for number, block in enumerate(shown["blocks"])
    ]  # as Slack names them
    view = {
        **shown,
        "id": f"V{secrets.token_hex(5).upper()}",
        "callback_id": callback,
        "blocks": blocks,
        "private_metadata": json.dumps(metadata),
        "state": {"values": {}},
    }
    answer = play.send(payload_fields(interaction("view_submission", view=view)))
    assert answer.status_code == 200
    return dict(answer.json()) if answer.content else {}


def test_an_id_that_no_version_gave_is_from_an_earlier_one(play: Play) -> None:
    assert EARLIER in press(play, GONE)
    assert EARLIER in json.dumps(submit(play, GONE))


@pytest.mark.parametrize("verb", VERBS_OF_0_1)
def test_every_button_of_0_1_is_dispatched(play: Play, verb: str) -> None:
    said = press(play, verb)

    assert EARLIER not in said
    if BY_VERB[verb].scope is not Scope.GLOBAL:
        assert "no H-999" in said


@pytest.mark.parametrize("callback", FORMS_OF_0_1)
def test_every_form_of_0_1_is_dispatched(play: Play, callback: str) -> None:
    assert EARLIER not in json.dumps(submit(play, callback))
