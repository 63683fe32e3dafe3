"""Posting through Slack's Web API, with the real WebClient. Sources: docs.slack.dev/reference/methods."""

import logging
import socket

import httpx
import pytest
from slack_sdk import WebClient

from sandbox_parts import refusal, section, web_client, workspace_with
from slack_sandbox.client import Person
from slack_sandbox.serving import RunningSandbox, running_sandbox

CHANNEL = "CSEARCH"


def test_call_without_token_is_not_authed(sandbox: RunningSandbox) -> None:
    # auth.test, errors
    answer = httpx.post(f"{sandbox.api_url}auth.test", verify=False).json()

    assert answer == {"ok": False, "error": "not_authed"}


def test_foreign_token_is_invalid_auth(sandbox: RunningSandbox) -> None:
    # auth.test, errors
    assert refusal(web_client(sandbox, token="xoxb-other").auth_test)["error"] == "invalid_auth"


def test_auth_test_names_bot_and_granted_scopes(slack: WebClient) -> None:
    # auth.test; the header is described in docs.slack.dev/authentication/tokens
    answer = slack.auth_test()

    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("UBOT", "BBOT", "T0SANDBOX")
    assert "chat:write" in {key.lower(): value for key, value in answer.headers.items()}["x-oauth-scopes"]


def test_an_app_that_dies_while_it_calls_is_no_bug_of_the_sandbox(
    sandbox: RunningSandbox, slack: WebClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)  # which passes nothing on by itself
    address = httpx.URL(sandbox.api_url)
    head = f"POST /api/chat.postMessage HTTP/1.1\r\nHost: {address.netloc.decode()}\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection((address.host, address.port)) as line:
        line.sendall(head.encode() + b"channel=")
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1) == b""  # the sandbox has heard of it

    assert slack.auth_test()["ok"]
    assert not caplog.records


def test_missing_scope_names_needed_and_provided() -> None:
    # chat.postMessage, errors; the two fields are in every missing_scope answer
    with running_sandbox(workspace_with(scopes=("commands",))) as sandbox:
        answer = refusal(web_client(sandbox).chat_postMessage, channel=CHANNEL, text="Hi")

    assert (answer["error"], answer["needed"], answer["provided"]) == ("missing_scope", "chat:write", "commands")


def test_history_needs_the_scope_of_its_kind_of_conversation() -> None:
    # conversations.history, scopes: channels:history for channels, im:history for direct messages
    with running_sandbox(workspace_with(scopes=("im:history", "im:write"))) as sandbox:
        slack = web_client(sandbox)
        direct = slack.conversations_open(users="UANA")["channel"]["id"]

        assert slack.conversations_history(channel=direct)["ok"]
        answer = refusal(slack.conversations_history, channel=CHANNEL)

    assert (answer["error"], answer["needed"]) == ("missing_scope", "channels:history")


def test_unknown_method_is_refused(slack: WebClient) -> None:
    assert refusal(slack.api_call, api_method="chat.meMessages")["error"] == "unknown_method"


def test_posting_where_the_bot_is_not_a_member_is_refused(slack: WebClient) -> None:
    # chat.postMessage, errors
    assert refusal(slack.chat_postMessage, channel="CGENERAL", text="Hi")["error"] == "not_in_channel"


def test_posting_to_no_channel_is_refused(slack: WebClient) -> None:
    # chat.postMessage, errors
    assert refusal(slack.chat_postMessage, channel="CNONE", text="Hi")["error"] == "channel_not_found"


def test_posting_to_an_archived_channel_is_refused(sandbox: RunningSandbox, slack: WebClient) -> None:
    # chat.postMessage, errors
    channel = sandbox.slack.conversations.find(CHANNEL)
    assert channel
    channel.is_archived = True

    assert refusal(slack.chat_postMessage, channel=CHANNEL, text="Hi")["error"] == "is_archived"


def test_posting_to_a_user_id_reaches_their_direct_messages(slack: WebClient, ana: Person) -> None:
    # chat.postMessage, "Post to a DM"
    answer = slack.chat_postMessage(channel="UANA", text="Hi Ana")

    assert answer["channel"].startswith("D")
    assert [message["text"] for message in ana.direct_messages()] == ["Hi Ana"]


def test_message_without_text_or_blocks_is_refused(slack: WebClient) -> None:
    # chat.postMessage, errors
    answer = refusal(slack.api_call, api_method="chat.postMessage", json={"channel": CHANNEL})

    assert answer["error"] == "no_text"


def test_message_text_over_40000_characters_is_refused(slack: WebClient) -> None:
    # chat.postMessage, errors and "Truncating content"
    assert refusal(slack.chat_postMessage, channel=CHANNEL, text="x" * 40_001)["error"] == "msg_too_long"


