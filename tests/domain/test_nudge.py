"""Which nudges are due when; NOW is Wednesday, 25 November 2026, 12:00 UTC."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from builders import (
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    a_dossier,
    a_plan,
    a_request,
    an_ending,
    an_experiment,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.nudge import NudgeCase, Reach, due_nudges
from labcoat.domain.person import Person, Presence

LEADS = (LEAD, OTHER_LEAD)
REQUEST, END, UNDECIDED, GONE = NudgeCase
Said = set[tuple[NudgeCase, UserId, int]]


def _at(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def _due(dossier: Dossier, now: datetime, *, leads: tuple[UserId, ...] = LEADS) -> Said:
    due = due_nudges(dossier, reach=Reach(leads=leads, zone="UTC"), now=now)
    return {(nudge.case, nudge.person, nudge.step) for nudge in due}


ASKED = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),))
ENDED = a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW, plan=a_plan(planned_days=7)))  # Wed 2 Dec 12:00
STOPPED = a_dossier(replace(an_experiment(ExperimentState.STOPPED), stopped_at=NOW))

CASES: list[tuple[Dossier, datetime, Said]] = [
    # A request: its own message comes at once, everybody eligible is reminded after 2 and 4 working days.
    (ASKED, _at(11, 27, 9, 59), set()),
    (ASKED, _at(11, 27, 12), set()),  # Friday 12:00 is past Friday's slot
    (ASKED, _at(12, 1, 9, 59), set()),  # Monday has none
    (ASKED, _at(12, 1), {(REQUEST, LEAD, 1), (REQUEST, OTHER_LEAD, 1)}),
    (ASKED, _at(12, 2), {(REQUEST, LEAD, 2), (REQUEST, OTHER_LEAD, 2)}),
    # The planned end: the owner on the next working day and three later, the leads at 8.
    (ENDED, _at(12, 2, 13), set()),
    (ENDED, _at(12, 4, 9, 59), set()),
    (ENDED, _at(12, 4), {(END, OWNER, 1)}),
    (ENDED, _at(12, 9), {(END, OWNER, 2)}),
    (ENDED, _at(12, 15, 9, 59), {(END, OWNER, 2)}),
    (ENDED, _at(12, 15), {(END, OWNER, 2), (END, LEAD, 1), (END, OTHER_LEAD, 1)}),
    # Stopped, and nothing decided.
    (STOPPED, _at(11, 27, 9, 59), set()),
    (STOPPED, _at(11, 27), {(UNDECIDED, OWNER, 1)}),
    (STOPPED, _at(12, 2), {(UNDECIDED, OWNER, 2)}),
    (STOPPED, _at(12, 8), {(UNDECIDED, OWNER, 2), (UNDECIDED, LEAD, 1), (UNDECIDED, OTHER_LEAD, 1)}),
]


@pytest.mark.parametrize(("dossier", "now", "expected"), CASES)
def test_which_nudges_are_due(dossier: Dossier, now: datetime, expected: Said) -> None:
    assert _due(dossier, now) == expected


def test_what_is_closed_nudges_nobody() -> None:
    closed = STOPPED.with_hypothesis(replace(STOPPED.hypothesis, ending=an_ending()))

    assert _due(closed, _at(12, 31)) == set()


def test_a_waiting_request_is_not_reminded_of_as_undecided_too() -> None:
    assert {case for case, _, _ in _due(ASKED, _at(12, 31))} == {REQUEST}


def test_what_is_approved_is_not_undecided() -> None:
    approved = a_dossier(
        an_experiment(ExperimentState.STOPPED),
        stage=Stage.PRODUCTIONIZE,
        requests=(a_request(RequestState.APPROVED),),
    )

    assert _due(approved, _at(12, 31)) == set()


def test_a_decline_counts_from_the_start_again() -> None:
    declined = replace(a_request(RequestState.DECLINED), decided_at=_at(12, 2, 12))
    dossier = a_dossier(STOPPED.experiments[0], requests=(declined,))

    assert _due(dossier, _at(12, 3)) == set()
    assert _due(dossier, _at(12, 4)) == {(UNDECIDED, OWNER, 1)}


def test_involved_leads_are_not_asked_to_answer() -> None:
    dossier = ASKED.with_hypothesis(replace(ASKED.hypothesis, involved=(OWNER, OTHER_LEAD)))

    assert {person for _, person, _ in _due(dossier, _at(12, 31))} == {LEAD}


def test_a_lead_who_owns_it_is_nudged_once() -> None:
    assert _due(STOPPED, _at(12, 31), leads=(OWNER,)) == {(UNDECIDED, OWNER, 2)}


def test_without_an_owner_the_leads_are_told() -> None:
    nobodys = STOPPED.with_hypothesis(replace(STOPPED.hypothesis, owner=None))

    assert {person for _, person, _ in _due(nobodys, _at(12, 31))} == set(LEADS)


def test_a_draft_and_a_young_experiment_nudge_nobody() -> None:
    assert _due(a_dossier(an_experiment()), _at(12, 31)) == set()
    assert _due(a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW)), _at(12, 1)) == set()


def test_keys_differ_by_case_step_person_and_beginning() -> None:
    later = a_dossier(replace(STOPPED.experiments[0], stopped_at=_at(11, 26)))
    due = [
        nudge
        for dossier in (ASKED, ENDED, STOPPED, later)
        for now in (_at(11, 27), _at(12, 4), _at(12, 31))
        for nudge in due_nudges(dossier, reach=Reach(leads=LEADS, zone="UTC"), now=now)
    ]

    assert len({nudge.key for nudge in due}) == len(set(due))


def test_ten_means_ten_in_the_persons_zone() -> None:
    due = due_nudges(STOPPED, reach=Reach(leads=LEADS, zone="America/New_York"), now=_at(11, 26, 15))

    assert [nudge.due_at for nudge in due] == [_at(11, 26, 15)]


AWAY = Person(user=OWNER, away_until=_at(12, 31), stand_in=OTHER)
LATER = _at(12, 31)
LEAD_AWAY = Person(user=LEAD, away_until=_at(12, 31))


def _who(dossier: Dossier, presence: Presence, *, now: datetime = LATER) -> Said:
    due = due_nudges(dossier, reach=Reach(leads=LEADS, zone="UTC", presence=presence), now=now)
    return {(nudge.case, nudge.person, nudge.step) for nudge in due}


def test_who_stands_in_is_nudged_in_the_owners_place() -> None:
    presence = Presence(away={OWNER: AWAY})

    assert {person for _, person, _ in _who(STOPPED, presence, now=_at(11, 27))} == {OTHER}


def test_who_is_away_and_named_nobody_reads_it_on_coming_back() -> None:
    presence = Presence(away={OWNER: replace(AWAY, stand_in=None)})

    assert {person for _, person, _ in _who(STOPPED, presence, now=_at(11, 27))} == {OWNER}


def test_the_deputy_is_nudged_while_nobody_else_stands_in() -> None:
    presence = Presence(away={OWNER: replace(AWAY, stand_in=None)})
    with_deputy = STOPPED.with_hypothesis(replace(STOPPED.hypothesis, deputy=OTHER))

    assert {person for _, person, _ in _who(with_deputy, presence, now=_at(11, 27))} == {OTHER}


def test_leads_who_are_away_are_not_asked() -> None:
    presence = Presence(away={LEAD: LEAD_AWAY})

    assert {person for _, person, _ in _who(ASKED, presence)} == {OTHER_LEAD}
    assert {person for _, person, _ in _who(STOPPED, presence)} == {OWNER, OTHER_LEAD}


def test_of_an_owner_who_is_gone_the_deputy_hears_and_else_the_leads() -> None:
    presence = Presence(gone=frozenset({OWNER}))
    begun = a_dossier()
    with_deputy = begun.with_hypothesis(replace(begun.hypothesis, deputy=OTHER))

    assert _who(begun, presence) == {(GONE, LEAD, 1), (GONE, OTHER_LEAD, 1)}
    assert _who(with_deputy, presence) == {(GONE, OTHER, 1)}
    assert _who(begun, Presence()) == set()
