"""Times are read in one way that the file declares or the whole column proves; what is unclear is asked."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from labcoat.stats.rule import Moments
from labcoat.warehouse import metrics_file, reading, sql, times
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile, MetricsFileError
from labcoat.warehouse.reading import MetricQuestion, Question
from labcoat.warehouse.sql import Bounds, Rows
from labcoat.warehouse.times import UnclearError
from warehouse.filling import insert

US_DATES = Path(__file__).parent / "us_dates_orders.csv"
NOVEMBER, DECEMBER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


def read_column(texts: Sequence[str], *, declared: str | None = None) -> list[str | None]:
    """Return texts as times, as DuckDB writes these."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE texts (written TEXT)")
        insert(connection, "texts", [[text] for text in texts])
        found = times.shapes(connection.execute(times.shapes_query("e.written", "texts")).fetchall())
        formats = times.written(found).formats if declared is None else (declared,)
        instant = times.as_instant("e.written", formats)
        return [row[0] for row in connection.execute(f"SELECT CAST({instant} AS TEXT) FROM texts AS e").fetchall()]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            ["2026-11-05T09:30:00Z", "2026-11-05 11:30:00.5+02:00"],
            ["2026-11-05 09:30:00+00", "2026-11-05 09:30:00.5+00"],
        ),
        (["2026-11-05 10:00:00 UTC", "2026-11-05 10:00:00 gmt", "2026-11-05T10:00Z"], ["2026-11-05 10:00:00+00"] * 3),
        (["2026-11-05", "2026-11-06"], ["2026-11-05 00:00:00+00", "2026-11-06 00:00:00+00"]),
        (["11/05/2026 12:00:00", "11/26/2026 12:00:00"], ["2026-11-05 12:00:00+00", "2026-11-26 12:00:00+00"]),
        (["25.11.2026", "1.2.2026"], ["2026-11-25 00:00:00+00", "2026-02-01 00:00:00+00"]),
        (["25/11/2026 9:05 PM", "01/02/2026 10:00 AM"], ["2026-11-25 21:05:00+00", "2026-02-01 10:00:00+00"]),
        (["25/11/2026 10:00:00+0530"], ["2026-11-25 04:30:00+00"]),
        (["25-11-2026 10:00:00.25"], ["2026-11-25 10:00:00.25+00"]),
        (["5 Nov 2026", "6 December 2026"], ["2026-11-05 00:00:00+00", "2026-12-06 00:00:00+00"]),
        (["Nov 5, 2026 10:00"], ["2026-11-05 10:00:00+00"]),
        (["05-Nov-2026 10:00:00", "soon", "", "  "], ["2026-11-05 10:00:00+00", None, None, None]),
    ],
)
def test_what_a_column_proves_is_read(texts: list[str], expected: list[str | None]) -> None:
    assert read_column(texts) == expected


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["11/05/2026", "04/12/2026"], 'Write `time_format: "%m/%d/%Y"` or `time_format: "%d/%m/%Y"`'),
        (["11.05.2026 10:00", "04.12.2026 9:00"], 'Write `time_format: "%m.%d.%Y %H:%M"`'),
        (["13/11/2026", "11/13/2026"], "has days first and months first"),
        (["05/11/26"], "has years of two digits"),
        (["26-11-05"], "has years of two digits"),
        (["25.11.2026", "2026-11-05", "2026-11-06"], "writes times in 2 ways (2 rows and 1 row)"),
        (["25.11.2026", "25/11/2026"], "writes times in 2 ways (1 row and 1 row)"),
        (["2026-11-05 10:00+01:00", "2026-11-06 10:00"], "has times with a zone and times without one"),
        (["25/11/2026 10:00:00 CET"], "names time zones"),
        (["2026-11-05 10:00:00 CET"], "names time zones"),
        (["2026-11-05T10:00:00 Europe/Berlin"], "names time zones"),
        (["2026-11-05 10:00:00Z", "2026-11-05 10:00:00 EST"], "names time zones"),
        (["1793000000", "1793000001"], "has numbers. Say what they count"),
        (["20261105"], "has numbers. Say what they count"),
    ],
)
def test_what_it_does_not_prove_is_asked(texts: list[str], words: str) -> None:
    with pytest.raises(UnclearError) as caught:
        read_column(texts)

    assert words in str(caught.value)


