"""What is read after a treatment was dropped, or after the cause of an uneven split was fixed, on each local engine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest

import postgres
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.errors import NoRowsYetError, SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading
from warehouse.filling import insert

START, TAU, NOW = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 10, 20))
HOUR = timedelta(hours=1)
Row = tuple[int, str, datetime]
SEEN: tuple[Row, ...] = (
    # unit, variant, when
    (1, "control", START + HOUR),
    (1, "control", TAU + HOUR),  # first seen before the fix: it does not count
    (2, "treatment", TAU - timedelta(microseconds=1)),
    (3, "control", TAU),
    (4, "treatment", TAU + HOUR),
    (4, "treatment", TAU + 2 * HOUR),
    (5, "other", TAU + HOUR),
    (6, "control", TAU + 3 * HOUR),
)
MOVED_ON: tuple[Row, ...] = (
    (7, "other", TAU + HOUR),
    (7, "control", TAU + 2 * HOUR),
    (8, "other", TAU),
    (8, "treatment", TAU + HOUR),
)
"""Units of `other`, which was dropped, that got another variant afterwards."""
FILE = """
sources:
  shop: {source}
exposures:
  table:
    {{source: shop, table: seen, unit: unit, variant: variant, exposed_at: seen_at}}
  select:
    source: shop
    sql: SELECT unit, variant, seen_at AS exposed_at FROM seen WHERE seen_at >= :since
  everything: {{source: shop, sql: "SELECT * FROM seen"}}
  untimed: {{source: shop, sql: "SELECT unit, variant, unit AS value FROM seen"}}
  plain: {{source: shop, table: seen, unit: unit, variant: variant, exposed_at: null}}
metrics:
  in a table: {{kind: mean, direction: up, exposures: table, sql: "SELECT DISTINCT unit, unit AS value FROM seen"}}
  in a select: {{kind: mean, direction: up, exposures: select, sql: "SELECT DISTINCT unit, unit AS value FROM seen"}}
  in everything: {{kind: mean, direction: up, exposures: everything,
                  sql: "SELECT DISTINCT unit, unit AS value FROM seen"}}
  untimed: {{kind: mean, direction: up, exposures: untimed, sql: "SELECT DISTINCT unit, unit AS value FROM seen"}}
  plain: {{kind: mean, direction: up, exposures: plain, sql: "SELECT DISTINCT unit, unit AS value FROM seen"}}
