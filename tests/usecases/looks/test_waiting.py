"""A look waits for its data: E-7 runs over a DuckDB source whose loads come when the test says.

E-7 starts on Wednesday, 25 November 2026, 12:00 UTC, and is looked at at 08:00 in Berlin, 07:00 UTC. Two units an hour
are exposed, one of each variant.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from slack_sdk import WebClient

from builders import DAY, E7, E8, H12, NOW, WORKSPACE, a_dossier, a_member, a_plan, an_experiment
from labcoat.db import dossiers, looks, waiting_looks
from labcoat.db.database import Database
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber
from labcoat.domain.late_data import Short, Wait
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.plan import Period, Plan, Variant
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.incoming.downloads import downloader
from labcoat.slack.outgoing.delivery import Delivery
from labcoat.stats.rule import MetricKind, Role
from labcoat.usecases.experiments import experiments, results
from labcoat.usecases.hypotheses import requests
from labcoat.usecases.looks import waiting as awaiting
from labcoat.usecases.people import stall_signals
from labcoat.warehouse import metrics_file
from labcoat.warehouse.freshness import ASKED_OF
from labcoat.worker.file_worker import FileWork
from labcoat.worker.schedule import Jobs
from usecases.storing import stored

FIRST_SLOT = datetime(2026, 11, 26, 7, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
QUERY = "freshness: SELECT MAX(loaded_at) FROM loads"
FILE = """
sources:
  shop: {{engine: duckdb, tables: {{exposures: exposures.parquet, loads: loads.csv}}, {shop}}}
  web: {{engine: duckdb, tables: {{visits: exposures.parquet, loads: web_loads.csv}}, {web}}}
exposures:
  users: {{source: shop, table: exposures, unit: unit, variant: variant, exposed_at: at}}
  visitors: {{source: web, table: visits, unit: unit, variant: variant, exposed_at: at}}
metrics:
  pages: {{kind: mean, direction: up, exposures: users, value: pages, complete_at_exposure: true}}
  visits: {{kind: mean, direction: up, exposures: visitors, value: pages, complete_at_exposure: true}}
"""


@dataclass
class Lab:
    """A process over the two sources, and what the tests do to them."""

    database: Database
    folder: Path
    jobs: Jobs

    def loaded(self, at: datetime | str, *, of: str = "loads") -> None:
        """Let the load table say that data are complete to this moment."""
        text = at if isinstance(at, str) else f"{at:%Y-%m-%d %H:%M}"
        (self.folder / f"{of}.csv").write_text(f"loaded_at\n2026-11-20 00:00\n{text}\n")

    def tick(self, now: datetime, *, source: str | None = "shop") -> None:
        self.jobs.make_looks(now, source)

    def start(self, plan: Plan, *, number: ExperimentNumber = E7, since: datetime = NOW) -> None:
        with self.database.writing() as tx:
            experiment = an_experiment(ExperimentState.DRAFT, number=number, plan=plan, since=since)
            draft = stored(tx, a_dossier(experiment, number=H12 + number - E7))
            experiments.start(tx, draft, number, by=a_member(), since=since, now=since if plan.period is None else NOW)

    def stop(self, at: datetime) -> Dossier:
        with self.database.writing() as tx:
            return experiments.stop(tx, self.dossier(), E7, by=a_member(), ended_at=at, reason="enough", now=at)

    def dossier(self) -> Dossier:
        with self.database.reading() as tx:
            found = dossiers.find(tx, WORKSPACE, HypothesisNumber(H12))
        assert found is not None
        return found

    @property
    def looks(self) -> list[Look]:
        with self.database.reading() as tx:
            return looks.list_of(tx, WORKSPACE, E7)

    @property
    def wait(self) -> Wait | None:
        with self.database.reading() as tx:
            return waiting_looks.find(tx, WORKSPACE, E7)

    @property
    def problem(self) -> SourceProblem | None:
        with self.database.reading() as tx:
            return looks.find_problem(tx, WORKSPACE, E7)

    @property
    def next_try(self) -> datetime:
        with self.database.reading() as tx:
            (due,) = [one for one in looks.due(tx, NOW + 900 * DAY) if one.number == E7]
        return due.next_look_at


Labs = Callable[..., Lab]


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the units of a hundred days; as CSV it would take a look four times as long to read."""
    path = tmp_path_factory.mktemp("exposures") / "exposures.parquet"
    rows = (
        f"({2 * hour + arm}, '{'ab'[arm]}', TIMESTAMP '{NOW - 50 * DAY + hour * HOUR:%Y-%m-%d %H:%M}', "
        f"{(hour * 7 + arm) % 5})"
        for hour in range(100 * 24)
        for arm in (0, 1)
    )
    with duckdb.connect() as connection:
        values = ", ".join(rows)
        connection.execute(f"""COPY (FROM (VALUES {values}) AS seen (unit, variant, "at", pages)) TO '{path}'""")
    return path


