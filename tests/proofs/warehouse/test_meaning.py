"""The metrics file means what it says: columns by their names, floors, comments, templates, sources."""

import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psycopg
import pytest

import postgres
from labcoat.warehouse import metrics_file, reading, sql
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.warehouse.reading import MetricQuestion, Question, Reading
from labcoat.warehouse.sql import Bounds, Rows, SqlError
from warehouse.filling import insert

SEEN = [("a1", "a", "E-7"), ("a2", "a", "E-7"), ("a3", "a", "E-7"), ("b1", "b", "E-7"), ("b2", "b", "E-7")]
OTHERS = [("a1", "b", "E-8"), ("x", "a", "E-8"), ("y", "b", "E-8")]
ORDERS = [("a1", 5.0, 2.0), ("a1", 7.0, 1.0), ("a2", 100.0, 4.0), ("b1", -3.0, 1.0)]
TABLES = """
CREATE TABLE seen (unit text, variant text, experiment text);
CREATE TABLE orders (unit text, value double precision, denominator double precision);
"""
HEAD = """\
sources: {{shop: {source}}}
exposures: {{users: {{source: shop, table: seen{exposures}}}}}
metrics: {{spent: {{direction: up, {metric}}}}}
"""
Make = Callable[..., MetricsFile]


@pytest.fixture(params=["duckdb", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path, postgres_server: postgres.Server) -> Make:
    """Return what writes a metrics file over the rows above."""
    source, environment = "{engine: duckdb, database: shop.duckdb}", {}
    if request.param == "duckdb":
        with duckdb.connect(tmp_path / "shop.duckdb") as writer:
            writer.execute(TABLES)
            insert(writer, "seen", SEEN + OTHERS)
            insert(writer, "orders", ORDERS)
    else:
        url = request.getfixturevalue("url")
        source, environment = "{engine: postgresql, url: '${URL}'}", {"URL": url}
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS seen; DROP TABLE IF EXISTS orders; {TABLES}".encode())
            cursor.executemany("INSERT INTO seen VALUES (%s, %s, %s)", SEEN + OTHERS)
            cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s)", ORDERS)

    def written(metric: str, *, exposures: str = "") -> MetricsFile:
        path = tmp_path / "metrics.yml"
        path.write_text(HEAD.format(source=source, metric=metric, exposures=exposures))
        return metrics_file.load(path, environment=environment)

    return written


@pytest.fixture(scope="module")
def url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        yield url


def read(world: MetricsFile) -> Reading:
    question = Question(
        key="E-7",
        goal="spent",
        metrics=(MetricQuestion(name="spent"),),
        variants=("a", "b"),
        since=None,
        until=datetime(2026, 12, 1, tzinfo=UTC),
    )
    return reading.read(world, question)


def means(world: MetricsFile) -> list[float]:
    return [one.mean for one in read(world).sample.moments["spent"]]


def test_a_table_s_columns_are_found_under_the_fields_names(make: Make) -> None:
    found = read(make("kind: mean, table: orders"))

    assert found.sample.exposed == (3, 2)  # E-8 is another experiment
    assert [one.mean for one in found.sample.moments["spent"]] == pytest.approx([112 / 3, -3 / 2])


def test_null_means_that_there_is_no_such_column(make: Make) -> None:
    assert means(make("kind: mean, table: orders, value: null")) == pytest.approx([3 / 3, 1 / 2])  # rows are counted
    with pytest.raises(SourceError, match="1 unit of 7 in two variants"):
        read(make("kind: mean, table: orders", exposures=", experiment: null"))


def test_a_ratio_finds_its_denominator(make: Make) -> None:
    joint = read(make("kind: ratio, table: orders")).sample.moments["spent"][0].joint

    assert joint is not None
    assert joint.means[0] == pytest.approx(7 / 3)


