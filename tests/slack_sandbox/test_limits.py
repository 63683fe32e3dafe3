"""Slack's limits on blocks. Sources: docs.slack.dev/reference/block-kit, the pages of the block or element named.

Each limit is tried from both sides: the largest allowed passes, one more is refused at the place it stands.
"""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox_parts import actions, button, option, plain, refusal, section, text_input, web_client
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def select(count: int, **more: Any) -> Json:
    return {
        "type": "static_select",
        "action_id": "pick",
        "options": [option(f"v{number}") for number in range(count)],
        **more,
    }


def choice(kind: str, count: int) -> Json:
    return {"type": kind, "action_id": "pick", "options": [option(f"v{number}") for number in range(count)]}


def option_of(text: int = 1, value: int = 1) -> Json:
    return section(accessory=select(0, options=[{"text": plain("x" * text), "value": "x" * value}]))


def raw(text: str) -> Json:
    return {"type": "raw_text", "text": text}


def confirm(text: str) -> Json:
    return {"title": plain("Sure?"), "text": plain(text), "confirm": plain("Yes"), "deny": plain("No")}


# what -> (a block with n of it, the most allowed, where the refusal points)
LIMITS: dict[str, tuple[Callable[[int], Json], int, str]] = {
    "section text": (lambda n: section("x" * n), 3000, "/blocks/0/text/text"),
    "section fields": (lambda n: {"type": "section", "fields": [mrkdwn("x")] * n}, 10, "/blocks/0/fields"),
    "field text": (lambda n: {"type": "section", "fields": [mrkdwn("x" * n)]}, 2000, "/blocks/0/fields/0/text"),
    "header text": (lambda n: {"type": "header", "text": plain("x" * n)}, 150, "/blocks/0/text/text"),
    "block id": (lambda n: section(block_id="x" * n), 255, "/blocks/0/block_id"),
    "actions elements": (
        lambda n: actions(*(button(f"a{number}") for number in range(n))),
        25,
        "/blocks/0/elements",
    ),
    "context elements": (lambda n: {"type": "context", "elements": [mrkdwn("x")] * n}, 10, "/blocks/0/elements"),
    "button text": (lambda n: actions(button(text=plain("x" * n))), 75, "/blocks/0/elements/0/text/text"),
    "button value": (lambda n: actions(button(value="x" * n)), 2000, "/blocks/0/elements/0/value"),
    "button url": (lambda n: actions(button(url="x" * n)), 3000, "/blocks/0/elements/0/url"),
    "action id": (lambda n: actions(button("x" * n)), 255, "/blocks/0/elements/0/action_id"),
    "select options": (lambda n: section(accessory=select(n)), 100, "/blocks/0/accessory/options"),
    "radio options": (lambda n: actions(choice("radio_buttons", n)), 10, "/blocks/0/elements/0/options"),
    "checkbox options": (lambda n: actions(choice("checkboxes", n)), 10, "/blocks/0/elements/0/options"),
    "overflow options": (lambda n: actions(choice("overflow", n)), 5, "/blocks/0/elements/0/options"),
    "option text": (lambda n: option_of(text=n), 75, "/blocks/0/accessory/options/0/text/text"),
    "option value": (lambda n: option_of(value=n), 150, "/blocks/0/accessory/options/0/value"),
    "placeholder": (
        lambda n: section(accessory=select(1, placeholder=plain("x" * n))),
        150,
        "/blocks/0/accessory/placeholder/text",
    ),
    "alt text": (
        lambda n: {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "x" * n},
        2000,
        "/blocks/0/alt_text",
    ),
    "table rows": (lambda n: {"type": "table", "rows": [[raw("x")]] * n}, 100, "/blocks/0/rows"),
    "table cells of a row": (lambda n: {"type": "table", "rows": [[raw("x")] * n]}, 20, "/blocks/0/rows/0"),
    "files of a file input": (
        lambda n: text_input(element={"type": "file_input", "action_id": "csv", "max_files": n}),
        10,
        "/blocks/0/element/max_files",
    ),
    "input label": (lambda n: text_input(label=plain("x" * n)), 2000, "/blocks/0/label/text"),
    "input hint": (lambda n: text_input(hint=plain("x" * n)), 2000, "/blocks/0/hint/text"),
    "confirm text": (
        lambda n: actions(button(confirm=confirm("x" * n))),
        300,
        "/blocks/0/elements/0/confirm/text/text",
    ),
}

