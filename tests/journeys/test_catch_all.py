"""What nobody listens to, what comes twice and what comes too fast is answered, kindly and in private; never a 404."""

import secrets
from collections.abc import Callable

import pytest

from journeys.playing import TEAM, Play, command_fields, payload_fields, read
from labcoat.demo import people
from slack_sandbox.wire import Json

EARLIER = "That is from an earlier version of Labcoat and does nothing any more, so nothing was changed."
TOO_FAST = "That was more in one minute than one person can mean, so this was not done."


def interaction(kind: str, **more: object) -> Json:
    """Return what Slack sends for something that no listener knows."""
    return {
        "type": kind,
        "team": {"id": TEAM, "domain": "sandbox"},
        "user": {"id": people.ANA, "team_id": TEAM},
        "trigger_id": secrets.token_hex(8),
        **more,
    }


def test_button_of_an_earlier_version_says_so_in_private(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis list")
    clicked = play.slack.calls(limit=500)[-1]["payload"]
    url = f"{play.sandbox.url}/respond/{clicked['response_url'].rpartition('/')[2]}"
    old = {"type": "button", "action_id": "a_verb_of_last_year", "value": "H-1"}

    answer = play.send(payload_fields(interaction("block_actions", actions=[old], response_url=url)))

    assert answer.status_code == 200
    assert EARLIER in read(play.private(play.ana))


def test_form_of_an_earlier_version_says_so_in_the_form(play: Play) -> None:
    field = {"type": "input", "block_id": "change", "label": {}, "element": {}}
    title = {"type": "plain_text", "text": "Old"}
    view = {"id": "V1", "type": "modal", "callback_id": "old", "private_metadata": "", "title": title}

    asking = play.send(payload_fields(interaction("view_submission", view={**view, "blocks": [field]})))
    silent = play.send(payload_fields(interaction("view_submission", view={**view, "blocks": []})))

    assert EARLIER in asking.json()["errors"]["change"]
    assert EARLIER in silent.json()["view"]["blocks"][0]["text"]["text"]


def test_command_of_another_app_says_what_is_known_here(play: Play) -> None:
    answer = play.send(command_fields("/lunch today"))

    assert answer.status_code == 200
    assert "“/lunch” is not something I know. `/hypothesis help`" in answer.json()["text"]


@pytest.mark.parametrize(
    "payload",
    [
        interaction("view_closed", view={"id": "V1", "type": "modal", "callback_id": "old"}),
        interaction("view_closed", view={"id": "V1", "type": "modal"}),
        interaction("block_suggestion", action_id="metric", value="o"),
        interaction("workflow_step_edit", callback_id="x"),
        interaction("shortcut", callback_id="old"),
    ],
    ids=lambda payload: payload["type"],
)
def test_whatever_else_slack_sends_is_taken(play: Play, payload: Json) -> None:
    assert play.send(payload_fields(payload)).status_code == 200


def test_act_that_slack_delivers_again_is_done_once(play: Play) -> None:
    fields = command_fields("/experiment digest now")

    answers = [play.send(fields) for _ in range(4)]  # signed anew each time, as on four ways here
    play.deliver()

    assert [answer.status_code for answer in answers] == [200] * 4
    assert ["on its way" in answer.text for answer in answers] == [True, False, False, False]
    assert len(play.digests()) == 1


def test_who_acts_faster_than_a_person_can_is_told_and_nobody_else_is_slowed(play_with: Callable[..., Play]) -> None:
    play = play_with(environment={"LABCOAT_ACTS_PER_MINUTE": "3"})

    answers = [play.send(command_fields("/hypothesis list")).json()["text"] for _ in range(5)]
    ben = play.send(command_fields("/hypothesis list", user=people.BEN)).json()["text"]

    assert [TOO_FAST in answer for answer in [*answers, ben]] == [False] * 3 + [True] * 2 + [False]
