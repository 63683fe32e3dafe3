"""What a person meets in Slack beyond the guide, on the page: forms that help, Home, shortcuts, the digest's charts."""

import re

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Opens
from browser.looking import acts_as, last
from browser.test_demo import card, form, moves_to_monday, submits, types
from labcoat.demo import people
from labcoat.demo.stage import Stage


@pytest.fixture
def page(demo: Stage, opens: Opens) -> Page:
    """The demo's page as Ana; forms that an earlier test left open are closed."""
    for person in map(demo.slack.person, people.NAMES):
        while person.find_view():
            person.close()
    opened = opens(demo.page)
    acts_as(opened, "Ana")
    return opened


def cancels(page: Page) -> None:
    form(page).get_by_role("button", name="Cancel").click()
    expect(form(page)).to_have_count(0)


def opens_home(page: Page) -> None:
    page.get_by_role("button", name="Labcoat", exact=False).first.click()
    page.get_by_role("tab", name="Home").click()


def test_what_was_tried_before_is_shown_and_can_be_followed(page: Page) -> None:
    types(page, "/hypothesis Bigger photos in the results, for people on phones")
    expect(form(page)).to_contain_text("Have we tried this?")

    form(page).get_by_role("button", name="Follow that one").first.click()

    expect(form(page)).to_contain_text("You follow H-")


def test_style_is_warned_about_and_what_was_typed_stays(page: Page) -> None:
    types(page, "/hypothesis As a user I want to pay in two parts")
    form(page).get_by_label(re.compile("Which metric")).fill("happiness")
    form(page).get_by_label(re.compile("^Because")).fill("why not")
    form(page).get_by_role("button", name="File it").click()

    expect(form(page)).to_contain_text("Pay in two parts, for every user")
    expect(form(page).get_by_label(re.compile("Which metric"))).to_have_value("happiness")
    submits(page, "File it anyway")
    expect(card(page, "pay in two parts")).to_contain_text("Hypothesize · day 1")


def test_the_plan_form_works_out_units_and_days(page: Page) -> None:
    types(page, "/hypothesis Say how old an offer is in the results")
    submits(page, "File it", Which_metric="contacts per user", Because="3 of 5 testers asked for the date")
    card(page, "how old an offer is").get_by_role("button", name="Plan an experiment").click()
    form(page).get_by_label(re.compile("What is it today")).fill("24 %")
    form(page).get_by_label(re.compile("Smallest effect")).fill("5 %")
    form(page).get_by_label(re.compile("How many new")).fill("1,500")

    form(page).get_by_role("button", name="Work it out").click()

    expect(form(page)).to_contain_text(re.compile(r"About [\d,]+ users in all"))
    expect(form(page)).to_contain_text("The planned 28 days show an effect of")
    expect(form(page).get_by_label(re.compile("How many new"))).to_have_value("1,500")
    cancels(page)


def test_the_menu_of_a_card_edits_its_words(page: Page) -> None:
    mine = card(page, "Shorten the titles of offers")
    mine.get_by_role("button", name="…").or_(mine.locator(".overflow, [aria-haspopup]")).first.click()
    page.get_by_text("Edit the words").click()
    submits(page, "Save", Tags="titles")

    expect(mine).to_contain_text("Tags: titles")


def test_home_shows_what_waits_and_files_from_there(page: Page) -> None:
    acts_as(page, "Lena")
    opens_home(page)
    home = page.locator("#home, .home").first
    expect(home).to_contain_text("Waiting for you")
    expect(home).to_contain_text("Your decision is asked for")
    expect(home).to_contain_text("Learned from")


def test_search_answers_with_what_was_learned(page: Page) -> None:
    types(page, "/hypothesis search swipe on fones")

    expect(last(page)).to_contain_text("People compare before they choose")
    expect(last(page).get_by_role("button", name=re.compile("^File"))).to_be_visible()


def test_a_long_list_turns_its_page_in_place(page: Page) -> None:
    types(page, "/hypothesis list closed")
    expect(last(page).get_by_role("button", name="Next 20")).to_be_visible()
    count = page.locator("#messages .message").count()

    last(page).get_by_role("button", name="Next 20").click()

    expect(last(page).get_by_role("button", name="Newer 20")).to_be_visible()
    expect(page.locator("#messages .message")).to_have_count(count)


def test_the_digest_has_its_charts_in_its_thread(page: Page) -> None:
    moves_to_monday(page)
    digest = page.locator("#messages .message").filter(has_text="What we learned").last

    digest.get_by_role("button", name=re.compile("repl")).click()

    picture = page.get_by_role("img", name=re.compile("Change to control with intervals")).first
    expect(picture).to_be_visible()
    width = picture.evaluate("image => image.naturalWidth")
    assert width == 756


def test_settings_and_help_fit_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    types(page, "/hypothesis help")

    expect(last(page).get_by_role("button", name="Everything else")).to_be_in_viewport()
    box = last(page).bounding_box()
    assert box is not None
    assert box["height"] < 400
