"""Only one SELECT passes, and the aggregate around it keeps its meaning."""

from datetime import UTC, datetime

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from labcoat.warehouse import sql
from labcoat.warehouse.sql import Bounds, Rows


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT 1;",
        "-- why\nSELECT 1 -- because",
        "(SELECT 1)",
        "FROM players SELECT userid",
        "SELECT 1 UNION ALL SELECT 2",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT 'DROP TABLE x; COPY' AS unit",
    ],
)
def test_one_select_passes(text: str) -> None:
    sql.check(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "here are 0"),
        ("SELECT 1; SELECT 2", "here are 2"),
        ("SELECT 1; DROP TABLE players", "here are 2"),
        ("CREATE TABLE a AS SELECT 1", "this is CREATE"),
        ("DROP TABLE players", "this is DROP"),
        ("ALTER TABLE players ADD COLUMN a INT", "this is ALTER"),
        ("TRUNCATE players", "this is TRUNCATE"),
        ("DELETE FROM players", "this is DELETE"),
        ("UPDATE players SET a = 1", "this is UPDATE"),
        ("INSERT INTO players SELECT 1", "this is INSERT"),
        ("WITH x AS (SELECT 1) INSERT INTO players SELECT * FROM x", "this is INSERT"),
        ("WITH x AS (INSERT INTO players VALUES (1) RETURNING a) SELECT * FROM x", "this is INSERT"),
        ("WITH x AS (DELETE FROM players RETURNING a) SELECT * FROM x", "this is DELETE"),
        ("SELECT * INTO copied FROM players", "this is SELECT INTO"),
        ("COPY players TO 'out.csv'", "this is COPY"),
        ("COPY (SELECT 1) TO 'out.csv'", "this is COPY"),
        ("ATTACH 'other.duckdb'", "this is ATTACH"),
        ("INSTALL httpfs", "this is INSTALL"),
        ("LOAD httpfs", "this is LOAD"),
        ("SET threads = 8", "this is SET"),
        ("PRAGMA version", "this is PRAGMA"),
        ("CALL pragma_version()", "this is CALL"),
        ("EXPLAIN SELECT 1", "this is EXPLAIN"),
        ("USE memory", "this is USE"),
        ("SELECT 'open", "can't be read"),
        ("SELEC 1", "can't be read at line 1"),
    ],
)
def test_anything_else_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(sql.SqlError, match=words):
        sql.check(text)


OURS = """
WITH a AS (SELECT e.v AS v, CAST(e.at AS TIMESTAMPTZ) AS at FROM labcoat_exposures AS e)
SELECT AVG(v) AS m, VAR_SAMP(v) AS s, COVAR_SAMP(v, v) AS c FROM a WHERE at < {until}
"""
BOUNDS = Bounds(since=datetime(2026, 3, 1, tzinfo=UTC), until=datetime(2026, 3, 8, tzinfo=UTC))


def written(dialect: str, rows: Rows) -> str:
    return sql.write(
        OURS.format(until=sql.instant(BOUNDS.until)), {"labcoat_exposures": rows}, dialect=dialect, bounds=BOUNDS
    )


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("duckdb", ["FAVG(v)", "VARIANCE(v)", "COVAR_SAMP(v, v)"]),
        ("postgres", ["AVG(v)", "VAR_SAMP(v)", "AS TIMESTAMPTZ"]),
        ("spark", ["'2026-03-08 00:00:00.000000+00:00' AS TIMESTAMP)"]),
        (
            "clickhouse",
            ["varSampStable(v)", "covarSampStable(v, v)", "toDateTime64('2026-03-08 00:00:00.000000', 6, 'UTC')"],
        ),
        ("bigquery", ["AS TIMESTAMP)", "COVAR_SAMP(v, v)"]),
        ("snowflake", ["AS TIMESTAMPTZ)"]),
        ("databricks", ["AS TIMESTAMP)"]),
        ("trino", ["'2026-03-08 00:00:00.000000 UTC' AS TIMESTAMP(6) WITH TIME ZONE)"]),
        ("redshift", ["(VAR_SAMP(v + v) - VAR_SAMP(v - v))", "/ 4.0"]),
    ],
)
def test_every_engine_gets_its_own_words(dialect: str, words: list[str]) -> None:
    text = written(dialect, Rows(table="shop.seen"))

    assert "shop.seen AS e" in text.replace('"', "").replace("`", "")
    assert all(word in text for word in words)


