"""What real data does to a readout: it is counted right, or refused with a reason, on DuckDB and on PostgreSQL."""

import statistics
from collections.abc import Callable, Iterator, Sequence
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

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - the columns have no zone
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
EXPOSURES = '"userId" bigint, variant text, "at" timestamp'
METRIC = "{kind: mean, direction: up, table: events, unit: userId, time: when, value: Order, window_days: 7}"

Row = tuple[object, ...]
World = Callable[..., MetricsFile]


@pytest.fixture(scope="module")
def postgresql_url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        yield url


@pytest.fixture(params=["duckdb", "postgresql"])
def a_world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Return what makes a source of these rows; its columns have mixed case and names that SQL reserves."""
    url: str = "" if request.param == "duckdb" else request.getfixturevalue("postgresql_url")

    def make(
        seen: Sequence[Row],
        events: Sequence[Row],
        *,
        value: str = "double precision",
        when: str = "timestamp",
        metric: str = METRIC,
        exposures: str = EXPOSURES,
    ) -> MetricsFile:
        tables = tables_of(seen, events, value=value, when=when, exposures=exposures)
        if url:
            write_postgresql(url, tables)
            source = "{engine: postgresql, url: '${URL}', time_limit_seconds: 60}"
        else:
            write_duckdb(tmp_path / "shop.duckdb", tables)
            source = "{engine: duckdb, database: shop.duckdb}"
        path = tmp_path / "metrics.yml"
        path.write_text(text_of(source, metric=metric))
        return metrics_file.load(path, environment={"URL": url})

    return make


def tables_of(
    seen: Sequence[Row],
    events: Sequence[Row],
    *,
    value: str,
    when: str = "timestamp",
    exposures: str = EXPOSURES,
) -> dict[str, tuple[str, Sequence[Row]]]:
    return {"seen": (exposures, seen), "events": (f'"userId" bigint, "when" {when}, "Order" {value}', events)}


def text_of(source: str, *, metric: str) -> str:
    """Return the metrics file over a source."""
    return (
        f"sources:\n  shop: {source}\n"
        "exposures:\n  seen: {source: shop, table: seen, unit: userId, variant: variant, exposed_at: at}\n"
        f"metrics:\n  spent: {metric}\n"
    )


def write_duckdb(path: Path, tables: dict[str, tuple[str, Sequence[Row]]]) -> None:
    with duckdb.connect(path) as connection:
        for name, (columns, rows) in tables.items():
            connection.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
            if rows:
                insert(connection, name, rows)


def write_postgresql(url: str, tables: dict[str, tuple[str, Sequence[Row]]]) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for name, (columns, rows) in tables.items():
            cursor.execute(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})".encode())
            cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s, %s)".encode(), rows)


def read(world: MetricsFile) -> Reading:
    question = Question(
        key="E-7",
        goal="spent",
        metrics=(MetricQuestion(name="spent"),),
        variants=("a", "b"),
        since=None,
        until=datetime(2026, 4, 1, tzinfo=UTC),
    )
    return reading.read(world, question)


def refusal(world: MetricsFile) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(world)
    return caught.value


def means(world: MetricsFile) -> list[float]:
    return [one.mean for one in read(world).sample.moments["spent"]]


TWO_ARMS = [(1, "a", NOON), (2, "b", NOON)]


def test_the_first_of_several_exposures_counts(a_world: World) -> None:
    seen = [(1, "a", NOON + 3 * DAY), (1, "a", NOON), (1, "a", NOON + 9 * DAY), (2, "b", NOON)]
    events = [(1, NOON + 6 * DAY, 5.0), (1, NOON + 8 * DAY, 70.0)]  # the window of seven days is the first one's

    found = read(a_world(seen, events))

    assert found.sample.exposed == (1, 1)
    assert [one.mean for one in found.sample.moments["spent"]] == [5.0, 0.0]


def test_an_event_a_moment_before_its_exposure_is_not_an_effect_of_it(a_world: World) -> None:
    events = [
        (1, NOON - SECOND / 1000, 5.0),
        (1, NOON, 1.0),
        (2, NOON + 7 * DAY, 9.0),
        (2, NOON + 7 * DAY - SECOND, 2.0),
    ]

    assert means(a_world(TWO_ARMS, events)) == [1.0, 2.0]


def test_it_is_part_of_the_time_before_instead(a_world: World) -> None:
    metric = METRIC.replace("window_days: 7", "window_days: 7, pre_period_days: 1")
    seen = [*TWO_ARMS, (3, "a", NOON), (4, "b", NOON)]
    events = [(1, NOON - SECOND / 1000, 5.0), (1, NOON - DAY, 2.0), (1, NOON - DAY - SECOND, 9.0), (1, NOON, 1.0)]

    joint = read(a_world(seen, events, metric=metric)).sample.moments["spent"][0].joint

    assert joint is not None
    assert joint.means[1] == 3.5  # two units; one had 7 in the day before


def test_days_without_times_are_refused_beside_exposures_with_times(a_world: World) -> None:
    error = refusal(a_world(TWO_ARMS, [(1, NOON, 5.0)], when="date"))

    # Midnight is before noon: a row of the same day would vanish, or be taken for the time before.
    assert error.message.startswith("Metric spent has rows without a time of day")
    assert "`same_day: include`" in error.message
    assert error.permanent


@pytest.mark.parametrize("when", ["date", "timestamp"])
@pytest.mark.parametrize(
    ("same_day", "after", "before"),
    [("include", [5.0 + 1.0, 2.0], [70.0, 0.0]), ("exclude", [1.0 + 3.0, 2.0], [70.0, 0.0])],
)
def test_the_exposure_s_own_day_counts_as_the_file_says(
    a_world: World, when: str, same_day: str, after: list[float], before: list[float]
) -> None:
    """The window of seven days ends with the sixth after the exposure's own, or with the seventh."""
    metric = METRIC.replace("window_days: 7", f"window_days: 7, pre_period_days: 1, same_day: {same_day}")
    midnight = NOON.replace(hour=0)
    amounts = {-2: 900.0, -1: 70.0, 0: 5.0, 6: 1.0, 7: 3.0, 8: 900.0}
    events = [(1, midnight + day * DAY, amount) for day, amount in amounts.items()]
    # One unit an arm would have no variance: a second one that bought nothing halves the mean.
    seen = [*TWO_ARMS, (3, "a", NOON + 3 * SECOND), (4, "b", NOON)]

    found = read(a_world(seen, [*events, (2, midnight + DAY, 2.0)], when=when, metric=metric)).sample.moments["spent"]

    assert [2 * one.mean for one in found] == after
    assert [2 * one.joint.means[1] for one in found if one.joint] == before


