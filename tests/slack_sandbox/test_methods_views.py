"""Modals: trigger ids, limits, the stack.

Sources: docs.slack.dev/surfaces/modals, docs.slack.dev/reference/views/modal-views.
"""

import pytest
from slack_sdk import WebClient

from sandbox_parts import BotServer, Clock, modal, new_trigger, opened, plain, refusal, section
from slack_sandbox.client import Person
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json


def test_trigger_id_lives_three_seconds(sandbox: RunningSandbox, slack: WebClient, clock: Clock) -> None:
    # docs.slack.dev/interactivity/handling-user-interaction, "trigger_id"; views.open, errors
    trigger = new_trigger(sandbox)
    clock.seconds = 3.1

    assert refusal(slack.views_open, trigger_id=trigger, view=modal())["error"] == "expired_trigger_id"


def test_trigger_id_works_once(sandbox: RunningSandbox, slack: WebClient) -> None:
    # views.open, errors
    trigger = new_trigger(sandbox)
    slack.views_open(trigger_id=trigger, view=modal())

    assert refusal(slack.views_open, trigger_id=trigger, view=modal())["error"] == "exchanged_trigger_id"


def test_made_up_trigger_id_is_invalid(slack: WebClient) -> None:
    # views.open, errors
    assert refusal(slack.views_open, trigger_id="1.2.abc", view=modal())["error"] == "invalid_trigger_id"


@pytest.mark.parametrize(
    ("view", "place"),
    [
        (modal(title=plain("x" * 25)), "/view/title/text"),
        (modal(submit=plain("x" * 25)), "/view/submit/text"),
        (modal(close=plain("x" * 25)), "/view/close/text"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(callback_id="x" * 256), "/view/callback_id"),
        (modal(*({"type": "divider"} for _ in range(101))), "/view/blocks"),
        (modal(section("x" * 3001)), "/view/blocks/0/text/text"),
        (modal(section(block_id="a"), section(block_id="a")), "/view/blocks/1/block_id"),
        ({key: value for key, value in modal().items() if key != "submit"}, "/view"),  # inputs need submit
        (modal(colour="blue"), "/view"),
    ],
)
def test_view_beyond_a_limit_is_an_invalid_argument(
    view: Json, place: str, sandbox: RunningSandbox, slack: WebClient
) -> None:
    # modal-views, fields
    answer = refusal(slack.views_open, trigger_id=new_trigger(sandbox), view=view)

    assert answer["error"] == "invalid_arguments"
    assert f"[json-pointer:{place}]" in answer["response_metadata"]["messages"][0]


def test_view_takes_100_blocks_and_24_characters_of_title(sandbox: RunningSandbox, slack: WebClient) -> None:
    # modal-views, fields
    view = modal(*({"type": "divider"} for _ in range(100)), title=plain("x" * 24), private_metadata="x" * 3000)

    assert len(opened(sandbox, slack, view)["blocks"]) == 100


def test_view_over_250_kilobytes_is_too_large(sandbox: RunningSandbox, slack: WebClient) -> None:
    # views.open, errors
    view = modal(*(section("x" * 2900) for _ in range(90)))

    assert refusal(slack.views_open, trigger_id=new_trigger(sandbox), view=view)["error"] == "view_too_large"


def test_update_with_a_stale_hash_is_refused(sandbox: RunningSandbox, slack: WebClient) -> None:
    # views.update, errors
    view = opened(sandbox, slack, modal())
    slack.views_update(view_id=view["id"], hash=view["hash"], view=modal(title=plain("Second")))

    answer = refusal(slack.views_update, view_id=view["id"], hash=view["hash"], view=modal())

    assert answer["error"] == "hash_conflict"


def test_closed_view_cannot_be_updated(sandbox: RunningSandbox, slack: WebClient, bot: BotServer, ana: Person) -> None:
    # views.update, errors
    view = opened(sandbox, slack, modal())
    ana.close()

    assert refusal(slack.views_update, view_id=view["id"], view=modal())["error"] == "not_found"


def test_stack_holds_three_views(sandbox: RunningSandbox, slack: WebClient, ana: Person) -> None:
    # views.push, errors
    root = opened(sandbox, slack, modal())
    for _ in range(2):
        pushed = slack.views_push(trigger_id=new_trigger(sandbox), view=modal())["view"]

    assert refusal(slack.views_push, trigger_id=new_trigger(sandbox), view=modal())["error"] == "push_limit_reached"
    assert len(ana.views()) == 3
    assert pushed["root_view_id"] == root["id"]


def test_external_id_is_unique(sandbox: RunningSandbox, slack: WebClient) -> None:
    # views.open, errors
    opened(sandbox, slack, modal(external_id="one"))
    second = modal(external_id="one")

    answer = refusal(slack.views_open, trigger_id=new_trigger(sandbox), view=second)

    assert answer["error"] == "duplicate_external_id"
