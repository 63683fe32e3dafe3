"""What Slack sends is read once: known fields with known types, and a name that every delivery of it shares."""

import json
from typing import Any

import pytest

from labcoat.slack.incoming import payloads
from labcoat.slack.incoming.payloads import Kind, MalformedPayloadError

CLICK = {
    "type": "block_actions",
    "user": {"id": "U1"},
    "team": {"id": "T1", "domain": "t"},
    "trigger_id": "1.2.abc",
    "actions": [{"type": "button", "action_id": "plan", "value": "H-1"}],
}
JOINED = {
    "type": "event_callback",
    "team_id": "T1",
    "event_id": "Ev1",
    "event": {"type": "member_joined_channel", "user": "U1", "channel": "C1"},
}


def test_what_is_not_known_is_left_out() -> None:
    more = {"authorizations": 7, "enterprise": [], "function_data": "x"}
    event = {**JOINED["event"], "bot_access_token": "xoxb-of-somebody", "enterprise": 7}  # type: ignore[dict-item]

    read = payloads.check({**JOINED, **more, "event": event})

    assert read.body == JOINED


def test_json_and_form_say_the_same() -> None:
    as_form = payloads.read(b"payload=" + json.dumps(CLICK).encode(), "application/x-www-form-urlencoded")

    assert payloads.read(json.dumps(CLICK).encode(), "application/json") == as_form
    assert (as_form.kind, as_form.user) == (Kind.CLICK, "U1")


@pytest.mark.parametrize(("payload", "key"), [(CLICK, "act 1.2.abc"), (JOINED, "event Ev1")])
def test_every_delivery_of_one_act_or_event_has_one_name(payload: dict[str, Any], key: str) -> None:
    assert {payloads.check(payload).key(transport) for transport in ("v0=first", "v0=again")} == {key}


def test_what_has_no_name_is_named_by_its_passage() -> None:
    unnamed = payloads.check({"command": "/x", "team_id": "T1", "user_id": "U1", "channel_id": "C1"})

    assert unnamed.key("v0=a") == "v0=a"


def test_a_name_is_never_longer_than_its_column() -> None:
    read = payloads.check({**CLICK, "trigger_id": "9" * 10_000})

    assert len(read.key("")) <= payloads.LONGEST_KEY
    assert read.key("") != payloads.check({**CLICK, "trigger_id": "8" * 10_000}).key("")


@pytest.mark.parametrize("change", [{"actions": []}, {"user": "U1"}, {"trigger_id": 7}, {"user": {"id": "U" * 65}}])
def test_another_shape_is_refused_by_its_place(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayloadError, match=next(iter(change))):
        payloads.check({**CLICK, **change})


def test_depth_of_a_real_view_passes_and_more_does_not() -> None:
    def nested(levels: int) -> Any:
        return {"message": {"ts": "1", "blocks": nested_lists(levels)}, **CLICK}

    def nested_lists(levels: int) -> Any:
        return [nested_lists(levels - 1)] if levels else []

    assert payloads.check(nested(40)).kind is Kind.CLICK
    with pytest.raises(MalformedPayloadError, match="too deep"):
        payloads.check(nested(payloads.DEEPEST))