# what -> (a broken block, where the refusal points)
BROKEN: dict[str, tuple[Json, str]] = {
    "empty section": ({"type": "section"}, "/blocks/0"),
    "empty text": (section(""), "/blocks/0/text/text"),
    "unknown block": ({"type": "sparkles"}, "/blocks/0/type"),
    "header in mrkdwn": ({"type": "header", "text": mrkdwn("Hi")}, "/blocks/0/text/type"),
    "button in mrkdwn": (actions(button(text=mrkdwn("Hi"))), "/blocks/0/elements/0/text/type"),
    "button of another style": (actions(button(style="warning")), "/blocks/0/elements/0/style"),
    "same action twice": (actions(button(), button()), "/blocks/0/elements/1/action_id"),
    "no elements": (actions(), "/blocks/0/elements"),
    "image without alt text": ({"type": "image", "image_url": "https://example.org/a.png"}, "/blocks/0"),
    "image without source": ({"type": "image", "alt_text": "A chart"}, "/blocks/0"),
    "select without options": (section(accessory=select(0)), "/blocks/0/accessory/options"),
    "initial option that is no option": (
        section(accessory=select(1, initial_option=option("other"))),
        "/blocks/0/accessory/initial_option",
    ),
    "text field outside an input": (
        actions({"type": "plain_text_input", "action_id": "typed"}),
        "/blocks/0/elements/0/type",
    ),
    "button inside an input": (text_input(element=button()), "/blocks/0/element/type"),
    "number field that does not say about decimals": (
        text_input(element={"type": "number_input", "action_id": "typed"}),
        "/blocks/0/element",
    ),
    "date of another form": (
        text_input(element={"type": "datepicker", "action_id": "typed", "initial_date": "1 May"}),
        "/blocks/0/element/initial_date",
    ),
    "table without rows": ({"type": "table"}, "/blocks/0"),
    "table cell of another kind": (
        {"type": "table", "rows": [[{"type": "mrkdwn", "text": "x"}]]},
        "/blocks/0/rows/0/0/type",
    ),
    "table with an empty row": ({"type": "table", "rows": [[]]}, "/blocks/0/rows/0"),
    "table columns that are no objects": (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]], "column_settings": ["x"]},
        "/blocks/0/column_settings",
    ),
    "number of files that is no number": (
        text_input(element={"type": "file_input", "action_id": "csv", "max_files": "abc"}),
        "/blocks/0/element/max_files",
    ),
    "table column aligned in no way": (
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]], "column_settings": [{"align": "up"}]},
        "/blocks/0/column_settings/0/align",
    ),
    "rich text of another kind": (
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "blink"}]}]},
        "/blocks/0/elements/0/elements/0/type",
    ),
}


@pytest.mark.parametrize("what", LIMITS)
def test_limit_holds_from_both_sides(what: str, steady_sandbox: RunningSandbox) -> None:
    block, most, place = LIMITS[what]
    slack = web_client(steady_sandbox)

    assert slack.chat_postMessage(channel="CSEARCH", text="Hi", blocks=[block(most)])["ok"]
    answer = refusal(slack.chat_postMessage, channel="CSEARCH", text="Hi", blocks=[block(most + 1)])

    assert answer["error"] == "invalid_blocks"
    assert [m for m in answer["response_metadata"]["messages"] if f"[json-pointer:{place}]" in m]


@pytest.mark.parametrize("what", BROKEN)
def test_broken_block_is_refused_where_it_breaks(what: str, steady_sandbox: RunningSandbox) -> None:
    block, place = BROKEN[what]

    answer = refusal(web_client(steady_sandbox).chat_postMessage, channel="CSEARCH", text="Hi", blocks=[block])

    assert answer["error"] == "invalid_blocks"
    assert [m for m in answer["response_metadata"]["messages"] if f"[json-pointer:{place}]" in m]


def test_message_takes_50_blocks(steady_sandbox: RunningSandbox) -> None:
    # docs.slack.dev/reference/block-kit/blocks
    slack = web_client(steady_sandbox)
    divider = {"type": "divider"}

    assert slack.chat_postMessage(channel="CSEARCH", text="Hi", blocks=[divider] * 50)["ok"]
    answer = refusal(slack.chat_postMessage, channel="CSEARCH", text="Hi", blocks=[divider] * 51)

    assert answer["errors"] == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_message_takes_one_table(steady_sandbox: RunningSandbox) -> None:
    """Source: docs.slack.dev/reference/block-kit/blocks/table-block, "Usage info"."""
    table: Json = {"type": "table", "rows": [[raw("x")]]}
    slack = web_client(steady_sandbox)

    assert slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[table])["ok"]
    assert (
        refusal(slack.chat_postMessage, channel="CSEARCH", text="x", blocks=[table, table])["error"] == "invalid_blocks"
    )


def test_block_ids_are_unique_in_a_message(steady_sandbox: RunningSandbox) -> None:
    # docs.slack.dev/reference/block-kit/blocks/section-block, block_id
    twice = [section(block_id="same"), section(block_id="same")]

    answer = refusal(web_client(steady_sandbox).chat_postMessage, channel="CSEARCH", text="Hi", blocks=twice)

    assert "/blocks/1/block_id" in answer["errors"][0]


def test_blocks_that_are_no_list_are_refused_as_a_format(steady_sandbox: RunningSandbox) -> None:
    # chat.postMessage, errors
    answer = refusal(web_client(steady_sandbox).chat_postMessage, channel="CSEARCH", text="Hi", blocks='"a string"')

    assert answer["error"] == "invalid_blocks_format"


def test_slack_gives_ids_to_blocks_and_elements_without(steady_sandbox: RunningSandbox) -> None:
    # docs.slack.dev/reference/block-kit/blocks: a block_id is generated if not given
    unnamed = {"type": "button", "text": plain("Press")}

    message = web_client(steady_sandbox).chat_postMessage(channel="CSEARCH", text="Hi", blocks=[actions(unnamed)])

    block = message["message"]["blocks"][0]
    assert block["block_id"]
    assert block["elements"][0]["action_id"]
