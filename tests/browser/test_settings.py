"""A channel's settings, an approval that is asked for again, and handing over, on the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import Opens
from browser.looking import acts_as, last
from journeys.playing import ASK, DAY, START, Play, playing, read
from labcoat.db import migrating
from labcoat.db.database import Database
from labcoat.demo import people

CONTROL, TYPO, TRUE = "control=1200/24000", "treatment=1500/24100", "treatment=1490/24100"


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """A bot that does something only when somebody does, so that a test says what happens in between."""
    url = f"sqlite:///{tmp_path / 'labcoat.db'}"
    database = Database(url)
    migrating.migrate(database)
    database.dispose()
    with playing(url) as running:
        yield running


def form(page: Page) -> Locator:
    return page.locator("dialog#modal[open]")


def submits(page: Page, button: str) -> None:
    form(page).get_by_role("button", name=button, exact=True).click()
    expect(form(page)).to_have_count(0)


def test_settings_are_saved_and_used(play: Play, opens: Opens) -> None:
    play.files(play.ana)
    page = opens(play.sandbox.url)
    acts_as(page, "Ana")
    page.locator("#line").fill("/experiment settings")
    page.locator("#line").press("Enter")

    form(page).get_by_label("Weekday").select_option("4")
    form(page).get_by_label("Time", exact=True).fill("15:00")
    form(page).get_by_label("Time zone").fill("Atlantis")
    form(page).get_by_role("button", name="Save").click()
    expect(form(page).locator(".error")).to_contain_text("no time zone or city that I know")
    form(page).get_by_label("Time zone").fill("lisbon")
    submits(page, "Save")
    play.deliver()

    expect(last(page)).to_contain_text("moved the digest to Friday 15:00 (Europe/Lisbon)")
    play.move_to(START + 4 * DAY)
    assert len(play.digests()) == 1


def test_an_approval_is_asked_for_again_when_its_result_moved(play: Play, opens: Opens) -> None:
    play.runs(play.ana)
    play.set_clock(START + 15 * DAY)
    play.stops(play.ana)
    play.types(play.ana, f"/experiment record E-1 {CONTROL} {TYPO}")
    play.asks_lead(play.ana, **{**ASK, "lead": people.LENA})
    page = opens(play.sandbox.url)
    acts_as(page, "Lena")
    page.get_by_role("button", name="Labcoat").first.click()
    last(page).get_by_role("button", name="Approve").click()
    form(page).get_by_label(re.compile("A word to the team")).fill("Go all in")
    play.set_clock(START + 15 * DAY + DAY / 24)
    play.types(play.ana, f"/experiment record E-1 {CONTROL} {TRUE}")
    play.presses(play.ana, play.private(play.ana), "correct")

    form(page).get_by_role("button", name="Approve").click()
    expect(form(page)).to_contain_text("This changed while you were reading")
    expect(form(page)).to_contain_text("The totals were corrected.")
    expect(form(page).get_by_label(re.compile("A word to the team"))).to_have_value("Go all in")
    submits(page, "Approve")
    play.deliver()

    expect(last(page)).to_contain_text("Approved by @Lena")


def test_a_hypothesis_is_handed_over_from_its_cards_menu(play: Play, opens: Opens) -> None:
    play.files(play.ana)
    page = opens(play.sandbox.url)
    acts_as(page, "Ana")
    last(page).get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Hand over").click()

    form(page).get_by_label("Owner").select_option(people.BEN)
    submits(page, "Hand over")
    play.deliver()

    acts_as(page, "Ben")
    page.get_by_role("button", name="Labcoat").first.click()
    expect(last(page)).to_contain_text("H-1 is yours now")
    assert "Owner\n@UBEN" in read(play.card())
