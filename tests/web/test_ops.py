"""The second server says whether this process can work, and what it did, to whoever operates it."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from slack_bolt.response import BoltResponse
from sqlalchemy import text

from builders import CHANNEL, H12, WORKSPACE
from labcoat.db import clock, outbox
from labcoat.db.database import Database
from labcoat.domain.facts import CardChanged
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.observability import telemetry
from labcoat.observability.telemetry import Heartbeat
from labcoat.slack.incoming.payloads import Payload
from labcoat.slack.incoming.socket_mode import Connections
from labcoat.slack.outgoing.delivery import WAITS
from labcoat.web import ops
from labcoat.web.ops import OpsServer


@pytest.fixture
def pulse() -> Heartbeat:
    return Heartbeat("tick")


@pytest.fixture
def served(database: Database, pulse: Heartbeat) -> Iterator[str]:
    app = ops.build(database, ops.checks(database, pulses={pulse: 60.0}))
    server = OpsServer(app, host="127.0.0.1", port=0)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def get(address: str) -> httpx.Response:
    return httpx.get(address, timeout=60, trust_env=False, verify=False)


def test_it_is_ready_when_the_database_answers_and_the_clock_ticks(served: str, pulse: Heartbeat) -> None:
    before = get(f"{served}/readyz")
    pulse.beat()
    after = get(f"{served}/readyz")

    assert before.status_code == 503
    assert before.json() == {"ready": False, "database": "ok", "tick": "The tick has not run yet."}
    assert after.status_code == 200
    assert after.json() == {"ready": True, "database": "ok", "tick": "ok"}
    assert get(f"{served}/healthz").text == "ok"


def test_a_part_that_fell_silent_is_named(database: Database) -> None:
    pulse = Heartbeat("delivery")
    pulse.beat()

    said = ops.checks(database, pulses={pulse: -1.0})["delivery"]()

    assert said is not None
    assert said.startswith("The delivery has not run for 0 seconds.")


def test_links_that_stay_closed_are_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "MOST_SECONDS_WITHOUT_LINKS", 0.0)
    links = Connections(count=0, open_url=str, handle=_nobody)
    asked = ops.checks(database, pulses={}, links=links)["socket links"]
    server = OpsServer(ops.build(database, {}, links=links), host="127.0.0.1", port=0)
    server.start()

    before = asked()
    asyncio.run(_started(links))
    said = asked()
    metrics = get(f"http://127.0.0.1:{server.port}/metrics").text
    server.stop()

    assert before is None
    assert said is not None
    assert said.startswith("No link to Slack has been open for 0 seconds.")
    assert "labcoat_socket_links_open 0.0" in metrics


async def _nobody(_payload: Payload, _key: str) -> BoltResponse:
    raise AssertionError


async def _started(links: Connections) -> None:
    links.start()


def test_another_schema_is_not_ready_and_says_what_to_do(database: Database) -> None:
    asked = ops.checks(database, pulses={})["database"]
    with database.writing() as tx:
        newest = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    newer = asked()
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    earlier = asked()
    with database.writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": newest})

    assert newer is not None
    assert newer.startswith("A newer version has migrated the database.")
    assert earlier == "The database is not at this version's schema. Run: labcoat migrate"
    assert asked() is None


def test_a_database_that_is_not_there_is_said_and_metrics_go_on() -> None:
    gone = Database("postgresql://labcoat:very-secret@127.0.0.1:1/labcoat")
    server = OpsServer(ops.build(gone, ops.checks(gone, pulses={})), host="127.0.0.1", port=0)
    server.start()

    ready = get(f"http://127.0.0.1:{server.port}/readyz")
    metrics = get(f"http://127.0.0.1:{server.port}/metrics")
    server.stop()

    assert ready.status_code == 503
    assert ready.json()["database"].startswith("The database does not answer")
    assert "very-secret" not in ready.text
    assert "labcoat_database_up 0.0" in metrics.text
    assert "process_resident_memory_bytes" in metrics.text


def test_metrics_tell_what_waits_and_what_was_done(database: Database, served: str) -> None:
    dead = Notice(
        kind=NoticeKind.CARD, workspace=WORKSPACE, channel=CHANNEL, subject="card H-1", fact=CardChanged(hypothesis=H12)
    )
    with database.writing() as tx:
        outbox.put(tx, dead)
        claim = outbox.claim(tx, at=clock.lease_now(tx), lease=WAITS[0])
        assert claim is not None
        outbox.dead_letter(tx, claim, problem="not_in_channel", may_be_sent=False)
        outbox.put(
            tx,
            Notice(
                kind=NoticeKind.CARD,
                workspace=WORKSPACE,
                channel=CHANNEL,
                subject="card H-2",
                fact=CardChanged(hypothesis=H12),
            ),
        )
    telemetry.answered("command", 200, seconds=0.02)
    telemetry.told("sent")

    said = get(f"{served}/metrics").text

    assert 'labcoat_outbox{state="dead"} 1.0' in said
    assert 'labcoat_outbox{state="pending"} 1.0' in said
    assert "labcoat_experiments_running 0.0" in said
    assert "labcoat_outbox_oldest_seconds " in said
    assert 'labcoat_request_seconds_bucket{answer="200",kind="command",le="0.025"}' in said
    assert 'labcoat_deliveries_total{outcome="sent"}' in said
    assert "labcoat_socket_links_open" not in said  # without Socket Mode
    assert WORKSPACE not in said
    assert CHANNEL not in said