MOMENTS = st.lists(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)).map(  # noqa: DTZ001 - UTC without a zone
        lambda moment: moment.replace(microsecond=0)
    ),
    min_size=1,
    max_size=12,
)
WAYS = ["%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%Y %I:%M:%S %p", "%d-%b-%Y %H:%M:%S", "%B %d, %Y %H:%M:%S"]


@settings(deadline=None)
@given(moments=MOMENTS, way=st.sampled_from([*WAYS, "%Y-%m-%d %H:%M:%S"]))
def test_a_column_is_read_as_it_was_written_or_not_at_all(moments: list[datetime], way: str) -> None:
    texts = [moment.strftime(way) for moment in moments]
    is_clear = way not in WAYS[:3] or any(moment.day > 12 for moment in moments)

    if not is_clear:
        with pytest.raises(UnclearError):
            read_column(texts)
    declared = None if is_clear else way
    assert read_column(texts, declared=declared) == [f"{moment:%Y-%m-%d %H:%M:%S}+00" for moment in moments]


@pytest.mark.parametrize("text", ["%m/%d/%Y", "%d.%m.%Y %H:%M", "%m/%d/%y %I:%M %p", "iso", "epoch milliseconds"])
def test_a_format_is_taken(text: str) -> None:
    assert times.checked_format(text) == text


@pytest.mark.parametrize(
    "text", ["%H:%M", "%d/%m", "soon", "epoch", "%Y-%m-%d %I:%M", "%d/%m/%Y%%", "%d/%m/%Y %Q", "%d %d %m %Y", "%"]
)
def test_what_names_no_moment_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no `time_format`. Write it as `%m/%d/%Y`"):
        times.checked_format(text)


FILE = """\
sources: {shop: {engine: duckdb, tables: {seen: seen.csv, orders: orders.csv}}}
exposures: {users: {source: shop, table: seen, unit: user_id, variant: variant, exposed_at: seen_at}}
metrics: {spent: {kind: mean, direction: up, table: orders, unit: user_id, time: time, value: amount, window_days: 7%s}}
"""


def a_shop(folder: Path, orders: str, *, also: str = "") -> MetricsFile:
    """Return a metric over orders; users u000 to u005 saw `a` and `b` in turn on the first of November."""
    seen = "".join(f"u{number:03},{'ab'[number % 2]},2026-11-01 09:00:00\n" for number in range(6))
    (folder / "seen.csv").write_text(f"user_id,variant,seen_at\n{seen}")
    (folder / "orders.csv").write_text(orders)
    (folder / "metrics.yml").write_text(FILE % also)
    return metrics_file.load(folder / "metrics.yml")


def read(world: MetricsFile, *, until: datetime = DECEMBER) -> list[float]:
    return [one.mean for one in moments_of(world, until=until)]


def moments_of(world: MetricsFile, *, until: datetime) -> Sequence[Moments]:
    spent = (MetricQuestion(name="spent"),)
    asked = Question(key="E-7", goal="spent", metrics=spent, variants=("a", "b"), since=NOVEMBER, until=until)
    return reading.read(world, asked).sample.moments["spent"]


def refusal(world: MetricsFile) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(world)
    return caught.value


