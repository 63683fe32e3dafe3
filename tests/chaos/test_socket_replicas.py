"""Three replicas that Slack reaches by Socket Mode alone, on PostgreSQL; each dies once under load."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import postgres
from chaos.replicas import Change, Replica, replicas
from chaos.world import CHANNELS, PATIENCE_SECONDS, World, a_world
from labcoat.demo import people
from labcoat.domain.lifecycle import Step
from slack_sandbox.faults import FaultKind

LINKS = 2
"""Of each replica."""


@pytest.fixture
def world(postgres_server: postgres.Server) -> Iterator[World]:
    with postgres_server.fresh_database() as url, a_world(url) as made:
        made.sandbox.app_url = None
        made.environment = {
            **made.environment,
            "SLACK_APP_TOKEN": made.sandbox.slack.workspace.bot.app_token,
            "SLACK_SIGNING_SECRET": "",
            "LABCOAT_LINKS": str(LINKS),
        }
        yield made


def test_replicas_over_links_lose_and_double_nothing_while_each_dies(
    world: World, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    kills = size(3, 60)

    _play(world, kills=kills)

    tell(f"{kills} kills over Socket Mode: {len(world.lost())} lost, {len(world.twice())} twice")
    assert (world.lost(), world.twice(), world.out_of_order()) == ([], [], [])
    assert world.changes(Step.ADD_EVIDENCE) >= world.taken["evidence"] > 0


def test_without_the_look_up_replicas_over_links_say_things_twice(world: World) -> None:
    _play(world, kills=0, changes=(("labcoat.slack.outgoing.delivery:Delivery._look_up", "nothing"),), is_lossy=True)

    assert world.twice() != []


def _play(world: World, *, kills: int, changes: tuple[Change, ...] = (), is_lossy: bool = False) -> None:
    with replicas(world.environment, 3, changes=changes) as three:
        _wait_for_links(world, three)
        for channel in CHANNELS:
            world.files(channel)
        is_over = Event()
        if is_lossy:
            world.slack.faults.add("chat.postMessage", FaultKind.DROP_AFTER, times=3)
        with ThreadPoolExecutor(2) as threads:
            busy = [threads.submit(world.keeps_adding_evidence, user, is_over) for user in (people.BEN, people.OMAR)]
            try:
                world.wait_for_another_message()
                for kill in range(kills):
                    victim = three[kill % len(three)]
                    victim.kill()
                    world.wait_for_another_message()
                    victim.start()
                    _wait_for_links(world, three)
            finally:
                is_over.set()
            for one in busy:
                one.result()
        world.wait_until_all_is_told()


def _wait_for_links(world: World, three: list[Replica]) -> None:
    socket_mode = world.sandbox.slack.socket_mode
    world.slack.wait_for(lambda: socket_mode.open_links == LINKS * len(three), timeout_seconds=PATIENCE_SECONDS)