@pytest.fixture
def a_lab(database: Database, tmp_path: Path, exposures: Path) -> Labs:
    """What makes a process whose sources are declared as given."""
    shutil.copy(exposures, tmp_path)

    def make(shop: str = QUERY, web: str = QUERY) -> Lab:
        (tmp_path / "metrics.yml").write_text(FILE.format(shop=shop, web=web))
        lab = Lab(database, tmp_path, _a_process(database, tmp_path / "metrics.yml"))
        lab.loaded(NOW)
        lab.loaded(NOW, of="web_loads")
        return lab

    return make


def _a_process(database: Database, path: Path) -> Jobs:
    client = WebClient()
    return Jobs(
        database=database,
        delivery=Delivery(
            database=database, client_of=lambda _: client, zone="UTC", lease=HOUR, sending=HOUR, settling=HOUR
        ),
        files=FileWork(database=database, client=client, download=downloader(client), zone="UTC"),
        metrics=metrics_file.load(path),
        workspace=WORKSPACE,
        zone="UTC",
        describe=lambda _: None,
        count_every=HOUR,
    )


def _plan(*names: str, **changed: object) -> Plan:
    plan = a_plan()
    goal = replace(plan.goal, name="pages", kind=MetricKind.MEAN, is_complete_at_exposure=True)
    more = tuple(replace(goal, name=name, role=Role.SECONDARY, minimum_effect=None) for name in names)
    metrics = (goal, *more)
    variants = (Variant(name="a", weight=0.5), Variant(name="b", weight=0.5))
    return replace(plan, metrics=metrics, variants=variants, **changed)  # type: ignore[arg-type]  # fields of a plan


