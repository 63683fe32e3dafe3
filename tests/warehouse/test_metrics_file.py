"""The metrics file is used as a whole or refused with the line to change."""

import traceback
from pathlib import Path
from textwrap import dedent

import pytest

from labcoat.stats.rule import Direction, MetricKind
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.warehouse.sources import DuckDbSource, PostgresqlSource

GOOD = """\
sources:
  game:
    engine: duckdb
    database: world.duckdb
    tables:
      players: cookie_cats.csv
exposures:
  players:
    source: game
    table: players
    unit: userid
    variant: version
metrics:
  retention_7:
    exposures: players
    kind: proportion
    direction: up
    description: Share of players who came back.
    window_days: 7
    value: retention_7
  rounds:
    kind: mean
    direction: up
    sql: SELECT userid, rounds AS value FROM players
"""


def loaded(folder: Path, text: str) -> MetricsFile:
    path = folder / "metrics.yml"
    path.write_text(dedent(text), encoding="utf-8")
    return metrics_file.load(path)


def refusal(folder: Path, text: str) -> MetricsFileError:
    with pytest.raises(MetricsFileError) as caught:
        loaded(folder, text)
    return caught.value


def test_a_good_file_gives_its_sources_and_metrics(tmp_path: Path) -> None:
    result = loaded(tmp_path, GOOD)

    metric = result.metrics["retention_7"]
    assert (metric.kind, metric.direction, metric.window_days) == (MetricKind.PROPORTION, Direction.UP, 7.0)


def test_paths_are_relative_to_the_metrics_file(tmp_path: Path) -> None:
    source = loaded(tmp_path, GOOD).sources["game"]

    assert isinstance(source, DuckDbSource)
    assert source.database == tmp_path / "world.duckdb"
    assert source.tables == {"players": (tmp_path / "cookie_cats.csv",)}


def test_an_absolute_path_is_kept(tmp_path: Path) -> None:
    source = loaded(tmp_path, GOOD.replace("world.duckdb", "/srv/world.duckdb")).sources["game"]

    assert isinstance(source, DuckDbSource)
    assert source.database == Path("/srv/world.duckdb")


@pytest.mark.parametrize(
    ("was", "becomes", "line", "words"),
    [
        ("    kind: proportion\n", "", 14, "`metrics.retention_7` needs `kind`"),
        ("kind: proportion", "kind: ratio", 14, "A ratio needs `denominator`"),
        ("kind: proportion", "kind: total", 16, "`kind` must be 'mean', 'proportion' or 'ratio'"),
        ("direction: up", "direction: upwards", 17, "`direction` must be 'up' or 'down'"),
        ("engine: duckdb", "engine: postgres", 2, "`engine` must be 'duckdb', 'postgresql', 'spark'"),
        ("    engine: duckdb\n", "", 2, "needs `engine`"),
        ("database: world", "databse: world", 4, "Did you mean `database`?"),
        ("    kind:", "    knd: x\n    kind:", 16, "Did you mean `kind`?"),
        ("metrics:\n", "colour: red\nmetrics:\n", 13, "It may have: sources, exposures, metrics"),
        ("source: game", "source: games", 9, "There is no source `games`. The file has: game."),
        ("exposures: players", "exposures: users", 15, "There are no exposures `users`. The file has: players."),
        ("    table: players\n", "", 8, "Exposures need `table` or `sql`, and not both"),
        ("table: players", "table: read_csv('x')", 10, "is not a table's name"),
        ("window_days: 7", "window_days: -1", 19, "`window_days`"),
        ("window_days: 7", "window_days: true", 19, "`window_days`"),
        ("window_days: 7", "window_days: .inf", 19, "`window_days`"),
        ("    value: retention_7\n", "", 14, "A metric needs `value`"),
        ("    value: retention_7", "    pre_period_days: 7\n    value: x", 14, "`pre_period_days` needs `time`"),
        ("    value: retention_7", "    cap: 7\n    value: x", 14, "A proportion has no `cap`"),
        ("    value: retention_7", "    time: at\n    value: x", 14, "`time` goes with `table` or `sql`"),
        ("    value: retention_7", "    denominator: n\n    value: x", 14, "Only `kind: ratio` has a `denominator`"),
        ("    value: retention_7", "    format: EUR\n    value: x", 20, "`format` has {} where the number goes"),
        ("      players: c", "      PLAYERS: a.csv\n      players: c", 7, "`players` is already on line 6"),
        ("cookie_cats.csv", "cookie_*.csv", 6, "or a pattern that ends in .parquet"),
        ("cookie_cats.csv", "cookie_cats.json", 6, "Name a file (.csv, .tsv, .txt, .xlsx or .parquet), a folder"),
        ("cookie_cats.csv", "'cookie[1].csv'", 6, "`cookie[1].csv` has one of [ ] { } in its path"),
        ("cookie_cats.csv", "[a.csv, b.parquet]", 6, "`a.csv` can't be one of several"),
        ("cookie_cats.csv", "[]", 6, "should have at least 1 item"),
        ("      players:", "      my players:", 6, "`my players` can't be used as a name in SQL"),
        ("  game:", "  memory:", 2, "`memory` can't be used as a name in SQL"),
        ("  retention_7:", f"  {'r' * 76}:", 14, "1 to 75 characters"),
        ("SELECT", "DELETE", 24, "The SQL"),
        ("FROM players", "FROM players; SELECT 1", 24, "here are 2"),
        ("kind: proportion", "kind: [proportion", 17, "not valid YAML"),
        ("window_days: 7", "window_days: 2026-02-31", None, "not valid YAML"),
        ("  game:\n", "  game: &loop\n    again: *loop\n", 3, "`again` is not known"),
    ],
)
def test_a_wrong_line_is_named_with_what_to_do(
    tmp_path: Path, was: str, becomes: str, line: int | None, words: str
) -> None:
    assert was in GOOD

    error = refusal(tmp_path, GOOD.replace(was, becomes, 1))

    assert error.line == line
    assert words in error.message