"""
COLUMNS = "unit int, variant text, seen_at timestamptz"


def _world(source: str, folder: Path, **environment: str) -> MetricsFile:
    path = folder / "metrics.yml"
    path.write_text(FILE.format(source=source))
    return metrics_file.load(path, environment=environment)


@pytest.fixture(params=["duckdb", "postgresql"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Sequence[Row]], MetricsFile]]:
    """What makes a metrics file over these rows."""
    if request.param == "duckdb":
        yield lambda rows: _on_duckdb(tmp_path, rows)
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.fresh_database(is_migrated=False) as url:
        yield lambda rows: _on_postgresql(tmp_path, rows, url)


def _on_duckdb(folder: Path, rows: Sequence[Row]) -> MetricsFile:
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE seen ({COLUMNS})")
        insert(connection, "seen", rows)
    return _world("{engine: duckdb, database: shop.duckdb}", folder)


def _on_postgresql(folder: Path, rows: Sequence[Row], url: str) -> MetricsFile:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE seen ({COLUMNS})".encode())
        cursor.executemany("INSERT INTO seen VALUES (%s, %s, %s)", rows)
    return _world("{engine: postgresql, url: '${SHOP_URL}'}", folder, SHOP_URL=url)


@pytest.fixture
def world(write: Callable[[Sequence[Row]], MetricsFile]) -> MetricsFile:
    return write(SEEN)


def _question(goal: str = "in a table", *, is_count: bool = False, dropped: tuple[str, ...] = ()) -> Question:
    return Question(
        key="E-7",
        goal=goal,
        metrics=() if is_count else (MetricQuestion(name=goal),),
        variants=("control", "treatment", "other"),
        since=TAU,
        until=NOW,
        dropped=dropped,
        needs_times=True,
        select_since=START,
    )


@pytest.mark.parametrize("is_count", [True, False], ids=["count", "look"])
@pytest.mark.parametrize("goal", ["in a table", "in a select"])
def test_a_unit_first_exposed_before_the_fix_and_seen_again_after_it_does_not_count(
    world: MetricsFile, goal: str, is_count: bool
) -> None:
    sample = reading.read(world, _question(goal, is_count=is_count)).sample

    assert sample.exposed == (2, 1, 1)  # of control 3 and 6, of treatment 4, of other 5
    if not is_count:
        assert [(one.count, one.mean) for one in sample.moments[goal]] == [(2, 4.5), (1, 4.0), (1, 5.0)]


def test_experiments_with_and_without_a_fix_are_read_together_as_alone(world: MetricsFile) -> None:
    fixed = _question("in a select")
    whole = replace(fixed, since=START, needs_times=False)

    found = reading.read_many(world, [fixed, whole])

    assert [one.sample.exposed for one in found if isinstance(one, Reading)] == [(2, 1, 1), (3, 2, 1)]


def test_a_dropped_treatment_may_vanish_and_may_stay(world: MetricsFile) -> None:
    later = replace(_question(dropped=("other",)), since=TAU + 2 * HOUR)  # of control 6, of the others nobody

    assert reading.read(world, later).sample.exposed == (1, 0, 0)
    assert reading.read(world, later).sample.moments["in a table"][2].count == 0
    assert reading.read(world, _question(dropped=("other",))).sample.exposed == (2, 1, 1)


def test_units_that_moved_on_from_a_dropped_treatment_count_in_none_and_are_no_fault(
    write: Callable[[Sequence[Row]], MetricsFile],
) -> None:
    world = write([*SEEN, *MOVED_ON])

    whole, dropped = reading.read_many(world, [_question(), _question(dropped=("other",))])

    assert isinstance(whole, SourceError)
    assert "in two variants" in whole.message
    assert isinstance(dropped, Reading)
    assert (dropped.sample.exposed, dropped.crossed) == ((2, 1, 1), 0)


def test_units_in_two_variants_that_go_on_are_a_fault_still(
    write: Callable[[Sequence[Row]], MetricsFile],
) -> None:
    world = write([*SEEN, (9, "control", TAU), (9, "treatment", TAU + HOUR)])

    with pytest.raises(SourceError, match="in two variants"):
        reading.read(world, _question(dropped=("other",)))


def test_nobody_exposed_since_a_fix_is_said_as_that(world: MetricsFile) -> None:
    with pytest.raises(NoRowsYetError) as caught:
        reading.read(world, replace(_question(), since=NOW))

    assert caught.value.message == "There are no exposures of E-7 since the cause was fixed yet."


@pytest.mark.parametrize(
    ("goal", "may_have"),
    [("in a table", True), ("in a select", True), ("in everything", True), ("untimed", False), ("plain", False)],
)
def test_exposures_without_a_time_are_known_from_the_file_where_it_says_so(
    world: MetricsFile, goal: str, may_have: bool
) -> None:
    assert reading.may_have_times(world, goal) is may_have


def test_a_metric_that_left_the_file_is_not_called_untimed(world: MetricsFile) -> None:
    assert reading.may_have_times(world, "gone")


@pytest.mark.parametrize("goal", ["in everything", "untimed", "plain"])
def test_units_since_a_fix_are_refused_where_nobody_can_tell_them_apart(world: MetricsFile, goal: str) -> None:
    with pytest.raises(SourceError, match="no column exposed_at") as caught:
        reading.read(world, _question(goal))

    assert caught.value.permanent
    assert "run it again" in caught.value.message
    assert reading.read(world, replace(_question(goal), needs_times=False)).sample.exposed == (3, 2, 1)
