"""The page alone, whatever app is behind it: Block Kit as Slack shows it, forms, live news, keys, dark and light."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from browser.conftest import Opens
from labcoat.sandbox.client import SandboxClient
from labcoat.sandbox.serving import RunningSandbox
from labcoat.sandbox.wire import Json
from sandbox.building import BotServer, actions, button, modal, new_trigger, option, plain, section, text_input
from sandbox.conftest import bot

__all__ = ["bot"]  # a fixture of the sandbox's own tests
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c6360606000000004000146"
    "7ad2a50000000049454e44ae426082"
)


@pytest.fixture
def page(sandbox: RunningSandbox, opens: Opens) -> Page:
    page = opens(sandbox.url)
    expect(page.locator("#channel-name")).to_have_text("# search-experiments")
    return page


@pytest.fixture
def people(sandbox: RunningSandbox) -> Iterator[SandboxClient]:
    with SandboxClient(sandbox.url) as client:
        yield client


def last(page: Page) -> Any:
    return page.locator("#messages .message").last


def test_message_comes_changes_and_goes_without_reload(page: Page, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel="CSEARCH", text="first words")["ts"]
    expect(last(page)).to_contain_text("first words")

    slack.chat_update(channel="CSEARCH", ts=ts, text="other words")
    expect(last(page)).to_contain_text("other words")
    expect(last(page)).to_contain_text("(edited)")

    slack.chat_delete(channel="CSEARCH", ts=ts)
    expect(page.locator("#messages .message")).to_have_count(0)


def test_who_reads_further_up_is_told_of_new_messages(page: Page, slack: WebClient) -> None:
    for number in range(40):
        slack.chat_postMessage(channel="CSEARCH", text=f"message {number}")
    expect(last(page)).to_contain_text("message 39")
    expect(last(page)).to_be_in_viewport()
    page.locator("#messages").hover()
    page.mouse.wheel(0, -9000)
    expect(last(page)).not_to_be_in_viewport()

    slack.chat_postMessage(channel="CSEARCH", text="the newest")
    page.get_by_role("button", name="↓ 1 new message").click()

    expect(last(page)).to_be_in_viewport()
    expect(page.locator("#newer")).to_be_hidden()


def test_nothing_a_message_says_becomes_markup(page: Page, slack: WebClient) -> None:
    evil = "<img src=x onerror=alert(1)> &lt;script&gt;alert(1)&lt;/script&gt; <javascript:alert(1)|click>"
    slack.chat_postMessage(
        channel="CSEARCH", text=evil, blocks=[section(evil), {"type": "header", "text": plain(evil)}]
    )

    expect(last(page).locator(".header")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(last(page)).to_contain_text("<script>alert(1)</script>")
    expect(last(page).locator("script, .content img, a")).to_have_count(0)


def test_mrkdwn_reads_as_in_slack(page: Page, slack: WebClient) -> None:
    slack.chat_postMessage(
        channel="CSEARCH", text="*bold for <@UANA>* and _slanted_ ~gone~ `a*b*c` <https://example.org|there> :tada:"
    )

    expect(last(page).locator("strong")).to_have_text("bold for @Ana")
    expect(last(page).locator("strong .mention")).to_have_text("@Ana")
    expect(last(page).locator("em")).to_have_text("slanted")
    expect(last(page).locator("s")).to_have_text("gone")
    expect(last(page).locator("code")).to_have_text("a*b*c")
    expect(last(page).locator("a")).to_have_attribute("href", "https://example.org")
    expect(last(page)).to_contain_text("🎉")


def test_every_block_is_shown(page: Page, slack: WebClient) -> None:
    upload = slack.files_getUploadURLExternal(filename="chart.png", length=len(PIXEL))
    page.request.post(upload["upload_url"], data=PIXEL)
    slack.files_completeUploadExternal(files=[{"id": upload["file_id"]}])
    while not slack.files_info(file=upload["file_id"])["file"]["mimetype"]:
        pass
    part = {"type": "rich_text_section", "elements": [{"type": "text", "text": "rich", "style": {"bold": True}}]}
    raw = [{"type": "raw_text", "text": text} for text in ("metric", "lift")]
    blocks: list[Json] = [
        {"type": "header", "text": plain("A header")},
        section("text", accessory=button("side")),
        {"type": "section", "fields": [plain("left"), plain("right")]},
        {"type": "context", "elements": [plain("small print")]},
        {"type": "divider"},
        {"type": "image", "slack_file": {"id": upload["file_id"]}, "alt_text": "a chart"},
        {"type": "rich_text", "elements": [part]},
        {"type": "table", "rows": [raw, raw], "column_settings": [None, {"align": "right"}]},
        actions(button("go", style="primary"), {"type": "overflow", "action_id": "more", "options": [option("one")]}),
    ]
    slack.chat_postMessage(channel="CSEARCH", text="x", blocks=blocks)

    message = last(page)
    expect(message.get_by_role("heading", name="A header")).to_be_visible()
    expect(message.locator(".fields .text")).to_have_text(["left", "right"])
    expect(message.locator(".context")).to_have_text("small print")
    expect(message.get_by_alt_text("a chart")).to_be_visible()
    assert message.get_by_alt_text("a chart").evaluate("image => image.naturalWidth") == 1
    expect(message.locator("strong")).to_have_text("rich")
    expect(message.get_by_role("columnheader")).to_have_text(["metric", "lift"])
    expect(message.locator(".unknown")).to_have_count(0)


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


def test_overflow_menu_is_used_with_keys(page: Page, slack: WebClient, bot: BotServer) -> None:
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
    page.wait_for_function("() => !document.querySelector('.busy')")
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


def test_stacked_form_leads_back(page: Page, sandbox: RunningSandbox, slack: WebClient) -> None:
    slack.views_open(trigger_id=new_trigger(sandbox), view=modal(title=plain("Below")))
    expect(page.locator("#modal-title")).to_have_text("Below")
    slack.views_push(trigger_id=new_trigger(sandbox), view=modal(title=plain("Above")))
    expect(page.locator("#modal-title")).to_have_text("Above")

    page.get_by_role("button", name="Back").click()

    expect(page.locator("#modal-title")).to_have_text("Below")


def test_what_slack_refuses_is_shown_in_red(page: Page, slack: WebClient) -> None:
    slack.chat_postMessage(channel="CSEARCH", text="fine")
    expect(last(page)).to_contain_text("fine")
    with pytest.raises(SlackApiError):
        slack.chat_postMessage(channel="CSEARCH", text="x", blocks=[section("x" * 3001)])

    expect(page.locator("#toast.problem")).to_contain_text("must be less than 3001 characters")
    page.get_by_role("button", name="Look").click()
    problem = page.locator("#requests .problems li").first
    expect(problem).to_contain_text("/blocks/0/text/text")
    red, green, blue = page.evaluate(
        "e => getComputedStyle(e).color.match(/\\d+/g).map(Number)", problem.element_handle()
    )
    assert red > 2 * max(green, blue)


def test_requests_show_payload_ack_and_time(page: Page, bot: BotServer) -> None:
    @bot.app.command("/hypothesis")
    def answer(ack: Any) -> None:
        ack("well received")

    page.locator("#line").fill("/hypothesis fresh offers")
    page.locator("#line").press("Enter")
    page.get_by_role("button", name="Requests").click()
    call = page.locator("#requests .call").filter(has_text="/hypothesis").first
    call.locator("summary").click()

    expect(call.locator(".ms")).to_have_text(re.compile(r"200 · \d+ ms"))
    expect(call).to_contain_text("response_url")
    expect(call).to_contain_text("well received")


def test_fault_switch_makes_slack_fail_until_it_is_off(page: Page, slack: WebClient) -> None:
    page.get_by_role("button", name="Faults").click()
    page.get_by_role("switch", name=re.compile("^429")).check()
    page.wait_for_function("async () => (await (await fetch('/sandbox/faults')).json()).waiting.length === 1")
    with pytest.raises(SlackApiError, match="ratelimited"):
        slack.chat_postMessage(channel="CSEARCH", text="x")

    page.get_by_role("switch", name=re.compile("^429")).uncheck()
    page.wait_for_function("async () => (await (await fetch('/sandbox/faults')).json()).waiting.length === 0")

    assert slack.chat_postMessage(channel="CSEARCH", text="x")["ok"]


def test_commands_are_suggested_while_one_types(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.type("exp")
    expect(page.get_by_role("option")).to_have_count(1)

    page.keyboard.press("Tab")

    expect(page.locator("#line")).to_have_value("/experiment ")


def test_what_could_not_be_sent_stays_in_the_field(page: Page) -> None:
    page.locator("#line").fill("/nonsense with words")
    page.locator("#line").press("Enter")

    expect(page.locator("#toast")).to_contain_text("is not a command of this app")
    expect(page.locator("#line")).to_have_value("/nonsense with words")


def test_unread_messages_are_marked_until_looked_at(page: Page, slack: WebClient) -> None:
    app = page.get_by_role("navigation").locator("li button").filter(has_text="labcoat")
    slack.chat_postMessage(channel="UANA", text="for Ana")
    slack.chat_postMessage(channel="UBEN", text="for Ben")
    expect(app.locator(".badge")).to_have_text("1")
    expect(page.get_by_role("radio", name="Ben, Data scientist, 1 unread")).to_be_visible()

    app.click()

    expect(page.locator("#messages")).to_contain_text("for Ana")
    expect(app.locator(".badge")).to_have_count(0)


def test_thread_opens_beside_the_channel(page: Page, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel="CSEARCH", text="parent")["ts"]
    slack.chat_postMessage(channel="CSEARCH", text="reply", thread_ts=ts)

    page.locator(".replies").click()
    expect(page.locator("#replies .message")).to_have_count(2)
    page.locator("#reply-line").fill("mine")
    page.locator("#reply-line").press("Enter")

    expect(page.locator("#replies .message").last).to_contain_text("mine")
    expect(page.locator(".replies")).to_contain_text("2 replies")
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()


def test_message_shortcut_carries_its_message(page: Page, slack: WebClient, bot: BotServer) -> None:
    seen: list[Json] = []

    @bot.app.message_shortcut("turn")
    def turn(ack: Any, shortcut: Json) -> None:
        seen.append(shortcut)
        ack()

    slack.chat_postMessage(channel="CSEARCH", text="turn me")
    last(page).hover()
    last(page).get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Turn it").click()

    expect(page.get_by_role("menu")).to_have_count(0)
    page.wait_for_function(
        "async () => (await (await fetch('/sandbox/calls')).json()).calls.some(c => c.method === 'message_action')"
    )
    assert seen[0]["message"]["text"] == "turn me"


def test_home_tab_is_shown_and_used(page: Page, slack: WebClient, bot: BotServer) -> None:
    @bot.app.action("press")
    def press(ack: Any, body: Json, client: WebClient) -> None:
        ack()
        client.views_publish(user_id=body["user"]["id"], view={"type": "home", "blocks": [section("pressed")]})

    slack.views_publish(user_id="UANA", view={"type": "home", "blocks": [section("hello"), actions(button())]})
    page.get_by_role("navigation").locator("li button").filter(has_text="labcoat").click()
    page.get_by_role("tab", name="Home").click()
    expect(page.locator(".home")).to_contain_text("hello")

    page.locator(".home").get_by_role("button", name="Press").click()

    expect(page.locator(".home")).to_contain_text("pressed")


def test_app_without_a_home_says_so(page: Page) -> None:
    page.get_by_role("navigation").locator("li button").filter(has_text="labcoat").click()
    page.get_by_role("tab", name="Home").click()

    expect(page.locator(".home")).to_contain_text("has not published its Home tab")


def test_page_says_that_nobody_answers_and_comes_back_by_itself(page: Page, slack: WebClient) -> None:
    page.route("**/sandbox/screen*", lambda route: route.abort())
    slack.chat_postMessage(channel="CSEARCH", text="not seen yet")
    expect(page.locator("#offline")).to_be_visible()

    page.unroute("**/sandbox/screen*")
    slack.chat_postMessage(channel="CSEARCH", text="again on the line")

    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator("#messages .message")).to_have_count(2)


def test_who_leaves_a_channel_is_shown_another(page: Page, people: SandboxClient) -> None:
    people.person("UANA").leave("CSEARCH")

    expect(page.locator("#channel-name")).to_have_text("# general")


def test_dark_mode_follows_the_system_and_the_button(sandbox: RunningSandbox, opens: Opens) -> None:
    page = opens(sandbox.url, is_dark=True)
    background = "getComputedStyle(document.querySelector('main')).backgroundColor.match(/\\d+/g).map(Number)"
    assert max(page.evaluate(background)) < 64

    page.get_by_role("button", name="Light or dark").click()
    assert min(page.evaluate(background)) > 240
    page.reload()

    expect(page.locator("#channel-name")).to_have_text("# search-experiments")
    assert min(page.evaluate(background)) > 240


@pytest.mark.parametrize("is_dark", [False, True])
def test_text_stands_out_from_its_ground(
    sandbox: RunningSandbox, slack: WebClient, opens: Opens, is_dark: bool
) -> None:
    """Source: WCAG 2.2, 1.4.3: a contrast of 4.5 for text of this size."""
    slack.chat_postMessage(
        channel="CSEARCH", text="words <@UANA>", blocks=[section("words <@UANA>"), actions(button(style="primary"))]
    )
    page = opens(sandbox.url, is_dark=is_dark)
    expect(last(page)).to_contain_text("words")

    ratios = page.evaluate(CONTRAST)

    assert {what: round(ratio, 1) for what, ratio in ratios.items() if ratio < 4.5} == {}


CONTRAST = """() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)|transparent/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = {};
  const texts = ["#messages .who", "#messages time", ".mention", "#messages button.primary", "nav .label"];
  for (const what of [...texts, "nav .small", "#members", "#channel-name", "#top button"]) {
    const node = document.querySelector(what);
    if (!node || !node.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
    found[what] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return found;
}"""


def test_page_asks_nothing_of_the_network(sandbox: RunningSandbox, opens: Opens) -> None:
    asked: list[str] = []
    page = opens("about:blank")
    page.on("request", lambda request: asked.append(request.url))
    page.goto(sandbox.url)
    expect(page.locator("#channel-name")).to_have_text("# search-experiments")

    assert {url.split("/")[2] for url in asked if not url.startswith("data:")} == {sandbox.url.split("/")[2]}


def test_curtain_keeps_visitors_from_acting(page: Page, people: SandboxClient) -> None:
    people.set_curtain("One moment")
    expect(page.get_by_text("One moment")).to_be_visible()
    assert page.evaluate("document.querySelector('#body').inert")

    people.set_curtain("")

    expect(page.locator("#curtain")).to_be_hidden()
