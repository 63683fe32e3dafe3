"""What the data were found to be is kept with the look that found it, until the cause of an uneven split is fixed."""

from datetime import UTC, datetime, timedelta

from builders import DAY, E7, WORKSPACE, a_member, a_readout
from labcoat.db import looks as stored_looks
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.findings import Findings, FoundColumn, FoundRows
from labcoat.domain.look import Look
from labcoat.stats.results import Verdict
from labcoat.usecases.experiments import experiments
from labcoat.usecases.looks import counting, looks, measuring
from labcoat.warehouse.reading import Reading
from usecases.storing import a_sample, found, started, the_due_look

FIRST_SLOT = datetime(2026, 11, 26, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)
SEEN_AT = FoundColumn(name="seen_at", kind="time", type_name="TIMESTAMP", has_clock=True, has_zone=False)
PAID_ON = FoundColumn(
    name="paid_on", kind="text", type_name="VARCHAR", is_day=True, has_clock=False, formats=("%d.%m.%Y",)
)
USERS = FoundRows(definition="0123456789ab", columns={"exposed_at": SEEN_AT, "experiment": None})
SPENT = FoundRows(definition="ba9876543210", columns={"time": PAID_ON})
FIRST = Findings(exposures={"users": USERS}, metrics={})
BOTH = Findings(exposures={"users": USERS}, metrics={"spent": SPENT})


def _look(tx: Transaction, day: int, findings: Findings, *, verdict: Verdict | None = None) -> Look:
    """Make the look of a day; verdict: in place of its own."""
    now = FIRST_SLOT + day * DAY
    look, sample = the_due_look(tx, now), a_sample(of=1000 * (day + 1), treated=101 * (day + 1))
    answer = looks.answer(look, sample)
    if verdict is not None:
        answer = a_readout(verdict)
    reading = Reading(sample=sample, crossed=0, definitions={}, findings=findings)
    made = looks.record(tx, look, reading, answer, now=now)
    assert made is not None
    return made


def _known(tx: Transaction, day: int) -> Findings:
    return the_due_look(tx, FIRST_SLOT + day * DAY).findings


def test_a_look_keeps_what_it_found_and_the_next_one_reads_by_it(tx: Transaction) -> None:
    started(tx)
    before = _known(tx, 0)

    made = [_look(tx, day, findings) for day, findings in enumerate((FIRST, FIRST, BOTH, BOTH))]

    assert before == Findings()
    assert [look.findings for look in made] == [FIRST, None, BOTH, None]
    assert [look.findings for look in stored_looks.list_of(tx, WORKSPACE, E7)] == [FIRST, None, BOTH, None]
    due = the_due_look(tx, FIRST_SLOT + 4 * DAY)
    assert due.findings == BOTH
    assert measuring._question(due, is_count=False).findings == BOTH


def test_a_count_reads_by_what_the_looks_found(tx: Transaction) -> None:
    started(tx)
    _look(tx, 0, BOTH)

    (due,) = counting.due(tx, now=FIRST_SLOT + 2 * HOUR)

    assert due.findings == BOTH
    assert measuring._question(due, is_count=True).findings == BOTH


def test_looks_of_the_version_before_are_followed_by_one_that_finds(tx: Transaction) -> None:
    started(tx)
    _look(tx, 0, Findings())  # stored as nothing, as these looks are

    assert stored_looks.list_of(tx, WORKSPACE, E7)[0].findings is None
    assert _known(tx, 1) == Findings()
    assert _look(tx, 1, BOTH).findings == BOTH


def test_wrong_data_are_not_what_later_ones_have_to_be(tx: Transaction) -> None:
    started(tx)

    made = _look(tx, 0, FIRST, verdict=Verdict.DATA_ERROR)

    assert made.findings is None
    assert _known(tx, 1) == Findings()


def test_data_that_contradict_leave_the_last_look_and_what_it_found(tx: Transaction) -> None:
    started(tx)
    _look(tx, 0, FIRST)
    now = FIRST_SLOT + DAY

    looks.record_problem(tx, the_due_look(tx, now), "Exposures users: ...", is_permanent=True, now=now)

    assert [look.findings for look in stored_looks.list_of(tx, WORKSPACE, E7)] == [FIRST]
    assert the_due_look(tx, now + DAY).findings == FIRST


def test_after_the_cause_of_an_uneven_split_is_fixed_all_is_found_anew(tx: Transaction) -> None:
    running = started(tx)
    _look(tx, 0, BOTH, verdict=Verdict.INVALID)

    _fix(tx, running, now=FIRST_SLOT + HOUR)
    (count,) = counting.due(tx, now=FIRST_SLOT + 3 * HOUR)

    assert count.findings == Findings()
    assert _known(tx, 1) == Findings()
    assert _look(tx, 1, FIRST).findings == FIRST
    assert _known(tx, 2) == FIRST


def _fix(tx: Transaction, dossier: Dossier, *, now: datetime) -> Dossier:
    return experiments.fix_cause(
        tx, found(tx, dossier), E7, reason="a redirect lost users", since=now - HOUR / 2, by=a_member(), now=now
    )
