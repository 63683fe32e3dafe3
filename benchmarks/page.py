"""How fast the demo and its page are, in a real Chromium: starting, painting, clicking, and scrolling 1,000 messages.

Prints one JSON line. Side by side in the same run: a click beside a bare round trip to the app, scrolling with and
without drawing only what is on screen. Needs Debian's chromium: apt-get install chromium.
"""

import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from slack_sandbox.serving import running_sandbox

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
MESSAGES = 1000
CLICKS = 30
LIMITS = {"address_s": 5, "first_paint_ms": 1000, "click_p95_ms": 200, "scroll_p95_frame_ms": 50}
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")

# Wheels 120 times, once a frame, and returns the milliseconds between frames.
SCROLL = """() => new Promise((resolve) => {
  const list = document.querySelector("#messages");
  const gaps = [];
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    list.scrollTop -= 400;
    if (gaps.length < 121) requestAnimationFrame(step);
    else resolve(gaps.slice(1));
  };
  requestAnimationFrame(step);
})"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Measure and print."""
    path = shutil.which("chromium")
    if path is None:
        sys.exit("There is no Chromium. Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        found = {**_demo(browser), **_scrolling(browser)}
        browser.close()
    is_within_limits = all(found[name] < limit for name, limit in LIMITS.items())
    print(json.dumps({"benchmark": "page", **found, "limits": LIMITS, "is_within_limits": is_within_limits}))


def _demo(browser: Any) -> dict[str, float]:
    started = time.perf_counter()
    command = [sys.executable, "-m", "labcoat.cli", "demo", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        address_s = time.perf_counter() - started
        url = ADDRESS.search(line)
        assert url, line
        page = browser.new_page()
        page.goto(url[0])
        page.wait_for_function(f"() => {PAINT} !== undefined")
        paint_ms = page.evaluate(PAINT)
        process.stdout.readline()
        ready_s = time.perf_counter() - started
        page.wait_for_selector("#curtain", state="hidden")
        return {
            "address_s": round(address_s, 2),
            "first_paint_ms": round(paint_ms),
            "ready_s": round(ready_s, 2),
            **_clicking(page, url[0]),
        }
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _clicking(page: Page, url: str) -> dict[str, float]:
    """Press *Add evidence*, which opens a form after a round trip to the bot, and close it again, many times."""
    shown = []
    for _ in range(CLICKS):
        button = page.locator("#messages .message [data-action=evidence]").last
        button.scroll_into_view_if_needed()
        shown.append(
            button.evaluate(
                """(button) => new Promise((resolve, reject) => {
                  setTimeout(() => reject("no form came"), 5000);
                  const began = performance.now();
                  new MutationObserver((_, observer) => {
                    if (!document.querySelector("#modal[open]")) return;
                    observer.disconnect();
                    resolve(performance.now() - began);
                  }).observe(document.querySelector("#modal"), { attributes: true });
                  button.click();
                })"""
            )
        )
        page.locator("#modal footer button").first.click()
        page.wait_for_selector("#modal:not([open])", state="attached")
    calls = httpx.get(f"{url}/sandbox/calls", params={"limit": 400}).json()["calls"]
    acks = [call["ms"] for call in calls if call["method"] == "block_actions"][-CLICKS:]
    return {
        "click_median_ms": round(statistics.median(shown), 1),
        "click_p95_ms": round(_p95(shown), 1),
        "click_of_that_ack_median_ms": round(statistics.median(acks), 1),
    }


def _scrolling(browser: Any) -> dict[str, float]:
    with running_sandbox() as sandbox:
        client = httpx.Client(base_url=sandbox.api_url, headers={"Authorization": "Bearer xoxb-sandbox-token"})
        for number in range(MESSAGES):
            client.post("chat.postMessage", json={"channel": "CSEARCH", **_message(number)})
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(sandbox.url)
        page.wait_for_function(f"() => document.querySelectorAll('.message').length === {MESSAGES}")
        page.wait_for_timeout(500)
        lazy = page.evaluate(SCROLL)
        page.evaluate("document.querySelector('#messages').scrollTop = 1e9")
        page.evaluate(
            "for (const one of document.querySelectorAll('.message')) one.style.contentVisibility = 'visible'"
        )
        page.wait_for_timeout(500)
        eager = page.evaluate(SCROLL)
        return {
            "messages": MESSAGES,
            "scroll_p95_frame_ms": round(_p95(lazy), 1),
            "scroll_p95_frame_ms_drawing_all": round(_p95(eager), 1),
        }


def _message(number: int) -> dict[str, Any]:
    fields = [{"type": "mrkdwn", "text": f"*Field {one}*\nvalue {number}"} for one in range(4)]
    return {
        "text": f"Message {number}",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": f"H-{number} · Experiment · day {number % 28}"}},
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": f"*Change {number}* for <@UANA>, because _of it_. " * 4},
            },
            {"type": "section", "fields": fields},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Result"}}]},
        ],
    }


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18]


if __name__ == "__main__":
    main()
