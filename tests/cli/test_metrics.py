"""`labcoat metrics` on real data: what is right is previewed, what is wrong has its line, and nothing peeks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from sqlalchemy.engine import make_url

import postgres
from labcoat.cli import app as cli
from warehouse import shop

DUCKDB = "{engine: duckdb, database: shop.duckdb}"
POSTGRESQL = "{engine: postgresql, url: '${SHOP_URL}', time_limit_seconds: 5}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    shop.write_duckdb(folder)
    return folder


@pytest.fixture(scope="module")
def postgresql_url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        shop.write_postgresql(url)
        yield url


@pytest.fixture(params=[DUCKDB, POSTGRESQL], ids=["duckdb", "postgresql"])
def source(request: pytest.FixtureRequest, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SHOP_URL", postgresql_url)
    source: str = request.param
    return source


def written(folder: Path, source: str, *, metrics: str = shop.METRICS) -> str:
    path = folder / "metrics.yml"
    path.write_text(f"sources:\n  shop: {source}\n{metrics}")
    return str(path)


def line_of(path: str, text: str) -> int:
    """Return the first line that begins with a text."""
    lines = Path(path).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if line.strip().startswith(text))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["metrics", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_good_file_is_previewed(folder: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "check", written(folder, source), "--experiment", "E-7")

    units, _ = shop.units_by_hand("E-7")
    assert (code, err) == (0, "")
    assert " 6 metrics and 1 exposures entry can be read." in out
    assert "metric (E-7, all variants) " in out
    assert "  E-8: a " in out
    assert any(line.startswith("orders: ") for line in out.splitlines())
    assert len(units) > 300


def test_the_value_is_of_all_variants_together(folder: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand: each variant's mean weighted by its units."""
    path = written(folder, source)

    code, out, _ = run(capsys, "check", path, "--experiment", "E-7", "--metric", "orders", "--json")

    (seen,) = json.loads(out)["metrics"]
    arms = [_everything(variant) for variant in "ab"]
    count = sum(len(arm) for arm in arms)
    assert code == 0
    assert seen["measured"] == count
    assert seen["mean"] == pytest.approx(sum(map(sum, arms)) / count, rel=1e-9)


def _everything(variant: str) -> list[int]:
    """Return the orders in three days of each unit, as of now: all windows have closed, and no start is set."""
    exposures, orders = shop.a_shop()
    mine: dict[int, list[shop.Exposure]] = {}
    for one in exposures:
        if one.experiment == "E-7":
            mine.setdefault(one.user, []).append(one)
    return [
        sum(one.user == user and first <= one.at < first + 3 * shop.DAY for one in orders)
        for user, rows in mine.items()
        if {row.variant for row in rows} == {variant}
        for first in [min(row.at for row in rows)]
    ]


def test_no_value_of_a_single_variant_is_shown(folder: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "check", written(folder, source), "--experiment", "E-7", "--json")

    arms = json.loads(out)["exposures"][0]["arms"]
    assert {key for arm in arms for key in arm} == {"key", "variant", "units", "first", "newest"}
    assert all(set(one) >= {"mean", "deviation"} and "variant" not in one for one in json.loads(out)["metrics"])


BROKEN = """
exposures:
  users: {source: shop, table: exposures, unit: user_id, variant: variant, exposed_at: seen_at, experiment: experiment}
  gone: {source: shop, table: no_such_table, unit: user_id, variant: variant}
metrics:
  good: {exposures: users, kind: mean, direction: up, table: orders, time: ordered_at}
  misspelt:
    exposures: users
    kind: mean
    direction: up
    table: orders
    time: ordered_at
    value: amout
  texts:
    exposures: users
    kind: mean
    direction: up
    sql: SELECT user_id, 'x' AS value FROM orders
  on gone: {exposures: gone, kind: mean, direction: up, value: user_id}
"""


