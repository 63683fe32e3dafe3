"""One seed splits the same units on Spark and ClickHouse as plain Python does, and gives the same sums."""

from pathlib import Path

import pytest

from labcoat.usecases.looks import replaying
from labcoat.warehouse.metrics_file import MetricsFile
from warehouse import past_units

FILES = "tables: {exposures: exposures.parquet, orders: orders.parquet}"
SOURCES = {
    "spark": f"{{engine: spark, time_limit_seconds: 300, {FILES}}}",
    "clickhouse": f"{{engine: clickhouse, {FILES}}}",
}
SPLITS = 10


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    past_units.write_duckdb(folder)
    return folder


@pytest.fixture(params=SOURCES)
def file(request: pytest.FixtureRequest, past: Path) -> MetricsFile:
    return past_units.load(past, SOURCES[request.param])


@pytest.mark.parametrize("name", past_units.BY_HAND)
def test_sums_of_every_split_are_those_by_hand(file: MetricsFile, name: str) -> None:
    found = past_units.read(file, name, splits=SPLITS, seed=3).splits

    expected = past_units.by_hand(name, splits=SPLITS, seed=3, centres=found.centres)
    given = past_units.sums_of(found)
    assert given.keys() == expected.keys()
    for key, (units, sums) in expected.items():
        size = units * max(1.0, *map(abs, found.centres))
        assert given[key][0] == units
        assert not key[2] or given[key][1] == pytest.approx(sums, rel=1e-9, abs=1e-11 * size)


def test_the_looks_call_the_same(past: Path) -> None:
    files = [past_units.load(past, source) for source in ("{engine: duckdb, database: past.duckdb}", *SOURCES.values())]

    duckdb, spark, clickhouse = (
        replaying.replay(
            file,
            "basket",
            exposures=None,
            until=past_units.UNTIL,
            days=28,
            splits=40,
            seed=1,
            told=lambda _done, _of: None,
        )
        for file in files
    )

    assert duckdb.calls == spark.calls == clickhouse.calls
    assert duckdb.gain == pytest.approx(spark.gain, rel=1e-9)
    assert duckdb.gain == pytest.approx(clickhouse.gain, rel=1e-9)
