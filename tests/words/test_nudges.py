"""Nudges say what waits, since when, and what ends them."""

import pytest

from builders import E7, H12, NOW, OWNER
from labcoat.domain.nudge import Nudge, NudgeCase
from labcoat.words import nudges


@pytest.mark.parametrize("case", NudgeCase)
def test_every_case_has_a_line_that_names_it_and_since_when(case: NudgeCase) -> None:
    nudge = Nudge(
        case=case,
        step=1,
        person=OWNER,
        hypothesis=H12,
        experiment=E7,
        change="Show fresh offers first",
        since=NOW,
        due_at=NOW,
    )

    line = nudges.line(nudge, zone="Europe/Berlin")

    assert line.startswith(("H-12", "E-7"))
    assert "Show fresh offers first" in line
    assert "Wed 25 Nov" in line


def test_the_title_counts_what_waits() -> None:
    assert (nudges.title(1), nudges.title(3)) == ("One thing waits for you", "3 things wait for you")
