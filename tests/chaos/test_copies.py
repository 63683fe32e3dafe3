"""Slack delivers everything four times over three replicas: one effect each."""

from collections.abc import Callable, Iterator

import pytest

import postgres
from chaos.replicas import Change, balanced, replicas
from chaos.world import CHANNELS, World, a_world
from labcoat.domain.lifecycle import Step

COPIES = 4


@pytest.fixture
def world(postgres_server: postgres.Server) -> Iterator[World]:
    with postgres_server.fresh_database() as url, a_world(url) as made:
        yield made


def test_what_comes_four_times_has_one_effect(
    world: World, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    wanted = size(6, 1000)

    effects = _effects(world, wanted)

    tell(f"{wanted} deliveries, each {COPIES} times: {effects} effects, {len(world.twice())} messages twice")
    assert effects == wanted
    assert (world.lost(), world.twice()) == ([], [])


def test_without_remembering_deliveries_copies_have_effects(world: World) -> None:
    effects = _effects(world, 3, changes=(("labcoat.db.deliveries:accept", "nothing"),))

    assert effects > 3


def _effects(world: World, wanted: int, *, changes: tuple[Change, ...] = ()) -> int:
    """Add evidence so many times; return how often it was added."""
    with (
        replicas(world.environment, 3, changes=changes) as three,
        balanced([one.url for one in three]) as once,
        balanced([one.url for one in three], copies=COPIES) as often,
    ):
        world.sandbox.app_url = once
        for channel in CHANNELS:
            world.files(channel)
        world.sandbox.app_url = often
        done = sum(world.adds_evidence(turn % len(CHANNELS) + 1) for turn in range(wanted))
        assert done == wanted
        world.wait_until_all_is_told()
    return world.changes(Step.ADD_EVIDENCE)
