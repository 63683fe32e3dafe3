"""`labcoat metrics` on real data: what is right is previewed, what is wrong has its line, and nothing peeks."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from sqlalchemy.engine import make_url

import postgres
from labcoat import cli
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
    assert "Everything can be read: 6 metrics on 1 exposures." in out
    assert "metric, over E-7, all variants together" in out
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
    assert "To mend: 4 things." in out
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
    assert "its metrics were not tried" in out
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
        (("--experiment", "e-77"), "The data have no exposures of e-77. Did you mean E-7?"),
        (("--experiment", "checkout"), "The data have no exposures of checkout. There are: E-7, E-8."),
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
    assert json.loads(shown)["to_mend"] == []


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
    words = f"none of {len(orders):,} rows has a unit that is exposed. Do rows and exposures mean the same by a unit?"
    assert f"strange: {words}" in out


def test_metrics_that_could_not_be_tried_are_no_success(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect(folder / "shop.duckdb") as writer:
        writer.execute("CREATE OR REPLACE TABLE planned AS SELECT * FROM exposures WHERE FALSE")
    metrics = shop.METRICS.replace("table: exposures", "table: planned")

    code, out, _ = run(capsys, "check", written(folder, DUCKDB, metrics=metrics))

    assert code == 1
    assert "Exposures users (shop, duckdb): no rows yet" in out
    words = "exposures users have no rows of the last 400 days. Try again once somebody was exposed"
    assert f"Metric orders was not tried: {words}" in out
    assert "To mend: 6 things." in out


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
    assert "odd: 3 of 66 rows have no unit (4.5 %). They are nobody's and don't count." in out
    assert "odd: 2 of 66 rows have no time. They have not happened and don't count." in out
    assert "odd: 1 row of the future. Times without a zone are read as UTC." in out
    assert "odd: 9 days between its rows without any: 3 Mar, 4 Mar, 5 Mar, 6 Mar, 7 Mar and 4 more." in out


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
