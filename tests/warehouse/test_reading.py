"""What comes back is right to the digit, or a refusal that says what to mend."""

import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from labcoat.domain.plan import Measuring
from labcoat.stats.rule import Direction, MetricKind, Moments, Sample
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.errors import NoRowsYetError, SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question
from warehouse.filling import insert

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
SQL = "SELECT * FROM seen"


def a_csv_world(
    folder: Path,
    rows: Iterable[str],
    *,
    columns: str = "unit,variant,value",
    kind: str = "mean",
    window_days: float = 0,
    sql: str = SQL,
) -> MetricsFile:
    """One metric `orders` over a CSV file of these rows, which are the exposures too."""
    (folder / "seen.csv").write_text("\n".join([columns, *rows]) + "\n")
    return loaded(folder, files="tables: {seen: seen.csv}", kind=kind, window_days=window_days, sql=sql)


def a_duckdb_world(folder: Path, select: str, *, kind: str = "mean", window_days: float = 0) -> MetricsFile:
    """One metric `orders` over a DuckDB file with what this SELECT gives."""
    with duckdb.connect(folder / "world.duckdb") as writer:
        writer.execute(f"CREATE TABLE seen AS {select}")
    return loaded(folder, files="database: world.duckdb", kind=kind, window_days=window_days, sql=SQL)


def loaded(folder: Path, *, files: str, kind: str, window_days: float, sql: str) -> MetricsFile:
    text = f"""
sources:
  shop:
    engine: duckdb
    {files}
exposures:
  seen:
    source: shop
    sql: {sql}
metrics:
  orders:
    kind: {kind}
    direction: up
    window_days: {window_days}
    value: value
"""
    (folder / "metrics.yml").write_text(text)
    return metrics_file.load(folder / "metrics.yml")


