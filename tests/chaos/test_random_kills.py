"""Three replicas killed at random moments, while Slack says 429 and 500, hangs up before and after storing, is slow."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import postgres
from chaos.replicas import Change, Replica, balanced, replicas
from chaos.world import CHANNELS, World, a_world
from labcoat.demo import people
from labcoat.domain.lifecycle import Step
from slack_sandbox.faults import FaultKind

TROUBLE = (
    FaultKind.RATELIMITED,
    FaultKind.ERROR_500,
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.SLOW,
)
METHODS = ("chat.postMessage", "chat.postMessage", "chat.update", "conversations.open", "conversations.history")
SECONDS = {FaultKind.RATELIMITED: 1.0, FaultKind.SLOW: 0.3}
"""What Retry-After says, and how slow: less than LABCOAT_SETTLE_SECONDS, which is what is promised."""


@pytest.fixture
def world(postgres_server: postgres.Server) -> Iterator[World]:
    with postgres_server.fresh_database() as url, a_world(url) as made:
        yield made


def test_replicas_that_die_at_random_lose_and_double_nothing(
    world: World, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    kills = size(8, 1000)

    _storm(world, kills=kills)

    said = len(world.messages())
    tell(f"{kills} random kills, {said} messages: {len(world.lost())} lost, {len(world.twice())} twice")
    assert (world.lost(), world.twice(), world.out_of_order()) == ([], [], [])
    assert world.changes(Step.ADD_EVIDENCE) >= world.taken["evidence"] > 0


def test_without_the_look_up_replicas_that_die_say_things_twice(world: World) -> None:
    world.slack.faults.add("chat.postMessage", FaultKind.DROP_AFTER, times=3)  # so that it does not hang on chance

    _storm(world, kills=4, changes=(("labcoat.slack.outgoing.delivery:Delivery._look_up", "nothing"),))

    assert world.twice() != []


def _storm(world: World, *, kills: int, changes: tuple[Change, ...] = ()) -> None:
    with replicas(world.environment, 3, changes=changes) as three, balanced([one.url for one in three]) as address:
        world.sandbox.app_url = address
        for channel in CHANNELS:
            world.files(channel)
        is_over = Event()
        with ThreadPoolExecutor(3) as threads:
            busy = [threads.submit(_acts, world, is_over, actor) for actor in range(3)]
            try:
                _kill(world, three, kills)
            finally:
                is_over.set()
            for one in busy:
                one.result()
        world.slack.faults.release()
        assert all(one.wait_until_it_answers() for one in three)
        world.wait_until_all_is_told()


def _kill(world: World, three: list[Replica], kills: int) -> None:
    chance = random.Random(20261128)
    for _ in range(kills):
        for _ in range(3):
            kind = chance.choice(TROUBLE)
            world.slack.faults.add(chance.choice(METHODS), kind, seconds=SECONDS.get(kind, 1.0))
        world.wait_for_another_message()
        victim = chance.choice(three)
        victim.kill()
        victim.start()


def _acts(world: World, is_over: Event, actor: int) -> None:
    turn = actor
    while not is_over.is_set():
        number = turn % len(CHANNELS) + 1
        if actor == 0:
            world.hands_over(number)
        else:
            world.adds_evidence(number, (people.BEN, people.OMAR)[actor - 1])
        turn += 1