def test_text_that_is_declared_as_iso_has_times_of_day_where_it_says_them(tmp_path: Path) -> None:
    orders = "user_id,time,amount\nu000,2026-11-02 10:00:00,3\nu001,2026-11-01 08:00:00,4\nu003,2026-11-01 10:00:00,6\n"

    # A row of nobody makes the column text.
    found = read(a_shop(tmp_path, f"{orders}x,soon,9\n", also=", time_format: iso"))
    days = refusal(a_shop(tmp_path, "user_id,time,amount\nu000,2026-11-02,3\nx,soon,9\n", also=", time_format: iso"))

    assert found == [1, 2]  # of three users each; what u001 bought came before the exposure at 09:00
    assert "rows without a time of day" in days.message


def test_a_declaration_of_iso_allows_no_names_of_zones(tmp_path: Path) -> None:
    rows = "user_id,time,amount\nu000,2026-11-02 10:00:00 CET,6\n"

    error = refusal(a_shop(tmp_path, rows, also=", time_format: iso"))

    assert error.message.startswith("Metric spent: time names time zones. Write times in UTC or with an offset")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026-11-05 09:30", "2026-11-06"], False),
        (["2026-11-05 09:30+01:00"], True),
        (["25/11/2026 10:00+0530"], True),
        (["25/11/2026 10:00"], False),
        (["2026-11-05T09:30:00Z"], None),
        (["2026-11-05"], None),
    ],
)
def test_whether_times_have_a_zone_is_found(texts: list[str], expected: bool | None) -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE texts (written TEXT)")
        insert(connection, "texts", [[text] for text in texts])
        found = times.shapes(connection.execute(times.shapes_query("e.written", "texts")).fetchall())

    assert times.written(found).has_zone is expected


def test_rows_whose_unit_has_another_name_say_which_columns_there_are(tmp_path: Path) -> None:
    a_shop(tmp_path, "customer,time,amount\nu000,2026-11-02 10:00:00,3\n")
    (tmp_path / "metrics.yml").write_text((FILE % "").replace("unit: user_id, time", "time"))

    error = refusal(metrics_file.load(tmp_path / "metrics.yml"))

    assert error.message == (
        "Metric spent: there is no column unit, nor user_id as in the exposures. Write `unit:` with one of: customer, "
        "time, amount."
    )


def test_american_dates_are_not_read_as_european_ones(tmp_path: Path) -> None:
    error = refusal(a_shop(tmp_path, US_DATES.read_text()))

    assert error.message == (
        "Metric spent: time could be months first or days first: no number above 12 tells. Write "
        '`time_format: "%m/%d/%Y %H:%M:%S"` or `time_format: "%d/%m/%Y %H:%M:%S"`.'
    )
    assert error.permanent


def test_with_the_format_they_are_what_they_are(tmp_path: Path) -> None:
    amounts: dict[str, float] = {}
    for line in US_DATES.read_text().splitlines()[1:]:
        user, written, amount = line.split(",")
        if (
            NOVEMBER
            <= datetime.strptime(f"{written}+0000", "%m/%d/%Y %H:%M:%S%z")
            < datetime(2026, 11, 8, 9, tzinfo=UTC)
        ):
            amounts[user] = amounts.get(user, 0.0) + float(amount)
    expected = [sum(amounts.get(f"u{number:03}", 0.0) for number in range(arm, 6, 2)) / 3 for arm in (0, 1)]

    found = read(a_shop(tmp_path, US_DATES.read_text(), also=", time_format: '%m/%d/%Y %H:%M:%S'"))

    assert found == pytest.approx(expected)
    assert min(found) > 0


def test_numbers_are_times_only_if_the_file_says_what_they_count(tmp_path: Path) -> None:
    rows = f"user_id,time,amount\nu000,{int(datetime(2026, 11, 2, 10, tzinfo=UTC).timestamp()) * 1000},6\n"

    error = refusal(a_shop(tmp_path, rows))

    assert error.message == "Metric spent: time has numbers. Say what they count: `time_format: epoch milliseconds`."
    assert read(a_shop(tmp_path, rows, also=", time_format: epoch milliseconds")) == [2.0, 0.0]


