"""What a visitor does with the demo in a browser: the guide's three steps and the loop around them."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import Opens
from browser.looking import acts_as
from labcoat.demo import people
from labcoat.demo.stage import Stage

MOVING_MS = 60_000
HYPOTHESIS = re.compile(r"^H-\d+ ·")


@pytest.fixture
def page(demo: Stage, opens: Opens) -> Page:
    """The demo's page; forms that an earlier test left open are closed."""
    for person in map(demo.slack.person, people.NAMES):
        while person.find_view():
            person.close()
    return opens(demo.page)


def types(page: Page, text: str) -> None:
    page.locator("#line").fill(text)
    page.locator("#line").press("Enter")


def form(page: Page) -> Locator:
    return page.locator("dialog#modal[open]")


def submits(page: Page, button: str, **fields: str) -> None:
    """Fill in fields by the words of their labels, with _ for whatever stands between them, and submit."""
    for label, value in fields.items():
        form(page).get_by_label(re.compile(label.replace("_", "."), re.IGNORECASE)).first.fill(value)
    form(page).get_by_role("button", name=button).click()
    expect(form(page)).to_have_count(0)


def card(page: Page, text: str) -> Locator:
    return (
        page.locator("#messages .message")
        .filter(has_text=text)
        .filter(has=page.locator(".header", has_text=HYPOTHESIS))
        .last
    )


def moves_to_monday(page: Page) -> None:
    page.get_by_role("button", name="Next Mon 09:30").click()
    expect(page.locator("body.time-flies")).to_have_count(0, timeout=MOVING_MS)


def test_guide_leads_from_the_first_hypothesis_to_a_decision(page: Page) -> None:
    page.get_by_role("button", name="Type it for me").click()
    page.locator("#line").press("Enter")
    submits(page, "File it", Which_metric="orders per user", Because="People ask sellers when it comes")
    expect(card(page, "Show the delivery day on every offer")).to_contain_text("Hypothesize · day 1")

    page.get_by_role("button", name="Go to Monday, 09:30").click()
    expect(page.locator("body.time-flies")).to_have_count(0, timeout=MOVING_MS)
    digest = page.locator("#messages .message").filter(has_text="What we learned").last
    expect(digest).to_contain_text("Win: +")
    expect(digest).to_contain_text("Harm on a guardrail")
    expect(digest).to_contain_text("Not valid: traffic is not split as planned")
    expect(digest.locator("time")).to_have_text("09:30")
    expect(digest).to_be_in_viewport()

    page.get_by_role("button", name="Be Lena").click()
    request = page.locator("#messages .message").filter(has_text="12 person-days to productionize?").last
    request.get_by_role("button", name="Approve").click()
    submits(page, "Approve", A_word="The badge tells the truth")
    expect(request).to_contain_text("Approved by @Lena")
    expect(page.locator("#open-guide")).to_have_text("Guide 3/3")


def test_owner_plans_starts_and_reads_the_result(page: Page) -> None:
    acts_as(page, "Omar")
    types(page, "/hypothesis Show offers of the same seller below an offer")
    submits(page, "File it", Which_metric="orders per user", Because="Buyers ask sellers what else they have")
    mine = card(page, "Show offers of the same seller")
    mine.get_by_role("button", name="Plan an experiment").click()
    form(page).get_by_label("Smallest effect worth having").fill("lots")
    form(page).get_by_role("button", name="Plan it").click()
    expect(form(page).locator(".error").first).to_be_visible()
    submits(page, "Plan it", What_is_it_today="24 %", Smallest_effect="10 %", no_prototype="Only a switch is missing")
    mine.get_by_role("button", name="Start").click()
    form(page).get_by_role("button", name="Start").click()
    expect(mine).to_contain_text("running since")

    moves_to_monday(page)

    mine.get_by_role("button", name="Result").click()
    answer = page.locator("#messages .message.private").last
    expect(answer).to_contain_text("Only visible to you")
    expect(answer).to_contain_text("orders per user (goal)")


def test_owner_cannot_approve_their_own(page: Page) -> None:
    acts_as(page, "Ana")
    types(page, "/hypothesis Warn people who write to a seller at night")
    submits(page, "File it", Which_metric="answers per message", Because="Night letters are answered a day later")
    mine = card(page, "Warn people who write to a seller at night")
    mine.get_by_role("button", name="Begin a prototype").click()
    submits(page, "Begin", cheapest="A note under 40 letters", cap="1", make_us_stop="Nobody waits")
    mine.get_by_role("button", name="Add evidence").click()
    form(page).get_by_label("How did you find out?").select_option("usability test")
    submits(page, "Add", How_many="5", What_did_they="4 of 5 waited until morning")
    expect(mine).to_contain_text("1 from users")
    mine.get_by_role("button", name="Ask for approval").click()
    form(page).get_by_label("Why no experiment?").select_option("too little traffic")
    submits(page, "Ask", What_did_you_learn="People would rather wait", person_days="5")
    expect(mine).to_contain_text("Waiting for approval by")

    mine.get_by_role("button", name="Decide").click()
    answer = page.locator("#messages .message.private").last

    expect(answer.get_by_role("button", name="Withdraw")).to_be_visible()
    expect(answer.get_by_role("button", name="Approve")).to_have_count(0)


def test_guide_makes_room_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.get_by_role("button", name=re.compile("^Guide")).click()

    page.get_by_role("button", name="Type it for me").click()

    expect(page.locator("#desk")).to_be_hidden()
    expect(page.locator("#line")).to_have_value(re.compile("^/hypothesis Show the delivery day"))


def test_required_field_left_empty_is_said_under_it(page: Page) -> None:
    acts_as(page, "Ana")
    types(page, "/hypothesis Nothing more than this")

    form(page).get_by_role("button", name="File it").click()

    expect(form(page).locator(".field.has-error")).to_have_count(2)
    expect(form(page).get_by_label("Which metric should react?")).to_be_focused()
    form(page).get_by_role("button", name="Cancel").click()
    expect(form(page)).to_have_count(0)


def test_everyone_sees_their_own(page: Page) -> None:
    acts_as(page, "Ben")
    types(page, "/hypothesis help")
    expect(page.locator("#messages .message.private")).not_to_have_count(0)

    acts_as(page, "Gia")

    expect(page.locator("#messages .message.private")).to_have_count(0)
    expect(page.get_by_role("navigation").get_by_text("general")).to_have_count(0)
    types(page, "/hypothesis Let guests file too")
    expect(page.locator("#messages .message.private, dialog#modal[open]").first).to_be_visible()


def test_demo_works_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("button", name="Channels and people").click()
    page.get_by_role("group", name="Act as").get_by_role("button", name="Ben").click()
    expect(page.get_by_role("navigation")).to_be_hidden()

    types(page, "/hypothesis Show fewer filters on phones")

    expect(form(page)).to_be_visible()
    assert form(page).bounding_box()["width"] == 390  # type: ignore[index]  # it is visible
    assert page.evaluate("document.documentElement.scrollWidth") == 390