def test_since_and_until_in_a_select_become_texts_in_utc() -> None:
    text = written("postgres", Rows(select="SELECT v, at FROM seen WHERE day >= :since AND day < :until"))

    assert "day >= '2026-03-01 00:00:00' AND day < '2026-03-08 00:00:00'" in text


def test_a_comment_at_the_end_of_a_select_does_not_swallow_what_follows() -> None:
    text = written("duckdb", Rows(select="SELECT 1.5 AS v, TIMESTAMP '2026-03-02' AS at -- the end"))

    assert duckdb.connect().execute(text).fetchall()[0][0] == 1.5


def test_names_inside_a_select_do_not_meet_ours() -> None:
    select = "WITH a AS (SELECT 2 AS v), p AS (SELECT * FROM a) SELECT v, TIMESTAMP '2026-03-02' AS at FROM p"

    assert duckdb.connect().execute(written("duckdb", Rows(select=select))).fetchall()[0][0] == 2


@pytest.mark.parametrize("name", ["a b", "a;b", "read_csv('x')", "(SELECT 1)", "a.b.c.d.e", "a--b", ""])
def test_a_table_is_a_name_and_nothing_else(name: str) -> None:
    with pytest.raises(sql.SqlError, match="is not a table's name"):
        sql.check_table(name)


@pytest.mark.parametrize(
    "text", ["SELECT * FROM file('/etc/passwd')", "SELECT * FROM url('http://x')", "SELECT * FROM remote('x', y)"]
)
def test_clickhouse_reads_tables_only(text: str) -> None:
    with pytest.raises(sql.SqlError, match="tables only"):
        sql.check(text, dialect="clickhouse")


FULL = """
WITH a AS (
  SELECT CASE WHEN ABS(e.v) <= CAST('1e100' AS DOUBLE) THEN CAST(e.v AS DOUBLE) END AS v,
    CAST(e.at AS TIMESTAMPTZ) AS t, CAST(e.name AS TEXT) AS variant
  FROM labcoat_exposures AS e
)
SELECT variant, AVG(v) AS m, VAR_SAMP(v) AS s, COVAR_SAMP(v, v + 1) AS c
FROM a WHERE t < {until} AND t >= {until} - INTERVAL '86400' SECOND GROUP BY variant
"""
ENGINES = ("duckdb", "postgres", "spark", "clickhouse", "bigquery", "snowflake", "databricks", "trino", "redshift")


def full(dialect: str, rows: Rows | None = None) -> str:
    return sql.write(
        FULL.format(until=sql.instant(BOUNDS.until)),
        {"labcoat_exposures": rows or Rows(table="shop.seen")},
        dialect=dialect,
        bounds=BOUNDS,
    )


def parsed(dialect: str) -> exp.Expr:
    return sqlglot.parse_one(full(dialect), read=dialect)


@pytest.mark.parametrize("dialect", ENGINES)
def test_every_engine_reads_back_what_is_written_for_it(dialect: str) -> None:
    tree = parsed(dialect)

    assert isinstance(tree, exp.Select)
    assert [one.alias_or_name for one in tree.expressions] == ["variant", "m", "s", "c"]
    assert {table.name for table in tree.find_all(exp.Table)} == {"seen", "a"}
    assert len(list(tree.find_all(exp.Interval))) == 1
    assert sqlglot.parse_one(tree.sql(dialect), read=dialect) == tree


@pytest.mark.parametrize("dialect", [name for name in ENGINES if name != "redshift"])
def test_covariance_is_the_engine_s_own_where_it_has_one(dialect: str) -> None:
    text = full(dialect).lower().replace("_", "")

    assert "covarsamp" in text
    assert "covarpop" not in text


