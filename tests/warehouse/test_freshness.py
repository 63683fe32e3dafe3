"""How far a source is complete: what its lines in the metrics file may say, and what its query may give."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

import postgres
from labcoat.warehouse import checking, freshness, metrics_file, sql
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.words import metrics as words

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
FILE = """
sources:
  shop:
    engine: duckdb
    tables: {{loads: loads.csv, seen: seen.csv}}
    {line}
exposures: {{users: {{source: shop, table: seen, unit: unit, variant: variant}}}}
metrics: {{pages: {{kind: mean, direction: up, value: pages}}}}
"""
Loader = Callable[[str], MetricsFile]


@pytest.fixture
def load(tmp_path: Path) -> Loader:
    """What loads a metrics file with a line of its source."""
    (tmp_path / "loads.csv").write_text(
        "loaded_at,day,n\n2026-11-30 03:10,2026-11-30,1\n2026-12-01 04:10,2026-12-01,2\n"
    )
    (tmp_path / "seen.csv").write_text("unit,variant,pages\n1,a,1\n2,b,2\n")

    def read(line: str) -> MetricsFile:
        (tmp_path / "metrics.yml").write_text(FILE.format(line=line))
        return metrics_file.load(tmp_path / "metrics.yml")

    return read


def _asked(file: MetricsFile) -> datetime | SourceError:
    return freshness.ask(file, ["shop"], now=NOW)["shop"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ready_after: 11:00", 'Line 6: `ready_after` is an hour of the day in quotes. Write ready_after: "11:00"'),
        ("ready_after: 15:30", 'Write ready_after: "15:30", or with a time zone ready_after: "15:30 UTC".'),
        ("ready_after: 11", 'Write ready_after: "11:00"'),
        ("ready_after: '25:00'", 'Write ready_after: "11:00"'),
        ("ready_after: true", 'Write ready_after: "11:00"'),
        ("ready_after: '11:00 Berlin'", "`ready_after` has no time zone Berlin. Write one as Europe/Berlin or UTC"),
        ("freshness: SELECT 1; SELECT 2", "The SQL must be one SELECT statement; here are 2."),
        ("freshness: DROP TABLE loads", "The SQL must be one SELECT statement; this is DROP."),
        ("freshness: SELECT day, n FROM loads", "The SQL must give one column; name one"),
        ("freshness: SELECT * FROM loads", "The SQL must give one column; name one"),
        ("freshness: 'SELECT MAX(day) FROM loads WHERE day < :until'", "so it has no `:since` and no `:until`."),
        (
            "ready_after: '11:00'\n    freshness: SELECT MAX(loaded_at) FROM loads",
            "A source has `ready_after` or `freshness`, not both",
        ),
    ],
)
def test_what_a_source_says_of_its_data_is_refused_with_what_to_write(load: Loader, line: str, said: str) -> None:
    with pytest.raises(MetricsFileError) as refused:
        load(line)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT MAX(loaded_at) FROM loads",
        "SELECT MAX(CAST(loaded_at AS TEXT)) FROM loads",
        "SELECT '2026-12-01 05:10+01:00'",
        "SELECT TIMESTAMPTZ '2026-12-01 05:10+01:00' AS done",
        "(SELECT MIN(loaded_at) FROM loads WHERE n = 3) UNION ALL SELECT MAX(loaded_at) FROM loads LIMIT 1 OFFSET 1",
    ],
)
def test_a_freshness_is_an_instant_in_utc_unless_it_has_a_zone(load: Loader, query: str) -> None:
    assert _asked(load(f'freshness: "{query}"')) == datetime(2026, 12, 1, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT MAX(loaded_at) FROM loads WHERE n = 9", "its query gives NULL: nothing seems to be loaded yet."),
        ("SELECT loaded_at FROM loads", "its query gives several rows. Select one row with one instant"),
        ("SELECT loaded_at FROM loads WHERE n = 9", "its query gives no row."),
        ("SELECT 'soon'", "its query gives “soon”, which is no time."),
        ("SELECT MAX(day) FROM loads", "a day without a time of day, so it isn't clear whether that day itself is"),
        ("SELECT '2026-12-01'", "“2026-12-01”, which is no time."),
        ("SELECT MAX(n) FROM loads", "which is no time. Convert it to a timestamp in UTC."),
        ("SELECT TIMESTAMP '2026-12-01 09:30'", "2026-12-01 09:30 UTC, which is in the future."),
        ("SELECT MAX(loaded) FROM loads", "loaded"),
        ("SELECT MAX(loaded_at) FROM gone", "gone"),
    ],
)
def test_what_a_query_gives_instead_is_told_by_the_check_with_its_line(load: Loader, query: str, said: str) -> None:
    file = load(f'freshness: "{query}"')

    found = checking.check(file, names=("pages",), key=None, now=NOW)

    (trouble,) = found.troubles
    assert trouble.place == ("sources", "shop", "freshness")
    assert trouble.message.startswith("The freshness of shop: ")
    assert said in trouble.message


def test_the_check_says_how_far_each_source_is_complete(load: Loader, tmp_path: Path) -> None:
    file = load("freshness: SELECT MAX(loaded_at) FROM loads")

    page = words.page(
        checking.check(file, names=("pages",), key=None, now=NOW), (), file, path=tmp_path / "metrics.yml", now=NOW
    )

    assert page.splitlines()[0] == "Source shop: complete up to 1 Dec 2026 04:10 UTC (3.8 hours ago)"


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake", "databricks", "trino", "redshift", "spark", "clickhouse"])
def test_every_engine_is_asked_for_text_of_an_instant(dialect: str) -> None:
    """Read back by sqlglot: one select of text, over the query with its one column named."""
    query = sql.one_column("SELECT MAX(loaded_at) FROM etl.loads WHERE ok", name="complete_to", dialect=dialect)
    bounds = sql.Bounds(since=NOW, until=NOW)
    text = sql.write(freshness.OF_TIME, {"freshness": sql.Rows(select=query)}, dialect=dialect, bounds=bounds)

    sql.check(text, dialect=dialect)
    assert sql.selected(sql.Rows(select=text), dialect=dialect) == {"complete_to"}
    assert sql.table_names(sql.Rows(select=text), dialect=dialect) == {"loads"}


@pytest.fixture(scope="module")
def postgresql(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE loads (loaded_at timestamptz, plain timestamp)")
            connection.execute("INSERT INTO loads VALUES ('2026-12-01 05:10+01', '2026-12-01 04:10')")
        yield url


@pytest.mark.parametrize("column", ["loaded_at", "plain"])
def test_postgresql_tells_the_same_instant(postgresql: str, tmp_path: Path, column: str) -> None:
    line = f"url: '${{{{SHOP_URL}}}}'\n    freshness: SELECT MAX({column}) FROM loads"
    text = FILE.replace("duckdb", "postgresql").replace("    tables: {{loads: loads.csv, seen: seen.csv}}\n", "")
    (tmp_path / "metrics.yml").write_text(text.format(line=line).replace("{{SHOP_URL}}", "{SHOP_URL}"))
    file = metrics_file.load(tmp_path / "metrics.yml", environment={"SHOP_URL": postgresql})

    assert _asked(file) == datetime(2026, 12, 1, 4, 10, tzinfo=UTC)
