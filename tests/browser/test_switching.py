"""Being someone else, being elsewhere, and a sandbox that begins anew: nothing of one may be left in the other."""

import re

from playwright.sync_api import Locator, Page, expect
from slack_sdk import WebClient

from browser.conftest import Opens
from browser.looking import acts_as, last
from slack_sandbox.client import SandboxClient
from slack_sandbox.serving import RunningSandbox, running_sandbox


def app(page: Page) -> Locator:
    return page.get_by_role("navigation").locator("li button").filter(has_text="labcoat")


def test_direct_messages_are_those_of_who_acts(page: Page, slack: WebClient, people: SandboxClient) -> None:
    """Two people with nothing unread have sides that look alike; where they lead must not."""
    for name in ("Ana", "Lena"):
        slack.chat_postMessage(channel=f"U{name.upper()}", text=f"for {name}")
        people.person(f"U{name.upper()}").mark_read(f"D{name.upper()}")
    expect(app(page).locator(".badge")).to_have_count(0)
    acts_as(page, "Lena")

    app(page).click()

    expect(last(page)).to_contain_text("for Lena")


def test_draft_stays_with_its_writer_and_place(page: Page, slack: WebClient) -> None:
    page.locator("#line").fill("Ana's thoughts")
    acts_as(page, "Ben")
    expect(page.locator("#line")).to_have_value("")
    page.get_by_role("navigation").get_by_text("general").click()
    page.locator("#line").fill("Ben's thoughts")

    acts_as(page, "Ana")
    expect(page.locator("#line")).to_have_value("")
    page.get_by_role("navigation").get_by_text("search-experiments").click()

    expect(page.locator("#line")).to_have_value("Ana's thoughts")


def test_draft_of_a_reply_stays_with_its_thread(page: Page, slack: WebClient) -> None:
    for text in ("one", "two"):
        ts = slack.chat_postMessage(channel="CSEARCH", text=text)["ts"]
        slack.chat_postMessage(channel="CSEARCH", text="reply", thread_ts=ts)
    page.locator(".replies").nth(0).click()
    expect(page.locator("#replies")).to_contain_text("one")
    page.locator("#reply-line").fill("about one")

    page.locator(".replies").nth(1).click()

    expect(page.locator("#replies")).to_contain_text("two")
    expect(page.locator("#reply-line")).to_have_value("")


def test_nobody_is_shown_as_another_before_their_screen_is_there(page: Page, slack: WebClient) -> None:
    slack.chat_postEphemeral(channel="CSEARCH", user="UANA", text="only Ana")
    expect(last(page)).to_contain_text("only Ana")
    page.route("**/sandbox/conversations*", lambda route: route.abort())

    page.get_by_role("group", name="Act as").get_by_role("button", name="Ben").click()

    expect(page.locator("#toast")).to_contain_text("Nobody can be this person now")
    expect(page.locator("#people p")).to_contain_text("You are Ana")


def test_who_is_deactivated_is_left_and_no_longer_offered(page: Page, people: SandboxClient) -> None:
    acts_as(page, "Ben")

    people.person("UBEN").deactivate()

    expect(page.locator("#people p")).to_contain_text("You are Ana")
    expect(page.get_by_role("group", name="Act as").get_by_role("button")).to_have_count(4)


def test_address_leads_to_its_channel_and_reload_stays(sandbox: RunningSandbox, opens: Opens) -> None:
    page = opens(f"{sandbox.url}/#CGENERAL")
    expect(page.locator("#channel-name")).to_have_text("# general")

    page.reload()

    expect(page.locator("#channel-name")).to_have_text("# general")


def test_permalink_leads_to_its_message(sandbox: RunningSandbox, slack: WebClient, opens: Opens) -> None:
    first = slack.chat_postMessage(channel="CSEARCH", text="the very first")["ts"]
    for number in range(60):
        slack.chat_postMessage(channel="CSEARCH", text=f"message {number}")
    address = str(slack.chat_getPermalink(channel="CSEARCH", message_ts=first)["permalink"])

    page = opens(address)

    expect(page.locator(".message.found")).to_contain_text("the very first")
    page.wait_for_function("() => !document.querySelector('#progress:not([hidden])')")
    expect(page.locator(".message.found")).to_be_in_viewport()


def test_page_begins_anew_with_another_sandbox(opens: Opens) -> None:
    with running_sandbox() as first:
        port = int(first.url.rpartition(":")[2])
        page = opens(first.url)
        with SandboxClient(first.url) as people:
            people.person("UANA").say("of the old one")
        expect(last(page)).to_contain_text("of the old one")
    with running_sandbox(port=port) as second, SandboxClient(second.url) as people:
        people.person("UANA").say("of the new one")

        expect(page.locator("#messages .message")).to_have_text(re.compile("of the new one"), timeout=15_000)


def test_nobody_moves_time_behind_the_curtain(page: Page, people: SandboxClient) -> None:
    people.set_curtain("One moment")
    expect(page.get_by_text("One moment")).to_be_visible()

    assert page.evaluate("['#body', '#machine'].every((part) => document.querySelector(part).inert)")
