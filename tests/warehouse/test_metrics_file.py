"""The metrics file is used as a whole or refused with the line to change."""

from pathlib import Path
from textwrap import dedent

import pytest

from labcoat.stats.results import Direction, MetricKind
from labcoat.warehouse import metrics_file
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError

GOOD = """\
sources:
  game:
    engine: duckdb
    database: world.duckdb
    tables:
      players: cookie_cats.csv
metrics:
  retention_7:
    source: game
    kind: proportion
    direction: up
    description: Share of players who came back.
    window_days: 7
    sql: SELECT userid AS unit, version AS variant, retention_7::INT AS value FROM players
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

    assert source.database == tmp_path / "world.duckdb"
    assert source.tables == {"players": tmp_path / "cookie_cats.csv"}


def test_an_absolute_path_is_kept(tmp_path: Path) -> None:
    source = loaded(tmp_path, GOOD.replace("world.duckdb", "/srv/world.duckdb")).sources["game"]

    assert source.database == Path("/srv/world.duckdb")


@pytest.mark.parametrize(
    ("was", "becomes", "line", "words"),
    [
        ("    kind: proportion\n", "", 8, "`metrics.retention_7` needs `kind`"),
        ("kind: proportion", "kind: ratio", 10, "`kind` must be 'mean' or 'proportion'"),
        ("kind: proportion", "kind: total", 10, "`kind` must be 'mean', 'proportion' or 'ratio'"),
        ("direction: up", "direction: upwards", 11, "`direction` must be 'up' or 'down'"),
        ("engine: duckdb", "engine: postgres", 3, "`engine` must be 'duckdb'"),
        ("    kind:", "    knd: x\n    kind:", 10, "Did you mean `kind`?"),
        ("metrics:\n", "colour: red\nmetrics:\n", 7, "It may have: sources, metrics"),
        ("source: game", "source: games", 9, "There is no source `games`. The file has: game."),
        ("window_days: 7", "window_days: -1", 13, "`window_days`"),
        ("window_days: 7", "window_days: true", 13, "`window_days`"),
        ("window_days: 7", "window_days: .inf", 13, "`window_days`"),
        ("      players: c", "      PLAYERS: a.csv\n      players: c", 7, "`players` is already on line 6"),
        ("cookie_cats.csv", "cookie_*.csv", 6, "Name one file that ends in .csv"),
        ("cookie_cats.csv", "cookie_cats.xlsx", 6, "Name one file that ends in .csv"),
        ("      players:", "      my players:", 6, "`my players` can't be used as a name in SQL"),
        ("  game:", "  memory:", 2, "`memory` can't be used as a name in SQL"),
        ("  retention_7:", f"  {'r' * 76}:", 8, "1 to 75 characters"),
        ("SELECT", "DELETE", 14, "The SQL"),
        ("FROM players", "FROM players; SELECT 1", 14, "here are 2"),
        ("kind: proportion", "kind: [proportion", 11, "not valid YAML"),
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


def test_the_same_metric_twice_is_refused_whatever_its_case(tmp_path: Path) -> None:
    again = GOOD.split("metrics:\n")[1].replace("retention_7:", "Retention_7:", 1)

    error = refusal(tmp_path, GOOD + again)

    assert (error.line, error.message) == (
        15,
        "`Retention_7` is already on line 8. Rename or remove one of them.",
    )


def test_a_source_without_files_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, "sources:\n  game:\n    engine: duckdb\nmetrics: {}\n")

    assert (error.line, error.message) == (2, "A source needs `database` or `tables`.")


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n"])
def test_a_file_that_is_not_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)

    assert error.line == 1
    assert "`name: ...`" in error.message


def test_the_first_of_several_wrong_lines_is_named(tmp_path: Path) -> None:
    text = GOOD.replace("direction: up", "direction: x").replace("engine: duckdb", "engine: x")

    assert refusal(tmp_path, text).line == 3


def test_a_file_that_is_not_there_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(MetricsFileError, match=r"metrics\.yml can't be read .* LABCOAT_METRICS"):
        metrics_file.load(tmp_path / "metrics.yml")


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.yml").write_bytes(GOOD.replace("Share", "Für").encode("latin-1"))

    with pytest.raises(MetricsFileError, match="UTF-8"):
        metrics_file.load(tmp_path / "metrics.yml")