def test_redshift_s_covariance_is_the_same_number() -> None:
    text = sql.write(
        "SELECT COVAR_SAMP(x, y) AS c FROM labcoat_rows AS e",
        {"labcoat_rows": Rows(table="rows")},
        dialect="redshift",
        bounds=BOUNDS,
    )
    assert "covar" not in text.lower()

    connection = duckdb.connect()
    connection.execute("CREATE TABLE rows AS SELECT i AS x, (i * 7919) % 101 AS y FROM range(1000) t(i)")

    mine = connection.execute(sqlglot.transpile(text, read="redshift", write="duckdb")[0]).fetchall()
    theirs = connection.execute("SELECT COVAR_SAMP(x, y) FROM rows").fetchall()
    assert mine[0][0] == pytest.approx(theirs[0][0], rel=1e-12)


def test_trino_keeps_microseconds_of_columns_and_bounds() -> None:
    text = full("trino")

    assert "CAST(e.at AS TIMESTAMP(6) WITH TIME ZONE)" in text
    assert "TIMESTAMP WITH TIME ZONE" not in text


def test_trino_compares_a_time_with_a_time() -> None:
    rows = Rows(select="SELECT v, at, name FROM seen WHERE at < :until")

    assert "at < CAST('2026-03-08 00:00:00' AS TIMESTAMP)" in full("trino", rows)


def test_bigquery_counts_seconds_as_a_number() -> None:
    assert "INTERVAL 86400 SECOND" in full("bigquery")


@pytest.mark.parametrize(
    ("dialect", "name", "column"),
    [
        ("snowflake", "USER_ID", "e.USER_ID"),
        ("snowflake", "userId", 'e."userId"'),
        ("snowflake", "ORDER", 'e."ORDER"'),
        ("redshift", "user_id", "e.user_id"),
        ("redshift", "userId", 'e."userId"'),
        ("bigquery", "userId", "e.userId"),
        ("bigquery", "order", "e.`order`"),
        ("databricks", "select", "e.`select`"),
        ("clickhouse", "userId", "e.userId"),
        ("trino", "group", 'e."group"'),
    ],
)
def test_a_column_is_called_as_the_engine_spells_it(dialect: str, name: str, column: str) -> None:
    ours = f"SELECT {sql.column(name, dialect=dialect)} AS v FROM labcoat_exposures AS e"

    text = sql.write(ours, {"labcoat_exposures": Rows(table="seen")}, dialect=dialect, bounds=BOUNDS)

    assert text.startswith(f"SELECT {column} AS v FROM")


@pytest.mark.parametrize("dialect", ["spark", "databricks"])
@pytest.mark.parametrize(
    "text",
    [
        "SELECT reflect('java.lang.System', 'getenv', 'HOME')",
        "SELECT `java_method`('java.lang.System', 'getenv', 'HOME')",
        "SELECT TRANSFORM (a) USING 'cat' AS (b) FROM seen",
    ],
)
def test_spark_calls_neither_java_nor_a_program(dialect: str, text: str) -> None:
    with pytest.raises(sql.SqlError, match="may not call Java or a program"):
        sql.check(text, dialect=dialect)


def test_what_stands_in_an_aggregate_is_rewritten_too() -> None:
    """A comparison with a zone goes through a calendar, row by row."""
    moment = sql.instant(datetime(2026, 3, 25, tzinfo=UTC))
    ours = f"SELECT AVG(CASE WHEN e.seen < {moment} THEN e.y END) AS m FROM labcoat_rows AS e"

    text = sql.write(ours, {"labcoat_rows": Rows(table="t")}, dialect="duckdb", bounds=BOUNDS)

    assert text == (
        "SELECT FAVG(CASE WHEN e.seen < CAST('2026-03-25 00:00:00.000000' AS TIMESTAMP) THEN e.y END) AS m FROM t AS e"
    )
