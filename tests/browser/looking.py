"""Where a test looks on the page, and how it waits for what the app hears."""

from playwright.sync_api import Locator, Page

from labcoat.sandbox.client import SandboxClient


def last(page: Page) -> Locator:
    """Return the newest message of the conversation."""
    return page.locator("#messages .message").last


def hears(people: SandboxClient, kind: str) -> None:
    """Wait until the app has answered something, "block_actions", say; it must have answered well."""
    call = people.wait_for(lambda: next((call for call in people.calls() if call["method"] == kind), None))
    assert call is not None
    assert call["ok"], call
