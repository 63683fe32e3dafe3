"""One table gives the same numbers as a given file, as Parquet behind a metrics file, and as a table of PostgreSQL."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest

import postgres
from builders import a_goal, a_guardrail, a_typed_plan
from labcoat.domain.plan import PlannedMetric, Variant
from labcoat.stats.rule import Direction, MetricKind, Moments, Role
from labcoat.usecases.experiments import uploads
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.reading import MetricQuestion, Question

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VARIANTS = ("gate_30", "gate_40")
KINDS = {
    "retention_7": MetricKind.PROPORTION,
    "retention_1": MetricKind.PROPORTION,
    "sum_game_rounds": MetricKind.MEAN,
}
EXPOSURES = "exposures:\n  players: {source: shop, table: players, unit: userid, variant: version}\n"
SQL = "SELECT userid, CAST({name} AS INTEGER) AS value FROM players"
PLAYERS = 4000


def players() -> list[tuple[int, str, int, bool, bool]]:
    """Return players of a game with a gate at one of two levels: rounds played, and whether they came back."""
    numbers = random.Random(2017)
    return [
        (
            n * 7,
            numbers.choice(VARIANTS),
            int(numbers.paretovariate(0.9)),
            numbers.random() < 0.45,
            numbers.random() < 0.19,
        )
        for n in range(PLAYERS)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("players")
    lines = [f"{user},{arm},{rounds},{day_1},{day_7}\n" for user, arm, rounds, day_1, day_7 in players()]
    (folder / "players.csv").write_text("userid,version,sum_game_rounds,retention_1,retention_7\n" + "".join(lines))
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM '{folder}/players.csv') TO '{folder}/players.parquet' (FORMAT parquet)")
    return folder


@pytest.fixture(scope="module")
def url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE players "
                "(userid int, version text, sum_game_rounds int, retention_1 bool, retention_7 bool)"
            )
            cursor.executemany("INSERT INTO players VALUES (%s, %s, %s, %s, %s)", players())
        yield url


def by_file(path: Path) -> dict[str, list[Moments]]:
    goal = a_goal("retention_7")
    rounds = PlannedMetric(name="sum_game_rounds", role=Role.SECONDARY, kind=MetricKind.MEAN, direction=Direction.UP)
    plan = a_typed_plan(goal, a_guardrail("retention_1"), rounds)
    variants = tuple(Variant(name=name, weight=0.5) for name in VARIANTS)
    totals = uploads.read_file(path, replace(plan, variants=variants), goal, name=path.name, field="file").totals
    return {name: [by_variant[one] for one in VARIANTS] for name, by_variant in totals.items()}


def by_metrics_file(folder: Path, source: str, environment: dict[str, str]) -> dict[str, Sequence[Moments]]:
    described = "".join(
        f"  {name}: {{kind: {kind.value}, direction: up, sql: {SQL.format(name=name)!r}}}\n"
        for name, kind in KINDS.items()
    )
    path = folder / "metrics.yaml"
    path.write_text(f"sources:\n  shop: {source}\n{EXPOSURES}metrics:\n{described}")
    metrics = metrics_file.load(path, environment=environment)
    question = Question(
        key="E-7",
        goal="retention_7",
        metrics=tuple(
            MetricQuestion(name=name, measuring=reading.measuring_of(metrics.metrics[name])) for name in KINDS
        ),
        variants=VARIANTS,
        since=NOW - timedelta(days=30),
        until=NOW,
    )
    return dict(reading.read(metrics, question).sample.moments)


def test_a_given_file_is_what_parquet_and_postgresql_are(folder: Path, url: str) -> None:
    wanted = by_file(folder / "players.csv")
    found: dict[str, Mapping[str, Sequence[Moments]]] = {
        "parquet given": by_file(folder / "players.parquet"),
        "parquet": by_metrics_file(folder, "{engine: duckdb, tables: {players: players.parquet}}", {}),
        "postgresql": by_metrics_file(folder, "{engine: postgresql, url: '${SHOP_URL}'}", {"SHOP_URL": url}),
    }

    assert sum(one.count for one in wanted["retention_7"]) == PLAYERS
    for way, totals in found.items():
        assert set(totals) == set(KINDS), way
        for name, moments in totals.items():
            for one, other in zip(moments, wanted[name], strict=True):
                assert (one.count, one.mean, one.variance) == pytest.approx(
                    (other.count, other.mean, other.variance), rel=1e-9
                ), (way, name)