def test_what_the_table_decides_is_part_of_the_definition(make: Make) -> None:
    counted, summed = (make(f"kind: mean, table: orders{also}") for also in (", value: null", ""))

    assert read(counted).definitions != read(summed).definitions


@pytest.mark.parametrize(("floor", "cap"), [(None, 10), (0, 10), (2, None), (2, 10), (-1, 50)])
@pytest.mark.parametrize("kind", ["mean", "ratio"])
def test_floor_and_cap_are_of_every_unit_with_or_without_rows(
    make: Make, floor: float | None, cap: float | None, kind: str
) -> None:
    limits = "".join(f", {name}: {limit}" for name, limit in (("floor", floor), ("cap", cap)) if limit is not None)
    least, most = -1e9 if floor is None else floor, 1e9 if cap is None else cap
    totals = {unit: sum(value for who, value, _ in ORDERS if who == unit) for unit, *_ in SEEN}
    expected = {
        arm: [min(max(totals[unit], least), most) for unit, variant, _ in SEEN if variant == arm] for arm in ("a", "b")
    }

    found = read(make(f"kind: {kind}, table: orders{limits}")).sample.moments["spent"]

    for one, values in zip(found, expected.values(), strict=True):
        assert one.count == len(values)
        assert one.mean == pytest.approx(statistics.fmean(values))
        assert one.variance == pytest.approx(statistics.variance(values))


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("kind: proportion, table: orders, floor: 1", "A proportion has no `floor`"),
        ("kind: mean, table: orders, floor: 9, cap: 9", "`floor` is 9.0 and `cap` 9.0: a floor is below the cap"),
        (
            "kind: mean, table: orders, source: other",
            "The exposures of `spent` are in `shop`, not in `other`. One query",
        ),
        ("kind: ratio, table: orders, denominator: null", "A ratio needs `denominator`"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_file(make: Make, metric: str, words: str) -> None:
    with pytest.raises(MetricsFileError) as caught:
        make(metric)

    assert words in caught.value.message


def test_the_exposures_own_source_may_be_said(make: Make) -> None:
    assert means(make("kind: mean, table: orders, source: shop")) == means(make("kind: mean, table: orders"))


@pytest.mark.parametrize("end", ["-- done", "; -- done", ";", "/* done */;", " ; /* done */", "-- :since; '"])
def test_a_comment_or_a_semicolon_may_end_a_select(make: Make, end: str) -> None:
    text = f"SELECT unit, value FROM orders {end}".replace("'", "''")

    assert means(make(f"kind: mean, sql: '{text}'")) == means(make("kind: mean, table: orders"))


@pytest.mark.parametrize(
    "dialect", ["duckdb", "postgres", "spark", "databricks", "clickhouse", "bigquery", "snowflake", "trino", "redshift"]
)
def test_no_comment_reaches_an_engine(dialect: str) -> None:
    bounds = Bounds(since=datetime(2026, 3, 1, tzinfo=UTC), until=datetime(2026, 4, 1, tzinfo=UTC))
    rows = Rows(select="SELECT ':since' AS unit /* one */ FROM orders WHERE at >= :since -- two")

    text = sql.write("SELECT unit FROM labcoat_rows AS e", {"labcoat_rows": rows}, dialect=dialect, bounds=bounds)

    assert "one" not in text
    assert "two" not in text
    assert "':since'" in text
    assert "2026-03-01 00:00:00" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT * FROM\n {{ ref('orders') }}", "it has `{{` on its line 2. Give the compiled SQL; `dbt compile`"),
        ("{% if x %} SELECT 1 {% endif %}", "it has `{%` on its line 1"),
        ("SELECT * FROM ${orders}", "it has `${` on its line 1"),
        ("SELECT * FROM orders WHERE at > :start", "has a parameter, `start`. Give the compiled SQL"),
        ("SELECT * FROM orders WHERE at > $1", "has a parameter, `1`"),
    ],
)
def test_a_template_is_told_to_be_compiled(text: str, words: str) -> None:
    with pytest.raises(SqlError) as caught:
        sql.check(text)

    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["'{{ name }}' AS unit FROM orders", "unit FROM orders -- {{ ref('orders') }}"])
