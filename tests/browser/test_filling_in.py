"""What people press, choose, type and send: buttons, menus, forms, commands."""

import re
import threading
from typing import Any

from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from browser.looking import hears, last
from sandbox_parts import BotServer, actions, button, modal, new_trigger, option, plain, section, text_input
from slack_sandbox.client import SandboxClient
from slack_sandbox.serving import RunningSandbox
from slack_sandbox.wire import Json


def test_risky_button_asks_first(page: Page, slack: WebClient, bot: BotServer) -> None:
    pressed: list[str] = []

    @bot.app.action("press")
    def press(ack: Any) -> None:
        pressed.append("yes")
        ack()

    sure = {"title": plain("Sure?"), "text": plain("It is gone then."), "confirm": plain("Yes"), "deny": plain("No")}
    slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[actions(button(confirm=sure))])
    last(page).get_by_role("button", name="Press").click()
    page.get_by_role("dialog").get_by_role("button", name="No").click()
    assert pressed == []

    last(page).get_by_role("button", name="Press").click()
    page.get_by_role("dialog").get_by_role("button", name="Yes").click()

    expect(last(page).get_by_role("button", name="Press")).not_to_have_class(re.compile("busy"))
    assert pressed == ["yes"]


def test_overflow_menu_is_used_with_keys(page: Page, slack: WebClient, bot: BotServer, people: SandboxClient) -> None:
    chosen: list[str] = []

    @bot.app.action("more")
    def more(ack: Any, action: Json) -> None:
        chosen.append(action["selected_option"]["value"])
        ack()

    menu = {"type": "overflow", "action_id": "more", "options": [option("one"), option("two")]}
    slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[section(accessory=menu)])
    last(page).get_by_role("button", name="More", exact=True).press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_role("menu")).to_have_count(0)
    hears(people, "block_actions")
    assert chosen == ["two"]


def test_every_input_can_be_filled_in(page: Page, sandbox: RunningSandbox, slack: WebClient, bot: BotServer) -> None:
    payloads: list[Json] = []

    @bot.app.view("form")
    def submitted(ack: Any, body: Json) -> None:
        payloads.append(body)
        ack()

    def field(kind: str, **more: Any) -> Json:
        return text_input(kind, label=plain(kind), element={"type": kind, "action_id": "a", **more})

    choices = {"options": [option("one"), option("two")]}
    kinds = [
        field("plain_text_input"),
        field("number_input", is_decimal_allowed=True),
        field("email_text_input"),
        field("datepicker"),
        field("timepicker"),
        field("static_select", **choices),
        field("users_select"),
        field("radio_buttons", **choices),
        field("checkboxes", **choices),
        field("multi_static_select", **choices),
        field("file_input", filetypes=["csv"], max_files=1),
    ]
    slack.views_open(trigger_id=new_trigger(sandbox), view=modal(*kinds))
    form = page.locator("dialog#modal[open]")
    form.get_by_label("plain_text_input").fill("words")
    form.get_by_label("number_input").fill("1.5")
    form.get_by_label("email_text_input").fill("ana@example.org")
    form.get_by_label("datepicker").fill("2026-11-24")
    form.get_by_label("timepicker").fill("09:30")
    form.get_by_label("static_select", exact=True).select_option("two")
    form.get_by_label("users_select").select_option("UBEN")
    form.get_by_role("group", name="radio_buttons").get_by_text("Two").click()
    form.get_by_role("group", name="checkboxes").get_by_text("One").click()
    form.get_by_role("group", name="multi_static_select").get_by_text("Two").click()
    form.locator("input[type=file]").set_input_files(
        {"name": "totals.csv", "mimeType": "text/csv", "buffer": b"variant,n\ncontrol,10\n"}
    )
    expect(form).to_contain_text("totals.csv")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)

    values = {block: state["a"] for block, state in payloads[0]["view"]["state"]["values"].items()}
    assert (values["plain_text_input"]["value"], values["number_input"]["value"]) == ("words", "1.5")
    assert (values["datepicker"]["selected_date"], values["timepicker"]["selected_time"]) == ("2026-11-24", "09:30")
    assert values["static_select"]["selected_option"]["value"] == "two"
    assert (values["users_select"]["selected_user"], len(values["checkboxes"]["selected_options"])) == ("UBEN", 1)
    assert values["file_input"]["files"][0]["name"] == "totals.csv"


def test_form_keeps_what_was_typed_when_it_is_refused(
    page: Page, sandbox: RunningSandbox, slack: WebClient, bot: BotServer
) -> None:
    @bot.app.view("form")
    def refuse(ack: Any) -> None:
        ack(response_action="errors", errors={"name": "Too short."})

    slack.views_open(trigger_id=new_trigger(sandbox), view=modal())
    form = page.locator("dialog#modal[open]")
    form.get_by_label("Name").fill("x")
    page.keyboard.press("Control+Enter")

    expect(form.locator(".error")).to_have_text("Too short.")
    expect(form.get_by_label("Name")).to_have_value("x")
    expect(form.get_by_label("Name")).to_be_focused()


