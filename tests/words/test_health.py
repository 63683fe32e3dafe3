"""What is said of data that can't be read, and of rows that do not count."""

import pytest

from builders import E7, a_readout
from labcoat.domain.left_out import LeftOut
from labcoat.stats.results import Verdict
from labcoat.words import health

WHY = "The file is not there."


def test_the_last_good_look_stays_where_there_is_one() -> None:
    assert health.no_numbers(E7, WHY, readout=a_readout()) == (
        "E-7: no numbers. The file is not there. The last good look stays, and I try again by myself."
    )


def test_nothing_stays_without_a_good_look() -> None:
    for readout in (None, a_readout(Verdict.DATA_ERROR)):
        assert health.what_stays(readout) == ""
        assert health.no_numbers(E7, WHY, readout=readout) == (
            "E-7: no numbers. The file is not there. I try again by myself."
        )


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        (LeftOut(), ()),
        (LeftOut(no_time=1200), ("Left out: 1,200 rows without a time",)),
        (
            LeftOut(no_experiment=2, unplanned={"blue": 1, "red": 2}),
            ("Left out: 2 rows without an experiment, 3 units of blue, red, which the plan does not have",),
        ),
        (
            LeftOut(respelled={"CONTROL ": 1}),
            ("1 unit has the variant in another spelling (“CONTROL ”) and counts all the same",),
        ),
    ],
)
def test_each_thing_that_does_not_count_is_said(left_out: LeftOut, said: tuple[str, ...]) -> None:
    assert health.left_out(0, left_out) == said


def test_many_names_are_cut() -> None:
    (said,) = health.left_out(0, LeftOut(unplanned=dict.fromkeys("abcde", 1)))

    assert said == "Left out: 5 units of a, b, c and 2 more, which the plan does not have"
