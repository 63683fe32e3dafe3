"""Messages as people see them: live, safe, every block as Slack shows it, threads, unread marks, the Home tab."""

from typing import Any

from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from browser.looking import hears, last
from sandbox_parts import BotServer, actions, button, option, plain, section
from slack_sandbox.client import SandboxClient
from slack_sandbox.wire import Json

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c6360606000000004000146"
    "7ad2a50000000049454e44ae426082"
)


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
        channel="CSEARCH",
        text="*bold for <@UANA>* and _slanted_ ~gone~ `a*b*c` <https://example.org|there> :tada: :constructor:",
    )

    expect(last(page).locator("strong")).to_have_text("bold for @Ana")
    expect(last(page).locator("strong .mention")).to_have_text("@Ana")
    expect(last(page).locator("em")).to_have_text("slanted")
    expect(last(page).locator("s")).to_have_text("gone")
    expect(last(page).locator("code")).to_have_text("a*b*c")
    expect(last(page).locator("a")).to_have_attribute("href", "https://example.org")
    expect(last(page)).to_contain_text("🎉 :constructor:")


def test_attachment_is_shown(page: Page, slack: WebClient) -> None:
    slack.chat_postMessage(channel="CSEARCH", text="", attachments=[{"text": "*attached* words", "fallback": "x"}])

    expect(last(page).locator("blockquote")).to_have_text("attached words")


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


def test_unread_messages_are_marked_until_looked_at(page: Page, slack: WebClient) -> None:
    app = page.get_by_role("navigation").locator("li button").filter(has_text="labcoat")
    slack.chat_postMessage(channel="UANA", text="for Ana")
    slack.chat_postMessage(channel="UBEN", text="for Ben")
    expect(app.locator(".badge")).to_have_text("1")
    expect(page.get_by_role("button", name="Ben, Data scientist, 1 unread")).to_be_visible()

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


def test_thread_and_desk_make_room_for_each_other(page: Page, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel="CSEARCH", text="parent")["ts"]
    slack.chat_postMessage(channel="CSEARCH", text="reply", thread_ts=ts)
    page.get_by_role("button", name="Requests").click()
    page.locator(".replies").click()
    expect(page.locator("#thread")).to_be_visible()
    expect(page.locator("#desk")).to_be_hidden()

    page.get_by_role("button", name="Requests").click()

    expect(page.locator("#desk")).to_be_visible()
    expect(page.locator("#thread")).to_be_hidden()


def test_message_shortcut_carries_its_message(
    page: Page, slack: WebClient, bot: BotServer, people: SandboxClient
) -> None:
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
    hears(people, "message_action")
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