def test_days_beside_exposures_that_are_days_count_from_the_exposure_s_own_day_on(a_world: World) -> None:
    events = [(1, NOON - DAY, 70.0), (1, NOON, 5.0), (2, NOON + 6 * DAY, 2.0), (2, NOON + 7 * DAY, 70.0)]
    days = EXPOSURES.replace("timestamp", "date")

    assert means(a_world(TWO_ARMS, events, when="date", exposures=days)) == [5.0, 2.0]


COVARIATE = """
    kind: mean
    direction: up
    sql: SELECT "userId" AS unit, "Order" AS value, 1 AS covariate FROM events
"""


def test_a_covariate_of_units_with_several_rows_is_refused(a_world: World) -> None:
    error = refusal(a_world(TWO_ARMS, [(1, NOON, 5.0), (1, NOON, 5.0), (2, NOON, 1.0)], metric=COVARIATE))

    # Summed up over rows, it would follow how often a unit came back after the exposure.
    assert error.message.startswith("Metric spent has 1 unit with several rows, and a covariate is known once a unit.")
    assert error.permanent


def test_a_covariate_beside_times_is_refused(a_world: World) -> None:
    metric = COVARIATE.replace("1 AS covariate", '1 AS covariate, "when" AS time')

    error = refusal(a_world(TWO_ARMS, [(1, NOON, 5.0)], metric=metric))

    assert error.message.startswith("Metric spent: A `covariate` goes with data without times")
    assert (error.permanent, error.field) == (True, "covariate")


def test_a_unit_in_two_variants_is_left_out_and_counted(a_world: World) -> None:
    seen = [(unit, "ab"[unit % 2], NOON) for unit in range(200)] + [(7, "a", NOON + DAY)]
    events = [(7, NOON + DAY, 1000.0), (8, NOON + DAY, 100.0)]

    found = read(a_world(seen, events))

    assert (found.crossed, found.sample.exposed) == (1, (100, 99))
    assert [one.mean for one in found.sample.moments["spent"]] == [1.0, 0.0]


def test_too_many_units_in_two_variants_are_refused(a_world: World) -> None:
    seen = [(unit, "ab"[unit % 2], NOON) for unit in range(100)]
    seen += [(unit, "ba"[unit % 2], NOON + DAY) for unit in range(20)]

    error = refusal(a_world(seen, []))

    assert "20 units of 100 in two variants, too many to leave out" in error.message
    assert error.permanent


def test_a_variant_that_is_not_in_the_plan_is_named(a_world: World) -> None:
    error = refusal(a_world([*TWO_ARMS, (3, "Holdout", NOON)], []))

    assert "a variant that is not in the plan: Holdout. The plan has a, b." in error.message
    assert error.permanent


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((None, "a", NOON), "1 row without a unit"),
        ((3, None, NOON), "1 unit without a variant"),
        ((3, " ", NOON), "1 unit without a variant"),
        ((3, "a", None), "1 unit without a time in exposed_at"),
    ],
)
def test_an_exposure_that_lacks_something_is_refused(a_world: World, row: Row, said: str) -> None:
    error = refusal(a_world([*TWO_ARMS, row], []))

    assert said in error.message
    assert error.permanent