def test_blocks_with_too_much_text_together_are_refused(slack: WebClient) -> None:
    # Undocumented, bolt-js issues 2509 and 2867: about 12,000 characters over all blocks
    blocks = [section("x" * 3000) for _ in range(5)]

    assert refusal(slack.chat_postMessage, channel=CHANNEL, text="Hi", blocks=blocks)["error"] == "msg_blocks_too_long"


def test_ts_is_unique_and_increases(slack: WebClient) -> None:
    # docs.slack.dev/messaging/retrieving-messages: ts is the message's id within its channel
    stamps = [slack.chat_postMessage(channel=CHANNEL, text="Hi")["ts"] for _ in range(5)]

    assert stamps == sorted(set(stamps))
    assert all(len(stamp.split(".")[1]) == 6 for stamp in stamps)


def test_message_metadata_comes_back_only_when_asked_for(slack: WebClient) -> None:
    # conversations.history, include_all_metadata
    metadata = {"event_type": "told", "event_payload": {"key": "abc"}}
    slack.chat_postMessage(channel=CHANNEL, text="Hi", metadata=metadata)

    without = slack.conversations_history(channel=CHANNEL)["messages"][0]
    with_it = slack.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"][0]

    assert "metadata" not in without
    assert with_it["metadata"] == metadata


def test_metadata_of_another_shape_is_refused(slack: WebClient) -> None:
    # chat.postMessage, errors
    answer = refusal(slack.chat_postMessage, channel=CHANNEL, text="Hi", metadata={"key": "abc"})

    assert answer["error"] == "invalid_metadata_format"


def test_update_without_blocks_keeps_blocks_and_metadata(slack: WebClient) -> None:
    # python-slack-sdk issue 523 (blocks stay), chat.update's metadata argument (metadata stays)
    metadata = {"event_type": "told", "event_payload": {}}
    ts = slack.chat_postMessage(channel=CHANNEL, text="Old", blocks=[section("Old")], metadata=metadata)["ts"]

    slack.chat_update(channel=CHANNEL, ts=ts, text="New")

    message = slack.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"][0]
    assert (message["text"], message["blocks"][0]["text"]["text"]) == ("New", "Old")
    assert message["metadata"] == metadata
    assert message["edited"]["user"] == "UBOT"


def test_update_with_an_empty_list_removes_blocks(slack: WebClient) -> None:
    # slack-go issue 1214
    ts = slack.chat_postMessage(channel=CHANNEL, text="Old", blocks=[section("Old")])["ts"]

    slack.chat_update(channel=CHANNEL, ts=ts, text="New", blocks=[])

    assert slack.conversations_history(channel=CHANNEL)["messages"][0]["blocks"] == []


def test_only_its_own_messages_can_be_updated(slack: WebClient, ana: Person) -> None:
    # chat.update, errors
    ts = ana.say("Mine", channel=CHANNEL).ts

    assert refusal(slack.chat_update, channel=CHANNEL, ts=ts, text="Yours")["error"] == "cant_update_message"


def test_update_of_no_message_is_refused(slack: WebClient) -> None:
    # chat.update, errors
    assert refusal(slack.chat_update, channel=CHANNEL, ts="1.000001", text="x")["error"] == "message_not_found"


def test_reply_to_no_message_is_refused(slack: WebClient) -> None:
    answer = refusal(slack.chat_postMessage, channel=CHANNEL, text="Hi", thread_ts="1.000001")

    assert answer["error"] == "thread_not_found"


def test_replies_are_counted_at_the_parent_and_kept_out_of_the_channel(slack: WebClient, ana: Person) -> None:
    # conversations.history, "Retrieving threads"
    parent = slack.chat_postMessage(channel=CHANNEL, text="Parent")["ts"]
    slack.chat_postMessage(channel=CHANNEL, text="Reply", thread_ts=parent)
    ana.say("Mine", channel=CHANNEL, thread=parent)

    in_channel = slack.conversations_history(channel=CHANNEL)["messages"]
    in_thread = slack.conversations_replies(channel=CHANNEL, ts=parent)["messages"]

    assert [(message["text"], message["reply_count"]) for message in in_channel] == [("Parent", 2)]
    assert in_channel[0]["reply_users"] == ["UBOT", "UANA"]
    assert [message["text"] for message in in_thread] == ["Parent", "Reply", "Mine"]


def test_broadcast_reply_stands_in_thread_and_channel(slack: WebClient) -> None:
    # chat.postMessage, reply_broadcast; the subtype is thread_broadcast
    parent = slack.chat_postMessage(channel=CHANNEL, text="Parent")["ts"]
    slack.chat_postMessage(channel=CHANNEL, text="Both", thread_ts=parent, reply_broadcast=True)

    messages = slack.conversations_history(channel=CHANNEL)["messages"]

    assert [message.get("subtype") for message in messages] == ["thread_broadcast", None]
