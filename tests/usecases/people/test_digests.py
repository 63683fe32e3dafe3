"""The weekly digest: made once a week, what it says, and when it stays silent.

The Monday is 23 November 2026; the digest is due at 09:30 in Berlin: 08:30 UTC.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from builders import (
    CHANNEL,
    DAY,
    E7,
    WORKSPACE,
    a_dossier,
    a_prototype,
    a_readout,
    a_request,
    an_ending,
    an_experiment,
    some_evidence,
)
from labcoat.db import looks, periods
from labcoat.db.database import Transaction
from labcoat.db.periods import MadeDigest
from labcoat.domain.digest import Digest
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import DigestMade
from labcoat.domain.hypothesis import Decision, Outcome
from labcoat.domain.ids import ChannelId, ExperimentNumber
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.notice import NoticeKind
from labcoat.stats import readout
from labcoat.stats.results import Finding, Readout, Verdict
from labcoat.usecases.people import digest_week, digests
from labcoat.words import digests as words
from readouts import BIG, SMALL, a_look, a_photo_plan, a_win_and_a_harm, called
from usecases.storing import Told, a_sample, deliver_all, facts_of, stored, told

MONDAY = date(2026, 11, 23)
SLOT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
ZONE = "Europe/Berlin"
WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)
DIGEST = Told(NoticeKind.DIGEST, CHANNEL)


def _send(tx: Transaction, *, now: datetime = SLOT, channel: ChannelId = CHANNEL) -> bool:
    return digests.send_due(tx, WORKSPACE, [channel], zone=ZONE, now=now) == 1


def _compose(tx: Transaction, *, now: datetime = SLOT) -> Digest:
    return digests.compose(tx, WORKSPACE, CHANNEL, now=now, zone=ZONE)


def _look(tx: Transaction, said: Readout, *, number: int = E7, made_at: datetime = SLOT - DAY) -> None:
    look = Look(
        experiment=ExperimentNumber(number),
        slot=made_at,
        as_of=made_at,
        made_at=made_at,
        sample=a_sample(),
        readout=said,
    )
    looks.add(tx, WORKSPACE, look)


def _with_numbers(dossier: Dossier) -> Readout:
    said = readout.read(dossier.experiments[0].plan.rule(), a_sample(treated=600), day=20, past=())
    assert isinstance(said, Readout)
    return said


def test_a_week_is_due_from_half_past_nine_on(tx: Transaction) -> None:
    stored(tx, a_dossier())

    assert digests.due(tx, zone=ZONE, now=SLOT - 30 * DAY) == {}
    assert digests.due(tx, zone=ZONE, now=SLOT - timedelta(seconds=1)) == {WORKSPACE: [CHANNEL]}  # last week's
    assert digests.due(tx, zone=ZONE, now=SLOT) == {WORKSPACE: [CHANNEL]}


def test_a_week_is_sent_once(tx: Transaction) -> None:
    stored(tx, a_dossier())

    sent = [_send(tx, now=now) for now in (SLOT, SLOT, SLOT + 3 * DAY, SLOT + WEEK - timedelta(minutes=1))]

    assert sent == [True, False, False, False]
    assert told(tx) == [DIGEST]


def test_the_next_week_is_sent_again(tx: Transaction) -> None:
    stored(tx, a_dossier())

    assert _send(tx)
    assert _send(tx, now=SLOT + WEEK)
    assert len(facts_of(tx, DigestMade)) == 2


def test_a_week_that_another_replica_took_is_not_sent(tx: Transaction) -> None:
    stored(tx, a_dossier())
    made = MadeDigest(monday=MONDAY, made_at=SLOT, said_nothing_open=False)
    periods.add_digests(tx, WORKSPACE, {CHANNEL: made})

    assert not _send(tx)
    assert told(tx) == []


def test_of_several_missed_weeks_the_newest_is_sent_and_says_it_is_late(tx: Transaction) -> None:
    stored(tx, a_dossier())
    _send(tx)
    deliver_all(tx)

    assert _send(tx, now=SLOT + 4 * WEEK + 2 * DAY)
    (made,) = facts_of(tx, DigestMade)
    digest = made.digest

    assert (digest.monday, digest.is_late) == (date(2026, 12, 21), True)
    assert not _send(tx, now=SLOT + 4 * WEEK + 2 * DAY)


def test_a_hypothesis_filed_after_the_slot_belongs_to_the_next_week(tx: Transaction) -> None:
    stored(tx, a_dossier(filed_at=SLOT + timedelta(minutes=1)))

    assert not _send(tx, now=SLOT + DAY)
    assert _send(tx, now=SLOT + WEEK)


def test_a_digest_comes_back_from_its_notice_as_it_was_composed(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING), filed_at=SLOT - 30 * DAY))
    _look(tx, _with_numbers(dossier))
    composed = _compose(tx)

    _send(tx)
    (made,) = facts_of(tx, DigestMade)

    assert made.digest == composed
    assert len(composed.results) == 1


def test_a_harm_beside_a_win_is_told_as_both(tx: Transaction) -> None:
    running = an_experiment(ExperimentState.RUNNING, plan=a_photo_plan())
    stored(tx, a_dossier(running, filed_at=SLOT - 30 * DAY))
    _look(tx, a_win_and_a_harm())

    composed = _compose(tx)

    assert [(one.treatment, one.metric) for one in composed.health] == [(SMALL, "refunds")]
    assert [(one.treatment, one.metric) for one in composed.results] == [(BIG, "orders per user")]


def test_a_verdict_of_any_treatment_that_changed_has_its_chart(tx: Transaction) -> None:
    running = an_experiment(ExperimentState.RUNNING, plan=a_photo_plan())
    stored(tx, a_dossier(running, filed_at=SLOT - 30 * DAY))
    before = a_look(called(BIG, Verdict.WIN), called(SMALL, Verdict.KEEP_COLLECTING))
    after = a_look(called(BIG, Verdict.WIN), called(SMALL, Verdict.NO_EFFECT))
    _look(tx, before, made_at=SLOT - 9 * DAY)
    _look(tx, before, made_at=SLOT - 2 * DAY)
    unchanged = _compose(tx).charts
    _look(tx, after, made_at=SLOT - DAY)

    assert unchanged == ()
    assert len(_compose(tx).charts) == 1


def test_nothing_open_is_said_once_and_then_there_is_silence(tx: Transaction) -> None:
    stored(tx, a_dossier(ending=an_ending(at=SLOT - 30 * DAY)))

    claimed = [_send(tx, now=SLOT + week * WEEK) for week in range(3)]

    assert claimed == [True, True, True]
    assert told(tx) == [DIGEST]
    assert words.headline(_compose(tx)).startswith("Nothing is open.")


def test_silence_ends_when_something_opens(tx: Transaction) -> None:
    stored(tx, a_dossier(ending=an_ending(at=SLOT - 30 * DAY)))
    for week in range(2):
        _send(tx, now=SLOT + week * WEEK)
    deliver_all(tx)
    stored(tx, a_dossier(number=13))

    _send(tx, now=SLOT + 2 * WEEK)

    assert told(tx) == [DIGEST]


def test_the_headline_says_how_many_closed_taught_something(tx: Transaction) -> None:
    closed = an_ending(at=SLOT - DAY)
    stored(tx, a_dossier(number=1, prototypes=(a_prototype(),), evidence=(some_evidence(),), ending=closed))
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, number=2), number=2, ending=closed))
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, number=3), number=3, ending=closed))
    stored(tx, a_dossier(number=4, ending=replace(closed, outcome=Outcome.ABANDONED)))
    stored(tx, a_dossier(number=5, ending=an_ending(at=SLOT - 8 * DAY)))
    _look(tx, a_readout(Verdict.GOAL_HARM), number=2)
    _look(tx, a_readout(Verdict.NO_EFFECT, Finding.FUTILE), number=3)

    digest = _compose(tx)

    assert words.headline(digest) == "Learned from 2 of 4 closed: 1 by experiment, 1 by prototype."
    assert [item.hypothesis for item in digest.closed] == [1, 2, 3, 4]
    assert [item.days_not_spent for item in digest.closed] == [15.5, None, None, None]


def test_what_was_closed_before_the_last_digest_is_not_told_again(tx: Transaction) -> None:
    stored(tx, a_dossier(number=1, ending=an_ending(Decision.NOT_BUILT, at=SLOT - DAY)))
    stored(tx, a_dossier(number=3, ending=an_ending(Decision.NOT_BUILT, at=SLOT - MINUTE)))

    first = _compose(tx)
    _send(tx)
    stored(tx, a_dossier(number=2, ending=an_ending(Decision.NOT_BUILT, at=SLOT + DAY)))
    second = _compose(tx, now=SLOT + WEEK)

    assert [item.hypothesis for item in first.closed] == [1, 3]
    assert [item.hypothesis for item in second.closed] == [2]


def test_what_was_closed_while_a_digest_was_composed_is_in_the_next_and_in_no_other(tx: Transaction) -> None:
    """Its time is read first, then the digest does not see it yet, then it is committed."""
    stored(tx, a_dossier(number=1))
    _send(tx)
    stored(tx, a_dossier(number=2, ending=an_ending(Decision.NOT_BUILT, at=SLOT - MINUTE)))

    closed = []
    for week in (1, 2):
        closed.append([item.hypothesis for item in _compose(tx, now=SLOT + week * WEEK).closed])
        _send(tx, now=SLOT + week * WEEK)

    assert closed == [[2], []]


def test_digests_within_an_hour_tell_a_closing_once(tx: Transaction) -> None:
    """The channel moved its digest from Sunday's end to Monday's beginning."""
    stored(tx, a_dossier(number=1))
    stored(tx, a_dossier(number=2, ending=an_ending(Decision.NOT_BUILT, at=SLOT - MINUTE)))
    for monday, made_at in ((MONDAY - WEEK, SLOT), (MONDAY, SLOT + 20 * MINUTE)):
        week = digest_week.read(tx, WORKSPACE, [CHANNEL], zone=ZONE, now=made_at)[CHANNEL]
        told = digest_week.told_by(week, now=made_at)
        made = MadeDigest(monday=monday, made_at=made_at, said_nothing_open=False, told=told)
        periods.add_digests(tx, WORKSPACE, {CHANNEL: made})

    assert _compose(tx, now=SLOT + WEEK).closed == ()


def test_a_look_that_was_stored_after_a_digest_is_in_the_next_with_its_chart(tx: Transaction) -> None:
    """It has the time at which the warehouse began to be read."""
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING), filed_at=SLOT - 30 * DAY))
    _send(tx)
    _look(tx, _with_numbers(dossier), made_at=SLOT - 2 * MINUTE)

    next_week = _compose(tx, now=SLOT + WEEK)
    _send(tx, now=SLOT + WEEK)

    assert [item.experiment for item in next_week.results] == [7]
    assert [item.experiment for item in next_week.charts] == [7]
    assert _compose(tx, now=SLOT + 2 * WEEK).results == ()


def test_a_look_just_before_a_digest_is_in_it_and_not_in_the_next(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING), filed_at=SLOT - 30 * DAY))
    _look(tx, _with_numbers(dossier), made_at=SLOT - 2 * MINUTE)

    this_week = _compose(tx)
    _send(tx)

    assert [item.experiment for item in this_week.results] == [7]
    assert _compose(tx, now=SLOT + WEEK).results == ()


def test_without_results_the_oldest_that_waits_is_named(tx: Transaction) -> None:
    stored(tx, a_dossier(number=4, filed_at=SLOT - 9 * DAY))
    stored(tx, a_dossier(number=5, filed_at=SLOT - 2 * DAY))

    headline = words.headline(_compose(tx))

    assert headline == (
        "No new results. 2 hypotheses are waiting; the oldest, for 9 days: H-4 Show fresh offers first."
    )


def test_a_waiting_request_is_under_decide_now_and_not_under_stalled(tx: Transaction) -> None:
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED), requests=(a_request(),)))

    digest = _compose(tx)

    assert [(item.hypothesis, item.asked_of) for item in digest.decide] == [(12, "ULEAD")]
    assert digest.stalled == ()
    assert words.headline(digest) == "1 hypothesis is open. None was closed this week."


def test_harm_and_unreadable_data_are_under_health_and_not_under_results(tx: Transaction) -> None:
    stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, number=1), number=1))
    stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, number=2), number=2))
    _look(tx, a_readout(Verdict.INVALID), number=1)
    looks.set_problem(tx, WORKSPACE, ExperimentNumber(2), SourceProblem(message="no column", since=SLOT))

    digest = _compose(tx)

    assert [(item.experiment, item.problem) for item in digest.health] == [(1, None), (2, "no column")]
    assert digest.results == ()


def test_a_result_is_news_only_if_it_was_made_since_the_last_digest(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING)))
    _look(tx, _with_numbers(dossier))

    assert [item.experiment for item in _compose(tx).results] == [7]
    _send(tx)
    assert _compose(tx, now=SLOT + WEEK).results == ()


def test_what_stalls_says_why_and_how_long(tx: Transaction) -> None:
    since = SLOT - 40 * DAY
    stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, number=1, since=since), number=1), at=since)
    stored(tx, a_dossier(an_experiment(ExperimentState.STOPPED, number=2, since=since), number=2), at=since)
    over = a_prototype(cap_days=3, spent_days=4)
    stored(tx, a_dossier(number=3, prototypes=(over,)), at=SLOT - 9 * DAY)
    stored(tx, a_dossier(an_experiment(ExperimentState.RUNNING, number=4, since=SLOT - DAY), number=4), at=SLOT - DAY)
    stored(tx, a_dossier(number=5, prototypes=(over,)), at=SLOT - 3 * DAY)  # its first nudge is still to come

    assert [(item.hypothesis, item.why, item.days) for item in _compose(tx).stalled] == [
        (1, "planned end reached", 12),
        (2, "stopped without decision", 12),
        (3, "prototype over its cap", 9),
    ]
    stalled = next(group for group in words.groups(_compose(tx)) if group.title == "Stalled")
    assert stalled.lines[0] == "H-1 Show fresh offers first: its planned end has passed, 12 days"


def test_another_channels_hypotheses_are_not_told(tx: Transaction) -> None:
    stored(tx, a_dossier(number=1, channel=ChannelId("C2"), ending=an_ending(at=SLOT - DAY)))
    stored(tx, a_dossier(number=2))

    digest = _compose(tx)

    assert (digest.closed_count, digest.open_count) == (0, 1)
