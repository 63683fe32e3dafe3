"""Filling in, submitting, pressing and closing forms.

Sources: docs.slack.dev/surfaces/modals, docs.slack.dev/reference/interaction-payloads/view-interactions-payload.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from slack_sdk import WebClient

from sandbox_parts import (
    BotServer,
    actions,
    answering,
    button,
    modal,
    new_trigger,
    opened,
    option,
    plain,
    text_input,
)
from slack_sandbox.client import NotPossibleError, Person
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json


def test_submitted_state_has_a_value_for_every_kind_of_input(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # docs.slack.dev/reference/interaction-payloads/view-interactions-payload, view.state.values
    options = [option("up"), option("down")]
    kinds: dict[str, Json] = {
        "plain_text_input": {},
        "number_input": {"is_decimal_allowed": True},
        "static_select": {"options": options},
        "multi_static_select": {"options": options},
        "radio_buttons": {"options": options},
        "checkboxes": {"options": options},
        "users_select": {},
        "multi_users_select": {},
        "conversations_select": {},
        "channels_select": {},
        "datepicker": {},
        "timepicker": {},
        "datetimepicker": {},
        "file_input": {},
    }
    blocks = [text_input(kind, element={"type": kind, "action_id": "a", **more}) for kind, more in kinds.items()]
    opened(sandbox, slack, modal(*blocks))
    payloads = answering(bot)

    outcome = ana.submit(
        {
            "plain_text_input": "Shorter & better",
            "number_input": 2.5,
            "static_select": "up",
            "multi_static_select": ["up", "down"],
            "radio_buttons": "down",
            "checkboxes": ["up"],
            "users_select": "UBEN",
            "multi_users_select": ["UBEN", "ULENA"],
            "conversations_select": "CSEARCH",
            "channels_select": "CSEARCH",
            "datepicker": "2026-05-01",
            "timepicker": "09:30",
            "datetimepicker": 1777620600,
            "file_input": [ana.upload("totals.csv", b"a,b")],
        }
    )

    assert outcome.ok
    values = {block: actions["a"] for block, actions in payloads[0]["view"]["state"]["values"].items()}
    assert values["plain_text_input"] == {"type": "plain_text_input", "value": "Shorter & better"}
    assert values["number_input"]["value"] == "2.5"
    assert values["static_select"]["selected_option"] == option("up")
    assert values["multi_static_select"]["selected_options"] == options
    assert values["radio_buttons"]["selected_option"] == option("down")
    assert values["checkboxes"]["selected_options"] == [option("up")]
    assert values["users_select"]["selected_user"] == "UBEN"
    assert values["multi_users_select"]["selected_users"] == ["UBEN", "ULENA"]
    assert values["conversations_select"]["selected_conversation"] == "CSEARCH"
    assert values["channels_select"]["selected_channel"] == "CSEARCH"
    assert values["datepicker"]["selected_date"] == "2026-05-01"
    assert values["timepicker"]["selected_time"] == "09:30"
    assert values["datetimepicker"]["selected_date_time"] == 1777620600
    assert values["file_input"]["files"][0]["name"] == "totals.csv"


def test_untouched_inputs_keep_their_initial_values(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # block elements, initial_value and initial_option
    typed = {"type": "plain_text_input", "action_id": "a", "initial_value": "As it was"}
    chosen = {"type": "static_select", "action_id": "a", "options": [option("up")], "initial_option": option("up")}
    opened(sandbox, slack, modal(text_input("typed", element=typed), text_input("chosen", element=chosen)))
    payloads = answering(bot)

    ana.submit()

    values = payloads[0]["view"]["state"]["values"]
    assert values["typed"]["a"]["value"] == "As it was"
    assert values["chosen"]["a"]["selected_option"] == option("up")


def test_empty_required_input_never_reaches_the_app(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # input block, optional: false by default
    opened(sandbox, slack, modal(text_input("name"), text_input("more", optional=True)))

    outcome = ana.submit()

    assert (outcome.ok, set(outcome.errors)) == (False, {"name"})
    assert bot.received == []


def test_number_outside_its_bounds_never_reaches_the_app(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # number input element, min_value, max_value, is_decimal_allowed
    number = {"type": "number_input", "action_id": "a", "is_decimal_allowed": False, "max_value": "10"}
    opened(sandbox, slack, modal(text_input("n", element=number)))

    assert [set(ana.submit({"n": value}).errors) for value in (11, 2.5, "x")] == [{"n"}, {"n"}, {"n"}]
    assert bot.received == []


def test_empty_ack_closes_the_view(sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person) -> None:
    # surfaces/modals, "Close the current view"
    opened(sandbox, slack, modal())
    answering(bot)

    ana.submit({"name": "x"})

    assert ana.views() == []


def test_errors_keep_the_view_open_with_what_was_typed(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # surfaces/modals, "Displaying errors in views"
    opened(sandbox, slack, modal())
    answering(bot, response_action="errors", errors={"name": "Too short."})

    outcome = ana.submit({"name": "x"})

    assert (outcome.ok, outcome.errors) == (True, {"name": "Too short."})
    assert ana.view["errors"] == {"name": "Too short."}
    assert ana.view["state"]["values"]["name"]["typed"]["value"] == "x"


def test_app_never_sees_what_only_the_screen_shows(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # docs.slack.dev/reference/views: a view carries no errors
    opened(sandbox, slack, modal())
    payloads = answering(bot, response_action="errors", errors={"name": "Too short."})

    ana.submit({"name": "x"})
    ana.submit({"name": "y"})

    assert "errors" not in payloads[1]["view"]


def test_error_for_an_unknown_block_is_connection_trouble(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # surfaces/modals, "Displaying errors in views": keys are block_ids of input blocks
    opened(sandbox, slack, modal())
    answering(bot, response_action="errors", errors={"other": "No."})

    outcome = ana.submit({"name": "x"})

    assert not outcome.ok
    assert "trouble connecting" in ana.view["notice"]


def test_update_ack_changes_the_view_in_place(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # surfaces/modals, "Update view via response_action"
    first = opened(sandbox, slack, modal())
    answering(bot, response_action="update", view=modal(title=plain("Second")))

    ana.submit({"name": "x"})

    assert (ana.view["id"], ana.view["title"]["text"]) == (first["id"], "Second")


def test_push_ack_stacks_a_view_and_clear_closes_all(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # surfaces/modals, "Push a new view" and "Close all views"
    opened(sandbox, slack, modal())
    answers = [{"response_action": "push", "view": modal(callback_id="second")}]

    @bot.app.view("form")
    def first(ack: Any) -> None:
        ack(answers[0])

    @bot.app.view("second")
    def second(ack: Any) -> None:
        ack(response_action="clear")

    ana.submit({"name": "x"})
    depth = len(ana.views())
    ana.submit({"name": "y"})

    assert (depth, ana.views()) == (2, [])


def test_invalid_view_in_an_ack_is_connection_trouble(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # slack-cli issue 144: the person sees trouble connecting, the app hears nothing
    opened(sandbox, slack, modal())
    answering(bot, response_action="update", view=modal(title=plain("x" * 25)))

    assert not ana.submit({"name": "x"}).ok
    assert "trouble connecting" in ana.view["notice"]


def test_failing_app_leaves_the_view_open(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # surfaces/modals, "Handling view submissions": only 200 closes
    opened(sandbox, slack, modal())
    bot.status = 500

    outcome = ana.submit({"name": "x"})

    assert (outcome.ok, outcome.status) == (False, 500)
    assert "trouble connecting" in ana.view["notice"]


def test_closing_tells_the_app_only_if_it_asked(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # view-interactions-payload, view_closed and notify_on_close
    opened(sandbox, slack, modal())
    ana.close()
    opened(sandbox, slack, modal(notify_on_close=True, private_metadata="kept"))
    ana.close()

    payloads = [json.loads(dict(parse_qsl(body))["payload"]) for _, body in bot.received]
    assert [payload["type"] for payload in payloads] == ["view_closed"]
    assert payloads[0]["view"]["private_metadata"] == "kept"
    assert payloads[0]["is_cleared"] is False


def test_closing_a_pushed_view_leads_back(sandbox: RunningSandbox, slack: WebClient, ana: Person) -> None:
    # surfaces/modals, "Lifecycle of a modal"
    first = opened(sandbox, slack, modal())
    slack.views_push(trigger_id=new_trigger(sandbox), view=modal(title=plain("Second")))

    ana.close()

    assert ana.view["id"] == first["id"]


def test_button_in_a_view_sends_what_was_typed_so_far(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # block_actions payload of a view: container, view.state, no response_url
    opened(sandbox, slack, modal(text_input(), actions(button("more"))))
    bodies: list[Json] = []

    @bot.app.action("more")
    def more(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        bodies.append(body)
        client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=modal(title=plain("More")))

    ana.click_in_view(action_id="more", values={"name": "half"})

    assert bodies[0]["container"] == {"type": "view", "view_id": ana.view["id"]}
    assert bodies[0]["view"]["state"]["values"]["name"]["typed"]["value"] == "half"
    assert "response_url" not in bodies[0]
    assert ana.view["title"]["text"] == "More"
    assert ana.view["state"]["values"]["name"]["typed"]["value"] == "half"


def test_input_without_dispatch_action_tells_the_app_nothing(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    # input block, dispatch_action: false by default
    opened(sandbox, slack, modal())

    with pytest.raises(NotPossibleError):
        ana.click_in_view(action_id="typed", option="x")
    assert bot.received == []


def test_unknown_block_or_option_cannot_be_filled_in(
    sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person
) -> None:
    chosen = {"type": "static_select", "action_id": "a", "options": [option("up")]}
    opened(sandbox, slack, modal(text_input("chosen", element=chosen)))

    with pytest.raises(NotPossibleError, match="other"):
        ana.submit({"other": "x"})
    with pytest.raises(NotPossibleError, match="sideways"):
        ana.submit({"chosen": "sideways"})
