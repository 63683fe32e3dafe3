"""Where a test looks on the page, and how it waits for what the app hears."""

from playwright.sync_api import Locator, Page, expect

from slack_sandbox.client import SandboxClient


def last(page: Page) -> Locator:
    """Return the newest message of the conversation."""
    return page.locator("#messages .message").last


def acts_as(page: Page, name: str) -> None:
    """Be someone else."""
    face = page.get_by_role("group", name="Act as").get_by_role("button", name=name)
    face.click()
    expect(face).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#people p")).to_contain_text(f"You are {name}")


def hears(people: SandboxClient, kind: str) -> None:
    """Wait until the app has answered something, "block_actions", say; it must have answered well."""
    call = people.wait_for(lambda: next((call for call in people.calls() if call["method"] == kind), None))
    assert call is not None
    assert call["ok"], call