def test_numbers_too_small_for_seconds_are_told_apart(tmp_path: Path) -> None:
    for number in (45_000, 20_261_105):
        error = refusal(a_shop(tmp_path, f"user_id,time,amount\nu000,{number},6\n"))

        assert error.message.startswith("Metric spent: time has numbers. They are too small for seconds since 1970:")


def test_a_format_beside_a_real_time_is_refused(tmp_path: Path) -> None:
    error = refusal(a_shop(tmp_path, "user_id,time,amount\nu000,1793000000,6\n", also=", time_format: '%Y-%m-%d'"))

    assert "Say what they count" in error.message

    rows = "user_id,time,amount\nu000,2026-11-02 10:00:00,6\n"
    error = refusal(a_shop(tmp_path, rows, also=", time_format: '%d/%m/%Y'"))
    assert error.message == "Metric spent: time is a time already (TIMESTAMP). Leave out `time_format`."


DAYS = "user_id,time,amount\nu000,2026-11-01,30\nu000,2026-11-02,3\nu002,2026-11-07,6\nu004,2026-11-08,600\n"


@pytest.mark.parametrize("clock", ["", " 00:00:00"])
def test_days_beside_times_ask_what_becomes_of_the_first_one(tmp_path: Path, clock: str) -> None:
    rows = DAYS.replace(",30\n", f"{clock},30\n").replace("-02,", f"-02{clock},").replace("-07,", f"-07{clock},")
    rows = rows.replace("-08,", f"-08{clock},")

    error = refusal(a_shop(tmp_path, rows))

    assert error.message.startswith("Metric spent has rows without a time of day")
    assert "`same_day: include`" in error.message
    assert "`same_day: exclude`" in error.message
    # The window is seven whole days, from the exposure's own on or from the day after.
    assert read(a_shop(tmp_path, rows, also=", same_day: include")) == [13.0, 0.0]
    assert read(a_shop(tmp_path, rows, also=", same_day: exclude")) == [203.0, 0.0]


def test_a_window_of_days_closes_with_its_last_one(tmp_path: Path) -> None:
    world = a_shop(tmp_path, DAYS, also=", same_day: include")

    assert read(world, until=datetime(2026, 11, 8, 0, 0, 1, tzinfo=UTC)) == [13.0, 0.0]
    assert [one.count for one in moments_of(world, until=datetime(2026, 11, 7, 23, tzinfo=UTC))] == [0, 0]


def test_rows_that_have_times_after_all_contradict_what_was_said(tmp_path: Path) -> None:
    rows = "user_id,time,amount\nu000,2026-11-02 00:00:00,3\nu001,2026-11-02 10:00:00,5\n"

    error = refusal(a_shop(tmp_path, rows, also=", same_day: include"))

    assert error.message.startswith("Metric spent has 1 row with a time of day, and `same_day: include` is for rows")


def test_rows_that_were_times_and_are_days_now_are_refused(tmp_path: Path) -> None:
    rows = "user_id,time,amount\nu000,2026-11-02 10:00:00,3\n"
    assert read(a_shop(tmp_path, rows)) == [1.0, 0.0]

    error = refusal(a_shop(tmp_path, DAYS))

    assert error.message.startswith("Metric spent has rows without a time of day")


@pytest.mark.parametrize(("midnights", "timed", "is_refused"), [(10, 9, True), (10, 10, False), (9, 1, False)])
def test_many_rows_at_midnight_among_times_are_two_loads(
    tmp_path: Path, *, midnights: int, timed: int, is_refused: bool
) -> None:
    rows = "u000,2026-11-02 00:00:00,3\n" * midnights + "u000,2026-11-02 10:00:00,3\n" * timed
    world = a_shop(tmp_path, f"user_id,time,amount\n{rows}")

    if is_refused:
        error = refusal(world)
        assert error.message.startswith(
            f"Metric spent has {midnights} rows at midnight among {timed} rows with a time of day: some were written"
        )
    else:
        assert read(world) == [midnights + timed, 0.0]


