"""Whatever the bot says or asks fits Slack's limits at its largest, and what people typed stays text."""

import re
from pathlib import Path

import pytest

import labcoat
import largest
import largest_refusals
import largest_words
from labcoat.slack.blocks import Message, cut, escape, notice_view
from slack_sandbox.blocks import read_message_blocks
from slack_sandbox.views import read_view

MESSAGES, FORMS, HOMES = dict(largest.messages()), dict(largest.forms()), dict(largest.homes())
PUBLIC_MENTION = re.compile(r"<!(channel|here|everyone)")


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_valid_at_its_largest(name: str) -> None:
    arguments = MESSAGES[name].arguments()

    assert read_message_blocks(arguments["blocks"], is_shown=lambda _: False)
    assert 0 < len(arguments["text"]) <= 4000


@pytest.mark.parametrize("name", MESSAGES)
def test_what_people_typed_mentions_nobody(name: str) -> None:
    assert not PUBLIC_MENTION.search(_formatted(MESSAGES[name]))


@pytest.mark.parametrize("name", [name for name in MESSAGES if name.startswith("card")])
def test_card_has_eight_blocks_at_most(name: str) -> None:
    assert len(MESSAGES[name].blocks) <= 8


@pytest.mark.parametrize("name", FORMS)
def test_form_is_valid_at_its_largest(name: str) -> None:
    assert read_view(FORMS[name], is_home=False, is_shown=lambda _: False)


@pytest.mark.parametrize("name", HOMES)
def test_home_is_valid_at_its_largest(name: str) -> None:
    assert read_view(HOMES[name], is_home=True, is_shown=lambda _: False)


@pytest.mark.parametrize("name", MESSAGES)
def test_an_answer_can_be_shown_on_top_of_home(name: str) -> None:
    assert read_view(notice_view("Labcoat", MESSAGES[name]), is_home=False, is_shown=lambda _: False)


@pytest.mark.parametrize("name", FORMS)
def test_no_input_of_a_form_is_cut_away(name: str) -> None:
    ids = [block["block_id"] for block in FORMS[name]["blocks"] if block["type"] == "input"]

    assert len(ids) == len(set(ids))
    assert all(len(block.get("element", {}).get("options", [])) <= 100 for block in FORMS[name]["blocks"])


@pytest.mark.parametrize("name", [name for name in FORMS if name.startswith("record")])
def test_form_of_totals_asks_for_every_variant_and_offers_every_metric(name: str) -> None:
    blocks = {block["block_id"]: block for block in FORMS[name]["blocks"] if block["type"] == "input"}

    assert {f"totals_{n}" for n in range(len(largest_words.NAMES))} <= blocks.keys()
    assert [one["value"] for one in blocks["metric"]["element"]["options"]] == list(largest_words.METRICS)


def test_every_emoji_is_one_that_people_on_the_page_see() -> None:
    source = Path(labcoat.__file__).parent
    page = (source.parent / "slack_sandbox/page/emoji.js").read_text(encoding="utf-8")
    said = "".join(_formatted(message) for message in MESSAGES.values())

    assert set(re.findall(r"(?<!\w):([a-z_]{3,}):", said)) <= set(re.findall(r"(\w+): \"", page))


def test_refusals_are_valid_at_their_largest() -> None:
    for message in largest_refusals.refusals():
        assert read_message_blocks(message.arguments()["blocks"], is_shown=lambda _: False)
        assert not PUBLIC_MENTION.search(_formatted(message))


@pytest.mark.parametrize("longest", range(1, 40))
def test_cut_never_leaves_half_an_escape(longest: int) -> None:
    shown = cut(escape("a<!channel>&b<c>"), longest)

    assert len(shown) <= longest
    assert re.fullmatch(r"(?:[^&<>]|&amp;|&lt;|&gt;)*", shown)


def test_cut_leaves_what_fits() -> None:
    assert cut("fits", 4) == "fits"
    assert cut("too long", 4) == "too…"


def _formatted(message: Message) -> str:
    """Return all that Slack reads as mrkdwn: the text, and the blocks' texts of that type."""
    found: list[str] = [message.arguments()["text"]]

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if part.get("type") == "mrkdwn":
                found.append(str(part["text"]))
            for inner in part.values():
                walk(inner)
        elif isinstance(part, (list, tuple)):
            for inner in part:
                walk(inner)

    walk(message.blocks)
    return "\n".join(found)
