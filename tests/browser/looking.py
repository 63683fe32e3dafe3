"""Where a test looks on the page, and how it waits for what the app hears."""

from playwright.sync_api import Locator, Page


def last(page: Page) -> Locator:
    """Return the newest message of the conversation."""
    return page.locator("#messages .message").last


def hears(page: Page, kind: str) -> None:
    """Wait until the app has heard of something: "block_actions", say."""
    page.wait_for_function(
        "async (kind) => (await (await fetch('/sandbox/calls')).json()).calls.some((call) => call.method === kind)",
        arg=kind,
    )
