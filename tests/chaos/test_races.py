"""Two to eight leads answer one request at once, over three replicas: one decides, and the others are told who did."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest

import postgres
from chaos.replicas import balanced, replicas
from chaos.world import CHANNELS, PATIENCE_SECONDS, TEAM, World, a_world
from journeys.playing import EVIDENCE, read
from labcoat.db import dossiers
from labcoat.demo import people
from labcoat.domain.ids import HypothesisNumber
from labcoat.domain.lifecycle import RequestState, Step
from slack_sandbox.client import Person
from slack_sandbox.wire import Json

LEADS = tuple(f"ULEAD{index}" for index in range(8))
ASK = {
    "conclusion": "supported",
    "learning": "People want it",
    "amount": "20",
    "no_experiment": "legal or safety",
    "lead": LEADS[0],
}


@pytest.fixture
def world(postgres_server: postgres.Server) -> Iterator[World]:
    with postgres_server.fresh_database() as url, a_world(url, leads=LEADS) as made:
        yield made


def test_of_leads_who_approve_at_once_one_decides_and_the_others_are_told(
    world: World, size: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    races = size(2, 500)
    with replicas(world.environment, 3) as three, balanced([one.url for one in three]) as address:
        world.sandbox.app_url = address
        for number in range(1, races + 1):
            leads = [world.person(user) for user in LEADS[: 2 + number % 7]]
            _asks(world, number)

            _race(world, leads, number)

            _require_one_decision(world, number, leads)
    tell(f"{races} races of 2 to 8 leads: {world.changes(Step.APPROVE)} decisions, every loser told who decided")


def test_without_compare_and_set_leads_who_approve_at_once_decide_more_than_once(world: World) -> None:
    with replicas(world.environment, 1) as (one,):
        world.sandbox.app_url = one.url
        for number in range(1, 4):
            _asks(world, number)
    unchecked = (("labcoat.db.dossiers:_save_hypothesis", "nothing"),)
    with replicas(world.environment, 3, changes=unchecked) as three, balanced([one.url for one in three]) as address:
        world.sandbox.app_url = address
        for number in range(1, 4):
            _race(world, [world.person(user) for user in LEADS], number)

    assert world.changes(Step.APPROVE) > 3


def _asks(world: World, number: int) -> None:
    """File a hypothesis, and ask the first lead."""
    world.files(_place(number))
    ana = world.person(people.ANA)
    for command, text, values in (
        ("/hypothesis", f"evidence H-{number}", EVIDENCE),
        ("/experiment", f"ask H-{number}", ASK),
    ):
        world.opens(ana, command, text, channel=_place(number))
        world.submits(ana, values)


def _race(world: World, leads: list[Person], number: int) -> None:
    for lead in leads:
        while lead.find_view() is not None:
            lead.close()
        lead.command("/experiment", f"decide H-{number}", channel=_place(number))
        find = partial(_find_request, lead, number)
        request = world.slack.wait_for(find, timeout_seconds=PATIENCE_SECONDS)
        assert request is not None
        done = lead.click(request, action_id="approve")
        assert done.ok, done.error
        world.slack.wait_for(lead.find_view, timeout_seconds=PATIENCE_SECONDS)
    all_ready = Barrier(len(leads))

    def submit(lead: Person) -> None:
        all_ready.wait(timeout=60)
        while (done := lead.submit({})).errors:  # a busy bot asks to press again
            assert done.ok
        assert done.ok

    with ThreadPoolExecutor(len(leads)) as threads:
        list(threads.map(submit, leads))


def _find_request(lead: Person, number: int) -> Json | None:
    seen = lead.messages(_place(number))
    return next((one for one in seen if one["is_ephemeral"] and f"H-{number}:" in read(one)), None)


def _place(number: int) -> str:
    return CHANNELS[(number - 1) % len(CHANNELS)]


def _require_one_decision(world: World, number: int, leads: list[Person]) -> None:
    with world.database.reading() as tx:
        dossier = dossiers.find(tx, TEAM, HypothesisNumber(number))
    assert dossier is not None
    assert dossier.requests[0].state is RequestState.APPROVED
    assert world.changes(Step.APPROVE) == number
    first = dossier.requests[0].decided_by
    losers = [lead for lead in leads if lead.id != first]
    told = {lead.id: read(lead.view) for lead in losers}
    assert all(f"already approved by @{first}" in text for text in told.values()), told
