"""Columns that look like a field and are unused are warned of by `metrics check`, and `null` silences each."""

import json
from pathlib import Path

import pytest

from labcoat.cli import app as cli

EXPOSURES = "users: {source: shop, table: seen, variant: arm, exposed_at: seen_at%s}"
SEEN = ["unit,arm,seen_at,experiment_id", "u1,a,2026-03-01 10:00:00,E-7", "u2,b,2026-03-01 10:00:00,E-7"]
ORDERS = ["unit,created_at,total_amount,order_id", "u1,2026-03-02 10:00:00,7,1", "u2,2026-03-03 10:00:00,3,2"]


def write(
    folder: Path, *, exposures: str = EXPOSURES % ", experiment: experiment_id", metric: str, orders: str = ORDERS[0]
) -> str:
    (folder / "seen.csv").write_text("\n".join(SEEN))
    (folder / "orders.csv").write_text("\n".join([orders, *ORDERS[1:]]))
    path = folder / "metrics.yml"
    path.write_text(
        "sources:\n  shop: {engine: duckdb, tables: {seen: seen.csv, orders: orders.csv}}\n"
        f"exposures:\n  {exposures}\nmetrics:\n  spent:\n    kind: mean\n    direction: up\n    {metric}\n"
    )
    return str(path)


def warnings(capsys: pytest.CaptureFixture[str], path: str) -> list[str]:
    code = cli.main(["metrics", "check", path])
    shown = capsys.readouterr().out

    assert code == 0, shown
    return [line.removeprefix("metrics.yml, ") for line in shown.splitlines() if "warning:" in line]


GOOD = "table: orders\n    time: created_at\n    value: total_amount"
NO_TIME = (
    "Metric spent has no `time`, so rows from before the exposure count too. Column `created_at` is unused: "
    "write `time: created_at`, or `time: null` if every row should count."
)
NO_EXPERIMENT = (
    "Exposures users have no `experiment`, so every row counts for every experiment. Column `experiment_id` is unused: "
    "write `experiment: experiment_id`, or `experiment: null` if all rows belong to one experiment."
)
NO_VALUE = (
    "Metric spent has no `value`, so its rows are counted. Column `total_amount` is unused: "
    "write `value: total_amount`, or `value: null` to count rows."
)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (GOOD, []),
        ("table: orders\n    value: total_amount", [f"line 9: warning: {NO_TIME}"]),
        ("table: orders\n    time: created_at", [f"line 9: warning: {NO_VALUE}"]),
        ("table: orders", [f"line 9: warning: {NO_TIME}", f"line 9: warning: {NO_VALUE}"]),
        ("sql: SELECT * FROM orders", [f"line 9: warning: {NO_TIME}", f"line 9: warning: {NO_VALUE}"]),
        ("table: orders\n    value: null\n    time: null", []),
        ("sql: SELECT unit, created_at AS time, total_amount AS value FROM orders", []),
        ("sql: SELECT unit, created_at AS time FROM orders", []),
    ],
)
def test_an_unused_time_or_amount_is_warned_of_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], metric: str, expected: list[str]
) -> None:
    assert warnings(capsys, write(tmp_path, metric=metric)) == expected


@pytest.mark.parametrize("name", ["amount", "revenue", "order_value", "Total Price", "gmv"])
def test_amounts_have_many_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = write(tmp_path, metric="table: orders\n    time: created_at", orders=f"unit,created_at,{name},order_id")

    (found,) = warnings(capsys, path)

    assert f"Column `{name}` is unused" in found


@pytest.mark.parametrize("name", ["timestamp", "ts", "event_time", "ordered_at", "occurred at"])
def test_times_have_many_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = write(tmp_path, metric="table: orders\n    value: total_amount", orders=f"unit,{name},total_amount,order_id")
    (found,) = warnings(capsys, path)

    assert f"Column `{name}` is unused" in found


def test_a_share_of_units_with_any_row_needs_no_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, metric="table: orders\n    time: created_at")
    Path(path).write_text(Path(path).read_text().replace("kind: mean", "kind: proportion"))

    assert warnings(capsys, path) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (", experiment: experiment_id", []),
        (", experiment: null", []),
        (
            "",
            [f"line 4: warning: {NO_EXPERIMENT}"],
        ),
    ],
)
def test_an_unused_key_of_the_experiment_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: str, expected: list[str]
) -> None:
    assert warnings(capsys, write(tmp_path, exposures=EXPOSURES % fields, metric=GOOD)) == expected


def test_an_unused_time_of_the_exposure_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exposures = "users: {source: shop, table: seen, variant: arm, experiment: experiment_id}"
    path = write(tmp_path, exposures=exposures, metric="table: orders\n    time: null\n    value: total_amount")

    (found,) = warnings(capsys, path)

    assert found == (
        "line 4: warning: Exposures users have no `exposed_at`, so rows from before an exposure count too. "
        "Column `seen_at` is unused: write `exposed_at: seen_at`, or `exposed_at: null` if there is no time of "
        "exposure."
    )


def test_two_that_fit_are_both_named_and_none_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, metric="table: orders\n    time: created_at", orders="unit,created_at,total_amount,price")

    (found,) = warnings(capsys, path)

    assert "Columns `total_amount` and `price` are unused: write `value:` with the right one" in found


def test_a_pipeline_gets_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["metrics", "check", write(tmp_path, metric="table: orders"), "--json"])
    found = json.loads(capsys.readouterr().out)

    assert (code, found["errors"]) == (0, [])
    assert found["warnings"] == [{"line": 9, "message": NO_TIME}, {"line": 9, "message": NO_VALUE}]
