"""kill -9 at every named point: nothing that was committed is lost, nothing is said twice, threads keep their order."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import postgres
from chaos.replicas import Change, Fatal, Replica, free_port
from chaos.world import CHANNELS, PATIENCE_SECONDS, World, a_world
from labcoat.domain.lifecycle import Step
from slack_sandbox.faults import FaultKind

POINTS = (
    Fatal("labcoat.db.outbox:claim", "after"),  # claimed, not committed
    Fatal("labcoat.slack.outgoing.delivery:Delivery._tell", "before"),  # the claim is committed
    Fatal("labcoat.slack.outgoing.delivery:render", "after"),
    Fatal("slack_sdk:WebClient.chat_postMessage", "before"),
    Fatal("slack_sdk:WebClient.chat_postMessage", "after"),  # Slack's answer is there, and nowhere stored
    Fatal("slack_sdk:WebClient.chat_update", "before"),
    Fatal("slack_sdk:WebClient.chat_update", "after"),
    Fatal("slack_sdk:WebClient.conversations_open", "after"),
    Fatal("labcoat.slack.outgoing.delivery:Delivery._look_up", "after"),
    Fatal("labcoat.db.outbox:settle", "after"),  # settled, not committed
    Fatal("labcoat.slack.outgoing.delivery:Delivery.deliver_next", "after"),  # the settling is committed
    Fatal("labcoat.db.outbox:retry", "after"),
    Fatal("labcoat.usecases.publish:save", "after"),  # the listener has saved, not committed
    Fatal("labcoat.slack.app:handle", "after"),  # committed, and Slack not answered
    Fatal("labcoat.usecases.people.digests:send_due", "after"),  # in the middle of a tick's digests
    Fatal("labcoat.worker.schedule:Jobs._send_digests", "after"),
    Fatal("labcoat.db.nudging:record", "after"),  # a person's nudges are put, not committed
    Fatal("labcoat.worker.schedule:Jobs._nudge", "after"),
)
HELD = (FaultKind.HOLD_BEFORE, FaultKind.HOLD_AFTER)
"""Slack has the call and has not stored it, or has stored it and not answered; killed from outside then."""
ALL = (*POINTS, *HELD)
WEEK = timedelta(days=7)
A_TUESDAY = datetime(2026, 11, 24, 10, tzinfo=UTC)
"""After the hour at which people are nudged; what stalls by the next week is told at once."""
WITHOUT_LOOK_UP: tuple[Change, ...] = (("labcoat.slack.outgoing.delivery:Delivery._look_up", "nothing"),)


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path) -> Iterator[World]:
    if request.param == "sqlite":
        shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
        with a_world(f"sqlite:///{tmp_path / 'labcoat.db'}") as made:
            yield made
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.fresh_database() as url, a_world(url) as made:
        yield made


def test_a_process_that_dies_at_a_named_point_loses_and_doubles_nothing(
    world: World, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    lives = size(len(ALL) // 2, 34 * len(ALL))
    first = 0 if world.database.is_sqlite else len(ALL) // 2  # in the small size each database has half of the points

    kills = _lives(world, [ALL[(first + life) % len(ALL)] for life in range(lives)])

    tell(f"{kills.total()} kills: {len(world.lost())} lost, {len(world.twice())} twice; {dict(kills)}")
    assert (world.lost(), world.twice(), world.out_of_order()) == ([], [], [])
    assert len(kills) == min(lives, len(ALL))
    assert world.changes(Step.ADD_EVIDENCE) >= world.taken["evidence"] > 0


def test_without_the_look_up_the_same_deaths_say_things_twice(world: World) -> None:
    answered = Fatal("slack_sdk:WebClient.chat_postMessage", "after")

    _lives(world, [answered] * 3, changes=WITHOUT_LOOK_UP)

    assert world.twice() != []


def _lives(world: World, points: Iterable[Fatal | FaultKind], *, changes: tuple[Change, ...] = ()) -> Counter[str]:
    """Let process after process die, each at its point; return how many died where."""
    replica = Replica(world.environment, free_port(), changes)
    world.sandbox.app_url = replica.url
    world.set_clock(A_TUESDAY)
    _begin(world, replica)
    kills: Counter[str] = Counter()
    for life, point in enumerate(points):
        if isinstance(point, Fatal):
            _dies_by_itself(world, replica, point, life)
        else:
            _dies_while_held(world, replica, point, life)
        kills[str(point)] += 1
    replica.start()
    world.wait_until_all_is_told()
    replica.kill()
    return kills


def _begin(world: World, replica: Replica) -> None:
    replica.start()
    assert replica.wait_until_it_answers()
    for channel in CHANNELS:
        world.files(channel)
    world.wait_until_all_is_told()
    replica.kill()


def _dies_by_itself(world: World, replica: Replica, point: Fatal, life: int) -> None:
    is_of_the_clock = "digest" in point.function or "nudg" in point.function
    if is_of_the_clock:
        world.move(WEEK)
    if point.function.endswith(":retry"):
        world.slack.faults.add("chat.postMessage", FaultKind.ERROR_500)
    replica.start(point)
    if is_of_the_clock:  # and what people do meanwhile would leave nothing that stalls
        world.slack.wait_for(lambda: not replica.is_alive, timeout_seconds=PATIENCE_SECONDS)
    elif replica.wait_until_it_answers():
        for act in range(40):
            if not replica.is_alive:
                break
            _acts(world, life + act)
        else:
            world.slack.wait_for(lambda: not replica.is_alive, timeout_seconds=PATIENCE_SECONDS)
    assert replica.has_killed_itself()


def _dies_while_held(world: World, replica: Replica, kind: FaultKind, life: int) -> None:
    world.slack.faults.add("chat.postMessage", kind, times=None)
    replica.start()
    assert replica.wait_until_it_answers()
    _acts(world, life)
    world.slack.wait_for(world.slack.faults.held, timeout_seconds=PATIENCE_SECONDS)
    replica.kill()
    world.slack.faults.release()


def _acts(world: World, turn: int) -> None:
    """Change two hypotheses, in two channels."""
    world.adds_evidence(turn % len(CHANNELS) + 1)
    world.hands_over((turn + 5) % len(CHANNELS) + 1)
