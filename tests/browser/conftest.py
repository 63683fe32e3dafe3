"""A real Chromium for the sandbox's page. Without one this suite fails and says how to install it; it never skips."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from labcoat.demo import opening, stage, tour
from labcoat.demo.stage import Stage
from sandbox_fixtures import bot, people, slack
from slack_sandbox.serving import RunningSandbox, running_sandbox
from slack_sandbox.workspace import Shortcut, default_workspace

__all__ = ["bot", "people", "slack"]  # as in the sandbox's own tests, with the sandbox below
# What talks to Google's hosts at every start is off: tests send traffic to loopback only.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Opens = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("There is no Chromium. Install it: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    """What opens a page as a newcomer would; at the end no page may have had an error of its own."""
    contexts, errors = [], []

    def open_page(url: str, *, width: int = 1280, height: int = 800, is_dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if is_dark else "light"
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Security Policy" in message.text else None)
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The demo as a visitor finds it, one for all tests of a module."""
    with stage.raised(Path(tmp_path_factory.mktemp("demo")), has_past=True) as raised:
        opening.play(tour.new_story(raised, is_told=False))
        yield raised


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """A Slack of its own, with a message shortcut and a global one."""
    shortcuts = (Shortcut(callback_id="new", name="New"), Shortcut(callback_id="turn", name="Turn it", on_message=True))
    with running_sandbox(default_workspace().model_copy(update={"shortcuts": shortcuts})) as running:
        yield running


@pytest.fixture
def page(sandbox: RunningSandbox, opens: Opens) -> Page:
    page = opens(sandbox.url)
    expect(page.locator("#channel-name")).to_have_text("# search-experiments")
    return page
