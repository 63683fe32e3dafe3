"""Whatever comes to the door: never a 5xx, nothing done for what Slack did not sign, and no memory kept."""

import logging
import shutil
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from slack_bolt.response import BoltResponse
from starlette.applications import Starlette

from chaos.mutating import damaged, unsigned
from journeys.playing import EVIDENCE, PROTOTYPE, Play, ending_together, playing, served
from labcoat.slack.incoming.payloads import Payload
from labcoat.web import app as web_app
from slack_sandbox.outbound import signature
from slack_sandbox.serving import DEFAULT_SIGNING_SECRET as SECRET
from slack_sandbox.wire import Json

SENDERS = 4
OLD = {"type": "button", "action_id": "a_verb_of_last_year", "value": "H-1"}
MOST_GROWTH_BYTES = 60_000_000
"""What one process may grow by while 80 of 100 requests pass: caches that fill once, no more."""


@dataclass
class Door:
    """A bot's endpoint, and how often its handler ran."""

    client: httpx.Client
    recorded: list[Json]
    runs: Counter[str] = field(default_factory=Counter)

    def post(self, number: int, headers: Callable[[int, bytes], dict[str, str]]) -> int:
        body, content_type = damaged(number, self.recorded)
        named = {"Content-Type": content_type, **headers(number, body)}
        try:
            return self.client.post("/slack/events", content=body, headers=named).status_code
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            if len(body) <= web_app.LARGEST_BODY:
                raise
            return 413  # refused while it was still being sent: the line was closed before the answer was read

    def statuses(self, numbers: range, headers: Callable[[int, bytes], dict[str, str]]) -> Counter[int]:
        with ThreadPoolExecutor(SENDERS) as senders:
            return Counter(senders.map(lambda number: self.post(number, headers), numbers))


@pytest.fixture
def door(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Door]:
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    logging.disable(logging.CRITICAL)  # pytest keeps every line, which would grow too
    runs: Counter[str] = Counter()
    counting = threading.Lock()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield

    with playing(f"sqlite:///{tmp_path / 'labcoat.db'}") as play, ending_together() as threads:
        recorded = _record(play)

        async def handle(payload: Payload, transport_key: str) -> BoltResponse:
            with counting:
                runs[payload.kind] += 1
            return await play.bot.desk.answer(payload, transport_key)

        app = web_app.build(signing_secret=SECRET, handle=handle, lifespan=lifespan)
        fresh = httpx.Limits(max_keepalive_connections=0)  # as the server may close a line that is kept
        with (
            served(app, threads) as url,
            httpx.Client(base_url=url, timeout=60, trust_env=False, limits=fresh, verify=False) as client,
        ):
            yield Door(client, recorded, runs)
    logging.disable(logging.NOTSET)


def _record(play: Play) -> list[Json]:
    """Return what Slack sends when people do all kinds of things."""
    play.slack.invite_bot("CGENERAL")
    play.files(play.ana)
    play.ana.open_home()
    play.ana.click_in_view(action_id="help")
    play.ana.close()
    play.types(play.ana, "/hypothesis prototype H-1")
    play.submits(play.ana, **PROTOTYPE)
    play.types(play.ana, "/hypothesis evidence H-1")
    play.submits(play.ana, **EVIDENCE)
    play.types(play.ana, "/experiment plan H-1")
    design = next(block for block in play.ana.view["blocks"] if block.get("block_id") == "design")["element"]
    play.ana.click_in_view(action_id=design["action_id"], option=design["options"][0]["value"])
    play.ana.submit({"minimum_effect": "lots"})
    play.ana.close()
    play.types(play.ana, "/hypothesis list")
    play.ana.say("An idea", channel="CSEARCH")
    play.ana.shortcut("turn_into_hypothesis", message=play.ana.messages("CSEARCH")[-1])
    play.ana.shortcut("new_hypothesis")
    calls = play.slack.calls(limit=1000)
    recorded: list[Json] = [call["payload"] for call in calls if call["direction"] == "to_app"]
    user, team = {"id": "UANA", "team_id": "T0SANDBOX"}, {"id": "T0SANDBOX", "domain": "sandbox"}
    return [
        *recorded,
        {"type": "block_suggestion", "user": user, "team": team, "action_id": "metric", "block_id": "b", "value": "o"},
        {"type": "url_verification", "challenge": "c", "token": "t"},
        {"type": "view_closed", "user": user, "team": team, "view": {"id": "V1", "type": "modal"}, "is_cleared": False},
        {"type": "block_actions", "user": user, "team": team, "trigger_id": "1", "actions": [OLD], "response_url": ""},
    ]


def _signed(_number: int, body: bytes) -> dict[str, str]:
    return signature(SECRET, body)


def _unsigned(number: int, body: bytes) -> dict[str, str]:
    return unsigned(number, body, SECRET)


def test_damaged_requests_that_slack_signed_never_break_the_bot(door: Door, size: Callable[[int, int], int]) -> None:
    count = size(600, 50_000)
    process = psutil.Process()
    warm_up = range(count // 5)
    statuses = door.statuses(warm_up, _signed)
    before = process.memory_info().rss

    statuses += door.statuses(range(len(warm_up), count), _signed)

    assert [status for status in statuses if status >= 500] == []
    assert statuses.keys() == {200, 400, 401, 413}, statuses  # 401: what is no text cannot have been signed
    assert {"command", "block_actions", "view_submission", "shortcut", "message_action"} < door.runs.keys()
    assert process.memory_info().rss - before < MOST_GROWTH_BYTES
    assert door.client.get("/healthz").text == "ok"


def test_requests_that_slack_did_not_sign_reach_nobody(door: Door, size: Callable[[int, int], int]) -> None:
    statuses = door.statuses(range(size(600, 50_000)), _unsigned)

    assert statuses.keys() <= {401, 413}, statuses
    assert door.runs == {}


def test_without_the_check_the_same_requests_do_reach_somebody(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    # the control: these requests are such that only the signature keeps them out
    monkeypatch.setattr(web_app, "_is_signed", lambda *_: True)

    door.statuses(range(100), _unsigned)

    assert sum(door.runs.values()) > 20
