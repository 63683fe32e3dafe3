"""Two to eight leads answer one request at the same moment: one decides, and the others are told who did."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

import postgres
from journeys.playing import EVIDENCE, FILE, PROTOTYPE, Play, playing, read
from labcoat.demo import people
from labcoat.domain.lifecycle import RequestState
from labcoat.sandbox.client import Person
from labcoat.sandbox.workspace import User

LEADS = tuple(f"ULEAD{index}" for index in range(8))
ASK = {
    "conclusion": "supported",
    "learning": "People want it",
    "amount": "20",
    "no_experiment": "legal or safety",
    "lead": LEADS[0],
}


@pytest.fixture
def play(postgres_server: postgres.Server) -> Iterator[Play]:
    default = people.workspace()
    users = (User(id=user, name=user.lower(), real_name=user.title(), tz=people.ZONE) for user in LEADS)
    members = (*default.channels[0].members, *LEADS)
    channel = default.channels[0].model_copy(update={"members": members})
    slack = default.model_copy(update={"users": (*default.users, *users), "channels": (channel,)})
    with postgres_server.fresh_database() as url, playing(url, slack=slack, leads=LEADS) as running:
        yield running


def test_of_leads_who_approve_at_once_one_decides_and_the_others_are_told(
    play: Play, size: Callable[[int, int], int]
) -> None:
    for number in range(1, size(3, 500) + 1):
        leads = [play.slack.person(user) for user in LEADS[: 2 + number % 7]]
        _asks(play, number)
        for lead in leads:
            _opens(play, lead, number)

        _submit_at_once(leads)

        _require_one_decision(play, number, leads)


def _asks(play: Play, number: int) -> None:
    subject = f"H-{number}"
    assert play.ana.command("/hypothesis", f"Change number {number}").ok
    play.ana.submit(FILE)
    if play.ana.find_view() is not None:
        play.ana.submit({})  # the first time it asked whether this was tried before
    for command, text, values in (
        ("/hypothesis", f"prototype {subject}", PROTOTYPE),
        ("/hypothesis", f"evidence {subject}", EVIDENCE),
        ("/experiment", f"ask {subject}", ASK),
    ):
        assert play.ana.command(command, text).ok
        done = play.ana.submit(values)
        assert (done.ok, done.errors) == (True, {})


def _opens(play: Play, lead: Person, number: int) -> None:
    lead.command("/experiment", f"decide H-{number}")
    done = lead.click(play.private(lead), action_id="approve")
    assert done.ok, done.error


def _submit_at_once(leads: list[Person]) -> None:
    all_ready = Barrier(len(leads))

    def submit(lead: Person) -> None:
        all_ready.wait(timeout=10)
        assert lead.submit({}).ok

    with ThreadPoolExecutor(len(leads)) as threads:
        list(threads.map(submit, leads))


def _require_one_decision(play: Play, number: int, leads: list[Person]) -> None:
    dossier = play.dossier(number)
    assert dossier is not None
    assert dossier.requests[0].state is RequestState.APPROVED
    first = dossier.requests[0].decided_by
    forms = {lead.id: lead.find_view() for lead in leads}
    told = {user: read(form) for user, form in forms.items() if form is not None}
    assert told.keys() == {lead.id for lead in leads} - {first}
    assert all(f"already approved by @{first}" in text for text in told.values()), told
    for lead in leads:
        if lead.find_view() is not None:
            lead.close()
