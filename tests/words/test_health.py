"""What a result says of rows that do not count."""

import pytest

from labcoat.domain.left_out import LeftOut
from labcoat.words import health


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
