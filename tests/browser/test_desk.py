"""The page around Slack: requests, refusals in red, faults, trouble on the line, dark and light."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from browser.conftest import Opens
from browser.looking import last
from sandbox_parts import BotServer, actions, button, section
from slack_sandbox.client import SandboxClient
from slack_sandbox.serving import RunningSandbox


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


def test_app_that_is_not_there_is_said_in_plain_words(page: Page, sandbox: RunningSandbox) -> None:
    sandbox.app_url = "http://127.0.0.1:9/nobody"
    page.locator("#line").fill("/hypothesis fresh offers")
    page.locator("#line").press("Enter")
    expect(page.locator("#messages .private").last).to_contain_text('failed with the error "dispatch_failed"')

    page.get_by_role("button", name="Requests").click()
    call = page.locator("#requests .call").filter(has_text="/hypothesis").first
    call.locator("summary").click()

    expect(call).to_contain_text("Nobody answers at the app's address")


def test_fault_switch_makes_slack_fail_until_it_is_off(page: Page, slack: WebClient, people: SandboxClient) -> None:
    page.get_by_role("button", name="Faults").click()
    page.get_by_role("switch", name=re.compile("^429")).check()
    people.wait_for(lambda: len(people.see("faults")["waiting"]) == 1)
    with pytest.raises(SlackApiError, match="ratelimited"):
        slack.chat_postMessage(channel="CSEARCH", text="x")

    page.get_by_role("switch", name=re.compile("^429")).uncheck()
    people.wait_for(lambda: len(people.see("faults")["waiting"]) == 0)

    assert slack.chat_postMessage(channel="CSEARCH", text="x")["ok"]


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


def test_payload_that_is_read_stays_while_calls_come(page: Page, slack: WebClient) -> None:
    slack.auth_test()
    page.get_by_role("button", name="Requests").click()
    call = page.locator("#requests .call").filter(has_text="auth.test").first
    call.locator("summary").click()
    call.evaluate("row => (row.mark = 'the same')")

    slack.team_info()

    expect(page.locator("#requests .call").first).to_contain_text("team.info")
    assert call.evaluate("row => row.mark") == "the same"
    expect(call.locator("pre").first).to_be_visible()


def test_curtain_keeps_visitors_from_acting(page: Page, people: SandboxClient) -> None:
    people.set_curtain("One moment")
    expect(page.get_by_text("One moment")).to_be_visible()
    assert page.evaluate("document.querySelector('#body').inert")

    people.set_curtain("")

    expect(page.locator("#curtain")).to_be_hidden()


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
