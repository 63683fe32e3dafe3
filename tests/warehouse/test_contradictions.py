"""Data that would be read otherwise than at the first look are refused; what means the same gives the same numbers.

24 users saw `a` and `b` in turn, one each hour from the 2nd of November, 00:30, on. Users 1 to 20 ordered once, a day
later, each for as much as their number.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest

import postgres
from labcoat.domain.findings import Findings
from labcoat.warehouse import metrics_file, reading
from labcoat.warehouse.engines.duckdb_connection import OpenSource
from labcoat.warehouse.engines.postgresql import OpenPostgresql
from labcoat.warehouse.errors import NoRowsYetError, SourceError
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import MetricQuestion, Question, Reading

START, UNTIL = datetime(2026, 11, 1), datetime(2026, 12, 1, tzinfo=UTC)  # noqa: DTZ001 - UTC without a zone
FIRST = datetime(2026, 11, 2, 0, 30)  # noqa: DTZ001 - UTC without a zone
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEANS = {"spent": [110 / 12, 100 / 12], "orders": [10 / 12, 10 / 12]}
"""Of `a`, the even users, 2 + 4 + ... + 20 and ten orders; of `b` 1 + 3 + ... + 19 and ten; over twelve users each."""
TABLES = """
CREATE TABLE seen (user_id BIGINT, variant TEXT, seen_at TIMESTAMP);
CREATE TABLE orders (user_id BIGINT, ordered_at TIMESTAMP, amount DOUBLE PRECISION);
"""
FILE = """\
sources: {{shop: {source}}}
exposures: {{users: {{source: shop, table: seen, unit: user_id, variant: variant, exposed_at: seen_at{exposures}}}}}
metrics:
  spent: {{kind: mean, direction: up, table: orders, value: amount, {spent}}}
  orders: {{kind: mean, direction: up, table: orders, time: ordered_at{orders}}}