NO_TIMES = ["-infinity", "1900-01-01", "9999-12-31", "12000-01-01", "infinity"]


@pytest.mark.parametrize("none", NO_TIMES)
def test_a_type_of_times_makes_no_time_of_what_stands_for_none(a_world: World, none: str) -> None:
    lost = refusal(a_world([*TWO_ARMS, (3, "a", none)], []))
    wrong = refusal(a_world(TWO_ARMS, [(1, NOON, 50.0), (2, none, 3.0)]))

    assert "1 unit without a time in exposed_at" in lost.message
    assert wrong.message.startswith("Metric spent has 1 row with a time that can't be read")


@pytest.mark.parametrize("when", ["date", "timestamp with time zone"])
def test_days_and_times_with_a_zone_have_none_either(a_world: World, when: str) -> None:
    metric = METRIC.replace("window_days", "same_day: include, window_days") if when == "date" else METRIC
    day = NOON if when != "date" else NOON.date()

    assert means(a_world(TWO_ARMS, [(1, day, 50.0), (2, None, 3.0)], when=when, metric=metric)) == [50.0, 0.0]
    for none in ("1900-01-01", "9999-12-31"):
        wrong = refusal(a_world(TWO_ARMS, [(1, day, 50.0), (2, none, 3.0)], when=when, metric=metric))
        assert wrong.message.startswith("Metric spent has 1 row with a time that can't be read")


@pytest.mark.parametrize(("when", "count"), [("integer", 1), ("bigint", 1), ("bigint", 1000), ("double precision", 1)])
def test_epochs_of_every_type_are_read(a_world: World, when: str, count: int) -> None:
    noon = int(NOON.replace(tzinfo=UTC).timestamp())
    unit, other = ("seconds", "milliseconds")[:: 1 if count == 1 else -1]
    metric = METRIC.replace("window_days", "time_format: epoch {}, window_days")
    rows = [(1, noon * count, 50.0), (2, None, 3.0), (2, (noon + 60) * count, 7.0)]

    assert means(a_world(TWO_ARMS, rows, when=when, metric=metric.replace("{}", unit))) == [50.0, 7.0]
    wrong = refusal(a_world(TWO_ARMS, rows, when=when, metric=metric.replace("{}", other)))
    assert wrong.message.startswith("Metric spent has 2 rows with a time that can't be read")


def test_an_event_without_unit_or_time_counts_as_nothing(a_world: World) -> None:
    assert means(a_world(TWO_ARMS, [(1, None, 50.0), (None, NOON, 50.0), (2, NOON, 3.0)])) == [0.0, 3.0]


def test_no_rows_yet_is_no_fault(a_world: World) -> None:
    error = refusal(a_world([], []))

    assert isinstance(error, NoRowsYetError)
    assert not error.permanent


def test_units_without_events_count_as_nothing(a_world: World) -> None:
    found = read(a_world(TWO_ARMS, []))

    assert [(one.count, one.mean) for one in found.sample.moments["spent"]] == [(1, 0.0), (1, 0.0)]


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf"), 1e101])
def test_a_value_that_is_no_number_is_refused(a_world: World, value: float | None) -> None:
    error = refusal(a_world(TWO_ARMS, [(1, NOON, value), (1, NOON, 2.0)]))

    assert error.message.startswith("Metric spent has 1 value that is not a number")
    assert error.permanent


@pytest.mark.parametrize("value", ["date", "timestamp"])
def test_a_date_is_no_value(a_world: World, value: str) -> None:
    error = refusal(a_world(TWO_ARMS, [(1, NOON, NOON)], value=value))

    assert f"Order is of type {value}, not a number" in error.message.replace("DATE", "date").replace(
        "TIMESTAMP", "timestamp"
    )
    assert error.permanent


@pytest.mark.parametrize(
    ("value", "number"), [("numeric(30, 2)", 123456789.25), ("real", 0.5), ("smallint", 7), ("bigint", 2**62)]
)
def test_numbers_of_any_type_add_up(a_world: World, value: str, number: float) -> None:
    # Four of the largest bigints leave 64 bits.
    assert means(a_world(TWO_ARMS, [(1, NOON, number)] * 4, value=value)) == [4.0 * number, 0.0]


def test_a_large_mean_keeps_its_small_variance(a_world: World) -> None:
    seen = [(unit, "ab"[unit % 2], NOON) for unit in range(4000)]
    values = [1e9 + unit % 10 / 7 for unit in range(4000)]
    events = [(unit, NOON, value) for unit, value in enumerate(values)]

    found = read(a_world(seen, events)).sample.moments["spent"]

    for moments, mine in zip(found, (values[::2], values[1::2]), strict=True):
        # A sum of squares has no digit left here: 1e18 against a variance of 0.16.
        assert moments.variance == pytest.approx(statistics.variance(mine), rel=1e-6)
        assert moments.mean == pytest.approx(statistics.fmean(mine), abs=1e-4)
