"""The team's past year: told long ago, by the rules, and the same every time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

import postgres
from labcoat.db import dossiers, history, outbox
from labcoat.db import looks as stored
from labcoat.db.database import Database, Transaction
from labcoat.db.migrating import migrate
from labcoat.demo import past, people
from labcoat.domain.dossier import Dossier
from labcoat.domain.history import HistoryEntry
from labcoat.domain.hypothesis import Decision, Outcome, Statement
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Step
from labcoat.domain.member import Member
from labcoat.domain.steps.hypothesis import PROPOSED_OUTCOME
from labcoat.stats.results import Verdict
from labcoat.stats.rule import Direction
from labcoat.usecases.experiments import results
from labcoat.usecases.hypotheses import hypotheses, requests
from labcoat.usecases.looks import looks
from labcoat.usecases.people import digests, nudges

WORKSPACE, CHANNEL = WorkspaceId("T1"), ChannelId(people.CHANNEL)
TUESDAY = datetime(2026, 12, 1, 8, tzinfo=UTC)
WEEK = timedelta(days=7)


def _write(database: Database, *, now: datetime = TUESDAY) -> int:
    return past.write(database, workspace=WORKSPACE, channel=CHANNEL, now=now)


def _dossiers(tx: Transaction) -> list[Dossier]:
    return dossiers.read_many(tx, WORKSPACE, [HypothesisNumber(number) for number in range(1, past.HYPOTHESES + 1)])


def _history(tx: Transaction) -> list[HistoryEntry]:
    return sorted(
        (entry for one in _dossiers(tx) for entry in history.list_of(tx, WORKSPACE, one.hypothesis.number)),
        key=lambda entry: entry.id,
    )


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database in which the past is written, once for all that read it."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('past') / 'labcoat.db'}"
        else:
            server: postgres.Server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(server.fresh_database(is_migrated=False))
        database = Database(url)
        migrate(database)
        assert _write(database) == past.HYPOTHESES
        yield database
        database.dispose()


@pytest.fixture
def year(written: Database) -> Iterator[Transaction]:
    with written.reading() as tx:
        yield tx


on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what is of Python alone, in a database of its own."""


def test_all_are_filed_and_closed_in_the_year_with_a_learning_of_their_own(year: Transaction) -> None:
    filed = [one.hypothesis for one in _dossiers(year)]
    endings = [one.ending for one in filed if one.ending is not None]

    assert len(endings) == past.HYPOTHESES
    assert len({one.learning for one in endings}) == past.HYPOTHESES
    assert min(one.filed_at for one in filed) >= TUESDAY - timedelta(days=365)
    assert max(one.at for one in endings) <= TUESDAY - timedelta(days=10)


@on_sqlite
@pytest.mark.parametrize("days", range(1, 7))
def test_all_is_over_ten_days_before_whatever_day_now_is(database: Database, days: int) -> None:
    now = TUESDAY + timedelta(days=days)

    _write(database, now=now)

    with database.reading() as tx:
        assert max(entry.at for entry in _history(tx)) <= now - timedelta(days=10)


def test_numbers_count_from_one_in_the_order_of_filing(year: Transaction) -> None:
    by_time = sorted((one.hypothesis for one in _dossiers(year)), key=lambda one: one.filed_at)
    planned = sorted((run for one in _dossiers(year) for run in one.experiments), key=lambda one: one.planned_at)

    assert [one.number for one in by_time] == list(range(1, past.HYPOTHESES + 1))
    assert [one.number for one in planned] == list(range(1, past.EXPERIMENTS + 1))


def test_history_is_written_in_the_order_that_things_happened(year: Transaction) -> None:
    moments = [entry.at for entry in _history(year)]

    assert moments == sorted(moments)


def test_nothing_waits_in_the_outbox_and_no_message_waits_to_be_edited(year: Transaction) -> None:
    assert outbox.count(year).keys() == {outbox.SENT}
    assert outbox.find_post(year, WORKSPACE, "card H-1") is None


def test_one_in_four_is_shipped_and_half_are_refuted(year: Transaction) -> None:
    endings = [one.hypothesis.ending for one in _dossiers(year)]
    outcomes = Counter(one.outcome for one in endings if one is not None)
    is_shipped = {one.outcome for one in endings if one is not None and one.decision is Decision.SHIPPED}
    shares = {outcome: count / past.HYPOTHESES for outcome, count in outcomes.items()}

    assert is_shipped == {Outcome.SUPPORTED}
    assert shares[Outcome.SUPPORTED] == pytest.approx(0.25, abs=0.05)
    assert shares[Outcome.REFUTED] == pytest.approx(0.5, abs=0.05)
    assert outcomes[Outcome.INCONCLUSIVE] >= 3
    assert outcomes[Outcome.ABANDONED] >= 2


def test_a_third_are_closed_after_a_prototype_only(year: Transaction) -> None:
    alone = [one for one in _dossiers(year) if one.prototypes and one.evidence and not one.experiments]

    assert len(alone) / past.HYPOTHESES == pytest.approx(1 / 3, abs=0.05)


