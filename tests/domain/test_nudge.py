"""Which nudges are due when, and for whom; NOW is Wednesday, 25 November 2026, 12:00 UTC."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import (
    DAY,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    a_dossier,
    a_plan,
    a_prototype,
    a_request,
    a_typed_plan,
    an_ending,
    an_experiment,
    some_evidence,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.ids import UserId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage
from labcoat.domain.nudge import Nudge, Reach, Role, is_answered, newest_due, plan_nudges
from labcoat.domain.person import Person, Presence
from labcoat.domain.schedule import is_working_day, local_date
from labcoat.domain.stall import NudgeCase, StallSignals, find_stalls

LEADS = (LEAD, OTHER_LEAD)
ADMIN, DEPUTY = UserId("UADMIN"), UserId("UDEPUTY")
C = NudgeCase
SIGNS = StallSignals(changed_at=NOW)
REACH = Reach(leads=LEADS, admins=(ADMIN,), zone="UTC")
Said = tuple[NudgeCase, str, UserId]


def _at(month: int, day: int, hour: int = 10, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def _steps(dossier: Dossier, signs: StallSignals = SIGNS, reach: Reach = REACH, *, now: datetime = NOW) -> list[Nudge]:
    stalls = find_stalls(dossier, signs, presence=reach.presence, now=now)
    return sorted(plan_nudges(dossier, stalls, reach=reach), key=lambda one: (one.due_at, one.person, one.step))


def _said(dossier: Dossier, signs: StallSignals = SIGNS, reach: Reach = REACH, *, now: datetime = NOW) -> list[Said]:
    """Return when each step is due, and for whom."""
    return [(one.case, f"{one.due_at:%a %d %b %H:%M}", one.person) for one in _steps(dossier, signs, reach, now=now)]


RUNNING = a_dossier(
    an_experiment(ExperimentState.RUNNING, since=NOW, plan=a_plan(planned_days=7))
)  # to Wed 2 Dec 12:00
STOPPED = a_dossier(replace(an_experiment(ExperimentState.STOPPED), stopped_at=NOW))
ASKED = a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),))
DRAFT = a_dossier(an_experiment())
PROTOTYPE = a_dossier(prototypes=(a_prototype(),))
SEEN = replace(PROTOTYPE, evidence=(some_evidence(),))
OVER = a_dossier(prototypes=(a_prototype(cap_days=3, spent_days=4),), evidence=(some_evidence(),))
BUILT = a_dossier(an_experiment(ExperimentState.STOPPED), stage=Stage.PRODUCTIONIZE)
TYPED = a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW, plan=a_typed_plan()))


def test_request_is_reminded_of_on_day_two_and_four_and_then_the_admins_hear() -> None:
    assert _said(ASKED) == [
        (C.REQUEST_WAITING, "Tue 01 Dec 10:00", LEAD),  # Friday 12:00 is past Friday's slot, and Monday has none
        (C.REQUEST_WAITING, "Tue 01 Dec 10:00", OTHER_LEAD),
        (C.REQUEST_WAITING, "Wed 02 Dec 10:00", ADMIN),
        (C.REQUEST_WAITING, "Wed 02 Dec 10:00", LEAD),
        (C.REQUEST_WAITING, "Wed 02 Dec 10:00", OTHER_LEAD),
    ]


def test_who_stands_in_for_the_lead_who_was_asked_hears_in_the_admins_place() -> None:
    away = Person(user=LEAD, away_until=_at(12, 31), stand_in=OTHER)
    reach = replace(REACH, presence=Presence(away={LEAD: away}))

    assert [(one.person, one.role) for one in _steps(ASKED, reach=reach) if one.step == 3] == [(OTHER, Role.LEAD)]


def test_planned_end_and_missing_decision_go_to_the_owner_twice_and_then_to_the_leads() -> None:
    assert _said(RUNNING)[-4:] == [
        (
            C.END_REACHED,
            "Fri 04 Dec 10:00",
            OWNER,
        ),  # it ends on Wednesday at 12; Thursday 12:00 is past Thursday's slot
        (C.END_REACHED, "Wed 09 Dec 10:00", OWNER),
        (C.END_REACHED, "Tue 15 Dec 10:00", LEAD),
        (C.END_REACHED, "Tue 15 Dec 10:00", OTHER_LEAD),
    ]
    assert _said(STOPPED) == [
        (C.UNDECIDED, "Fri 27 Nov 10:00", OWNER),
        (C.UNDECIDED, "Wed 02 Dec 10:00", OWNER),
        (C.UNDECIDED, "Tue 08 Dec 10:00", LEAD),
        (C.UNDECIDED, "Tue 08 Dec 10:00", OTHER_LEAD),
    ]


def test_draft_is_reminded_of_after_five_and_ten_working_days() -> None:
    assert _said(DRAFT) == [
        (C.DRAFT, "Thu 03 Dec 10:00", OWNER),
        (C.DRAFT, "Thu 10 Dec 10:00", OWNER),
    ]


@pytest.mark.parametrize(("dossier", "case"), [(PROTOTYPE, C.NO_USERS), (SEEN, C.IDLE), (OVER, C.OVER_CAP)])
def test_prototype_goes_to_the_owner_twice_and_then_to_the_deputy(dossier: Dossier, case: NudgeCase) -> None:
    with_deputy = dossier.with_hypothesis(replace(dossier.hypothesis, deputy=DEPUTY))

    assert _said(with_deputy) == [
        (case, "Thu 03 Dec 10:00", OWNER),
        (case, "Thu 10 Dec 10:00", OWNER),
        (case, "Thu 17 Dec 10:00", DEPUTY),
    ]
    assert [one.person for one in _steps(dossier)] == [OWNER, OWNER, OWNER]


def test_data_alone_is_no_user_feedback() -> None:
    queried = replace(PROTOTYPE, evidence=(some_evidence(EvidenceKind.SQL),))

    assert {one.case for one in _steps(queried)} == {C.NO_USERS}


def test_quiet_productionize_goes_to_the_owner_twice_and_then_to_the_leads() -> None:
    assert _said(BUILT) == [
        (C.QUIET, "Thu 10 Dec 10:00", OWNER),
        (C.QUIET, "Thu 24 Dec 10:00", OWNER),
        (C.QUIET, "Thu 07 Jan 10:00", LEAD),
        (C.QUIET, "Thu 07 Jan 10:00", OTHER_LEAD),
    ]


def test_untouched_hypotheses_come_on_one_day_of_the_month_and_three_times() -> None:
    # Thirty days after 25 November is Christmas; the next month's first slot is Friday, 1 January.
    assert _said(a_dossier()) == [
        (C.UNTOUCHED, "Fri 01 Jan 10:00", OWNER),
        (C.UNTOUCHED, "Tue 02 Feb 10:00", OWNER),
        (C.UNTOUCHED, "Tue 02 Mar 10:00", OWNER),
    ]


def test_uneven_split_is_told_at_once_again_the_next_working_day_and_then_to_deputy_and_leads() -> None:
    uneven = replace(SIGNS, is_uneven=True)
    with_deputy = RUNNING.with_hypothesis(replace(RUNNING.hypothesis, deputy=DEPUTY))

    assert [one for one in _said(with_deputy, uneven) if one[0] is C.SPLIT] == [
        (C.SPLIT, "Wed 25 Nov 12:00", OWNER),
        (C.SPLIT, "Thu 26 Nov 10:00", OWNER),
        (C.SPLIT, "Thu 26 Nov 12:00", DEPUTY),
        (C.SPLIT, "Thu 26 Nov 12:00", LEAD),
        (C.SPLIT, "Thu 26 Nov 12:00", OTHER_LEAD),
    ]


def test_urgent_waits_for_the_end_of_quiet_hours_only() -> None:
    harmed = replace(SIGNS, is_harmed=True, found={C.HARM: _at(11, 28, 22)})  # a Saturday night
    reach = replace(REACH, quiet=(20, 8), snoozed={OWNER: _at(12, 20)})

    said = [(one.step, one.due_at) for one in _steps(RUNNING, harmed, reach) if one.case is C.HARM]

    assert said[0] == (1, _at(11, 29, 8))
    assert said[1] == (2, _at(11, 30, 10))  # Monday
    assert said[2] == (3, _at(12, 1, 8))  # Monday 22:00 is quiet again


def test_no_data_is_told_two_days_after_the_start_once_the_source_was_read() -> None:
    empty = replace(SIGNS, has_data=False, has_refreshed=True)

    assert [one.due_at for one in _steps(RUNNING, empty) if one.case is C.NO_DATA] == [_at(12, 1), _at(12, 3)]
    assert C.NO_DATA not in {one.case for one in _steps(RUNNING, replace(empty, has_refreshed=False))}
    assert C.NO_DATA not in {one.case for one in _steps(RUNNING, replace(empty, has_data=True))}


def test_unreadable_numbers_count_as_told_and_are_told_again_after_three_working_days() -> None:
    broken = replace(SIGNS, problem_since=NOW, has_data=False, has_refreshed=True)

    said = [(one.step, one.due_at) for one in _steps(RUNNING, broken) if one.case is not C.END_REACHED]

    assert said == [(0, NOW), (1, _at(12, 1))]


def test_totals_are_asked_for_on_fridays_before_the_digest() -> None:
    assert [one.due_at for one in _steps(TYPED) if one.case is C.TOTALS] == [_at(12, 4), _at(12, 11), _at(12, 18)]

    sent = replace(SIGNS, totals_at=_at(11, 30))
    assert next(one.due_at for one in _steps(TYPED, sent) if one.case is C.TOTALS) == _at(12, 4)
    sent = replace(SIGNS, totals_at=_at(12, 2))
    assert next(one.due_at for one in _steps(TYPED, sent) if one.case is C.TOTALS) == _at(12, 11)


GONE = replace(REACH, presence=Presence(gone=frozenset({OWNER})))


def test_of_an_owner_who_is_gone_the_deputy_hears_else_the_leads_and_then_the_admins() -> None:
    with_deputy = a_dossier().with_hypothesis(replace(a_dossier().hypothesis, deputy=DEPUTY))

    assert _said(a_dossier(), reach=GONE) == [
        (C.OWNER_GONE, "Thu 26 Nov 10:00", LEAD),
        (C.OWNER_GONE, "Thu 26 Nov 10:00", OTHER_LEAD),
        (C.OWNER_GONE, "Tue 01 Dec 10:00", LEAD),
        (C.OWNER_GONE, "Tue 01 Dec 10:00", OTHER_LEAD),
        (C.OWNER_GONE, "Fri 04 Dec 10:00", ADMIN),
    ]
    gone = [one for one in _steps(with_deputy, reach=GONE) if one.case is C.OWNER_GONE]
    assert [one.person for one in gone] == [DEPUTY, DEPUTY, ADMIN]


def test_what_is_closed_or_imported_nudges_nobody() -> None:
    closed = STOPPED.with_hypothesis(replace(STOPPED.hypothesis, ending=an_ending()))
    imported = a_dossier().with_hypothesis(replace(a_dossier().hypothesis, is_imported=True))

    assert _steps(closed) == []
    assert _steps(imported) == []


def test_any_change_counts_from_the_start_again() -> None:
    later = replace(SIGNS, changed_at=NOW + 7 * DAY)

    for dossier in (STOPPED, DRAFT, PROTOTYPE, SEEN, OVER, BUILT, a_dossier()):
        moved = [(one.step, one.due_at) for one in _steps(dossier, later)]
        assert all(after > before for (_, before), (_, after) in zip(_due(dossier), moved, strict=True))
        assert {one.key for one in _steps(dossier, later)}.isdisjoint(one.key for one in _steps(dossier))


def _due(dossier: Dossier) -> list[tuple[int, datetime]]:
    return [(one.step, one.due_at) for one in _steps(dossier)]


def test_change_of_the_hypothesis_gives_a_request_no_more_time() -> None:
    assert _steps(ASKED, replace(SIGNS, changed_at=NOW + 2 * DAY)) == _steps(ASKED)


def test_decline_counts_from_the_start_again() -> None:
    declined = replace(a_request(RequestState.DECLINED), decided_at=_at(12, 2, 12))
    dossier = a_dossier(STOPPED.experiments[0], requests=(declined,))

    assert _said(dossier, StallSignals(changed_at=_at(12, 2, 12)))[0] == (C.UNDECIDED, "Fri 04 Dec 10:00", OWNER)


def test_snooze_beats_every_step_and_the_count_begins_where_it_ends() -> None:
    reach = replace(REACH, snoozed={OWNER: _at(12, 14, 0)})  # until a Monday

    assert _said(STOPPED, reach=reach) == [
        (C.UNDECIDED, "Tue 15 Dec 10:00", OWNER),
        (C.UNDECIDED, "Thu 17 Dec 10:00", OWNER),
        (C.UNDECIDED, "Wed 23 Dec 10:00", LEAD),
        (C.UNDECIDED, "Wed 23 Dec 10:00", OTHER_LEAD),
    ]
    assert {one.key for one in _steps(STOPPED, reach=reach)}.isdisjoint(one.key for one in _steps(STOPPED))


def test_lead_who_snoozes_holds_neither_the_owner_nor_the_other_leads() -> None:
    reach = replace(REACH, snoozed={LEAD: _at(12, 14, 0)})

    assert _said(STOPPED, reach=reach)[:3] == [
        (C.UNDECIDED, "Fri 27 Nov 10:00", OWNER),
        (C.UNDECIDED, "Wed 02 Dec 10:00", OWNER),
        (C.UNDECIDED, "Tue 08 Dec 10:00", OTHER_LEAD),
    ]
    assert _said(STOPPED, reach=reach)[3] == (C.UNDECIDED, "Tue 15 Dec 10:00", LEAD)


def test_owner_who_snoozes_a_request_gives_it_no_more_time() -> None:
    assert _steps(ASKED, reach=replace(REACH, snoozed={OWNER: _at(12, 20)})) == _steps(ASKED)


def test_of_several_steps_to_one_person_only_the_newest_is_due() -> None:
    due = newest_due(_steps(STOPPED), now=_at(12, 31))

    assert {(one.person, one.step) for one in due} == {(OWNER, 2), (LEAD, 3), (OTHER_LEAD, 3)}


@pytest.mark.parametrize("dossier", [RUNNING, STOPPED, ASKED, DRAFT, PROTOTYPE, SEEN, OVER, BUILT, TYPED, a_dossier()])
def test_nobody_hears_of_one_thing_more_than_three_times(dossier: Dossier) -> None:
    signs = replace(SIGNS, is_uneven=True, has_data=False, has_refreshed=True)
    steps = [(one.case, one.person) for one in _steps(dossier, signs)]

    assert steps
    assert all(steps.count(one) <= 3 for one in steps)


def test_involved_leads_are_not_asked_to_answer() -> None:
    dossier = ASKED.with_hypothesis(replace(ASKED.hypothesis, involved=(OWNER, OTHER_LEAD)))

    assert {one.person for one in _steps(dossier)} == {LEAD, ADMIN}


def test_lead_who_owns_it_is_nudged_as_its_owner_only() -> None:
    assert {(one.person, one.role) for one in _steps(STOPPED, reach=Reach(leads=(OWNER,), zone="UTC"))} == {
        (OWNER, Role.OWNER)
    }


def test_ten_means_ten_where_each_person_is() -> None:
    zones: dict[UserId | None, str] = {OWNER: "America/New_York", LEAD: "Asia/Kolkata"}

    due = {one.person: one.due_at for one in _steps(STOPPED, reach=replace(REACH, zones=zones))}

    assert (due[OWNER].hour, due[LEAD].hour, due[LEAD].minute, due[OTHER_LEAD].hour) == (15, 4, 30, 10)


def test_keys_differ_by_case_step_person_and_beginning() -> None:
    uneven = replace(SIGNS, is_uneven=True, has_data=False, has_refreshed=True)
    all_steps = [*_steps(RUNNING, uneven), *_steps(STOPPED), *_steps(ASKED), *_steps(DRAFT)]

    assert len({one.key for one in all_steps}) == len(all_steps)


AWAY = Person(user=OWNER, away_until=_at(12, 14, 0))


def test_who_stands_in_is_nudged_in_the_owners_place() -> None:
    reach = replace(REACH, presence=Presence(away={OWNER: replace(AWAY, stand_in=OTHER)}))

    assert [(one.person, one.role) for one in _steps(STOPPED, reach=reach)][:2] == [(OTHER, Role.DEPUTY)] * 2


def test_who_is_away_and_named_nobody_is_nudged_on_coming_back_and_the_leads_hear_in_time() -> None:
    reach = replace(REACH, presence=Presence(away={OWNER: AWAY}))

    assert [(one.person, one.due_at) for one in _steps(STOPPED, reach=reach)] == [
        (LEAD, _at(12, 8)),
        (OTHER_LEAD, _at(12, 8)),
        (OWNER, _at(12, 15)),
        (OWNER, _at(12, 15)),
    ]


def test_deputy_is_nudged_while_nobody_else_stands_in() -> None:
    reach = replace(REACH, presence=Presence(away={OWNER: AWAY}))
    with_deputy = STOPPED.with_hypothesis(replace(STOPPED.hypothesis, deputy=DEPUTY))

    assert [one.person for one in _steps(with_deputy, reach=reach)][:2] == [DEPUTY, DEPUTY]


def test_leads_who_are_away_are_not_asked() -> None:
    away = Person(user=LEAD, away_until=_at(12, 31))
    reach = replace(REACH, presence=Presence(away={LEAD: away}))

    assert {one.person for one in _steps(STOPPED, reach=reach)} == {OWNER, OTHER_LEAD}


CLOSED = STOPPED.with_hypothesis(replace(STOPPED.hypothesis, ending=an_ending()))


@pytest.mark.parametrize(
    ("case", "after", "is_over"),
    [
        (C.SPLIT, RUNNING, False),  # an edit ends no harm
        (C.SPLIT, STOPPED, True),
        (C.REQUEST_WAITING, ASKED, False),
        (C.REQUEST_WAITING, STOPPED, True),
        (C.OWNER_GONE, STOPPED, False),
        (C.OWNER_GONE, a_dossier(owner=OTHER), True),
        (C.NO_USERS, PROTOTYPE, True),  # any change counts
        (C.END_REACHED, CLOSED, True),
        (C.HARM, CLOSED, True),
    ],
)
def test_which_change_ends_a_nudge(case: NudgeCase, after: Dossier, *, is_over: bool) -> None:
    nudge = replace(_steps(STOPPED)[0], case=case)

    assert is_answered(nudge, after) is is_over


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Auckland"])
def test_nothing_but_urgent_comes_outside_of_tuesday_to_friday(zone: str) -> None:
    of: tuple[Callable[[datetime], Dossier], ...] = (
        lambda at: a_dossier(replace(an_experiment(ExperimentState.STOPPED), stopped_at=at)),
        lambda _: DRAFT,
        lambda _: a_dossier(),
    )
    for make in of:
        for hours in range(0, 24 * 14, 5):
            at = NOW + timedelta(hours=hours)
            for one in _steps(make(at), StallSignals(changed_at=at), replace(REACH, zone=zone), now=at):
                day = local_date(one.due_at, zone)
                assert is_working_day(day)
                assert day.weekday() != 0