"""
IN_DAYS = (
    "ALTER TABLE seen ALTER COLUMN seen_at TYPE DATE USING CAST(seen_at AS DATE);"
    "ALTER TABLE orders ALTER COLUMN ordered_at TYPE DATE USING CAST(ordered_at AS DATE)"
)


Rows = list[tuple[object, ...]]


@dataclass(frozen=True)
class Shop:
    """Tables in one engine, and a metrics file over them."""

    folder: Path
    engine: str
    url: str | None

    def run(self, statements: str) -> None:
        """Do what the team does to its tables."""
        if self.url is None:
            with duckdb.connect(self.folder / "shop.duckdb") as writer:
                writer.execute(statements)
        else:
            with psycopg.connect(self.url) as there, there.cursor() as cursor:
                cursor.execute(statements.encode())

    def fill(self, *, orders: bool = True) -> None:
        """Write the rows above."""
        seen = [(n, "ab"[n % 2], FIRST + n * HOUR) for n in range(24)]
        bought = [(n, FIRST + DAY + n * HOUR, n) for n in range(1, 21)] if orders else []
        self.run(
            "".join(f"INSERT INTO seen VALUES ({n}, '{arm}', '{at}');" for n, arm, at in seen)
            + "".join(f"INSERT INTO orders VALUES ({n}, '{at}', {amount});" for n, at, amount in bought)
        )

    def metrics(self, *, spent: str = "time: ordered_at", orders: str = "", exposures: str = "") -> MetricsFile:
        """Return the metrics file, with more of each part."""
        source = (
            "{engine: duckdb, database: shop.duckdb}" if self.url is None else "{engine: postgresql, url: '${URL}'}"
        )
        path = self.folder / "metrics.yml"
        path.write_text(FILE.format(source=source, spent=spent, orders=orders, exposures=exposures))
        return metrics_file.load(path, environment={} if self.url is None else {"URL": self.url})

    def look(self, before: Findings | None = None, **also: str) -> Reading:
        """Return what a look reads. before: what was found until then. also: as of `metrics`."""
        return reading.read(self.metrics(**also), a_question(before))

    def refusal(self, before: Findings) -> str:
        """Return why a look is refused."""
        with pytest.raises(SourceError) as caught:
            self.look(before)
        assert caught.value.permanent
        return caught.value.message


def a_question(before: Findings | None = None, *metrics: str) -> Question:
    return Question(
        key="E-7",
        goal="spent",
        metrics=tuple(MetricQuestion(name=name) for name in metrics or ("spent", "orders")),
        variants=("a", "b"),
        since=START.replace(tzinfo=UTC),
        until=UNTIL,
        findings=before or Findings(),
    )


def means(found: Reading) -> dict[str, list[float]]:
    return {name: [arm.mean for arm in arms] for name, arms in found.sample.moments.items()}


@pytest.fixture(params=["duckdb", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, postgres_server: postgres.Server) -> Iterator[Shop]:
    """Yield a shop without rows."""
    if request.param == "duckdb":
        yield _opened(Shop(tmp_path, "duckdb", None))
    else:
        with postgres_server.fresh_database(is_migrated=False) as url:
            yield _opened(Shop(tmp_path, "postgresql", url))


def _opened(shop: Shop) -> Shop:
    shop.run(TABLES)
    return shop


def test_what_is_found_is_the_same_at_the_next_look(shop: Shop) -> None:
    shop.fill()

    first = shop.look()
    second = shop.look(first.findings)

    assert means(first) == {name: pytest.approx(both) for name, both in MEANS.items()}
    assert second.sample == first.sample
    assert second.findings == first.findings
    seen = first.findings.exposures["users"].columns
    spent, orders = (first.findings.metrics[name].columns for name in ("spent", "orders"))
    assert {field: column and column.name for field, column in seen.items()} == {
        "unit": "user_id",
        "variant": "variant",
        "exposed_at": "seen_at",
        "experiment": None,
    }
    assert {field: column and column.name for field, column in spent.items()} == {
        "unit": "user_id",
        "time": "ordered_at",
        "value": "amount",
        "covariate": None,
    }
    assert orders["value"] is None
    for time in (seen["exposed_at"], spent["time"]):
        assert time is not None
        assert (time.kind, time.is_day, time.has_clock, time.has_zone, time.formats) == ("time", False, True, False, ())


TO_DAYS = "ALTER TABLE {} ALTER COLUMN {} TYPE DATE USING CAST({} AS DATE)"
SEEN, BOUGHT = ("seen", "seen_at", "seen_at"), ("orders", "ordered_at", "ordered_at")
DAYS_NOW = "had times of day at the first look, and has days only now"


@pytest.mark.parametrize(
    ("change", "who", "words"),
    [
        (TO_DAYS.format(*SEEN), "Exposures users: seen_at", DAYS_NOW),
        ("UPDATE seen SET seen_at = CAST(seen_at AS DATE)", "Exposures users: seen_at", DAYS_NOW),
        (
            "ALTER TABLE seen ALTER COLUMN user_id TYPE TEXT; ALTER TABLE orders ALTER COLUMN user_id TYPE TEXT",
            "Exposures users: user_id",
            "held numbers (",
        ),
        (
            "ALTER TABLE seen ALTER COLUMN seen_at TYPE TIMESTAMPTZ USING seen_at AT TIME ZONE 'Europe/Berlin'",
            "Exposures users: seen_at",
            "had times without a zone at the first look (timestamp), and has times with one now (timestamp",
        ),
        (
            "ALTER TABLE orders ALTER COLUMN ordered_at TYPE TIMESTAMPTZ USING ordered_at AT TIME ZONE 'Europe/Berlin'",
            "Metric spent: ordered_at",
            "had times without a zone at the first look",
        ),
        (
            "ALTER TABLE seen ADD COLUMN experiment TEXT; UPDATE seen SET experiment = 'E-7'",
            "Exposures users: `experiment`",
            "is the column experiment now, and there was none at the first look. Write `experiment: null` to go on",
        ),
        (
            "ALTER TABLE orders ADD COLUMN value DOUBLE PRECISION; UPDATE orders SET value = 7",
            "Metric orders: `value`",
            "is the column value now, and there was none at the first look",
        ),
    ],
)
def test_data_that_contradict_the_first_look_are_refused(shop: Shop, change: str, who: str, words: str) -> None:
    shop.fill()
    found = shop.look().findings

    shop.run(change)
    refusal = shop.refusal(found)

    assert refusal.startswith(who)
    assert words.casefold() in refusal.casefold()
    assert refusal.endswith("stop the experiment and run it again.")
    assert isinstance(shop.look(), Reading)  # nothing else is wrong with it


def test_days_that_become_times_are_refused_and_so_is_the_reverse(shop: Shop) -> None:
    shop.fill()
    shop.run(IN_DAYS)
    days = shop.look().findings

    shop.run("ALTER TABLE orders ALTER COLUMN ordered_at TYPE TIMESTAMP USING CAST(ordered_at AS TIMESTAMP)")
    shop.run("UPDATE orders SET ordered_at = ordered_at + INTERVAL '10 hours'")
    times = shop.look().findings
    of_metric = shop.refusal(days)
    shop.run(TO_DAYS.format(*BOUGHT))
    back = shop.refusal(times)
    shop.run("ALTER TABLE seen ALTER COLUMN seen_at TYPE TIMESTAMP USING CAST(seen_at AS TIMESTAMP)")
    shop.run("UPDATE seen SET seen_at = seen_at + INTERVAL '10 hours'")
    of_exposures = shop.refusal(days)

    assert of_metric.startswith("Metric spent: ordered_at had days only at the first look, and has times of day now.")
    assert back.startswith(f"Metric spent: ordered_at {DAYS_NOW}")
    assert of_exposures.startswith("Exposures users: seen_at had days only at the first look")


def test_numbers_that_become_text_are_refused(shop: Shop) -> None:
    shop.fill()
    found = shop.look().findings

    shop.run("ALTER TABLE orders ALTER COLUMN amount TYPE TEXT")

    refusal = shop.refusal(found)
    is_read = shop.engine == "duckdb"
    assert refusal.startswith("Metric spent: amount")
    assert ("held numbers (DOUBLE) at the first look, and holds text (VARCHAR) now" in refusal) is is_read
    assert ("not a number" in refusal) is not is_read


def test_a_column_that_is_gone_is_refused(shop: Shop) -> None:
    shop.run("ALTER TABLE orders ADD COLUMN value DOUBLE PRECISION DEFAULT 3")
    shop.run("ALTER TABLE seen ADD COLUMN experiment TEXT DEFAULT 'E-7'")
    shop.run("INSERT INTO seen (user_id, variant, seen_at) SELECT 1, 'a', CAST('2026-11-02' AS TIMESTAMP)")
    shop.run("INSERT INTO seen (user_id, variant, seen_at) SELECT 2, 'b', CAST('2026-11-02' AS TIMESTAMP)")
    shop.run("INSERT INTO orders (user_id, ordered_at, amount) SELECT 1, CAST('2026-11-03' AS TIMESTAMP), 5")
    found = shop.look()

    shop.run("ALTER TABLE orders DROP COLUMN value")

    assert means(found)["orders"] == [3, 0]
    assert shop.refusal(found.findings).startswith(
        "Metric orders: `value` was the column value at the first look, and there is none now. Put it back"
    )


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE seen ALTER COLUMN user_id TYPE INTEGER; ALTER TABLE orders ALTER COLUMN user_id TYPE INTEGER",
        "ALTER TABLE seen ALTER user_id TYPE DECIMAL(18, 0); ALTER TABLE orders ALTER user_id TYPE DECIMAL(18, 0)",
        "ALTER TABLE orders ALTER COLUMN amount TYPE DECIMAL(18, 2)",
        "ALTER TABLE orders ALTER COLUMN amount TYPE INTEGER",
        "ALTER TABLE seen ALTER COLUMN variant TYPE VARCHAR(20)",
        "ALTER TABLE seen ADD COLUMN country TEXT; ALTER TABLE orders ADD COLUMN note TEXT",
        'ALTER TABLE seen RENAME COLUMN seen_at TO "Seen_At"',
    ],
)
def test_what_means_the_same_is_not_refused(shop: Shop, change: str) -> None:
    shop.fill()
    first = shop.look()

    shop.run(change)
    second = shop.look(first.findings)

    assert second.sample == first.sample
    assert second.findings == first.findings


def test_a_finer_clock_and_iso_text_are_the_same_moments(tmp_path: Path) -> None:
    shop = _opened(Shop(tmp_path, "duckdb", None))
    shop.fill()
    first = shop.look()

    for type_name in ("TIMESTAMP_NS", "TIMESTAMP_MS", "TEXT", "TIMESTAMP"):
        shop.run(f"ALTER TABLE seen ALTER COLUMN seen_at TYPE {type_name}")
        shop.run(f"ALTER TABLE orders ALTER COLUMN ordered_at TYPE {type_name}")
        again = shop.look(first.findings)
        assert again.sample == first.sample
        assert again.findings == first.findings


def test_text_that_becomes_numbers_was_read_as_these(tmp_path: Path) -> None:
    shop = _opened(Shop(tmp_path, "duckdb", None))
    shop.fill()
    shop.run("ALTER TABLE orders ALTER COLUMN amount TYPE TEXT")
    first = shop.look()

    shop.run("ALTER TABLE orders ALTER COLUMN amount TYPE DOUBLE")

    assert shop.look(first.findings).sample == first.sample


def test_days_that_are_stored_as_midnights_are_days_still(shop: Shop) -> None:
    shop.fill()
    shop.run(IN_DAYS)
    first = shop.look()

    shop.run("ALTER TABLE seen ALTER COLUMN seen_at TYPE TIMESTAMP USING CAST(seen_at AS TIMESTAMP)")
    shop.run("ALTER TABLE orders ALTER COLUMN ordered_at TYPE TIMESTAMP USING CAST(ordered_at AS TIMESTAMP)")
    second = shop.look(first.findings)

    assert second.sample == first.sample
    assert second.findings == first.findings


def test_a_first_cohort_at_midnight_is_followed_by_others_with_times(shop: Shop) -> None:
    shop.fill()
    shop.run("UPDATE seen SET seen_at = CAST(seen_at AS DATE)")
    first = shop.look()
    shop.run("INSERT INTO seen VALUES (24, 'a', '2026-11-04 09:00:00')")

    second = shop.look(first.findings)
    seen = second.findings.exposures["users"].columns["exposed_at"]

    assert second.sample.exposed == (13, 12)
    assert seen is not None
    assert seen.has_clock
    shop.run("UPDATE seen SET seen_at = CAST(seen_at AS DATE)")
    assert DAYS_NOW in shop.refusal(second.findings)


def test_a_table_that_was_empty_at_the_first_look_is_found_once_a_row_counts(shop: Shop) -> None:
    shop.fill(orders=False)
    empty = shop.look()
    shop.run("DROP TABLE orders")
    shop.run("CREATE TABLE orders (user_id BIGINT, ordered_at TIMESTAMPTZ, value DOUBLE PRECISION, amount INTEGER)")
    nobody = shop.look(empty.findings)
    shop.run("INSERT INTO orders VALUES (1, '2026-11-05 10:00:00+00', 2, 5)")
    first = shop.look(nobody.findings)

    shop.run("ALTER TABLE orders DROP COLUMN value")

    assert (empty.findings.metrics, nobody.findings.metrics) == ({}, {})
    assert means(first) == {"spent": [0, 5 / 12], "orders": [0, 2 / 12]}
    assert shop.refusal(first.findings).startswith("Metric orders: `value` was the column value at the first look")


def test_a_table_of_exposures_that_is_empty_meanwhile_is_no_contradiction(shop: Shop) -> None:
    shop.fill()
    found = shop.look().findings

    shop.run("DROP TABLE seen; CREATE TABLE seen (user_id BIGINT, variant TEXT, seen_at DATE)")

    with pytest.raises(NoRowsYetError):
        shop.look(found)


def test_null_in_the_metrics_file_goes_on_as_before(shop: Shop) -> None:
    shop.fill()
    first = shop.look()
    shop.run("ALTER TABLE orders ADD COLUMN value DOUBLE PRECISION DEFAULT 7")

    second = shop.look(first.findings, orders=", value: null")

    assert shop.refusal(first.findings).startswith("Metric orders: `value` is the column value now")
    assert second.sample == first.sample
    assert second.definitions == first.definitions
    assert second.findings == first.findings


def test_what_the_metrics_file_defines_anew_is_found_anew(shop: Shop) -> None:
    shop.fill()
    first = shop.look()
    shop.run("ALTER TABLE orders ADD COLUMN paid_at DATE; UPDATE orders SET paid_at = CAST(ordered_at AS DATE)")

    second = shop.look(first.findings, spent="time: paid_at, same_day: include")
    third = shop.look(second.findings, spent="time: paid_at, same_day: include")

    paid = second.findings.metrics["spent"].columns["time"]
    assert paid is not None
    assert (paid.name, paid.is_day) == ("paid_at", True)
    assert second.definitions["spent"] != first.definitions["spent"]
    assert second.findings.metrics["orders"] == first.findings.metrics["orders"]
    assert second.findings.exposures == first.findings.exposures
    assert third.findings == second.findings


def test_exposures_that_are_defined_anew_are_found_anew_with_their_metrics(shop: Shop) -> None:
    shop.fill()
    first = shop.look()
    shop.run(f"{TO_DAYS.format(*SEEN)}; ALTER TABLE seen ADD COLUMN experiment TEXT")

    shop.run("UPDATE seen SET experiment = 'E-7'")

    with pytest.raises(SourceError, match=DAYS_NOW):
        shop.look(first.findings, exposures=", experiment: null, partition: seen_at")  # means what it meant
    second = shop.look(first.findings, exposures=", experiment: experiment")

    seen = second.findings.exposures["users"].columns
    assert seen["experiment"] is not None
    assert seen["exposed_at"] is not None
    assert seen["exposed_at"].is_day
    assert set(second.definitions.values()).isdisjoint(first.definitions.values())
    assert {name: rows.definition for name, rows in second.findings.metrics.items()} != {
        name: rows.definition for name, rows in first.findings.metrics.items()
    }


def test_of_a_batch_only_the_experiment_that_read_otherwise_before_is_refused(shop: Shop) -> None:
    shop.fill()
    first = shop.look()
    shop.run(IN_DAYS)
    world = shop.metrics()

    old, new, count = reading.read_many(
        world, [a_question(first.findings), a_question(), replace(a_question(first.findings), metrics=())]
    )

    assert isinstance(old, SourceError)
    assert isinstance(count, SourceError)
    assert old.message == count.message
    assert old.message.startswith("Exposures users: seen_at had times of day at the first look")
    assert isinstance(new, Reading)
    assert new.sample == shop.look().sample


def test_a_batch_asks_no_more_than_one_experiment(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.fill()
    first = shop.look()
    asked: list[str] = []
    for engine in (OpenPostgresql, OpenSource):
        monkeypatch.setattr(engine, "rows", _noting(engine.rows, asked))

    found = reading.read_many(shop.metrics(), [a_question(first.findings)] * 3)

    assert [one.sample for one in found if isinstance(one, Reading)] == [first.sample] * 3
    assert len(asked) == 2  # the numbers, and rows of nobody


def _noting(rows: Callable[..., Rows], asked: list[str]) -> Callable[..., Rows]:
    def noted(source: object, text: str) -> Rows:
        asked.append(text)
        return rows(source, text)

    return noted


TEXTS = """\
sources: {shop: {engine: duckdb, tables: {seen: seen.csv, orders: orders.csv}}}
exposures: {users: {source: shop, table: seen, unit: user_id, variant: variant, exposed_at: seen_at}}
metrics: {spent: {kind: mean, direction: up, table: orders, unit: user_id, time: ordered_at, value: amount}}
"""


def a_folder(folder: Path, way: str, *, also: Sequence[str] = ()) -> Callable[[Findings | None], Reading]:
    """Write the shop as CSV, with times written in one way; return what reads it."""
    seen = [f"{n},{'ab'[n % 2]},{(FIRST + n * HOUR):%Y-%m-%d %H:%M:%S}" for n in range(24)]
    days = [3 + n for n in range(20)]
    orders = [f'{n + 1},"{datetime(2026, 11, day, 10, 30):{way}}",{n + 1}' for n, day in enumerate(days)]  # noqa: DTZ001
    (folder / "seen.csv").write_text("\n".join(["user_id,variant,seen_at", *seen]))
    (folder / "orders.csv").write_text("\n".join(["user_id,ordered_at,amount", *orders, *also]))
    (folder / "metrics.yml").write_text(TEXTS)
    world = metrics_file.load(folder / "metrics.yml")
    return lambda before: reading.read(world, a_question(before, "spent"))


@pytest.mark.parametrize(
    ("first", "now", "words"),
    [
        (
            "%d/%m/%Y %H:%M",
            "%m/%d/%Y %H:%M",
            "was written as `%d/%m/%Y %H:%M` at the first look, and as `%m/%d/%Y %H:%M`",
        ),
        ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "was written as `%m/%d/%Y %H:%M` at the first look"),
        (
            "%d/%m/%Y %H:%M",
            "%Y-%m-%d %H:%M:%S",
            "was written as `%d/%m/%Y %H:%M` at the first look, and as ISO (2026-11-05) now",
        ),
        (
            "%Y-%m-%d %H:%M:%S",
            "%m/%d/%Y %H:%M",
            "was written as ISO (2026-11-05) at the first look, and as `%m/%d/%Y %H:%M`",
        ),
        ("%d/%m/%Y %H:%M", "%d %b %Y %H:%M", "and as `%d %b %Y %H:%M` now"),
        ("%d/%m/%Y %H:%M", "%d/%m/%Y", "had times of day at the first look, and has days only now"),
        ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M+0100", "had times without a zone at the first look"),
        ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S+01", "had times without a zone at the first look"),
    ],
)
def test_text_that_is_rewritten_is_refused(tmp_path: Path, first: str, now: str, words: str) -> None:
    found = a_folder(tmp_path, first)(None).findings
    read = a_folder(tmp_path, now)

    with pytest.raises(SourceError) as caught:
        read(found)

    assert caught.value.message.startswith("Metric spent: ordered_at ")
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("first", "now"),
    [
        ("%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
        ("%d/%m/%Y %H:%M", "%d/%m/%Y %I:%M %p"),
        ("%d %b %Y %H:%M", "%B %d, %Y %H:%M"),
        ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M"),
        ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M UTC"),
        ("%Y-%m-%d %H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00"),
    ],
)
def test_other_signs_between_the_same_numbers_are_no_contradiction(tmp_path: Path, first: str, now: str) -> None:
    before = a_folder(tmp_path, first)(None)

    after = a_folder(tmp_path, now)(before.findings)

    assert after.sample == before.sample


@pytest.mark.parametrize("way", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%d %H:%M:%S+01:00"])
def test_a_row_that_makes_a_column_of_times_text_or_takes_that_back_changes_nothing(tmp_path: Path, way: str) -> None:
    plain, odd = a_folder(tmp_path, way), ["99,soon,7"]
    typed = plain(None)

    as_text = a_folder(tmp_path, way, also=odd)(typed.findings)
    first_text = a_folder(tmp_path, way, also=odd)(None)
    again = a_folder(tmp_path, way)(first_text.findings)

    assert as_text.sample == first_text.sample == again.sample == typed.sample
    assert first_text.findings.metrics["spent"].columns["time"] != typed.findings.metrics["spent"].columns["time"]


@pytest.mark.parametrize(
    "row", ["099,2026-11-05 10:30:00,7", "ninety,2026-11-05 10:30:00,7", "99,2026-11-05 10:30:00,many"]
)
def test_a_row_that_makes_other_columns_of_a_file_text_changes_nothing(tmp_path: Path, row: str) -> None:
    plain = a_folder(tmp_path, "%Y-%m-%d %H:%M:%S")(None)
    read = a_folder(tmp_path, "%Y-%m-%d %H:%M:%S", also=[row])
    seen = tmp_path / "seen.csv"

    if row.startswith(("0", "n")):  # exposed before the start; else the two could not be compared
        seen.write_text(f"{seen.read_text()}\n{row.split(',')[0]},a,2026-10-20 09:00:00\n")
    second = read(plain.findings)

    assert second.sample == plain.sample
    assert second.findings == plain.findings


@pytest.mark.parametrize(("first", "now"), [("{}", "{} %"), ("{} %", "{}")])
def test_percent_signs_that_come_or_go_are_refused(tmp_path: Path, first: str, now: str) -> None:
    read = a_folder(tmp_path, "%Y-%m-%d %H:%M:%S")
    orders = tmp_path / "orders.csv"
    rows = [line.rsplit(",", 1) for line in orders.read_text().splitlines()]
    ways = [
        "\n".join([",".join(rows[0]), *(f"{row},{way.format(cell)}" for row, cell in rows[1:])]) for way in (first, now)
    ]

    orders.write_text(ways[0])
    found = read(None)
    orders.write_text(ways[1])

    assert means(found)["spent"] == pytest.approx([each / (100 if "%" in first else 1) for each in MEANS["spent"]])
    with pytest.raises(SourceError, match=r"Metric spent: amount had .*percent signs at the first look, and has"):
        read(found.findings)