def test_a_covariate_goes_with_no_time(tmp_path: Path) -> None:
    metric = "  spent: {kind: mean, direction: up, table: t, time: at, value: amount, covariate: past}\n"

    error = refusal(tmp_path, GOOD + metric)

    assert error.line == 25
    assert "replace the covariate by `pre_period_days`" in error.message


def test_the_same_metric_twice_is_refused_whatever_its_case(tmp_path: Path) -> None:
    again = "  Retention_7: {kind: mean, direction: up, value: x}\n"

    error = refusal(tmp_path, GOOD + again)

    assert (error.line, error.message) == (
        25,
        "`Retention_7` is already on line 14. Rename or remove one of them.",
    )


def test_a_source_without_files_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "sources:\n  game:\n    engine: duckdb\nexposures: {}\nmetrics: {}\n")

    assert (error.line, error.message) == (2, "A source needs `database` or `tables`.")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n"])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)

    assert error.line == 1
    assert "`name: ...`" in error.message


def test_the_first_of_several_wrong_lines_is_named(tmp_path: Path) -> None:
    text = GOOD.replace("direction: up", "direction: x").replace("engine: duckdb", "engine: x")

    assert refusal(tmp_path, text).line == 2


def test_a_file_with_several_exposures_asks_each_metric_for_its_own(tmp_path: Path) -> None:
    text = GOOD.replace("metrics:\n", "  others:\n    source: game\n    sql: SELECT 1 AS unit\nmetrics:\n")

    error = refusal(tmp_path, text)

    assert (error.line, error.message) == (24, "`rounds` needs `exposures`, one of: players, others.")


def test_a_secret_is_read_from_the_environment_and_never_shown(tmp_path: Path) -> None:
    text = "sources:\n  shop:\n    engine: postgresql\n    url: ${SHOP_URL}\n" + GOOD[
        GOOD.index("exposures:") :
    ].replace("source: game", "source: shop")
    path = tmp_path / "metrics.yml"
    path.write_text(text)

    loaded_file = metrics_file.load(path, environment={"SHOP_URL": "postgresql://reader:hush@db/shop"})

    source = loaded_file.sources["shop"]
    assert isinstance(source, PostgresqlSource)
    assert source.url.get_secret_value() == "postgresql://reader:hush@db/shop"
    assert "hush" not in repr(loaded_file)
    assert "hush" not in loaded_file.model_dump_json()


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    error = refusal(
        tmp_path, "sources:\n  shop:\n    engine: postgresql\n    url: ${SHOP_URL}\nexposures: {}\nmetrics: {}\n"
    )

    assert (error.line, error.message) == (4, "SHOP_URL is not set in the environment, and `url` needs it.")


def test_a_secret_written_into_the_file_is_refused_and_not_quoted(tmp_path: Path) -> None:
    text = "sources:\n  shop:\n    engine: postgresql\n    url: postgresql://reader:hush@db/shop\n"

    error = refusal(tmp_path, f"{text}exposures: {{}}\nmetrics: {{}}\n")

    shown = "".join(traceback.format_exception(error))
    assert (error.line, "Put it into the environment" in error.message) == (4, True)
    assert "hush" not in shown.replace(text, "")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("engine: clickhouse", "needs `url` or `tables`, and not both"),
        ("engine: spark\n    tables: {a: a.csv}", "Name one .parquet file"),
        ("engine: bigquery", "needs `project`"),
        ("engine: snowflake\n    account: a", "needs `user`"),
        ("engine: trino\n    host: h\n    user: u\n    catalog: c\n    port: 99999", "`port`"),
        ("engine: duckdb\n    database: a.duckdb\n    memory_limit: lots", "`memory_limit` is a whole number"),
        ("engine: duckdb\n    database: a.duckdb\n    time_limit_seconds: 0", "`time_limit_seconds`"),
    ],
)
def test_each_engine_says_what_it_needs(tmp_path: Path, fields: str, words: str) -> None:
    error = refusal(tmp_path, f"sources:\n  shop:\n    {fields}\nexposures: {{}}\nmetrics: {{}}\n")

    assert words in error.message
    assert error.line is not None
    assert 2 <= error.line <= 7


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(MetricsFileError, match=r"metrics\.yml can't be read .* LABCOAT_METRICS"):
        metrics_file.load(tmp_path / "metrics.yml")


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.yml").write_bytes(GOOD.replace("Share", "Für").encode("latin-1"))

    with pytest.raises(MetricsFileError, match="UTF-8"):
        metrics_file.load(tmp_path / "metrics.yml")
