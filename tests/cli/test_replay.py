"""`labcoat metrics replay` on real data: few false calls where nothing differs, many where it does, and what to do."""

import json
import math
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from labcoat.cli import app as cli
from warehouse import past_units
from warehouse.filling import insert

DUCKDB = "{engine: duckdb, database: past.duckdb}"
LAST_DAY = "2026-03-28"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("past")
    past_units.write_duckdb(folder)
    past_units.load(folder, DUCKDB)
    return str(folder / "metrics.yml")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["metrics", "replay", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_units_that_differ_in_nothing_are_seldom_called(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each plan promises at most 5 %; of 500 splits chance makes 41 or more in one replay of 600."""
    code, out, err = run(capsys, "revenue", file, "--until", LAST_DAY, "--json")

    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["splits"], found["days"], found["is_within"]) == (500, 28, True)
    assert [(one["design"], len(one["looks"])) for one in found["calls"]] == [
        ("group sequential", 4),
        ("group sequential", 28),
        ("confidence sequence", 4),
        ("confidence sequence", 28),
        ("one look at the end", 1),
    ]
    assert all(one["false_calls"] < 41 for one in found["calls"])
    # An exact test at the end calls 25 on average, and 8 or fewer in one replay of 20,000.
    assert found["calls"][-1]["false_calls"] > 8


def test_the_page_says_who_was_split_and_what_was_called(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "revenue", file, "--until", LAST_DAY, "--splits", "60")

    units = len(past_units.first_seen(until=past_units.UNTIL, by_experiment=False))
    assert code == 0
    assert f"over {units} units of exposures users, 1 Mar 2026 to 28 Mar 2026." in out
    assert "Left out: 75 of " in out
    assert "Split at random 60 times (seed 1)." in out
    assert "group sequential, 28 daily looks" in out
    assert "at most 5 %" in out
    assert "Every plan keeps what it promises" in out


def test_values_that_grow_have_fewer_splits_and_weekly_looks(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "total", file, "--until", LAST_DAY, "--json")

    found = json.loads(out)
    (calls,) = found["calls"]
    assert code == 0
    assert (found["splits"], calls["design"], calls["looks"]) == (50, "confidence sequence", [7, 14, 21, 28])


def test_what_cuped_saves_is_the_squared_correlation_by_hand(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "revenue", file, "--until", LAST_DAY, "--splits", "8", "--json")

    how, orders = past_units.BY_HAND["revenue"], past_units.rows()[1]
    units = [
        [number(at, [one for one in orders if one.who == who], past_units.UNTIL) for number in how.numbers.values()]
        for at, who, _ in past_units.first_seen(until=past_units.UNTIL, by_experiment=False).values()
        if at + timedelta(days=7) < past_units.UNTIL
    ]
    values, past = zip(*units, strict=True)
    assert json.loads(out)["gain"] == pytest.approx(_correlation(values, past) ** 2, rel=1e-9)


def _correlation(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    means = [math.fsum(column) / len(column) for column in (one, two)]
    apart = [[value - mean for value in column] for column, mean in zip((one, two), means, strict=True)]
    crossed = math.fsum(x * y for x, y in zip(*apart, strict=True))
    return crossed / math.sqrt(math.fsum(x * x for x in apart[0]) * math.fsum(y * y for y in apart[1]))


def test_values_that_follow_the_splits_end_in_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every split is called; at a promise of 5 % chance does that to both of two in one replay of 400."""
    with duckdb.connect(tmp_path / "past.duckdb") as connection:
        connection.execute("CREATE TABLE exposures (who text, variant text, seen_at timestamp, score double)")
        rows = [
            (
                str(unit),
                "a",
                past_units.SINCE.replace(tzinfo=None) + timedelta(hours=unit % 600),
                float(sum(past_units.is_in_treatment(str(unit), split, seed=1) for split in (0, 1))),
            )
            for unit in range(2000)
        ]
        insert(connection, "exposures", rows)
    (tmp_path / "metrics.yml").write_text(
        f"sources:\n  shop: {DUCKDB}\nexposures:\n"
        "  users: {source: shop, table: exposures, unit: who, variant: variant, exposed_at: seen_at}\n"
        "metrics:\n  score: {kind: mean, direction: up, value: score, complete_at_exposure: true}\n"
    )

    code, out, _ = run(
        capsys, "score", str(tmp_path / "metrics.yml"), "--until", LAST_DAY, "--splits", "2", "--seed", "1"
    )

    assert code == 1
    assert "more than promised" in out
    assert "More is called than promised: group sequential, 4 weekly looks" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["revenu"], "Did you mean revenue?"),
        (["revenue", "--exposures", "users2"], "There are no exposures users2. The file has: users, visits, untimed."),
        (["revenue", "--days", "0"], "--days must be 1 to 120."),
        (["revenue", "--splits", "9999"], "--splits must be 1 to 2,000."),
        (["revenue", "--seed", "-1"], "--seed must be 0 or more."),
        (["revenue", "--until", "soon"], "--until must be a day, as 2026-03-31; `soon` is none."),
        (["revenue", "--days", "7"], "has a window of 7 days, so in 7 days no unit counts"),
        (["revenue", "--until", "2025-12-31"], "The newest exposure is of 2026-04-0"),
        (
            ["revenue", "--until", "2026-03-08", "--days", "8"],
            "can be counted: the window of the others has not closed. A replay takes 200",
        ),
        (["untold"], "keeps growing, and its rows have no time"),
    ],
)
def test_what_cannot_be_done_is_said(
    file: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    metric, *options = arguments

    code, out, err = run(capsys, metric, file, *options)

    assert (code, out) == (1, "")
    assert words in err
