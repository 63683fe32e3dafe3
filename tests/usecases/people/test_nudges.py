"""Nudges: each step once, one message a person and day, whoever sends it; what ends them takes their place."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

from sqlalchemy import select, update

from builders import (
    DAY,
    H12,
    LEAD,
    NOW,
    OTHER,
    OTHER_LEAD,
    OWNER,
    WORKSPACE,
    a_dossier,
    a_member,
    a_prototype,
    a_readout,
    a_request,
    an_ending,
    an_experiment,
    refused,
)
from labcoat.db import channels, looks, nudging, people, periods
from labcoat.db.database import Database, Transaction
from labcoat.db.tables import schema
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Outcome
from labcoat.domain.ids import ExperimentNumber, UserId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.notice import NoticeKind
from labcoat.domain.person import Person, Standing
from labcoat.domain.refusal import Reason
from labcoat.domain.stall import NudgeCase
from labcoat.stats.results import Readout, Verdict
from labcoat.stats.rule import Sample
from labcoat.usecases import publish
from labcoat.usecases.experiments import experiments
from labcoat.usecases.hypotheses import hypotheses
from labcoat.usecases.people import digests, nudge_resolution, nudges
from labcoat.words import nudges as nudge_words
from readouts import a_photo_plan, a_win_and_a_harm
from usecases.storing import Told, deliver_all, found, stored, told

FRIDAY = datetime(2026, 11, 27, 10, tzinfo=UTC)
"""The first nudge after a stop at NOW."""
TUESDAY = datetime(2026, 12, 1, 10, tzinfo=UTC)
"""The first nudge about a request that was asked at NOW."""
MORNING = NOW.replace(hour=8)
REPLICAS = 4


def _stopped(number: int, *, owner: UserId = OWNER) -> Dossier:
    experiment = replace(an_experiment(ExperimentState.STOPPED, number=number), stopped_at=NOW)
    return a_dossier(experiment, number=number, owner=owner)


def _send(tx: Transaction, *, now: datetime) -> int:
    sent = 0
    for workspace in nudges.workspaces_due(tx, now=now):
        asked = nudges.find(tx, workspace, zone="UTC", now=now)
        sent += nudges.send(tx, workspace, asked, zone="UTC", now=now)
    return sent


def _days_sent(tx: Transaction, *, until: datetime, since: datetime = MORNING) -> list[str]:
    """Let time pass, every two hours; return when a message was made, and to whom."""
    seen: list[str] = []
    at = since
    while at <= until:
        before = len(told(tx))
        _send(tx, now=at)
        seen += [f"{at:%a %d %b %H:%M} {one.to}" for one in told(tx)[before:] if one.kind is NoticeKind.NUDGE]
        at += timedelta(hours=2)
    return seen


def _nudge(person: UserId) -> Told:
    return Told(NoticeKind.NUDGE, person)


def _items(tx: Transaction, person: UserId) -> list[list[tuple[NudgeCase, int]]]:
    """Return what each message to a person is about, in order."""
    column = schema.nudges.c
    query = select(column.subject).where(column.person == person, column.subject.is_not(None)).distinct()
    subjects = tx.execute(query.order_by(column.subject)).scalars()
    messages = [nudging.in_message(tx, WORKSPACE, subject) for subject in subjects]
    return [[(one.nudge.case, one.nudge.hypothesis) for one in message] for message in messages]


def test_a_nudge_is_sent_when_due_and_once(tx: Transaction) -> None:
    stored(tx, _stopped(1))

    sent = [_send(tx, now=now) for now in (FRIDAY - DAY, FRIDAY, FRIDAY, FRIDAY + 4 * DAY)]

    assert sent == [0, 1, 0, 0]
    assert told(tx) == [_nudge(OWNER)]


def test_items_of_one_person_come_in_one_message(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    stored(tx, _stopped(2))
    stored(tx, _stopped(3, owner=OTHER))

    assert _send(tx, now=FRIDAY) == 3
    assert told(tx) == [_nudge(OTHER), _nudge(OWNER)]
    assert _items(tx, OWNER) == [[(NudgeCase.UNDECIDED, 1), (NudgeCase.UNDECIDED, 2)]]
    assert _items(tx, OTHER) == [[(NudgeCase.UNDECIDED, 3)]]


def test_nobody_gets_more_than_one_message_a_day_and_two_a_week_and_nothing_is_dropped(tx: Transaction) -> None:
    for number in range(1, 5):  # each due on a day of its own, from Tuesday to Friday
        one = stored(tx, a_dossier(an_experiment(number=number), number=number))
        at = NOW.replace(hour=9) + (number - 2) * DAY
        column = schema.hypotheses.c
        tx.execute(update(schema.hypotheses).where(column.number == one.hypothesis.number).values(changed_at=at))

    assert _days_sent(tx, until=NOW + 14 * DAY) == [
        "Tue 01 Dec 10:00 UOWNER",
        "Wed 02 Dec 10:00 UOWNER",
        "Tue 08 Dec 10:00 UOWNER",
        "Wed 09 Dec 10:00 UOWNER",
    ]
    assert {number for message in _items(tx, OWNER) for _, number in message} == {1, 2, 3, 4}


def test_requests_and_what_is_urgent_come_beside_the_one_message_a_day(tx: Transaction) -> None:
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),)))
    stored(tx, replace(_stopped(1, owner=LEAD), prototypes=(a_prototype(),)))
    for place in range(3):
        day = date(2026, 12, 1) + timedelta(days=place)
        assert periods.claim_nudge_day(tx, WORKSPACE, LEAD, day, most_a_week=None)

    _send(tx, now=TUESDAY)

    assert _items(tx, LEAD) == [[(NudgeCase.REQUEST_WAITING, H12)]]  # and not H-1, though it is due


def test_two_replicas_send_a_nudge_once(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    asked = nudges.find(tx, WORKSPACE, zone="UTC", now=FRIDAY)

    assert nudges.send(tx, WORKSPACE, asked, zone="UTC", now=FRIDAY) == 1
    assert nudges.send(tx, WORKSPACE, asked, zone="UTC", now=FRIDAY) == 0
    assert told(tx) == [_nudge(OWNER)]


def test_what_changed_since_it_was_asked_about_is_not_nudged(tx: Transaction) -> None:
    stopped = stored(tx, _stopped(1))
    asked = nudges.find(tx, WORKSPACE, zone="UTC", now=FRIDAY)

    hypotheses.close(
        tx,
        stopped,
        by=a_member(),
        outcome=Outcome.REFUTED,
        learning="No",
        days_spent=1,
        overrides="We know more",
        now=FRIDAY,
    )

    assert nudges.send(tx, WORKSPACE, asked, zone="UTC", now=FRIDAY) == 0


def test_replicas_at_the_same_time_send_each_person_one_message(database: Database) -> None:
    owners = [UserId(f"U{place}") for place in range(5)]
    with database.writing() as tx:
        for number in range(1, 21):
            stored(tx, _stopped(number, owner=owners[number % 5]))
    all_ready = Barrier(REPLICAS)

    def send(_: int) -> int:
        with database.reading() as tx:
            asked = nudges.find(tx, WORKSPACE, zone="UTC", now=FRIDAY)
        all_ready.wait(timeout=30)
        with database.writing() as tx:
            return nudges.send(tx, WORKSPACE, asked, zone="UTC", now=FRIDAY)

    with ThreadPoolExecutor(REPLICAS) as threads:
        sent = list(threads.map(send, range(REPLICAS)))

    with database.reading() as tx:
        assert sum(sent) == 20
        assert sorted(one.to for one in told(tx)) == sorted(owners)


def test_replicas_that_saw_different_things_keep_the_caps(database: Database) -> None:
    with database.writing() as tx:
        for number in range(1, REPLICAS + 1):
            stored(tx, _stopped(number))
    all_ready = Barrier(REPLICAS)

    def send(place: int) -> int:
        with database.reading() as tx:
            asked = nudges.find(tx, WORKSPACE, zone="UTC", now=FRIDAY)
        all_ready.wait(timeout=30)
        with database.writing() as tx:
            return nudges.send(tx, WORKSPACE, [asked[place]], zone="UTC", now=FRIDAY)

    with ThreadPoolExecutor(REPLICAS) as threads:
        assert sum(threads.map(send, range(REPLICAS))) == 1
    with database.writing() as tx:
        assert told(tx) == [_nudge(OWNER)]
        assert _send(tx, now=FRIDAY + 4 * DAY) == REPLICAS - 1  # on Tuesday, the rest in one message


def test_after_a_long_pause_one_message_comes_with_the_newest_step_of_each(tx: Transaction) -> None:
    for number in range(1, 6):
        stored(tx, _stopped(number))

    wednesday = TUESDAY + 22 * DAY  # three weeks later
    assert _send(tx, now=wednesday) == 15  # to the owner, and to two leads
    assert sorted(one.to for one in told(tx)) == [LEAD, OTHER_LEAD, OWNER]
    assert _send(tx, now=wednesday + DAY / 24) == 0


def test_what_comes_due_while_nothing_runs_waits_for_a_working_hour(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    late = [FRIDAY + timedelta(hours=hours) for hours in (9, 24, 72)]  # Friday evening, Saturday, Monday

    assert [_send(tx, now=now) for now in late] == [0, 0, 0]
    assert _send(tx, now=FRIDAY + 4 * DAY) == 1


def test_clock_that_jumps_back_sends_nothing_twice(tx: Transaction) -> None:
    stored(tx, _stopped(1))
    stored(tx, _stopped(2))

    sent = [_send(tx, now=FRIDAY + timedelta(hours=hours)) for hours in (0, -3, 0, 1, -1, 2)]

    assert sent == [2, 0, 0, 0, 0, 0]


def test_the_owners_own_zone_counts(tx: Transaction) -> None:
    people.know(tx, WORKSPACE, Person(user=OWNER, zone="Asia/Kolkata"), at=NOW)  # 10:00 there is 04:30 UTC
    stored(tx, _stopped(1))

    assert _send(tx, now=FRIDAY.replace(hour=4, minute=29)) == 0
    assert _send(tx, now=FRIDAY.replace(hour=4, minute=30)) == 1


def test_the_other_leads_get_the_request_with_their_nudge(tx: Transaction) -> None:
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),)))

    assert _send(tx, now=TUESDAY) == 2
    assert told(tx) == [_nudge(LEAD), _nudge(OTHER_LEAD), Told(NoticeKind.REQUEST, OTHER_LEAD)]


def test_admins_hear_of_a_request_that_no_lead_answers_and_get_no_buttons_of_a_lead(tx: Transaction) -> None:
    admin = UserId("UADMIN")
    people.know(tx, WORKSPACE, Person(user=admin, is_admin=True), at=NOW)
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),)))

    _send(tx, now=TUESDAY + DAY)

    assert _nudge(admin) in told(tx)
    assert Told(NoticeKind.REQUEST, admin) not in told(tx)


def test_what_is_closed_or_young_nudges_nobody(tx: Transaction) -> None:
    closed = _stopped(1)
    stored(tx, closed.with_hypothesis(replace(closed.hypothesis, ending=an_ending())))
    stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, number=2, since=NOW), number=2))
    deliver_all(tx)

    assert _send(tx, now=TUESDAY) == 0


def test_what_is_finished_is_asked_about_once_and_never_again(tx: Transaction) -> None:
    closed = _stopped(1)
    stored(tx, closed.with_hypothesis(replace(closed.hypothesis, ending=an_ending())))

    _send(tx, now=NOW)

    assert nudges.workspaces_due(tx, now=NOW + 1000 * DAY) == []


def test_nudges_that_are_off_leave_requests_and_urgent_ones_on(tx: Transaction) -> None:
    channels.save(tx, WORKSPACE, a_dossier().hypothesis.channel, ChannelSettings(has_nudges=False), version=0)
    stored(tx, _stopped(1))
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(asked_at=NOW),)))

    _send(tx, now=TUESDAY)

    assert [one.to for one in told(tx) if one.kind is NoticeKind.NUDGE] == [LEAD, OTHER_LEAD]


def _look(tx: Transaction, said: Verdict | Readout, at: datetime) -> None:
    look = Look(
        experiment=ExperimentNumber(7),
        slot=at,
        as_of=at,
        made_at=at,
        sample=Sample(exposed=(50, 50), moments={}),
        readout=a_readout(said) if isinstance(said, Verdict) else said,
    )
    looks.add(tx, WORKSPACE, look)


def test_harm_is_told_at_once_again_the_next_day_and_then_to_the_leads_and_ends_with_the_stop(tx: Transaction) -> None:
    running = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW - DAY)))
    monday_morning = datetime(2026, 11, 30, 8, tzinfo=UTC)
    _look(tx, Verdict.GUARDRAIL_HARM, monday_morning)
    publish.publish(tx, running, shows=True)

    sent = _days_sent(tx, since=monday_morning, until=monday_morning + 3 * DAY)

    assert sent == [
        "Mon 30 Nov 08:00 UOWNER",
        "Tue 01 Dec 10:00 ULEAD",
        "Tue 01 Dec 10:00 ULEAD2",
        "Tue 01 Dec 10:00 UOWNER",
    ]
    experiments.stop(
        tx, found(tx, running), ExperimentNumber(7), by=a_member(), reason="It harms", ended_at=TUESDAY, now=TUESDAY
    )
    assert all(one.entry is not None for one in nudging.in_message(tx, WORKSPACE, f"nudge {OWNER} 20261130T080000"))


def test_harm_that_is_over_and_comes_again_is_told_again(tx: Transaction) -> None:
    running = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW - DAY)))
    sent = []
    for place, verdict in enumerate((Verdict.GOAL_HARM, Verdict.KEEP_COLLECTING, Verdict.GOAL_HARM)):
        at = NOW + place * DAY / 24
        _look(tx, verdict, at)
        publish.publish(tx, running, shows=True)
        sent.append(_send(tx, now=at))

    assert sent == [1, 0, 1]


def test_harm_beside_a_winner_is_told_until_its_treatment_is_dropped(tx: Transaction) -> None:
    plan = a_photo_plan()
    running = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW - DAY, plan=plan)))
    beside = a_win_and_a_harm()
    dropped = replace(beside, treatments=(beside.treatments[0], replace(beside.treatments[1], is_dropped=True)))
    sent = []
    for place, said in enumerate((beside, dropped)):
        at = NOW + place * DAY / 24
        _look(tx, said, at)
        publish.publish(tx, running, shows=True)
        sent.append(_send(tx, now=at))

    assert sent == [1, 0]
    assert nudge_words.harm(beside, running.experiments[0]) == (
        "photos_small harms refunds: +94 % (32 to 200). Drop it and the others go on: `/experiment drop E-7`."
    )


def test_unreadable_numbers_that_the_owner_was_told_of_take_their_day(tx: Transaction) -> None:
    running = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, since=NOW)))
    stored(tx, _stopped(1))
    looks.set_problem(tx, WORKSPACE, ExperimentNumber(7), SourceProblem(message="no", since=FRIDAY, is_owner_told=True))
    publish.publish(tx, running, shows=True)

    assert _send(tx, now=FRIDAY) == 0  # the message about the source was Friday's
    assert _send(tx, now=FRIDAY + 4 * DAY) == 1
    assert _items(tx, OWNER) == [[(NudgeCase.UNDECIDED, 1)]]
    assert _send(tx, now=FRIDAY + 5 * DAY) == 2  # and the source is told again after three working days
    assert _items(tx, OWNER)[-1] == [(NudgeCase.UNDECIDED, 1), (NudgeCase.NO_NUMBERS, H12)]


def test_owner_who_leaves_is_noticed_at_the_next_slot(tx: Transaction) -> None:
    stored(tx, a_dossier())
    _send(tx, now=NOW)
    people.know(tx, WORKSPACE, Person(user=OWNER, standing=Standing.DEACTIVATED), at=NOW)

    sent = _days_sent(tx, since=MORNING + DAY, until=NOW + 10 * DAY)

    assert sent == [
        "Thu 26 Nov 10:00 ULEAD",
        "Thu 26 Nov 10:00 ULEAD2",
        "Tue 01 Dec 10:00 ULEAD",
        "Tue 01 Dec 10:00 ULEAD2",
    ]


def _snooze(tx: Transaction, dossier: Dossier, until: date, *, by: UserId = OWNER, now: datetime = FRIDAY) -> datetime:
    return nudge_resolution.snooze(tx, dossier, by=a_member(by), until=until, zone="UTC", now=now)


def test_snoozed_nudge_says_so_and_comes_again_when_the_snooze_ends(tx: Transaction) -> None:
    stopped = stored(tx, _stopped(1))
    _send(tx, now=FRIDAY)
    deliver_all(tx)

    _snooze(tx, stopped, date(2026, 12, 14))

    assert told(tx) == [_nudge(OWNER)]  # the message is edited
    (shown,) = nudging.in_message(tx, WORKSPACE, f"nudge {OWNER} 20261127T100000")
    assert shown.snoozed_until == datetime(2026, 12, 14, tzinfo=UTC)
    deliver_all(tx)
    sent = _days_sent(tx, since=FRIDAY, until=FRIDAY + 40 * DAY)
    assert sent[:2] == ["Tue 15 Dec 10:00 UOWNER", "Thu 17 Dec 10:00 UOWNER"]
    assert sent[2:] == ["Wed 23 Dec 10:00 ULEAD", "Wed 23 Dec 10:00 ULEAD2"]


def test_change_takes_the_place_of_the_buttons(tx: Transaction) -> None:
    stopped = stored(tx, _stopped(1))
    _send(tx, now=FRIDAY)
    deliver_all(tx)

    experiments.run_again(tx, stopped, ExperimentNumber(1), by=a_member(), now=FRIDAY)

    (shown,) = nudging.in_message(tx, WORKSPACE, f"nudge {OWNER} 20261127T100000")
    assert shown.entry is not None
    assert _nudge(OWNER) in told(tx)


def test_snooze_is_for_who_was_nudged_owns_it_or_leads(tx: Transaction) -> None:
    stopped = stored(tx, _stopped(1))

    with refused(Reason.NOT_OWNER_OR_LEAD):
        _snooze(tx, stopped, date(2026, 12, 14), by=OTHER)
    with refused(Reason.NOT_LATER, "until"):
        _snooze(tx, stopped, FRIDAY.date())
    with refused(Reason.SNOOZED_TOO_LONG, "until"):
        _snooze(tx, stopped, date(2027, 3, 1))


def test_digest_counts_what_was_due_as_stalled_until_it_moves_or_is_snoozed(tx: Transaction) -> None:
    stopped = stored(tx, _stopped(1))
    monday = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)

    assert _stalled(tx, FRIDAY - timedelta(minutes=1)) == []
    assert _stalled(tx, monday) == [(1, "stopped without decision")]
    assert _stalled(tx, monday + 700 * DAY) == [(1, "stopped without decision")]  # long after the last nudge

    _snooze(tx, stopped, date(2026, 12, 14))
    assert _stalled(tx, monday) == []
    assert _stalled(tx, monday + 21 * DAY) == [(1, "stopped without decision")]


def _stalled(tx: Transaction, now: datetime) -> list[tuple[int, str]]:
    digest = digests.compose(tx, WORKSPACE, a_dossier().hypothesis.channel, now=now, zone="UTC")
    return [(one.hypothesis, one.why) for one in digest.stalled]