def test_typing_survives_an_update_of_the_form(page: Page, sandbox: RunningSandbox, slack: WebClient) -> None:
    """Source: docs.slack.dev/surfaces/modals, "Updating views": state stays where block_id and action_id stay."""
    view = slack.views_open(trigger_id=new_trigger(sandbox), view=modal(text_input("name", label=plain("Kept"))))[
        "view"
    ]
    form = page.locator("dialog#modal[open]")
    form.get_by_label("Kept").fill("half a sent")

    slack.views_update(
        view_id=view["id"], view=modal(text_input("new", label=plain("New")), text_input("name", label=plain("Kept")))
    )

    expect(form.get_by_label("New")).to_be_visible()
    expect(form.get_by_label("Kept")).to_have_value("half a sent")
    expect(form.get_by_label("Kept")).to_be_focused()


def test_form_is_sent_once_while_the_app_takes_its_time(
    page: Page, sandbox: RunningSandbox, slack: WebClient, bot: BotServer
) -> None:
    may_answer = threading.Event()

    @bot.app.view("form")
    def slow(ack: Any) -> None:
        may_answer.wait(2)
        ack()

    slack.views_open(trigger_id=new_trigger(sandbox), view=modal())
    form = page.locator("dialog#modal[open]")
    form.get_by_label("Name").fill("x")
    form.get_by_role("button", name="Save").click()
    slack.chat_postMessage(channel="CSEARCH", text="meanwhile")
    expect(last(page)).to_contain_text("meanwhile")
    expect(form.locator("button[type=submit]")).to_have_attribute("aria-busy", "true")
    page.keyboard.press("Control+Enter")

    may_answer.set()

    expect(form).to_have_count(0)
    assert len(bot.received) == 1


def test_moment_is_in_the_zone_of_the_person(
    page: Page, sandbox: RunningSandbox, slack: WebClient, bot: BotServer
) -> None:
    payloads: list[Json] = []

    @bot.app.view("form")
    def submitted(ack: Any, body: Json) -> None:
        payloads.append(body)
        ack()

    noon_in_berlin = 1795518000  # 2026-11-24T11:00Z; the browser's own zone is another
    field = {"type": "datetimepicker", "action_id": "a", "initial_date_time": noon_in_berlin}
    slack.views_open(trigger_id=new_trigger(sandbox), view=modal(text_input("at", element=field)))
    form = page.locator("dialog#modal[open]")
    expect(form.get_by_label("Name")).to_have_value("2026-11-24T12:00")

    form.get_by_label("Name").fill("2026-11-24T13:30")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)

    assert payloads[0]["view"]["state"]["values"]["at"]["a"]["selected_date_time"] == noon_in_berlin + 5400


def test_stacked_form_leads_back(page: Page, sandbox: RunningSandbox, slack: WebClient) -> None:
    slack.views_open(trigger_id=new_trigger(sandbox), view=modal(title=plain("Below")))
    expect(page.locator("#modal-title")).to_have_text("Below")
    slack.views_push(trigger_id=new_trigger(sandbox), view=modal(title=plain("Above")))
    expect(page.locator("#modal-title")).to_have_text("Above")

    page.get_by_role("button", name="Back").click()

    expect(page.locator("#modal-title")).to_have_text("Below")


def test_commands_are_suggested_while_one_types(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.type("exp")
    expect(page.get_by_role("option")).to_have_count(1)

    page.keyboard.press("Tab")

    expect(page.locator("#line")).to_have_value("/experiment ")


def test_global_shortcut_is_offered_everywhere(page: Page, bot: BotServer, people: SandboxClient) -> None:
    chosen: list[str] = []

    @bot.app.global_shortcut("new")
    def new(ack: Any, shortcut: Json) -> None:
        chosen.append(shortcut["user"]["id"])
        ack()

    page.get_by_role("button", name="Shortcuts").click()
    page.get_by_role("menuitem", name="New").click()

    hears(people, "shortcut")
    assert chosen == ["UANA"]


def test_button_shows_that_it_works_until_the_app_has_answered(page: Page, slack: WebClient, bot: BotServer) -> None:
    may_answer = threading.Event()

    @bot.app.action("press")
    def press(ack: Any) -> None:
        may_answer.wait(2)
        ack()

    slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[actions(button())])
    pressed = last(page).get_by_role("button", name="Press")
    pressed.click()
    expect(pressed).to_have_attribute("aria-busy", "true")

    may_answer.set()

    expect(pressed).not_to_have_attribute("aria-busy", "true")


def test_what_could_not_be_sent_stays_in_the_field(page: Page) -> None:
    page.locator("#line").fill("/nonsense with words")
    page.locator("#line").press("Enter")

    expect(page.locator("#toast")).to_contain_text("is not a command of this app")
    expect(page.locator("#line")).to_have_value("/nonsense with words")