def test_everything_wrong_is_named_with_its_line(folder: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(folder, source, metrics=BROKEN)
    code, out, _ = run(capsys, "check", path)

    gone, misspelt, texts = (line_of(path, text) for text in ("gone:", "value: amout", "texts:"))
    assert code == 1
    assert f"metrics.yml, line {gone}: Exposures gone: The database says: " in out
    assert f"metrics.yml, line {misspelt}: Metric misspelt: there is no column amout. Did you mean amount?" in out
    assert f"metrics.yml, line {texts}: Metric texts" in out
    assert (
        f"metrics.yml, line {line_of(path, 'on gone:')}: Metric on gone was not tried: exposures gone can't be" in out
    )
    assert out.splitlines()[-1].startswith("4 errors and ")
    assert "good: " in out


def test_a_source_that_hangs_ends_after_its_limit(
    folder: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_URL", postgresql_url)
    hanging = BROKEN.replace("'x' AS value FROM orders", "1 AS value FROM orders, (SELECT pg_sleep(600)) AS s")

    path = written(folder, POSTGRESQL.replace("time_limit_seconds: 5", "time_limit_seconds: 0.3"), metrics=hanging)
    code, out, _ = run(capsys, "check", path, "--metric", "texts")

    assert code == 1
    assert f"line {line_of(path, 'texts:')}: Metric texts: The SQL took longer than 0.3 seconds." in out


def test_a_database_that_is_not_there_is_said_without_its_password(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://reader:hunter2@127.0.0.1:1/shop")

    code, out, err = run(capsys, "check", written(folder, POSTGRESQL))

    assert code == 1
    assert "Exposures users: The database of shop can't be reached" in out
    assert "so its metrics were not tried" in out
    assert "hunter2" not in out + err


def test_every_wrong_line_of_a_file_is_named_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = shop.METRICS.replace("source: shop", "source: shp").replace(
        "  orders: {kind: mean", "  orders: {kind: men"
    )

    code, _, err = run(capsys, "check", written(folder, DUCKDB, metrics=metrics))
    path = written(folder, "{engine: duckdb, databse: shop.duckdb}", metrics=metrics)
    _, _, both = run(capsys, "list", path)

    wrong = line_of(path, "orders: {kind: men")
    assert code == 1
    assert f"Line {wrong}: `kind` must be" in err
    assert "Line 2: `databse` is not known" in both
    assert f"Line {wrong}: `kind` must be" in both


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--metric", "revenu"), "There is no metric revenu. Did you mean revenue?"),
        (("--experiment", "e-77"), "There are no exposures of e-77 in the data. Did you mean E-7?"),
        (("--experiment", "checkout"), "There are no exposures of checkout in the data. There are: E-7, E-8."),
    ],
)
def test_a_near_miss_is_answered_with_what_there_is(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code, _, err = run(capsys, "check", written(folder, DUCKDB), *arguments)

    assert (code, err) == (1, words + "\n")


def test_a_superuser_is_warned_of_with_the_line_of_its_source(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tests' own role of PostgreSQL is one; DuckDB has no roles."""
    path = written(folder, source)

    code, out, _ = run(capsys, "check", path, "--metric", "revenue")
    _, shown, _ = run(capsys, "check", path, "--metric", "revenue", "--json")

    warning = "The role of shop can do more than read: it is a superuser. Labcoat needs a read-only role."
    expected = [(2, warning)] if source == POSTGRESQL else []
    assert code == 0
    assert out.count(f"metrics.yml, line 2: warning: {warning}") == len(expected)
    assert [(one["line"], one["message"][: len(warning)]) for one in json.loads(shown)["warnings"]] == expected
    assert json.loads(shown)["errors"] == []


def test_a_role_that_only_reads_is_not_warned_of(
    folder: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = make_url(postgresql_url).set(username="shop_reader").render_as_string(hide_password=False)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE shop_reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO shop_reader")
    monkeypatch.setenv("SHOP_URL", mine)
    try:
        code, out, _ = run(capsys, "check", written(folder, POSTGRESQL), "--metric", "revenue")
    finally:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY shop_reader; DROP ROLE shop_reader")

    assert code == 0
    assert "warning" not in out


def test_units_that_never_meet_their_rows_are_doubted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute("CREATE OR REPLACE TABLE others AS SELECT user_id + 1000000 AS user_id, amount FROM orders")
    metrics = shop.METRICS + "  strange: {kind: mean, direction: up, table: others, value: amount}\n"

    code, out, _ = run(capsys, "check", written(folder, DUCKDB, metrics=metrics), "--metric", "strange")

    assert code == 0
    _, orders = shop.a_shop()
    words = (
        f"none of its {len(orders):,} rows belongs to an exposed unit. Do its rows and its exposures use the same ids?"
    )
    assert f"strange: {words}" in out


def test_metrics_that_could_not_be_tried_are_no_success(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute("CREATE OR REPLACE TABLE planned AS SELECT * FROM exposures WHERE FALSE")
    metrics = shop.METRICS.replace("table: exposures", "table: planned")

    code, out, _ = run(capsys, "check", written(folder, DUCKDB, metrics=metrics))

    assert code == 1
    assert "Exposures users (shop, duckdb): no rows yet" in out
    words = "exposures users have no rows from the last 400 days. Run the check again once the experiment is live"
    first, line, others = (
        "Metric revenue was not tried: ",
        line_of(str(folder / "metrics.yml"), "orders:"),
        " and 2 more.",
    )
    assert first + words in out
    assert f"Also: orders (line {line}), " in out
    assert others in out
    assert "metric (" not in out
    assert "6 errors" in out


def test_the_list_has_what_people_need_to_choose(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(folder, DUCKDB)
    metrics = (
        (folder / "metrics.yml")
        .read_text()
        .replace(
            "  orders: {kind: mean,",
            "  orders: {owner: Ada, format: '{} orders', description: Orders in three days., kind: mean,",
        )
    )
    Path(path).write_text(metrics)

    code, out, _ = run(capsys, "list", path)
    _, listed, _ = run(capsys, "list", path, "--json")

    line = next(line for line in out.splitlines() if line.startswith("orders"))
    assert code == 0
    assert line.split("  ")[0] == "orders"
    for words in ("mean", "up", "3 days", "{} orders", "Ada", "shop", "Orders in three days."):
        assert words in line
    assert json.loads(listed)[1]["owner"] == "Ada"


def test_without_a_file_the_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LABCOAT_METRICS", raising=False)

    code, _, err = run(capsys, "check")

    assert code == 1
    assert "Set LABCOAT_METRICS" in err


def test_how_rows_and_exposures_fit_together_is_counted(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand, in Python."""
    code, out, _ = run(capsys, "check", written(folder, source), "--experiment", "E-7", "--metric", "orders", "--json")

    exposures, orders = shop.a_shop()
    exposed = {one.user for one in exposures if one.experiment == "E-7"}
    since = min(one.at for one in exposures if one.experiment == "E-7").replace(hour=0, minute=0, second=0)
    read = [one for one in orders if one.at >= since]
    days = {one.at.date() for one in read}
    every = {min(days) + shop.DAY * number for number in range((max(days) - min(days)).days)}
    (seen,) = json.loads(out)["metrics"]
    assert code == 0
    assert seen["rows"] == {
        "row_count": len(read),
        "no_unit": 0,
        "no_time": 0,
        "met": sum(one.user in exposed for one in read),
        "units": len({one.user for one in read} & exposed),
        "exposed": len(exposed),
        "newest": str(max(one.at for one in read)),
        "future": 0,
        "days_without": [str(day) for day in sorted(every - days)],
    }


def test_odd_rows_of_a_metric_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exposures, _ = shop.a_shop()
    exposed = {one.user for one in exposures if one.experiment == "E-7"}
    first, last = ("2026-03-02 09:30:00", "2026-03-12 09:30:00")
    rows = [f"({user}, TIMESTAMP '{at}')" for user in sorted(exposed)[:30] for at in (first, last)]
    rows += (
        ["(NULL, TIMESTAMP '2026-03-02 10:00:00')"] * 3 + ["(1, NULL)"] * 2 + ["(1, TIMESTAMP '2126-03-02 10:00:00')"]
    )
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute(
            f"CREATE OR REPLACE TABLE odd AS SELECT * FROM (VALUES {', '.join(rows)}) AS v (user_id, ordered_at)"
        )
    metrics = shop.METRICS + "  odd: {kind: mean, direction: up, table: odd, time: ordered_at, window_days: 7}\n"

    code, out, _ = run(
        capsys, "check", written(folder, DUCKDB, metrics=metrics), "--experiment", "E-7", "--metric", "odd"
    )

    assert code == 0
    assert "odd: 3 of 66 rows (4.5 %) have no unit and are ignored." in out
    assert "odd: 2 of 66 rows (3 %) have no time and are ignored." in out
    assert "odd: 1 row dated in the future. Times without a zone are read as UTC." in out
    assert (
        "odd: no rows on 9 days between the first and the newest: 3 Mar, 4 Mar, 5 Mar, 6 Mar, 7 Mar and 4 more." in out
    )


@pytest.mark.parametrize("odd", ["2126-03-02 10:00:00", "2199-12-31 10:00:00"])
def test_a_time_to_come_hides_no_load_that_stopped(
    folder: Path, source: str, postgresql_url: str, capsys: pytest.CaptureFixture[str], odd: str
) -> None:
    rows = ", ".join(f"({user}, TIMESTAMP '{at}')" for user in range(30) for at in ("2026-03-12 09:30:00", odd))
    table = f"CREATE TABLE late AS SELECT * FROM (VALUES {rows}) AS v (user_id, ordered_at)"
    with duckdb.connect(folder / "shop.duckdb") as writer, psycopg.connect(postgresql_url) as there:
        writer.execute(f"DROP TABLE IF EXISTS late; {table}")
        there.execute(f"DROP TABLE IF EXISTS late; {table}".encode())
    metrics = shop.METRICS + "  late: {kind: mean, direction: up, table: late, time: ordered_at, window_days: 7}\n"

    code, out, _ = run(
        capsys, "check", written(folder, source, metrics=metrics), "--experiment", "E-7", "--metric", "late"
    )

    assert code == 0
    assert "late: 30 rows dated in the future. Times without a zone are read as UTC." in out
    assert re.search(r"late: its newest row came [0-9]+ days ago\. Is its load still running\?", out)
    assert "12 Mar 2026 09:30 UTC" in out
    assert "no rows on" not in out


BY_NAME = """
exposures:
  users: {source: shop, table: seen}
metrics:
  broken: {kind: mean, direction: up, table: orders, time: ordered_at, value: amout}
  orders: {kind: mean, direction: up, table: bought, window_days: 3}
  spent: {kind: mean, direction: up, table: bought, unit: unit, time: time, value: value, window_days: 3}
"""


def test_what_columns_names_decide_is_said_once_where_it_belongs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute(
            "CREATE OR REPLACE TABLE seen AS "
            "SELECT user_id AS unit, variant, seen_at AS exposed_at, experiment FROM exposures"
        )
        writer.execute(
            "CREATE OR REPLACE TABLE bought AS SELECT user_id AS unit, ordered_at AS time, amount AS value FROM orders"
        )

    _, out, _ = run(capsys, "check", written(folder, DUCKDB, metrics=BY_NAME), "--experiment", "E-7")
    _, shown, _ = run(capsys, "check", str(folder / "metrics.yml"), "--experiment", "E-7", "--json")

    exposures, metric = (line for line in out.splitlines() if "olumns found by name" in line)
    null = "Write `exposed_at: null` or `experiment: null` where none is meant."
    assert exposures == f"  Columns found by name: `unit`, `variant`, `exposed_at` and `experiment`. {null}"
    null = "Write `time: null` or `value: null` where none is meant."
    assert metric == f"orders: columns found by name: `time` and `value`. {null}"
    found = json.loads(shown)
    assert found["exposures"][0]["by_name"] == ["unit", "variant", "exposed_at", "experiment"]
    assert [one["by_name"] for one in found["metrics"]] == [[], ["time", "value"], []]


def test_an_empty_table_says_so_and_asks_for_nothing_else(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a CSV file without rows every column is text, and no text says that it has days only."""
    (folder / "empty.csv").write_text("user_id,ordered_at,amount\n")
    source = "{engine: duckdb, database: shop.duckdb, tables: {empty: empty.csv}}"
    text = "sql: SELECT CAST(user_id AS TEXT) AS user_id, variant, seen_at, experiment FROM exposures"
    metrics = shop.METRICS.replace("table: exposures", text)
    metrics += "  empty: {kind: mean, direction: up, table: empty, time: ordered_at, value: amount}\n"

    code, out, _ = run(
        capsys, "check", written(folder, source, metrics=metrics), "--experiment", "E-7", "--metric", "empty"
    )

    assert code == 0, out
    assert "empty: no rows in the days that are read, so every unit has 0." in out


def test_metrics_are_counted_in_the_days_of_their_own(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Together with a longer pre-period and alone, by hand."""
    path = written(folder, source)
    _, together, _ = run(capsys, "check", path, "--experiment", "E-7", "--json")

    exposures, orders = shop.a_shop()
    first = min(one.at for one in exposures if one.experiment == "E-7").replace(hour=0, minute=0, second=0)
    by_name = {one["name"]: one for one in json.loads(together)["metrics"]}
    for name, days in (("orders", 0), ("bought", 3), ("revenue", 7)):
        _, alone, _ = run(capsys, "check", path, "--experiment", "E-7", "--metric", name, "--json")
        expected = sum(one.at >= first - days * shop.DAY for one in orders)
        assert by_name[name]["rows"]["row_count"] == expected
        assert json.loads(alone)["metrics"][0]["rows"]["row_count"] == expected
        assert by_name[name]["days"].startswith(f"{first - days * shop.DAY:%Y-%m-%d} to ")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            "CAST('n/a' AS DOUBLE PRECISION)",
            r"Could not convert string '\.\.\.' to DOUBLE|A value is not what its column",
        ),
        ("1 / (CAST(amount AS INT) - CAST(amount AS INT))", r"values that are not numbers|division by zero\. To see"),
    ],
)
def test_a_view_that_fails_half_way_is_an_error_that_says_where_to_look(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str], value: str, says: str
) -> None:
    metrics = shop.METRICS + (
        "  halfway:\n    kind: mean\n    direction: up\n"
        f'    sql: "SELECT user_id, ordered_at AS time, {value} AS value FROM orders"\n'
    )

    code, out, _ = run(capsys, "check", written(folder, source, metrics=metrics), "--experiment", "E-7")

    line = next(line for line in out.splitlines() if "Metric halfway" in line)
    assert code == 1
    assert re.search(says, line)
    assert "The database says" not in line or line.endswith(" To see more, run its `sql` yourself.")
    assert any(line.startswith("orders: ") for line in out.splitlines())


def test_what_queries_take_is_said_once_for_all_metrics_of_each(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(folder, source)
    _, out, _ = run(capsys, "check", path, "--experiment", "E-7")
    _, shown, _ = run(capsys, "check", path, "--experiment", "E-7", "--json")

    (line,) = (line for line in out.splitlines() if line.startswith("1 query for 6 metrics: "))
    (query,) = json.loads(shown)["queries"]
    assert ("s, the planner's cost is " in line) is (source == POSTGRESQL)
    assert len(query["metrics"]) == 6
    assert query["cost"] == line.partition(" s, ")[2]


def test_metrics_beside_a_broken_one_are_asked_one_by_one(
    folder: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What their exposures lack is said all the same, although the broken one is the first."""
    path = written(folder, source, metrics=shop.METRICS.replace("metrics:", "metrics:\n  broken: " + BROKEN_METRIC))

    code, out, _ = run(capsys, "check", path, "--experiment", "E-7")
    _, whole, _ = run(capsys, "check", written(folder, source), "--experiment", "E-7")

    told = [line for line in whole.splitlines() if line.startswith("Exposures users: ")]
    assert code == 1
    assert "6 queries, one per metric: " in out
    assert [line for line in out.splitlines() if line.startswith("Exposures users: ")] == told != []


BROKEN_METRIC = "{kind: mean, direction: up, table: orders, time: ordered_at, value: amout}"


def test_the_first_day_is_shown_both_ways_where_it_must_be_decided(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute("CREATE OR REPLACE TABLE daily AS SELECT user_id, CAST(ordered_at AS DATE) AS day FROM orders")
    metrics = shop.METRICS + "  daily: {kind: mean, direction: up, table: daily, time: day, window_days: 7}\n"

    code, out, _ = run(
        capsys, "check", written(folder, DUCKDB, metrics=metrics), "--experiment", "E-7", "--metric", "daily", "--json"
    )

    (seen,) = json.loads(out)["metrics"]
    assert code == 1
    assert seen["same_day"] == [pytest.approx(_per_unit(start=0)), pytest.approx(_per_unit(start=1))]
    assert "Write `same_day: include` to count that day" in seen["trouble"]["message"]


def _per_unit(*, start: int) -> float:
    """Return the orders of a unit of E-7 in seven whole days, from so many days after its first exposure on."""
    exposures, orders = shop.a_shop()
    mine: dict[int, list[shop.Exposure]] = {}
    for one in exposures:
        if one.experiment == "E-7":
            mine.setdefault(one.user, []).append(one)
    alone = {user: rows for user, rows in mine.items() if len({row.variant for row in rows}) == 1}
    total = 0
    for user, rows in alone.items():
        first = min(row.at for row in rows).date() + start * shop.DAY
        total += sum(one.user == user and first <= one.at.date() < first + 7 * shop.DAY for one in orders)
    return total / len(alone)