@pytest.mark.parametrize("none", ["0001-01-01", "1900-01-01", "1970-01-01", "2200-01-01", "9999-12-31"])
@pytest.mark.parametrize("clock", ["", " 00:00:00", " 00:00:00Z"])
def test_what_stands_for_no_time_is_none_whatever_type_its_column_gets(tmp_path: Path, none: str, clock: str) -> None:
    day = clock and f" 10:00:00{clock[9:]}"
    same_day = "" if clock else ", same_day: exclude"
    rows = [f"u{number:03},2026-11-02{day},3\n" for number in range(6)]

    error = refusal(a_shop(tmp_path, f"user_id,time,amount\n{''.join(rows)}u001,{none}{clock},9\n", also=same_day))

    assert error.message.startswith("Metric spent has 1 row with a time that can't be read, or with a day only.")
    assert read(a_shop(tmp_path, f"user_id,time,amount\n{''.join(rows)}u001,,9\n", also=same_day)) == [3.0, 3.0]


@pytest.mark.parametrize("none", ["1900-01-01 00:00:00", "9999-12-31 00:00:00"])
def test_an_exposure_at_no_time_is_lost_and_not_passed_over(tmp_path: Path, none: str) -> None:
    world = a_shop(tmp_path, "user_id,time,amount\nu000,2026-11-02 10:00:00,3\n")
    with (tmp_path / "seen.csv").open("a") as seen:
        seen.write(f"u007,b,{none}\n")

    error = refusal(world)

    assert error.message.startswith("The exposures of E-7 have 1 unit without a time in exposed_at.")


@pytest.mark.parametrize(
    ("day", "also"), [("2026-11-01", ""), ("2026-11-01", ", time_format: iso"), ("13/11/2026", "")]
)
def test_an_exposure_with_a_day_only_among_times_lacks_its_time(tmp_path: Path, day: str, also: str) -> None:
    a_shop(tmp_path, "user_id,time,amount\nu000,2026-11-20 10:00:00,3\nu007,2026-11-20 09:00:00,9\n")
    clock = "2026-11-01 09:00:00" if "-" in day else "13/11/2026 09:00"
    seen = "".join(f"u{number:03},{'ab'[number % 2]},{clock}\n" for number in range(6))
    path = tmp_path / "metrics.yml"
    path.write_text(path.read_text().replace("exposed_at: seen_at", f"exposed_at: seen_at{also}"))
    world = metrics_file.load(path)

    (tmp_path / "seen.csv").write_text(f"user_id,variant,seen_at\n{seen}u007,b,{day}\n")
    assert refusal(world).message.startswith("The exposures of E-7 have 1 unit without a time in exposed_at.")


@pytest.mark.parametrize(
    ("says", "is_of", "wrong"),
    [("seconds", 1, "milliseconds"), ("milliseconds", 1_000, "seconds"), ("microseconds", 1_000_000, "seconds")],
)
def test_epochs_that_count_something_else_than_declared_are_refused(
    tmp_path: Path, says: str, is_of: int, wrong: str
) -> None:
    first = int(datetime(2026, 11, 2, 10, tzinfo=UTC).timestamp())
    rows = "user_id,time,amount\n" + "".join(f"u{number:03},{(first + number) * is_of},6\n" for number in range(6))

    error = refusal(a_shop(tmp_path, rows, also=f", time_format: epoch {wrong}"))

    assert error.message.startswith("Metric spent has 6 rows with a time that can't be read")
    assert error.message.endswith(f"leave it empty, or numbers count something else than `epoch {wrong}`.")
    assert read(a_shop(tmp_path, rows, also=f", time_format: epoch {says}")) == [6.0, 6.0]


