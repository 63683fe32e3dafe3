"""What the app receives and what people see of its answers.

Sources: docs.slack.dev/interactivity (slash commands, block actions, shortcuts, handling user interaction) and
docs.slack.dev/apis/events-api.
"""

import json
import threading
from typing import Any
from urllib.parse import parse_qsl

import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from sandbox_parts import BotServer, actions, button, option, refusal, section
from slack_sandbox.client import NotPossibleError, Person, SandboxClient
from slack_sandbox.serving import DEFAULT_SIGNING_SECRET, RunningSandbox
from slack_sandbox.wire import Json

CHANNEL = "CSEARCH"


def events(bot: BotServer) -> list[Json]:
    """Return the events that reached the bot."""
    return [json.loads(body) for headers, body in bot.received if headers["content-type"] == "application/json"]


def heard(bot: BotServer, name: str) -> list[Json]:
    """Let the bot ack this action; return where its payloads are kept."""
    bodies: list[Json] = []

    @bot.app.action(name)
    def pressed(ack: Any, body: Json) -> None:
        ack()
        bodies.append(body)

    return bodies


def test_requests_are_signed_with_the_signing_secret(bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/authentication/verifying-requests-from-slack, checked by slack_sdk's own verifier
    ana.command("/hypothesis", "help")

    body, headers = bot.received[0][1], {name: str(value) for name, value in bot.received[0][0].items()}
    assert SignatureVerifier(DEFAULT_SIGNING_SECRET).is_valid_request(body, headers)
    assert not SignatureVerifier("other").is_valid_request(body, headers)


def test_command_carries_who_where_and_how_to_answer(bot: BotServer, ana: Person) -> None:
    # interactivity/implementing-slash-commands, the payload
    ana.command("/hypothesis", "shorter titles & < 5 words", channel=CHANNEL)

    sent = dict(parse_qsl(bot.received[0][1]))
    assert (sent["command"], sent["user_id"], sent["channel_id"]) == ("/hypothesis", "UANA", CHANNEL)
    assert (sent["team_id"], sent["api_app_id"], sent["channel_name"]) == (
        "T0SANDBOX",
        "A0SANDBOX",
        "search-experiments",
    )
    assert sent["text"] == "shorter titles &amp; &lt; 5 words"
    assert sent["response_url"].startswith("http://127.0.0.1")
    assert sent["trigger_id"].count(".") == 2


def test_text_in_a_command_ack_is_private(bot: BotServer, ana: Person) -> None:
    # implementing-slash-commands, "Sending an immediate response"
    @bot.app.command("/hypothesis")
    def answer(ack: Any) -> None:
        ack("Just you")

    ana.command("/hypothesis")

    assert [(m["text"], m["is_ephemeral"]) for m in ana.messages()] == [("Just you", True)]


def test_in_channel_ack_is_seen_by_all(bot: BotServer, ana: Person, slack: WebClient) -> None:
    # implementing-slash-commands, "Message visibility"
    @bot.app.command("/hypothesis")
    def answer(ack: Any) -> None:
        ack(text="All of you", response_type="in_channel", blocks=[section("All of you")])

    ana.command("/hypothesis")

    assert ana.client.person("UBEN").messages()[0]["blocks"][0]["text"]["text"] == "All of you"


def test_command_opens_a_form_with_its_trigger(bot: BotServer, ana: Person) -> None:
    # surfaces/modals, "Opening a modal"
    @bot.app.command("/hypothesis")
    def answer(ack: Any, client: WebClient, body: Json) -> None:
        ack()
        client.views_open(
            trigger_id=body["trigger_id"],
            view={"type": "modal", "title": {"type": "plain_text", "text": "New"}, "blocks": [section()]},
        )

    assert ana.command("/hypothesis").ok
    assert ana.view["title"]["text"] == "New"


def test_silent_app_is_an_operation_timeout(bot: BotServer, ana: Person) -> None:
    # implementing-slash-commands, 3000 ms; the notice as in bolt-js issue 1548
    waits = threading.Event()

    @bot.app.command("/hypothesis")
    def answer(ack: Any) -> None:
        waits.wait(5)
        ack()

    outcome = ana.command("/hypothesis")
    waits.set()

    assert (outcome.ok, outcome.error) == (False, "operation_timeout")
    assert ana.messages()[0]["text"] == '/hypothesis failed with the error "operation_timeout"'
    assert ana.messages()[0]["is_ephemeral"]


def test_unreachable_app_is_a_failed_dispatch(sandbox: RunningSandbox, ana: Person) -> None:
    # java-slack-sdk issue 885
    sandbox.app_url = "http://127.0.0.1:9/slack/events"

    assert ana.command("/hypothesis").error == "dispatch_failed"


def test_unknown_command_is_not_offered(bot: BotServer, ana: Person) -> None:
    with pytest.raises(NotPossibleError):
        ana.command("/other")
    assert bot.received == []


def test_click_carries_message_channel_and_action(slack: WebClient, bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/reference/interaction-payloads/block_actions-payload
    bodies = heard(bot, "approve")
    ts = slack.chat_postMessage(
        channel=CHANNEL, text="Sure?", blocks=[actions(button("approve", value="7"), block_id="b")]
    )["ts"]

    assert ana.click(ana.messages(CHANNEL)[0], action_id="approve").ok

    body = bodies[0]
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": CHANNEL,
        "is_ephemeral": False,
    }
    assert (body["channel"]["id"], body["message"]["ts"], body["user"]["id"]) == (CHANNEL, ts, "UANA")
    action = body["actions"][0]
    assert (action["type"], action["value"], action["block_id"]) == ("button", "7", "b")
    assert body["response_url"]


def test_private_message_is_left_out_of_its_click(slack: WebClient, bot: BotServer, ana: Person) -> None:
    # block_actions-payload: message is not there for ephemeral messages; the container says so
    bodies = heard(bot, "approve")
    slack.chat_postEphemeral(channel=CHANNEL, user="UANA", text="Sure?", blocks=[actions(button("approve"))])

    ana.click(ana.messages(CHANNEL)[0], action_id="approve")

    assert "message" not in bodies[0]
    assert bodies[0]["container"]["is_ephemeral"] is True


def test_choosing_in_a_message_sends_option_and_state(slack: WebClient, bot: BotServer, ana: Person) -> None:
    # block_actions-payload, actions and state
    bodies = heard(bot, "pick")
    picks = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    menu = {"type": "overflow", "action_id": "menu", "options": [option("c")]}
    slack.chat_postMessage(channel=CHANNEL, text="Pick", blocks=[actions(picks, menu, block_id="x")])

    ana.click(ana.messages(CHANNEL)[0], action_id="pick", option="b")

    assert bodies[0]["actions"][0]["selected_option"] == option("b")
    assert bodies[0]["state"]["values"]["x"]["pick"]["selected_option"] == option("b")


def test_button_that_is_gone_cannot_be_pressed(slack: WebClient, bot: BotServer, ana: Person) -> None:
    slack.chat_postMessage(channel=CHANNEL, text="Sure?", blocks=[actions(button("approve"))])

    with pytest.raises(NotPossibleError, match="approve"):
        ana.click(ana.messages(CHANNEL)[0], action_id="decline")


def test_shortcut_and_message_action_carry_their_callback(slack: WebClient, bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
    slack.chat_postMessage(channel=CHANNEL, text="An idea")

    ana.shortcut("new")
    ana.shortcut("turn", message=ana.messages(CHANNEL)[0])

    first, second = (json.loads(dict(parse_qsl(body))["payload"]) for _, body in bot.received)
    assert (first["type"], first["callback_id"]) == ("shortcut", "new")
    assert (second["type"], second["callback_id"]) == ("message_action", "turn")
    assert second["message"]["text"] == "An idea"
    assert "channel" not in first


def test_message_in_a_channel_is_an_event(bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/reference/events/message.channels
    ana.say("Hello", channel=CHANNEL)

    event = events(bot)[0]
    assert (event["type"], event["team_id"], event["api_app_id"]) == ("event_callback", "T0SANDBOX", "A0SANDBOX")
    assert event["event_id"].startswith("Ev")
    assert (event["event"]["type"], event["event"]["channel_type"]) == ("message", "channel")


def test_mention_by_name_reaches_the_bot(bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/reference/events/app_mention
    ana.say("@labcoat what did we learn?", channel=CHANNEL)

    mention = next(event["event"] for event in events(bot) if event["event"]["type"] == "app_mention")
    assert mention["text"] == "<@UBOT> what did we learn?"


def test_bot_hears_nothing_where_it_is_not_a_member(bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/reference/events/message.channels: channels the bot is in
    ana.say("Hello", channel="CGENERAL")

    assert bot.received == []


def test_bot_hears_that_it_was_invited(bot: BotServer, people: SandboxClient) -> None:
    # docs.slack.dev/reference/events/member_joined_channel
    people.invite_bot("CGENERAL", inviter="UANA")

    event = events(bot)[0]["event"]
    assert (event["type"], event["user"], event["inviter"]) == ("member_joined_channel", "UBOT", "UANA")


def test_opening_home_is_an_event(bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/reference/events/app_home_opened
    ana.open_home()

    event = events(bot)[0]["event"]
    assert (event["type"], event["user"], event["tab"]) == ("app_home_opened", "UANA", "home")


def test_failed_event_is_sent_three_times_more(bot: BotServer, ana: Person, people: SandboxClient) -> None:
    # docs.slack.dev/apis/events-api, "Retries"
    bot.status = 500

    outcome = ana.open_home()
    people.wait_for(lambda: len(bot.received) == 4)

    assert not outcome.ok
    assert [headers.get("x-slack-retry-num") for headers, _ in bot.received] == [None, "1", "2", "3"]
    assert bot.received[1][0]["x-slack-retry-reason"] == "http_error"
    assert len({event["event_id"] for event in events(bot)}) == 1


def test_clicks_are_never_sent_again(slack: WebClient, bot: BotServer, ana: Person) -> None:
    # docs.slack.dev/apis/events-api: only events are retried
    slack.chat_postMessage(channel=CHANNEL, text="Sure?", blocks=[actions(button("approve"))])
    bot.status = 500

    assert ana.click(ana.messages(CHANNEL)[0], action_id="approve").error == "http_service_error"
    assert len(bot.received) == 1
    assert "failed" in ana.messages(CHANNEL)[-1]["text"]


def test_unsubscribed_event_is_not_sent(bot: BotServer, people: SandboxClient) -> None:
    # docs.slack.dev/apis/events-api, "Subscribing to event types"
    assert people.send_event({"type": "team_rename", "name": "New"}).ok
    assert bot.received == []


def test_deactivated_person_is_deleted_for_the_app_and_can_do_nothing(
    bot: BotServer, ana: Person, slack: WebClient
) -> None:
    # docs.slack.dev/reference/events/user_change
    ana.deactivate()

    assert events(bot)[0]["event"]["user"]["deleted"] is True
    assert slack.users_info(user="UANA")["user"]["deleted"] is True
    with pytest.raises(NotPossibleError):
        ana.say("Hello", channel=CHANNEL)


def test_archived_channel_takes_no_more_messages(bot: BotServer, ana: Person, slack: WebClient) -> None:
    # chat.postMessage, errors
    ana.archive(CHANNEL)

    assert refusal(slack.chat_postMessage, channel=CHANNEL, text="Hi")["error"] == "is_archived"
    with pytest.raises(NotPossibleError):
        ana.say("Hello", channel=CHANNEL)


def test_app_started_again_on_its_port_is_reached(bot: BotServer, ana: Person, sandbox: RunningSandbox) -> None:
    sandbox.app_url = "http://127.0.0.1:9/"
    first = ana.command("/hypothesis")
    sandbox.app_url = bot.url
    bot.status = 200

    assert (first.error, ana.command("/hypothesis").ok) == ("dispatch_failed", True)