def test_what_was_shipped_was_approved_by_a_lead_who_was_never_involved(year: Transaction) -> None:
    shipped = [one for one in _dossiers(year) if one.requests]
    approved = {one.hypothesis.number: one.requests[-1] for one in shipped}

    assert [one.state for one in approved.values()] == [RequestState.APPROVED] * len(shipped)
    assert {request.decided_by for request in approved.values()} == set(people.LEADS)
    assert [one for one in shipped if approved[one.hypothesis.number].decided_by in one.hypothesis.involved] == []


def test_each_outcome_is_what_the_verdict_proposes_or_has_a_reason(year: Transaction) -> None:
    tested = [one for one in _dossiers(year) if one.experiments]
    verdicts = [results.newest_verdict(year, one) for one in tested]

    assert None not in verdicts
    assert sum(len(one.experiments) for one in tested) == past.EXPERIMENTS
    assert {run.state for one in tested for run in one.experiments} == {ExperimentState.STOPPED}
    for one, verdict in zip(tested, verdicts, strict=True):
        ending = one.hypothesis.ending
        assert ending is not None
        assert verdict is not None
        assert ending.outcome is PROPOSED_OUTCOME[verdict] or ending.overrides


def test_the_verdicts_are_of_every_kind_that_ends_an_experiment(year: Transaction) -> None:
    readouts = [results.newest_readout(year, one) for one in _dossiers(year)]
    verdicts = {one.verdict for one in readouts if one is not None}

    assert verdicts == {
        Verdict.WIN,
        Verdict.NO_EFFECT,
        Verdict.GOAL_HARM,
        Verdict.GUARDRAIL_HARM,
        Verdict.INCONCLUSIVE,
    }
    assert all(one.is_final for one in readouts if one is not None)


def test_an_uneven_split_was_run_again(year: Transaction) -> None:
    (again,) = [one for one in _history(year) if one.step is Step.RUN_AGAIN]
    (first, second) = next(one for one in _dossiers(year) if one.hypothesis.number == again.hypothesis).experiments

    (invalid,) = [look.readout for look in stored.list_of(year, WORKSPACE, first.number) if look.readout is not None]
    (valid,) = [look.readout for look in stored.list_of(year, WORKSPACE, second.number) if look.readout is not None]

    assert (invalid.verdict, valid.verdict) == (Verdict.INVALID, Verdict.NO_EFFECT)


@on_sqlite
@pytest.mark.parametrize("is_other_day", [False, True])
def test_the_same_moment_gives_the_same_year_and_another_the_same_verdicts(
    database: Database, year: Transaction, is_other_day: bool
) -> None:
    _write(database, now=TUESDAY + timedelta(days=40 * is_other_day))

    with database.reading() as tx:
        assert sorted(_words(tx, one) for one in _dossiers(tx)) == sorted(_words(year, one) for one in _dossiers(year))
        assert is_other_day or [_moments(one) for one in _dossiers(tx)] == [_moments(one) for one in _dossiers(year)]


def _words(tx: Transaction, one: Dossier) -> tuple[str, ...]:
    ending, verdict = one.hypothesis.ending, results.newest_verdict(tx, one)
    assert ending is not None
    return one.hypothesis.change, ending.outcome, ending.learning, str(verdict)


def _moments(one: Dossier) -> tuple[datetime, ...]:
    ending = one.hypothesis.ending
    assert ending is not None
    return one.hypothesis.filed_at, *(run.planned_at for run in one.experiments), ending.at


def test_nothing_is_due_because_of_the_past(year: Transaction) -> None:
    assert digests.due(year, zone=people.ZONE, now=TUESDAY) == {}
    assert looks.due(year, now=TUESDAY) == []
    assert all(one.nudges == () for one in nudges.find(year, WORKSPACE, zone=people.ZONE, now=TUESDAY))
    assert requests.expired(year, now=TUESDAY) == []


@on_sqlite
def test_the_next_digest_tells_only_what_happens_from_now_on(database: Database) -> None:
    _write(database)
    with database.writing() as tx:
        hypotheses.file(
            tx,
            WORKSPACE,
            Statement(change="Larger maps", metric="orders per user", direction=Direction.UP, because="People zoom"),
            by=Member(user=UserId(people.ANA)),
            owner=UserId(people.ANA),
            channel=CHANNEL,
            now=TUESDAY,
        )

    with database.reading() as tx:
        digest = digests.compose(tx, WORKSPACE, CHANNEL, now=TUESDAY + WEEK, zone=people.ZONE)
        assert digests.due(tx, zone=people.ZONE, now=TUESDAY + WEEK) == {WORKSPACE: [CHANNEL]}

    assert (digest.open_count, digest.closed_count) == (1, 0)
    assert (digest.results, digest.stalled, digest.health, digest.decide) == ((), (), (), ())
