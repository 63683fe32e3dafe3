"""Random splits of past units: each engine's sums are what plain Python makes of the rows, and bits are fair coins."""

import statistics
from collections.abc import Iterator
from itertools import pairwise

import pytest
import sqlglot

import postgres
from labcoat.stats.rule import MetricKind
from labcoat.warehouse import replaying, splitting, sql
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposed_units import EXPOSURES
from labcoat.warehouse.measures import ExposureColumns, Measure
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.resolving import Resolved
from labcoat.warehouse.sql import Bounds, Rows
from warehouse import past_units

ENGINES = ("duckdb", "postgres", "spark", "clickhouse", "bigquery", "snowflake", "databricks", "trino", "redshift")
SPLITS = 140  # more than one hash has bits for


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> MetricsFile:
    folder = tmp_path_factory.mktemp("past")
    past_units.write_duckdb(folder)
    return past_units.load(folder, "{engine: duckdb, database: past.duckdb}")


@pytest.fixture(scope="module")
def on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres_server: postgres.Server) -> Iterator[MetricsFile]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        past_units.write_postgresql(url)
        source = "{engine: postgresql, url: '${URL}'}"
        yield past_units.load(tmp_path_factory.mktemp("past"), source, environment={"URL": url})


@pytest.fixture(params=["duckdb", "postgresql"])
def file(request: pytest.FixtureRequest) -> MetricsFile:
    found: MetricsFile = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.mark.parametrize("name", past_units.BY_HAND)
def test_sums_of_every_split_are_those_by_hand(file: MetricsFile, name: str) -> None:
    found = past_units.read(file, name, splits=SPLITS, seed=3).splits

    expected = past_units.by_hand(name, splits=SPLITS, seed=3, centres=found.centres)
    given = past_units.sums_of(found)
    assert {key: units for key, (units, _) in given.items()} == {key: units for key, (units, _) in expected.items()}
    for key, (units, sums) in expected.items():
        if key[2]:  # what counts at no look has no sums that anybody reads
            # A sum of differences from the mean is near 0: its error is measured by what it is made of.
            size = units * max(1.0, *map(abs, found.centres))
            assert given[key][1] == pytest.approx(sums, rel=1e-9, abs=1e-11 * size)


def test_rows_that_lack_something_are_counted_and_left_out(file: MetricsFile) -> None:
    found = past_units.read(file, "bought", splits=8)

    # In every fortieth of 600 units: no variant, a blank one, no time, twice no unit; without an experiment is of none.
    assert found.incomplete == 15 * 5
    assert found.exposed == len(past_units.first_seen(until=past_units.UNTIL, by_experiment=False))


def test_every_split_is_near_half_and_knows_nothing_of_another() -> None:
    """The standard error of a share of 4,000 is .008, of a correlation .016."""
    units = [str(number) for number in range(4000)]
    bits = [[float(past_units.is_in_treatment(unit, split, seed=1)) for unit in units] for split in range(0, 512, 8)]

    assert all(abs(statistics.fmean(one) - 0.5) < 4.5 * 0.008 for one in bits)
    assert all(abs(statistics.correlation(one, two)) < 4.5 * 0.016 for one, two in pairwise(bits))


def test_a_seed_gives_the_same_splits_and_another_others(on_duckdb: MetricsFile) -> None:
    first, again, other = (
        {key: units for key, (units, _) in past_units.sums_of(found.splits).items()}
        for found in (past_units.read(on_duckdb, "bought", splits=8, seed=seed) for seed in (1, 1, 2))
    )

    assert first == again
    assert first.keys() >= {(split, 1, 4) for split in (None, *range(8))}
    assert first != other


@pytest.mark.parametrize(
    ("name", "exposures", "words"),
    [
        ("revenue", "untimed", "its exposures have no column exposed_at"),
        ("orders", "untimed", "no column exposed_at"),
        ("score", "untimed", "there is no column score"),
        ("untold", "users", "keeps growing, and its rows have no time"),
        ("worded", "users", "values other than 0 and 1"),
    ],
)
def test_what_cannot_be_replayed_is_refused(file: MetricsFile, name: str, exposures: str, words: str) -> None:
    question = past_units.asked(file, name, splits=8, exposures=exposures)

    with pytest.raises(SourceError, match=words):
        replaying.read(file, question, told=lambda _done, _of: None)


def resolved(kind: MetricKind) -> Resolved:
    is_ratio = kind is MetricKind.RATIO
    return Resolved(
        exposures=ExposureColumns(
            unit="e.who", variant="CAST(e.variant AS TEXT)", exposed_at="CAST(e.seen_at AS TIMESTAMPTZ)",
            experiment="e.experiment", is_unit_text=True,
        ),
        measures=(
            Measure(
                kind=kind, rows="labcoat_rows_0", unit="e.who", time="CAST(e.at AS TIMESTAMPTZ)",
                value="CAST(e.amount AS DOUBLE)", denominator="CAST(e.items AS DOUBLE)" if is_ratio else None,
                window_seconds=86_400, pre_seconds=86_400, cap=5.0,
            ),
        ),
        rows={EXPOSURES: Rows(table="exposures"), "labcoat_rows_0": Rows(table="orders")},
    )  # fmt: skip


@pytest.mark.parametrize("dialect", ENGINES)
@pytest.mark.parametrize("kind", [MetricKind.MEAN, MetricKind.RATIO])
def test_every_engine_reads_back_what_is_written_for_it(dialect: str, kind: MetricKind) -> None:
    past = splitting.Past(since=past_units.SINCE, edges=[past_units.UNTIL])
    bounds = Bounds(since=past.since, until=past.until)
    centres = (1.5, 2.0, 3.0, 4.0) if kind is MetricKind.RATIO else (1.5, 3.0)

    for ours in (
        splitting.rows_query(resolved(kind), past),
        splitting.newest_query(resolved(kind)),
        splitting.profile_query(resolved(kind), past),
        splitting.splits_query(resolved(kind), past, centres, seed=1, word=0, splits=128),
    ):
        text = sql.write(ours, resolved(kind).rows, dialect=dialect, bounds=bounds)
        tree = sqlglot.parse_one(text, read=dialect)
        assert sqlglot.parse_one(tree.sql(dialect), read=dialect) == tree


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("clickhouse", "LOWER(HEX(MD5("),
        ("bigquery", "TO_HEX(MD5("),
        ("trino", "LOWER(TO_HEX(MD5(TO_UTF8("),
        ("snowflake", "MD5("),
    ],
)
def test_the_hash_is_the_same_hex_text_everywhere(dialect: str, words: str) -> None:
    past = splitting.Past(since=past_units.SINCE, edges=[past_units.UNTIL])
    ours = splitting.splits_query(resolved(MetricKind.MEAN), past, (0.0, 0.0), seed=1, word=0, splits=8)

    bounds = Bounds(since=past.since, until=past.until)
    assert words in sql.write(ours, resolved(MetricKind.MEAN).rows, dialect=dialect, bounds=bounds)
