"""One metrics file gives what Python gives by hand, on each engine that needs nothing installed."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import postgres
from labcoat.stats.rule import MetricKind
from labcoat.warehouse import reading
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import Question, Reading
from warehouse import shop

DUCKDB = "{engine: duckdb, database: shop.duckdb}"
PARQUET = "{engine: duckdb, tables: {exposures: exposures.parquet, orders: orders.parquet}}"
POSTGRESQL = "{engine: postgresql, url: '${SHOP_URL}', time_limit_seconds: 5}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    shop.write_duckdb(folder)
    return folder


@pytest.fixture(scope="module")
def postgresql_url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        shop.write_postgresql(url)
        yield url


@pytest.fixture(params=[DUCKDB, PARQUET, POSTGRESQL], ids=["duckdb", "parquet", "postgresql"])
def metrics(request: pytest.FixtureRequest, folder: Path, postgresql_url: str) -> MetricsFile:
    return shop.load(folder, request.param, environment={"SHOP_URL": postgresql_url})


@pytest.fixture
def on_postgresql(folder: Path, postgresql_url: str) -> MetricsFile:
    return shop.load(folder, POSTGRESQL, environment={"SHOP_URL": postgresql_url})


def answered(found: list[Reading | SourceError]) -> list[Reading]:
    assert not [one for one in found if isinstance(one, SourceError)]
    return [one for one in found if isinstance(one, Reading)]


def test_every_metric_is_what_python_computes_by_hand(metrics: MetricsFile) -> None:
    questions = [shop.question(key, tuple(metrics.metrics)) for key in shop.KEYS]

    for key, found in zip(shop.KEYS, answered(reading.read_many(metrics, questions)), strict=True):
        units, crossed = shop.units_by_hand(key)
        assert found.crossed == crossed > 0
        assert found.sample.exposed == tuple(sum(unit.variant == variant for unit in units) for variant in "ab")
        for name, metric in metrics.metrics.items():
            for moments, variant in zip(found.sample.moments[name], "ab", strict=True):
                count, means, covariances = shop.numbers_by_hand(key, name, variant)
                if metric.kind is MetricKind.PROPORTION and moments.joint is None:
                    covariances[0][0] = means[0] * (1 - means[0])
                assert count > 100
                found_count, found_means, found_covariances = shop.numbers_of(moments)
                assert found_count == count, name
                assert found_means == pytest.approx(means, rel=1e-9), name
                for row, by_hand in zip(found_covariances, covariances, strict=True):
                    assert row == pytest.approx(by_hand, rel=1e-9, abs=1e-12), name


def test_together_is_the_same_as_alone(metrics: MetricsFile) -> None:
    questions = [shop.question(key, ("revenue", "basket")) for key in shop.KEYS]

    together = answered(reading.read_many(metrics, questions))

    for found, question in zip(together, questions, strict=True):
        alone = reading.read(metrics, question).sample
        assert found.sample.exposed == alone.exposed
        for name in ("revenue", "basket"):
            for one, other in zip(found.sample.moments[name], alone.moments[name], strict=True):
                assert one.mean == pytest.approx(other.mean, rel=1e-12)


def test_one_experiment_s_fault_spoils_no_other(metrics: MetricsFile) -> None:
    good, bad = (shop.question(key, ("revenue",)) for key in shop.KEYS)
    unplanned = Question(
        key=bad.key, goal=bad.goal, metrics=bad.metrics, variants=("a", "c"), since=bad.since, until=bad.until
    )

    first, second = reading.read_many(metrics, [good, unplanned])

    assert isinstance(first, Reading)
    assert isinstance(second, SourceError)
    assert "a variant that is not in the plan: b" in second.message


def test_a_count_asks_for_no_metric(metrics: MetricsFile) -> None:
    question = shop.question("E-7", ("revenue",))
    only_units = Question(
        key="E-7", goal="revenue", metrics=(), variants=("a", "b"), since=shop.SINCE, until=shop.UNTIL
    )

    (count,) = answered(reading.read_many(metrics, [only_units]))

    assert count.sample.exposed == reading.read(metrics, question).sample.exposed
    assert "orders" not in reading.written(metrics, only_units)["users"]


def test_all_metrics_of_an_experiment_are_one_query(metrics: MetricsFile) -> None:
    written = reading.written(metrics, shop.question("E-7", tuple(metrics.metrics)))

    assert list(written) == ["users"]
    # Five metrics read the orders in the same way, and one by a SELECT of its own.
    assert written["users"].count("orders AS e") + written["users"].count('"orders" AS e') == 1


def with_sql(metrics: MetricsFile, text: str) -> MetricsFile:
    metric = metrics.metrics["spent so far"].model_copy(update={"sql": text})
    return metrics.model_copy(update={"metrics": {"bad": metric}})


def refusal(metrics: MetricsFile) -> SourceError:
    with pytest.raises(SourceError) as caught:
        reading.read(metrics, shop.question("E-7", ("bad",)))
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "SELECT user_id, amount AS value FROM orders; DROP TABLE orders",
        "DROP TABLE orders",
        "WITH gone AS (DELETE FROM orders RETURNING user_id, amount) SELECT user_id, amount AS value FROM gone",
        "COPY orders TO '/tmp/labcoat_orders.csv'",
        "SELECT user_id, amount AS value INTO stolen FROM orders",
    ],
)
def test_postgresql_is_asked_for_one_select_only(on_postgresql: MetricsFile, text: str) -> None:
    assert "must be one SELECT statement" in refusal(with_sql(on_postgresql, text)).message


@pytest.mark.parametrize(
    "text",
    [
        "SELECT user_id, setval('numbers', 7) AS value FROM orders",
        "SELECT user_id, add_one() AS value FROM orders",
        "SELECT user_id, length(set_config('transaction_read_only', 'off', false)) AS value FROM orders",
        "SELECT user_id, amount AS value FROM orders FOR UPDATE",
    ],
)
def test_a_function_with_a_side_effect_finds_the_transaction_read_only(
    on_postgresql: MetricsFile, postgresql_url: str, text: str
) -> None:
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS numbers")
        connection.execute("CREATE TABLE IF NOT EXISTS calls (at int)")
        connection.execute(
            "CREATE OR REPLACE FUNCTION add_one() RETURNS int LANGUAGE sql AS "
            "'INSERT INTO calls VALUES (1) RETURNING 1'"
        )

    error = refusal(with_sql(on_postgresql, text))

    with psycopg.connect(postgresql_url) as connection:
        calls = connection.execute("SELECT count(*) FROM calls").fetchone()
    assert calls == (0,)
    assert "read-only" in error.message or "read-write mode" in error.message


def test_a_source_that_sleeps_is_cancelled_and_may_be_asked_again(folder: Path, postgresql_url: str) -> None:
    source = "{engine: postgresql, url: '${SHOP_URL}', time_limit_seconds: 0.2}"
    metrics = shop.load(folder, source, environment={"SHOP_URL": postgresql_url})

    error = refusal(with_sql(metrics, "SELECT user_id, 1 AS value FROM orders, pg_sleep(60)"))

    assert (error.message.partition(".")[0], error.permanent) == ("The SQL took longer than 0", False)


def test_a_connection_that_drops_may_be_asked_again(on_postgresql: MetricsFile) -> None:
    text = "SELECT user_id, CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN 1 ELSE 0 END AS value FROM orders"

    error = refusal(with_sql(on_postgresql, text))

    assert (error.message, error.permanent) == ("The connection to the database was lost while it answered.", False)


@pytest.mark.parametrize("url", ["postgresql://reader:hush@127.0.0.1:1/shop", "postgresql://reader:hush@[bad", "hush"])
def test_a_database_that_cannot_be_reached_is_told_without_its_password(folder: Path, url: str) -> None:
    metrics = shop.load(folder, POSTGRESQL, environment={"SHOP_URL": url})

    with pytest.raises(SourceError) as caught:
        reading.read(metrics, shop.question("E-7", ("revenue",)))

    assert "can't be reached, or refuses the role" in caught.value.message
    assert "hush" not in repr(caught.value.__cause__) + caught.value.message + repr(metrics)
    assert caught.value.__suppress_context__


def test_a_value_that_a_cast_refuses_is_not_quoted(on_postgresql: MetricsFile) -> None:
    text = "SELECT user_id, CAST('ana@example.org' || user_id AS float8) AS value FROM orders"

    message = refusal(with_sql(on_postgresql, text)).message

    assert "ana@" not in message
    assert "A value is not what its column is cast to" in message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("CAST(amount AS text)", "value is of type text, not a number"),
        ("ordered_at", "value is of type timestamp, not a number"),
        ("no_such", 'column "no_such" does not exist'),
    ],
)
def test_a_column_of_a_wrong_type_is_named(on_postgresql: MetricsFile, value: str, words: str) -> None:
    error = refusal(with_sql(on_postgresql, f"SELECT user_id, {value} AS value FROM orders"))

    assert words in error.message
    assert error.permanent


@pytest.mark.parametrize("value", ["'NaN'::float8", "'Infinity'::float8", "NULL::float8", "'NaN'::numeric"])
def test_values_that_are_no_numbers_are_counted(on_postgresql: MetricsFile, value: str) -> None:
    text = f"SELECT user_id, CASE WHEN user_id % 2 = 0 THEN {value} ELSE 1 END AS value FROM orders"

    message = refusal(with_sql(on_postgresql, text)).message

    assert "values that are not numbers" in message


def test_a_unit_that_is_text_here_and_a_number_there_is_refused(on_postgresql: MetricsFile) -> None:
    text = "SELECT CAST(user_id AS text) AS user_id, amount AS value FROM orders"

    error = refusal(with_sql(on_postgresql, text))

    assert error.message == ("Metric bad: user_id is text, and the exposures' user_id is number. Cast one in `sql`.")


def test_a_metric_s_rows_are_bounded_by_constants_the_time_before_included(metrics: MetricsFile) -> None:
    """A partitioned table is read from seven days before the start to the moment of the read, and no further."""
    written = reading.written(metrics, shop.question("E-7", ("revenue", "orders")))["users"]

    (first,) = [part for part in written.split("WHERE") if "2026-02-22 00:00:00" in part]
    assert "ordered_at" in first
    assert ">=" in first
    assert "2026-03-20 00:00:00" in first
