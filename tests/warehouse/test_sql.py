"""Only one SELECT passes, and the aggregate around it keeps its meaning."""

from datetime import UTC, datetime

import duckdb
import pytest

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
        ("trino", ["'2026-03-08 00:00:00.000000 UTC' AS TIMESTAMP WITH TIME ZONE)"]),
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