def read(
    world: MetricsFile,
    *,
    metrics: tuple[str, ...] = ("orders",),
    variants: tuple[str, ...] = ("a", "b"),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Sample:
    return reading.read(world, asked(metrics, variants=variants, since=since, until=until)).sample


def asked(
    metrics: tuple[str, ...] = ("orders",),
    *,
    variants: tuple[str, ...] = ("a", "b"),
    since: datetime | None = None,
    until: datetime | None = None,
    key: str = "E-7",
) -> Question:
    chosen = tuple(MetricQuestion(name=name) for name in metrics)
    return Question(key=key, goal=metrics[0], metrics=chosen, variants=variants, since=since, until=until)


def refusal(
    world: MetricsFile, *, variants: tuple[str, ...] = ("a", "b"), until: datetime | None = None
) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(world, variants=variants, until=until)
    return caught.value


def is_by_hand(moments: Moments, values: Sequence[float]) -> bool:
    mean, variance = statistics.fmean(values), statistics.variance(values)
    close = moments.mean == pytest.approx(mean, rel=1e-12) and moments.variance == pytest.approx(variance, rel=1e-9)
    return moments.count == len(values) and close


def test_a_mean_is_what_python_computes_by_hand(tmp_path: Path) -> None:
    values = {"a": [0.0, 1.5, 2.25, 100.0], "b": [3.0, -1.0, 0.125]}
    rows = [f"{variant}{i},{variant},{value}" for variant in values for i, value in enumerate(values[variant])]

    sample = read(a_csv_world(tmp_path, rows))

    assert sample.exposed == (4, 3)
    assert all(
        is_by_hand(moments, values[variant]) for moments, variant in zip(sample.moments["orders"], "ab", strict=True)
    )


def test_a_proportion_has_variance_p_times_1_minus_p(tmp_path: Path) -> None:
    sample = read(a_csv_world(tmp_path, ["1,a,1", "2,a,0", "3,a,0", "4,a,0", "5,b,1"], kind="proportion"))

    assert sample.moments["orders"] == (
        Moments(count=4, mean=0.25, variance=0.1875),
        Moments(count=1, mean=1.0, variance=0.0),
    )


def test_control_comes_first_as_in_the_plan(tmp_path: Path) -> None:
    world = a_csv_world(tmp_path, ["1,a,1", "2,a,2", "3,b,3", "4,b,4", "5,b,5"])

    assert read(world, variants=("b", "a")).exposed == (3, 2)


def test_a_large_mean_keeps_its_small_variance(tmp_path: Path) -> None:
    values = [1e9 + i % 10 / 7 for i in range(200_000)]
    select = "SELECT i AS unit, 'a' AS variant, 1e9::DOUBLE + (i % 10) / 7 AS value FROM range(200000) t(i)"

    moments = read(a_duckdb_world(tmp_path, select)).moments["orders"][0]

    # A plain running sum is off by 3e-4 here; a sum of squares loses the variance altogether.
    assert moments.mean == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert moments.variance == pytest.approx(statistics.variance(values), rel=1e-6)


def test_sums_beyond_64_bits_do_not_overflow(tmp_path: Path) -> None:
    select = "SELECT i AS unit, 'a' AS variant, 9223372036854775807 - i AS value FROM range(1000) t(i)"

    moments = read(a_duckdb_world(tmp_path, select)).moments["orders"][0]

    assert moments.mean == pytest.approx(2**63, rel=1e-12)


@pytest.mark.parametrize("type_name", ["DECIMAL(18, 2)", "FLOAT", "HUGEINT", "UTINYINT", "VARCHAR"])
def test_numbers_of_any_type_come_back_as_floats(tmp_path: Path, type_name: str) -> None:
    select = f"SELECT i AS unit, 'a' AS variant, (i * 2)::{type_name} AS value FROM range(3) t(i)"

    moments = read(a_duckdb_world(tmp_path, select)).moments["orders"][0]

    assert (moments, type(moments.mean)) == (Moments(count=3, mean=2.0, variance=4.0), float)


def test_true_and_false_are_a_proportion(tmp_path: Path) -> None:
    world = a_csv_world(tmp_path, ["1,a,True", "2,a,False", "3,b,false", "4,b,false"], kind="proportion")

    assert [moments.mean for moments in read(world).moments["orders"]] == [0.5, 0.0]


def test_true_and_false_are_no_mean(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,True", "2,a,False"]))

    assert (error.message, error.permanent) == (
        "Metric orders: value is true or false. Set `kind: proportion`.",
        True,
    )


def test_dates_are_no_values(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,2026-03-01"]))

    assert "value is of type DATE, not a number" in error.message
    assert error.permanent


@pytest.mark.parametrize("value", ["", "n/a", "NaN", "Infinity", "-inf", "1e400"])
def test_a_value_that_is_not_a_number_is_refused(tmp_path: Path, value: str) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1", *(f"{unit},b,{value}" for unit in (2, 3, 4))]))

    assert error.message.startswith("Metric orders has 3 values that are not numbers")
    assert error.permanent


def test_text_far_down_a_file_is_counted_too(tmp_path: Path) -> None:
    rows = [*(f"{unit},a,1" for unit in range(30_000)), "x,a,n/a"]

    assert refusal(a_csv_world(tmp_path, rows)).message.startswith("Metric orders has 1 value that is not a number")


def test_a_proportion_takes_only_0_and_1(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1", "2,a,0.5", "3,b,2"], kind="proportion"))

    assert error.message.startswith("Metric orders has 2 values other than 0 and 1.")
    assert error.permanent


def test_values_too_large_to_square_are_refused(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1e308", "2,a,1e101", "3,a,-1e308"]))

    assert error.message.startswith("Metric orders has 3 values that are not numbers")
    assert "beyond 1e100" in error.message
    assert error.permanent


def test_few_units_in_two_variants_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [*(f"{unit},a,1" for unit in range(200)), *(f"{unit},b,3" for unit in range(200, 399)), "5,b,9", "250,a,9"]

    found = reading.read(a_csv_world(tmp_path, rows), asked())

    assert (found.crossed, found.sample.exposed) == (2, (199, 198))
    assert [moments.mean for moments in found.sample.moments["orders"]] == [1.0, 3.0]


def test_many_units_in_two_variants_are_refused(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1", "1,b,1", "2,a,1", "2,b,1", "3,b,1"]))

    assert error.message.startswith("The exposures of E-7 have 2 units of 3 in two variants, too many to leave out.")
    assert error.permanent


def test_several_rows_per_unit_are_refused(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1", "1,a,2", "2,b,1"]))

    assert error.message.startswith("Metric orders has 1 unit with several rows among its exposures.")
    assert error.permanent


def test_rows_without_a_unit_are_refused(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, [",a,1", ",a,1", "2,b,1"]))

    assert error.message.startswith("The exposures of E-7 have 2 rows without a unit.")


def test_a_variant_outside_the_plan_is_named(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1", "2,b,1", "3,c,1", "4,,1"]))

    assert "a variant that is not in the plan: c. " in error.message
    assert "1 unit without a variant" in error.message
    assert error.message.endswith("The plan has a, b.")
    assert error.permanent


def test_a_wrong_variant_column_does_not_fill_the_message(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, [f"{unit},v{unit},1" for unit in range(1000)]))

    assert "and 97 more. The plan" in error.message  # 100 groups at most leave the engine


def test_a_planned_variant_without_rows_counts_0(tmp_path: Path) -> None:
    sample = read(a_csv_world(tmp_path, ["1,a,1", "2,a,2"]))

    assert sample.exposed == (2, 0)
    assert sample.moments["orders"][1] == Moments(count=0, mean=0.0, variance=0.0)


@pytest.mark.parametrize("columns", ["unit,variant,value", "unit,variant,value,exposed_at,experiment"])
def test_no_rows_yet_is_no_lasting_trouble(tmp_path: Path, columns: str) -> None:
    error = refusal(a_csv_world(tmp_path, [], columns=columns), until=FIRST)

    assert isinstance(error, NoRowsYetError)
    assert (error.message, error.permanent) == ("There are no exposures of E-7 yet.", False)


def test_only_rows_of_the_experiment_count(tmp_path: Path) -> None:
    rows = ["1,a,1,E-7", "1,b,9,E-8", "2,b,2,E-7", "3,z,n/a,E-8"]

    sample = read(a_csv_world(tmp_path, rows, columns="unit,variant,value,experiment"))

    assert sample.exposed == (1, 1)


def test_an_unknown_metric_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no metric order\. Did you mean orders\?") as caught:
        read(a_csv_world(tmp_path, ["1,a,1"]), metrics=("order",))

    assert caught.value.permanent


def test_a_missing_column_is_named_with_those_there_are(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1"], columns="unit,version,value"))

    assert error.message == "Exposures: there is no column variant. There are: unit, version, value."
    assert error.permanent


def test_a_failing_sql_gives_the_first_line_of_the_engine(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1"], sql="SELECT nothing AS unit FROM seen"))

    assert error.message.startswith('Exposures: The database says: Binder Error: Referenced column "nothing"')
    assert "\n" not in error.message
    assert error.permanent


TIMED = "unit,variant,value,exposed_at"


def test_since_is_included_and_until_is_not(tmp_path: Path) -> None:
    rows = [
        "1,a,1,2026-02-28 23:59:59",
        "2,a,1,2026-03-01 00:00:00",
        "3,a,1,2026-03-07 23:59:59",
        "4,a,1,2026-03-08 00:00:00",
    ]
    world = a_csv_world(tmp_path, rows, columns=TIMED)

    assert read(world, since=FIRST, until=datetime(2026, 3, 8, tzinfo=UTC)).exposed == (2, 0)
    assert read(world).exposed == (4, 0)


def test_times_without_a_zone_are_utc_and_others_are_turned(tmp_path: Path) -> None:
    zoned = "SELECT 1 AS unit, 'a' AS variant, 1 AS value, TIMESTAMPTZ '2026-03-01 01:00+02' AS exposed_at"
    (tmp_path / "naive").mkdir()
    naive = "SELECT 1 AS unit, 'a' AS variant, 1 AS value, TIMESTAMP '2026-02-28 23:00' AS exposed_at"

    assert read(a_duckdb_world(tmp_path, zoned), until=FIRST).exposed == (1, 0)
    assert read(a_duckdb_world(tmp_path / "naive", naive), until=FIRST).exposed == (1, 0)


def test_only_units_whose_window_has_closed_are_measured(tmp_path: Path) -> None:
    rows = ["1,a,2,2026-03-01", "2,a,4,2026-03-02", "3,a,,2026-03-03", "4,b,5,2026-03-01", "5,b,5,2026-03-09"]
    world = a_csv_world(tmp_path, rows, columns=TIMED, window_days=7)

    sample = read(world, since=FIRST, until=datetime(2026, 3, 10, tzinfo=UTC))

    # Unit 3's seven days end with `until`, which is excluded; its value is still empty, and may be.
    assert sample.exposed == (3, 2)
    assert sample.moments["orders"] == (
        Moments(count=2, mean=3.0, variance=2.0),
        Moments(count=1, mean=5.0, variance=0.0),
    )


def test_before_any_window_has_closed_units_are_exposed_and_not_measured(tmp_path: Path) -> None:
    world = a_csv_world(tmp_path, ["1,a,2,2026-03-01", "2,b,4,2026-03-02"], columns=TIMED, window_days=7)

    sample = read(world, since=FIRST, until=datetime(2026, 3, 3, tzinfo=UTC))

    assert sample.exposed == (1, 1)
    assert sample.moments["orders"] == (Moments(count=0, mean=0.0, variance=0.0),) * 2


def test_a_window_needs_the_time_of_exposure(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1"], window_days=7))

    assert error.message == "Metric orders: its exposures have no column exposed_at, and its window needs it."
    assert error.permanent


def test_units_without_a_time_are_refused(tmp_path: Path) -> None:
    error = refusal(a_csv_world(tmp_path, ["1,a,1,2026-03-01", "2,b,1,"], columns=TIMED))

    assert error.message.startswith("The exposures of E-7 have 1 unit without a time in exposed_at.")
    assert error.permanent


def test_what_happens_after_until_is_not_known_yet(tmp_path: Path) -> None:
    world = a_csv_world(tmp_path, ["1,a,1,2026-03-01", "1,b,1,2026-03-09"], columns=TIMED)

    assert read(world, since=FIRST, until=datetime(2026, 3, 8, tzinfo=UTC)).exposed == (1, 0)


def test_a_unit_first_seen_before_the_start_is_left_out(tmp_path: Path) -> None:
    rows = ["1,a,1,2026-02-20", "1,a,1,2026-03-02", "2,a,1,2026-03-02"]

    assert read(a_csv_world(tmp_path, rows, columns=TIMED), since=FIRST).exposed == (1, 0)


def test_without_times_since_and_until_leave_all_rows(tmp_path: Path) -> None:
    assert read(a_csv_world(tmp_path, ["1,a,1", "2,b,1"]), since=FIRST, until=FIRST).exposed == (1, 1)


def test_exposed_are_the_units_of_the_goal(tmp_path: Path) -> None:
    (tmp_path / "buyers.csv").write_text("unit,variant,value\n1,a,1\n")
    (tmp_path / "seen.csv").write_text("unit,variant,value\n1,a,1\n2,a,0\n3,b,1\n")
    (tmp_path / "metrics.yml").write_text(
        "sources:\n"
        "  shop: {engine: duckdb, tables: {seen: seen.csv}}\n"
        "  till: {engine: duckdb, tables: {buyers: buyers.csv}}\n"
        "exposures:\n"
        "  visitors: {source: shop, table: seen, unit: unit, variant: variant}\n"
        "  buyers: {source: till, table: buyers, unit: unit, variant: variant}\n"
        "metrics:\n"
        "  visits: {exposures: visitors, kind: mean, direction: up, value: value}\n"
        "  spend: {exposures: buyers, kind: mean, direction: up, value: value}\n"
    )
    world = metrics_file.load(tmp_path / "metrics.yml")

    assert read(world, metrics=("visits", "spend")).exposed == (2, 1)
    assert read(world, metrics=("spend", "visits")).exposed == (1, 0)


def test_metrics_are_described_in_the_file_s_order(tmp_path: Path) -> None:
    described = reading.describe(a_csv_world(tmp_path, [], window_days=7))

    assert [(one.name, one.kind, one.direction, one.window_days) for one in described] == [
        ("orders", MetricKind.MEAN, Direction.UP, 7.0)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'other.duckdb'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 8",
        "SELECT 1; COPY (SELECT 1) TO 'out.csv'",
    ],
)
def test_a_metric_that_does_more_than_select_is_refused_without_a_file(tmp_path: Path, text: str) -> None:
    world = a_csv_world(tmp_path, ["1,a,1"])
    exposures = world.exposures["seen"].model_copy(update={"sql": text})
    before = sorted(path.name for path in tmp_path.iterdir())

    error = refusal(world.model_copy(update={"exposures": {"seen": exposures}}))

    assert "one SELECT statement" in error.message
    assert error.permanent
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("source", ["read_csv('/etc/passwd')", "'/etc/passwd'", "read_text('/etc/passwd')"])
def test_a_metric_reads_no_file_that_is_not_named(tmp_path: Path, source: str) -> None:
    world = a_csv_world(tmp_path, ["1,a,1"], sql=f"SELECT 1 AS unit, 'a' AS variant, 1 AS value FROM {source}")

    error = refusal(world)

    assert (
        "passwd, which is no Parquet file of the source's `tables`" in error.message
        or "passwd does not exist" in error.message
    )
    assert "/etc" not in error.message
    assert error.permanent


def a_world_of_orders(folder: Path, orders: Sequence[str]) -> MetricsFile:
    """One metric `spent` over orders of two users who were exposed on March 2nd at 9; the time column is text."""
    (folder / "seen.csv").write_text("user,arm,at\n1,a,2026-03-02 09:00:00\n2,b,2026-03-02 09:00:00\n")
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute('CREATE TABLE orders (unit BIGINT, "at" TEXT, amount DOUBLE)')
        insert(writer, "orders", [row.split(",") for row in orders])
    (folder / "metrics.yml").write_text(
        "sources: {shop: {engine: duckdb, database: shop.duckdb, tables: {seen: seen.csv}}}\n"
        "exposures: {users: {source: shop, table: seen, unit: user, variant: arm, exposed_at: at}}\n"
        "metrics:\n"
        "  spent: {kind: mean, direction: up, table: orders, unit: unit, time: at, value: amount, window_days: 7}\n"
    )
    return metrics_file.load(folder / "metrics.yml")


@pytest.mark.parametrize("wrong", ["n/a", "2026-03-02"])
def test_a_row_whose_time_can_t_be_compared_does_not_vanish(tmp_path: Path, wrong: str) -> None:
    world = a_world_of_orders(tmp_path, ["1,2026-03-03 12:00:00,5", f"1,{wrong},5", "2,2026-03-03 12:00:00,5"])

    with pytest.raises(SourceError) as caught:
        read(world, metrics=("spent",), until=datetime(2026, 4, 1, tzinfo=UTC))

    assert caught.value.message.startswith("Metric spent has 1 row with a time that can't be read, or with a day only.")
    assert caught.value.permanent


def test_a_row_without_a_time_has_not_happened(tmp_path: Path) -> None:
    world = a_world_of_orders(tmp_path, ["1,2026-03-03 12:00:00,5", "1, ,5", "2,2026-03-03 12:00:00,7"])

    found = read(world, metrics=("spent",), until=datetime(2026, 4, 1, tzinfo=UTC)).moments["spent"]

    assert [one.mean for one in found] == [5.0, 7.0]


GROWING = """\
sources:
  shop: {engine: duckdb, database: shop.duckdb}
exposures:
  seen: {source: shop, table: seen, unit: unit, variant: variant, exposed_at: seen_at}
metrics:
  orders: {kind: mean, direction: up, table: orders, unit: unit, time: ordered_at, value: value, pre_period_days: 14}
  buyers: {kind: proportion, direction: up, sql: "SELECT unit, ordered_at AS time FROM orders", window_days: 3}
  total: {kind: mean, direction: up, sql: "SELECT unit, value FROM orders"}
  logins: {kind: mean, direction: up, value: logins}
  registered: {kind: proportion, direction: up, table: orders, unit: unit, time: ordered_at, complete_at_exposure: true}
"""


def a_growing_world(folder: Path) -> MetricsFile:
    """40 units, seen one every six hours, who order 20 and 10 days before, and 2, 6 and 8 days after they are seen."""
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute(
            """
            CREATE TABLE seen AS SELECT n AS unit, if(n % 2 = 0, 'a', 'b') AS variant, 0 AS logins,
                TIMESTAMP '2026-03-01' + to_hours(6 * n) AS seen_at FROM range(40) AS units(n);
            CREATE TABLE orders AS SELECT unit, seen_at + to_hours(24 * days) AS ordered_at, unit + days AS value
                FROM seen, (VALUES (-20), (-10), (2), (6), (8)) AS moments(days)
            """
        )
    (folder / "metrics.yml").write_text(GROWING)
    return metrics_file.load(folder / "metrics.yml")


@pytest.mark.parametrize(("window", "days_after"), [(0.0, (2, 6, 8)), (7.0, (2, 6)), (3.0, (2,))])
def test_a_window_that_the_plan_froze_decides_what_is_read_and_leaves_the_covariate(
    tmp_path: Path, window: float, days_after: tuple[int, ...]
) -> None:
    world = a_growing_world(tmp_path)
    measuring = Measuring(window_days=window, pre_period_days=14)
    asked = Question(
        key="E-7",
        goal="orders",
        metrics=(MetricQuestion(name="orders", measuring=measuring),),
        variants=("a", "b"),
        since=FIRST,
        until=FIRST + timedelta(days=30),
    )

    read = reading.read(world, asked).sample.moments["orders"]

    for arm, first in zip(read, (0, 1), strict=True):
        units = range(first, 40, 2)
        values = [sum(unit + days for days in days_after) for unit in units]
        before = [unit - 10 for unit in units]  # 20 days before is no pre-period any more
        assert arm.count == 20
        assert arm.mean == pytest.approx(statistics.mean(values), rel=1e-12)
        assert arm.variance == pytest.approx(statistics.variance(values), rel=1e-12)
        assert arm.joint is not None
        assert arm.joint.means[1] == pytest.approx(statistics.mean(before), rel=1e-12)
        assert arm.joint.covariances[0][2] == pytest.approx(statistics.covariance(values, before), rel=1e-12)


def test_a_unit_whose_frozen_window_is_open_does_not_count(tmp_path: Path) -> None:
    measuring = Measuring(window_days=7, pre_period_days=14)
    asked = Question(
        key="E-7",
        goal="orders",
        metrics=(MetricQuestion(name="orders", measuring=measuring),),
        variants=("a", "b"),
        since=FIRST,
        until=FIRST + timedelta(days=9),
    )

    sample = reading.read(a_growing_world(tmp_path), asked).sample

    # Seen in the first two days, before which a window of seven closed: units 0 to 7.
    assert sample.exposed == (18, 18)
    assert [arm.count for arm in sample.moments["orders"]] == [4, 4]


def test_what_keeps_growing_and_what_a_plan_can_close_is_described(tmp_path: Path) -> None:
    described = {one.name: one for one in reading.describe(a_growing_world(tmp_path))}

    assert {name for name, one in described.items() if one.is_growing} == {"orders", "total", "logins"}
    assert {name for name, one in described.items() if one.can_have_window} == {"orders", "buyers", "registered"}