def _units(until: datetime, *, since: datetime = NOW) -> tuple[int, int]:
    """Count by hand: one unit of each variant at every full hour from the start on, the end left out."""
    hours = -(-int((until - since).total_seconds()) // 3600)
    return hours, hours


def test_a_daily_look_waits_for_its_data_and_is_made_as_of_where_they_end(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())

    lab.tick(FIRST_SLOT)
    waiting, next_try = lab.wait, lab.next_try
    loaded = FIRST_SLOT - 3 * HOUR
    lab.loaded(loaded)
    lab.tick(FIRST_SLOT + 14 * MINUTE)
    before = lab.looks
    lab.tick(FIRST_SLOT + 15 * MINUTE)

    assert waiting == Wait(
        slot=FIRST_SLOT, until=FIRST_SLOT + DAY, is_final=False, short=(Short(source="shop", complete_to=NOW),)
    )
    assert next_try == FIRST_SLOT + 15 * MINUTE
    assert before == []
    (look,) = lab.looks
    assert (look.slot, look.as_of, look.short) == (FIRST_SLOT, loaded, ())
    assert look.sample.exposed == _units(loaded) == (16, 16)
    assert (lab.wait, lab.problem, lab.next_try) == (None, None, FIRST_SLOT + DAY)


def test_after_24_hours_a_look_is_made_with_what_there_is_at_the_newest_slot(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    lab.loaded(NOW + 5 * HOUR)
    for hours in range(24):
        lab.tick(FIRST_SLOT + hours * HOUR)
    before = lab.looks
    lab.tick(FIRST_SLOT + DAY)

    (look,) = lab.looks
    assert before == []
    assert (look.slot, look.as_of) == (FIRST_SLOT + DAY, NOW + 5 * HOUR)
    assert look.short == (Short(source="shop", complete_to=NOW + 5 * HOUR),)
    assert look.sample.exposed == (5, 5)
    assert look.made_at == FIRST_SLOT + DAY


def test_one_look_is_made_of_two_slots_that_waited(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    lab.tick(FIRST_SLOT)
    lab.tick(FIRST_SLOT + 12 * HOUR)
    lab.loaded(FIRST_SLOT + DAY - 4 * HOUR)
    lab.tick(FIRST_SLOT + DAY)

    (look,) = lab.looks
    assert (look.slot, look.short) == (FIRST_SLOT + DAY, ())
    assert look.readout is None or look.readout.day == 2


def test_days_in_which_no_process_ran_are_no_waiting(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    lab.tick(FIRST_SLOT)

    lab.tick(FIRST_SLOT + 3 * DAY)

    assert lab.looks == []
    assert lab.wait is not None
    assert lab.wait.until == FIRST_SLOT + 4 * DAY


def test_the_final_look_of_a_stop_waits_for_all_data_up_to_the_end(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    ended = NOW + 3 * DAY
    lab.loaded(ended - 12 * HOUR)
    lab.stop(ended)

    lab.tick(ended)
    waiting = lab.wait
    lab.tick(ended + 71 * HOUR)
    before = lab.looks
    lab.loaded(ended + HOUR)
    lab.tick(ended + 71 * HOUR + 15 * MINUTE)

    assert waiting is not None
    assert (waiting.until, waiting.is_final) == (ended + 72 * HOUR, True)
    assert before == []
    (look,) = lab.looks
    assert look.readout is not None
    assert (look.readout.is_final, look.as_of, look.short) == (True, ended, ())
    assert look.sample.exposed == (72, 72)


def test_after_72_hours_the_final_look_is_made_and_says_what_it_lacks(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    ended = NOW + 3 * DAY
    lab.loaded(ended - 12 * HOUR)
    lab.stop(ended)
    lab.tick(ended)
    lab.tick(ended + 72 * HOUR - MINUTE)
    before = lab.looks
    lab.tick(ended + 72 * HOUR)

    (look,) = lab.looks
    assert before == []
    assert look.readout is not None
    assert (look.readout.is_final, look.as_of, look.sample.exposed) == (True, ended - 12 * HOUR, (60, 60))
    assert look.short == (Short(source="shop", complete_to=ended - 12 * HOUR),)

    lab.loaded(ended + DAY)
    lab.tick(lab.next_try)

    late = lab.looks[-1]
    assert late.readout is not None
    assert (late.readout.is_after_final, late.sample.exposed, late.short) == (True, (72, 72), ())


def test_the_final_look_at_the_planned_end_waits_beyond_the_next_slot(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan(planned_days=2))
    slot = FIRST_SLOT + DAY  # day 1.8 is the nearest to two days
    lab.loaded(slot - 7 * HOUR)
    lab.tick(slot)
    assert lab.wait is not None
    assert (lab.wait.is_final, lab.wait.until) == (True, slot + 72 * HOUR)

    lab.tick(slot + DAY + HOUR)
    before = lab.looks
    lab.loaded(slot + DAY - 3 * HOUR)
    lab.tick(slot + DAY + 2 * HOUR)

    (look,) = lab.looks
    assert before == []
    assert look.readout is not None
    assert (look.readout.is_final, look.as_of) == (True, slot + DAY - 3 * HOUR)
    assert look.sample.exposed == _units(slot + DAY - 3 * HOUR)


def test_an_experiment_of_the_past_waits_for_its_last_day(a_lab: Labs) -> None:
    lab = a_lab()
    period = Period(starts_at=NOW - 20 * DAY, ends_at=NOW - DAY)
    lab.loaded(NOW - 2 * DAY)
    lab.start(_plan(period=period, planned_days=19), since=period.starts_at)
    lab.tick(NOW)
    before = lab.looks
    lab.loaded(NOW - DAY)
    lab.tick(NOW + 15 * MINUTE)

    (look,) = lab.looks
    assert before == []
    assert look.sample.exposed == (19 * 24, 19 * 24)


@pytest.mark.parametrize("zone_of_plan", ["Europe/Berlin", "America/New_York"])
def test_with_ready_after_the_look_is_due_at_that_hour_on_the_plans_clocks(a_lab: Labs, zone_of_plan: str) -> None:
    """A day of 25 hours too: Berlin's clocks change on 25 October 2026, New York's on 1 November."""
    lab = a_lab('ready_after: "11:00"')
    changes = {"Europe/Berlin": (date(2026, 10, 25), 2), "America/New_York": (date(2026, 11, 1), -4)}
    change, summer = changes[zone_of_plan]
    since = datetime(change.year, change.month, change.day, 20, tzinfo=UTC) - 3 * DAY
    lab.start(_plan(zone=zone_of_plan, planned_days=60), since=since)
    made = []
    for days in range(1, 6):
        day = since.date() + timedelta(days=days)
        offset = summer - (day >= change)
        eight = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) - offset * HOUR
        lab.tick(eight)
        assert lab.next_try == eight + 3 * HOUR
        lab.tick(eight + 3 * HOUR - MINUTE)
        made.append(len(lab.looks))
        lab.tick(eight + 3 * HOUR)
        assert len(lab.looks) == days
        assert lab.looks[-1].as_of == datetime(day.year, day.month, day.day, tzinfo=UTC) - (
            (summer - (day > change)) * HOUR
        )

    assert made == list(range(5))


def test_ready_after_may_have_a_zone_of_its_own(a_lab: Labs) -> None:
    lab = a_lab('ready_after: "09:30 UTC"')
    lab.start(_plan())

    lab.tick(FIRST_SLOT)
    lab.tick(FIRST_SLOT.replace(hour=9, minute=30))

    (look,) = lab.looks
    assert look.as_of == datetime(2026, 11, 26, tzinfo=UTC)
    experiment = lab.dossier().get_experiment(E7)
    assert awaiting.next_look(experiment, FIRST_SLOT, lab.jobs.metrics) == FIRST_SLOT.replace(hour=9, minute=30)


def test_a_look_of_two_sources_waits_for_both_and_ends_where_the_first_ends(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan("visits"))
    lab.loaded(FIRST_SLOT - HOUR)
    lab.tick(FIRST_SLOT, source=None)
    assert lab.wait is not None
    assert [one.source for one in lab.wait.short] == ["web"]

    lab.loaded(FIRST_SLOT - 4 * HOUR, of="web_loads")
    lab.tick(FIRST_SLOT + 15 * MINUTE, source=None)

    (look,) = lab.looks
    assert look.as_of == FIRST_SLOT - 4 * HOUR
    assert look.sample.exposed == _units(FIRST_SLOT - 4 * HOUR)


def test_a_source_that_promises_nothing_is_read_at_once_as_before(a_lab: Labs) -> None:
    lab = a_lab("threads: 1")
    lab.start(_plan())

    lab.tick(FIRST_SLOT)

    (look,) = lab.looks
    assert (look.as_of, look.sample.exposed) == (FIRST_SLOT, _units(FIRST_SLOT))


def test_replicas_and_restarts_agree_on_what_waits(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    lab.tick(FIRST_SLOT)
    other = replace(lab, jobs=_a_process(lab.database, lab.folder / "metrics.yml"))

    other.tick(FIRST_SLOT)
    assert other.wait == lab.wait
    lab.loaded(FIRST_SLOT - HOUR)
    for one in (other, lab):
        one.tick(FIRST_SLOT + 15 * MINUTE)

    assert len(lab.looks) == 1
    assert lab.wait is None


def test_an_unreadable_freshness_is_a_problem_of_the_source_until_it_can_be_read(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    lab.loaded("soon")
    lab.tick(FIRST_SLOT)
    problem = lab.problem
    lab.loaded(NOW)
    lab.tick(lab.next_try)

    assert problem is not None
    assert problem.message.startswith(f"{ASKED_OF}shop: its query gives “soon”, which is no time.")
    assert (lab.looks, lab.problem) == ([], None)
    assert lab.wait is not None


def test_a_decision_waits_for_the_final_look_and_its_data(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    ended = NOW + 3 * DAY
    stopped = lab.stop(ended)
    lab.tick(ended)

    with lab.database.reading() as tx, pytest.raises(Refusal) as refused:
        requests.require_last_look(tx, stopped, results.newest_look(tx, stopped))

    assert refused.value.reason is Reason.LAST_LOOK_WAITS
    assert refused.value.facts["latest"] == (ended + 72 * HOUR).isoformat()


def test_nobody_stalls_while_the_final_look_waits(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    ended = NOW + 3 * DAY
    stopped = lab.stop(ended)

    def stalls_since() -> datetime:
        with lab.database.reading() as tx:
            return stall_signals.read(tx, stopped, changed_at=ended, found={}).changed_at

    before = stalls_since()
    lab.tick(ended)
    waiting = stalls_since()
    lab.loaded(ended)
    lab.tick(ended + 15 * MINUTE)

    assert (before, waiting, stalls_since()) == (ended, ended + 72 * HOUR, ended)


def test_data_that_end_before_the_start_make_no_look(a_lab: Labs) -> None:
    lab = a_lab()
    since = FIRST_SLOT - HOUR
    lab.loaded(since - HOUR)
    lab.start(_plan(), since=since)

    lab.tick(FIRST_SLOT)

    assert (lab.looks, lab.wait, lab.problem) == ([], None, None)
    assert lab.next_try == FIRST_SLOT + DAY


def test_looks_of_one_source_ask_again_together(a_lab: Labs) -> None:
    lab = a_lab()
    lab.start(_plan())
    lab.start(_plan(), number=E8)
    with lab.database.reading() as tx:
        numbers = [one.number for one in looks.due(tx, FIRST_SLOT)]

    lab.tick(FIRST_SLOT)

    assert numbers == [E7, E8]
    with lab.database.reading() as tx:
        assert {one.next_look_at for one in looks.due(tx, FIRST_SLOT + DAY)} == {FIRST_SLOT + 15 * MINUTE}