def test_exposures_whose_epochs_count_something_else_are_lost(tmp_path: Path) -> None:
    a_shop(tmp_path, "user_id,time,amount\nu000,2026-11-02 10:00:00,3\n")
    seen = "".join(f"u{number:03},{'ab'[number % 2]},{1_793_500_000_000 + number}\n" for number in range(6))
    (tmp_path / "seen.csv").write_text(f"user_id,variant,seen_at\n{seen}")
    path = tmp_path / "metrics.yml"
    path.write_text(path.read_text().replace("exposed_at: seen_at", "exposed_at: seen_at, time_format: epoch seconds"))

    error = refusal(metrics_file.load(path))

    assert error.message.startswith("The exposures of E-7 have 6 units without a time in exposed_at.")
    assert "of numbers, check what they count" in error.message


@pytest.mark.parametrize("year", [1900, 1970, 9999])
def test_what_stands_for_no_time_is_refused_and_counted(tmp_path: Path, year: int) -> None:
    rows = f"user_id,time,amount\nu000,02.11.2026 10:00,3\nu001,13.11.2026 10:00,3\nu001,01.01.{year} 00:00,3\n"

    error = refusal(a_shop(tmp_path, rows))

    assert error.message == (
        "Metric spent has 1 row with a time that can't be read, or with a day only. Write it as 2026-03-01 09:30:00, "
        "or cast it in `sql`. A time before 1971 or after 2199 is none: where it says 1900 or 9999 for that, leave it "
        "empty."
    )


def test_epochs_of_text_that_count_something_else_are_refused_and_counted(tmp_path: Path) -> None:
    seconds = int(datetime(2026, 11, 2, 10, tzinfo=UTC).timestamp())
    rows = f"user_id,time,amount\nu000,{seconds},6\nu001,unknown,6\n"

    assert read_column([str(seconds)], declared="%Y-%m-%d") == [None]
    assert (
        "1 row with a time that can't be read"
        in refusal(a_shop(tmp_path, rows, also=", time_format: epoch seconds")).message
    )


def test_a_plan_keeps_what_it_was_frozen_with(tmp_path: Path) -> None:
    frozen = reading.measuring_of(a_shop(tmp_path, DAYS, also=", same_day: include").metrics["spent"])
    spent = (MetricQuestion(name="spent", measuring=frozen),)
    asked = Question(key="E-7", goal="spent", metrics=spent, variants=("a", "b"), since=NOVEMBER, until=DECEMBER)

    found = reading.read(a_shop(tmp_path, DAYS, also=", same_day: exclude"), asked)

    assert [one.mean for one in found.sample.moments["spent"]] == [13.0, 0.0]


def test_only_whole_days_are_a_window_of_days(tmp_path: Path) -> None:
    world = a_shop(tmp_path, DAYS, also=", same_day: include")
    half = metrics_file.load(tmp_path / "metrics.yml").metrics["spent"].model_copy(update={"window_days": 0.5})

    error = refusal(world.model_copy(update={"metrics": {"spent": half}}))

    assert error.message == "Metric spent: with `same_day` its window is whole days. Write `window_days` as 1, 7 ..."


def test_a_wrong_format_is_refused_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(MetricsFileError, match="is no `time_format`"):
        a_shop(tmp_path, DAYS, also=", time_format: days first")


@pytest.mark.parametrize(
    "dialect", ["duckdb", "postgres", "spark", "databricks", "clickhouse", "bigquery", "snowflake", "trino", "redshift"]
)
def test_every_engine_gets_its_own_epoch(dialect: str) -> None:
    bounds = Bounds(since=NOVEMBER, until=DECEMBER)
    ours = f"SELECT {sql.instant_of_microseconds('e.at * 1000')} AS at FROM labcoat_rows AS e"

    text = sql.write(ours, {"labcoat_rows": Rows(table="orders")}, dialect=dialect, bounds=bounds)

    assert "LABCOAT" not in text
    assert sqlglot.parse_one(text, read=dialect).sql(dialect) == text