def test_braces_in_a_text_or_a_comment_are_no_template(text: str) -> None:
    sql.check(f"SELECT {text}")


def test_anchors_may_stand_under_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "metrics.yml").write_text(
        "x-money: &money {direction: up, table: orders, format: '€ {}'}\n"
        "sources: {shop: {engine: duckdb, database: shop.duckdb}}\n"
        "exposures: {users: {source: shop, table: seen}}\n"
        "metrics:\n  spent: {<<: *money, kind: mean}\n  paid: {<<: *money, kind: mean, value: paid}\n"
    )

    assert metrics_file.load(tmp_path / "metrics.yml").metrics["paid"].format == "€ {}"


def test_any_other_name_at_the_top_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.yml").write_text("sources: {}\nexposures: {}\nmetrics: {}\nmetric: {}\n")

    with pytest.raises(MetricsFileError, match="`metric` is not known"):
        metrics_file.load(tmp_path / "metrics.yml")


def test_a_table_of_another_source_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "metrics.yml").write_text(
        "sources:\n  shop: {engine: duckdb, tables: {seen: seen.csv}}\n"
        "  bank: {engine: duckdb, tables: {payments: payments.csv}}\n"
        "exposures: {users: {source: shop, table: seen}}\n"
        "metrics: {paid: {kind: mean, direction: up, table: payments}}\n"
    )

    with pytest.raises(
        MetricsFileError, match="`payments` is a table of `bank`, and the exposures of `paid` are in `shop`"
    ):
        metrics_file.load(tmp_path / "metrics.yml")


@pytest.fixture
def two_spellings(url: str) -> MetricsFile:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            b"DROP TABLE IF EXISTS seen; DROP TABLE IF EXISTS orders; CREATE TABLE seen (unit text, variant text)"
        )
        cursor.execute(b'CREATE TABLE orders (unit text, "Amount" float8, amount float8)')
        cursor.execute(b"INSERT INTO seen VALUES ('u', 'a'), ('v', 'b'); INSERT INTO orders VALUES ('u', 5, 7)")
    return metrics_file.MetricsFile.model_validate(
        {
            "sources": {"shop": {"engine": "postgresql", "url": "${URL}"}},
            "exposures": {"users": {"source": "shop", "table": "seen"}},
            "metrics": {
                "spent": {"kind": "mean", "direction": "up", "table": "orders", "value": "amount"},
            },
        },
        context={"environment": {"URL": url}},
    )


@pytest.mark.parametrize(("column", "expected"), [("amount", 7.0), ("Amount", 5.0)])
def test_columns_that_differ_in_capitals_are_told_apart(
    two_spellings: MetricsFile, column: str, expected: float
) -> None:
    spent = two_spellings.metrics["spent"].model_copy(update={"value": column})

    assert means(two_spellings.model_copy(update={"metrics": {"spent": spent}})) == [expected, 0.0]


def test_where_neither_is_spelled_so_it_is_asked(two_spellings: MetricsFile) -> None:
    spent = two_spellings.metrics["spent"].model_copy(update={"value": "AMOUNT"})

    with pytest.raises(SourceError, match="`value` could be Amount and amount, which differ in capitals only"):
        read(two_spellings.model_copy(update={"metrics": {"spent": spent}}))


def test_a_table_with_two_unit_columns_is_asked(two_spellings: MetricsFile, url: str) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(b"ALTER TABLE seen RENAME unit TO user_id; ALTER TABLE orders ADD COLUMN user_id text")
    users = two_spellings.exposures["users"].model_copy(update={"unit": "user_id"})

    with pytest.raises(SourceError, match=r"its unit could be unit or user_id. Write `unit:` with the one"):
        read(two_spellings.model_copy(update={"exposures": {"users": users}}))
