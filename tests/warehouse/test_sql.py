"""Only one SELECT passes, and the aggregate around it keeps its meaning."""

from datetime import UTC, datetime

import duckdb
import pytest

from labcoat.warehouse import sql


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


def test_a_quote_in_the_key_stays_text() -> None:
    text = "SELECT 1 AS unit, 'a' AS variant, 2 AS value, 'o''x' AS experiment"
    query = sql.aggregate(text, experiment_key="o'x", has_exposed_at=False, since=None, until=None, window_days=0)

    rows = duckdb.connect().execute(query).fetchall()

    assert [row[:4] for row in rows] == [("a", 1, 1, 2.0)]


def test_a_comment_at_the_end_does_not_swallow_the_aggregate() -> None:
    text = "SELECT 1 AS unit, 'a' AS variant, 2 AS value -- the end"
    query = sql.aggregate(text, experiment_key=None, has_exposed_at=False, since=None, until=None, window_days=0)

    assert len(duckdb.connect().execute(query).fetchall()) == 1


def test_names_of_the_metric_do_not_meet_ours() -> None:
    text = """
        WITH metric AS (SELECT 1 AS unit), units AS (SELECT * FROM metric)
        SELECT unit, 'a' AS variant, 2 AS value, TIMESTAMP '2026-01-01 12:00' AS exposed_at FROM units
    """
    query = sql.aggregate(
        text,
        experiment_key=None,
        has_exposed_at=True,
        since=datetime(2025, 12, 31, tzinfo=UTC),
        until=datetime(2026, 1, 3, tzinfo=UTC),
        window_days=0,
    )

    assert len(duckdb.connect().execute(query).fetchall()) == 1
