"""Nudges say what waits, since when, and what ends them."""

from dataclasses import replace

import pytest

from builders import E7, H12, NOW, OTHER, OWNER
from labcoat.domain.nudge import Nudge, Role
from labcoat.domain.stall import NudgeCase
from labcoat.words import nudges

NUDGE = Nudge(
    case=NudgeCase.UNDECIDED,
    step=1,
    person=OTHER,
    hypothesis=H12,
    experiment=E7,
    owner=OWNER,
    change="Show fresh offers first.",
    since=NOW,
    due_at=NOW,
)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("case", NudgeCase)
def test_every_case_has_a_line_that_names_it_and_since_when(case: NudgeCase, role: Role) -> None:
    line = nudges.line(replace(NUDGE, case=case, role=role), zone="Europe/Berlin")

    assert line.startswith(("H-12 Show fresh offers first: ", "E-7 Show fresh offers first: "))
    assert "Wed 25 Nov" in line
    assert line.endswith((".", "?"))


@pytest.mark.parametrize("case", [NudgeCase.NO_USERS, NudgeCase.DRAFT])
def test_the_second_time_ending_it_is_offered(case: NudgeCase) -> None:
    first, second = (nudges.line(replace(NUDGE, case=case, step=step), zone="UTC") for step in (1, 2))

    assert "can be" in second.removeprefix(first)


def test_who_does_not_own_it_reads_whose_it_is_and_why_it_comes_to_them() -> None:
    said = {role: nudges.whose(replace(NUDGE, role=role), "<@{}>".format) for role in Role}

    assert said == {
        Role.OWNER: "",
        Role.DEPUTY: "Owner: <@UOWNER>. You read this as deputy.",
        Role.LEAD: "Owner: <@UOWNER>. You read this as a lead.",
        Role.ADMIN: "Owner: <@UOWNER>. You read this because you manage this workspace.",
    }


@pytest.mark.parametrize(
    ("those", "said"),
    [
        ([NUDGE], "One thing waits for you"),
        ([NUDGE] * 3, "3 things wait for you"),
        ([replace(NUDGE, case=NudgeCase.SPLIT)], "This needs you now"),
        ([NUDGE, replace(NUDGE, case=NudgeCase.HARM)], "2 things wait for you, the first one now"),
        ([replace(NUDGE, role=Role.LEAD)], "One thing has stalled and could use your help"),
        ([replace(NUDGE, role=Role.LEAD, case=NudgeCase.REQUEST_WAITING)], "One thing waits for you"),
        (
            [replace(NUDGE, case=NudgeCase.UNTOUCHED)] * 2,
            "Still worth testing? 2 hypotheses of yours, untouched for a month",
        ),
    ],
)
def test_the_title_says_how_much_and_how_soon(those: list[Nudge], said: str) -> None:
    assert nudges.title(those) == said


def test_the_digest_has_words_for_whatever_it_counts_as_stalled() -> None:
    elsewhere = {NudgeCase.SPLIT, NudgeCase.HARM, NudgeCase.REQUEST_WAITING, NudgeCase.NO_NUMBERS}

    assert set(nudges.STALLED) == set(NudgeCase) - elsewhere
