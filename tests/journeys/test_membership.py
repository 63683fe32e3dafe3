"""Members take part; guests, people who are gone and people from elsewhere are told kindly, and nothing is changed."""

import json

from journeys.playing import TEAM, Play, command_fields, payload_fields, read
from labcoat.db import people as known_people
from labcoat.db.clock import machine_now
from labcoat.demo import people
from labcoat.domain.ids import UserId
from labcoat.domain.person import Person, Standing

GUESTS = "Guests can read along here"


def test_a_guests_command_is_refused_with_a_way_out(play: Play) -> None:
    gia = play.slack.person(people.GIA)

    answer = play.asks(gia, "/hypothesis Show fresh offers first")

    assert GUESTS in answer
    assert "ask a member" in answer
    assert gia.find_view() is None


def test_a_guests_click_is_refused(play: Play) -> None:
    play.files(play.ana)
    gia = play.slack.person(people.GIA)

    play.presses(gia, play.card(), "plan")

    assert GUESTS in read(play.private(gia))
    assert gia.find_view() is None


def test_a_guests_shortcut_is_refused(play: Play) -> None:
    gia = play.slack.person(people.GIA)

    gia.shortcut("new_hypothesis")

    assert GUESTS in json.dumps(gia.view)


def test_a_form_of_somebody_who_became_a_guest_meanwhile_is_refused(play: Play) -> None:
    play.types(play.ana, "/hypothesis Show fresh offers first")
    with play.bot.database.writing() as tx:
        gone = Person(user=UserId(people.ANA), standing=Standing.GUEST)
        known_people.know(tx, TEAM, gone, at=machine_now())

    said = play.is_refused(play.ana, metric="orders per user", because="People told us so")

    assert GUESTS in next(iter(said.values()))
    assert play.dossier(1) is None


def test_somebody_from_another_workspace_is_refused(play: Play) -> None:
    answer = play.send(command_fields("/hypothesis list", user="UEVE"))

    assert "You are from another workspace" in answer.json()["text"]


def test_slack_is_asked_about_each_person_once(play: Play) -> None:
    for _ in range(3):
        play.asks(play.ana, "/hypothesis list")

    asked = [call for call in play.slack.calls(limit=500) if call["method"] == "users.info"]
    assert len(asked) == 1


def test_while_slack_does_not_answer_about_a_person_they_may_go_on(play: Play) -> None:
    play.slack.faults.add("users.info", "error_500")

    answer = play.asks(play.ana, "/hypothesis list")

    assert "none" in answer


def test_a_bot_of_ours_or_others_is_no_member(play: Play) -> None:
    click = {
        "type": "block_actions",
        "team": {"id": TEAM, "domain": "sandbox"},
        "user": {"id": "UBOT", "team_id": TEAM},
        "channel": {"id": people.CHANNEL},
        "trigger_id": "1.2.3",
        "api_app_id": "A0SANDBOX",
        "response_url": "http://127.0.0.1:9/nobody",
        "actions": [{"type": "button", "action_id": "file", "block_id": "b", "value": ""}],
    }

    play.send(payload_fields(click))

    assert [call for call in play.slack.calls(limit=500) if call["method"] == "views.open"] == []
