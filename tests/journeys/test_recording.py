"""Totals by paste or by file: a row a variant, or a row a unit; every way ends at the same numbers."""

import pytest

from journeys.playing import CONFIDENCE_SEQUENCE, DAY, Play, read

TABLES = {
    "commas": "variant,n,successes\ncontrol,10000,1000\ntreatment,10000,1400",
    "semicolons": "Variant;Users;Conversions\ncontrol;10000;1000\ntreatment;10000;1400",
    "tabs": "variant\tn\tsuccesses\r\ncontrol\t10,000\t1,000\r\ntreatment\t10,000\t1,400\r\n",
    "bom": "\ufeffgroup,total,conversions\ncontrol,10000,1000\ntreatment,10000,1400",
}
UNITS = "user,variant,orders per user\n" + "".join(
    f"{arm}{unit},{arm},{int(unit < events)}\n"
    for arm, events in (("control", 100), ("treatment", 140))
    for unit in range(1000)
)


@pytest.fixture
def running(play: Play) -> Play:
    """An experiment that takes typed totals, two days old."""
    play.runs(play.ana, design=CONFIDENCE_SEQUENCE)
    play.set_clock(play.now() + 2 * DAY)
    return play


@pytest.mark.parametrize("name", TABLES)
def test_a_pasted_table_is_read(running: Play, name: str) -> None:
    running.types(running.ana, "/experiment record E-1")

    running.submits(running.ana, table=TABLES[name])

    assert "+40 %" in running.asks(running.ana, "/experiment result E-1")


@pytest.mark.parametrize(
    ("content", "effect"), [(TABLES["commas"], "n 10,000"), (UNITS, "n 1,000")], ids=["totals", "units"]
)
def test_a_file_is_read(running: Play, content: str, effect: str) -> None:
    running.types(running.ana, "/experiment record E-1")
    file = running.ana.upload("totals.csv", content.encode())

    done = running.ana.submit({"file": [file]})
    assert done.errors == {}
    if running.ana.find_view() is not None:  # this machine was too busy for the form's patience
        running.ana.close()
        running.bot.jobs.work_on_files()
    running.deliver()

    shown = running.asks(running.ana, "/experiment result E-1")
    assert "+40 %" in shown
    assert effect in shown


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("a,b\n1,2", "It has no column variant"),
        ("variant,n,successes\ncontrol,ten,1\ntreatment,10,1", "can't be read here"),
        ("variant,n,successes\ncontrol,10,1\nblue,10,1", "“blue” on line 3 is no variant of the plan"),
        (
            "variant,visitors,total,conversions\ncontrol,10,20,1\ntreatment,10,20,1",
            "visitors and total could both be the number of units (n). Name the right one n",
        ),
        ("variant,n,events\ncontrol,10,1\ntreatment,10,2", "A unit may have several events"),
        ("variant,=cmd()\ncontrol,1", "neither a column n nor one named orders per user"),
    ],
)
def test_a_table_that_cannot_be_read_says_where_and_why(running: Play, table: str, said: str) -> None:
    running.types(running.ana, "/experiment record E-1")

    errors = running.is_refused(running.ana, table=table)

    assert said in " ".join(errors.values())


def test_what_was_taken_from_a_table_stands_in_the_thread(running: Play) -> None:
    running.types(running.ana, "/experiment record E-1")

    running.submits(
        running.ana, table="variation;users;buyers\ncontrol;24.000;1.200\ntreatment;24.100;1.410\nTotal;48.100;2.610"
    )
    running.deliver()

    thread = " ".join(running.thread())
    assert "n = users, orders per user = buyers. Left out: the row of totals on line 4." in thread


def test_without_any_numbers_the_first_field_asks_for_them(running: Play) -> None:
    running.types(running.ana, "/experiment record E-1")

    assert running.is_refused(running.ana) == {"totals_0": "Please fill this in."}


def test_smaller_totals_from_a_table_ask_whether_they_correct(running: Play) -> None:
    for treatment in ("1400", "1300"):
        running.types(running.ana, "/experiment record E-1")
        if treatment == "1400":
            running.submits(running.ana, table=TABLES["commas"])
    smaller = TABLES["commas"].replace("10000", "9000")

    assert "Totals only grow" in running.is_refused(running.ana, table=smaller)["correct"]

    running.submits(running.ana, table=smaller, correct=["correct"])
    assert "9,000" in running.asks(running.ana, "/experiment result E-1")


def test_the_story_says_who_recorded(running: Play) -> None:
    running.types(running.ana, "/experiment record E-1")
    running.submits(running.ana, table=TABLES["commas"])

    assert any("typed in totals for E-1" in line for line in running.thread())
    assert "E-1" in read(running.card())
