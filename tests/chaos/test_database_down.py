"""PostgreSQL is killed and started again under load: nothing that was answered is lost, and it goes on by itself."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import postgres
from chaos.replicas import balanced, replicas
from chaos.world import CHANNELS, PATIENCE_SECONDS, World, a_world
from labcoat.demo import people
from labcoat.domain.lifecycle import Step
from slack_sandbox.client import Person

GOING_AGAIN_SECONDS = 10.0
ANSWER_MILLISECONDS = 3000


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A server of the test's own."""
    with postgres.running_server() as running:
        yield running


def test_a_database_that_is_killed_loses_nothing_and_comes_back_by_itself(
    server: postgres.Server, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    kills = size(1, 20)
    server.keep_commits()
    with server.fresh_database() as url, a_world(url) as world, replicas(world.environment, 2) as two:
        with balanced([one.url for one in two]) as address, ThreadPoolExecutor(2) as threads:
            world.sandbox.app_url = address
            for channel in CHANNELS:
                world.files(channel)
            is_over = Event()
            busy = [threads.submit(world.keeps_adding_evidence, user, is_over) for user in (people.ANA, people.BEN)]
            try:
                outages = [_outage(world, server) for _ in range(kills)]
            finally:
                is_over.set()
            for one in busy:
                one.result()
            world.wait_until_all_is_told()
        slowest, longest = (max(times) for times in zip(*outages, strict=True))
        tell(
            f"{kills} kills of PostgreSQL, {world.taken['evidence']} changes answered: {len(world.lost())} lost, "
            f"{len(world.twice())} twice; slowest answer meanwhile {slowest} ms, going again after {longest:.1f} s"
        )
        assert (world.lost(), world.twice(), world.out_of_order()) == ([], [], [])
        assert world.changes(Step.ADD_EVIDENCE) >= world.taken["evidence"] > 0
        if kills > 1:  # a busy machine says nothing about time
            assert slowest < ANSWER_MILLISECONDS
            assert longest < GOING_AGAIN_SECONDS


def test_a_database_that_forgets_what_it_committed_loses_what_was_answered(server: postgres.Server) -> None:
    server.forget_commits()
    with server.fresh_database() as url, a_world(url) as world, replicas(world.environment, 1) as (one,):
        world.sandbox.app_url = one.url
        world.files(CHANNELS[0])
        server.checkpoint()
        for _ in range(3):
            assert world.adds_evidence(1)
        server.kill()
        server.start_again()

        assert world.changes(Step.ADD_EVIDENCE) < world.taken["evidence"]


def _outage(world: World, server: postgres.Server) -> tuple[int, float]:
    """Kill the database and start it again; return how long an answer took meanwhile (ms), and going on (s)."""
    world.wait_for_another_message()
    omar = world.person(people.OMAR)
    before = len(omar.messages(CHANNELS[0]))
    server.kill()
    done = omar.command("/hypothesis", "list", channel=CHANNELS[0])
    assert done.ok
    world.slack.wait_for(lambda: _is_told_kindly(omar, before), timeout_seconds=PATIENCE_SECONDS)
    server.start_again()
    began = time.monotonic()
    world.wait_for_another_message()
    return done.elapsed_ms, time.monotonic() - began


def _is_told_kindly(person: Person, before: int) -> bool:
    new = person.messages(CHANNELS[0])[before:]
    return any("That didn't work, and nothing was changed." in one["text"] for one in new)
