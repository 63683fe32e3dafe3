"""A correction in words: who reads it sees the numbers, what it undid, and what the verdict was and is."""

from typing import Any

import pytest

from builders import NOW
from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind
from labcoat.words import corrections

ARMS = ("control", "treatment")


def _details(kind: MetricKind, old: Any, new: Any, *, gone: int = 2, verdicts: Any = ()) -> dict[str, Any]:
    one = {"metric": "orders per user", "kind": kind.value, "old": old, "new": new}
    return {"corrected": [one], "experiment": 7, "gone": gone, "verdicts": verdicts}


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ([10_000, 0.105, 0.1], "(1,350 to 1,050 successes in treatment)"),
        ([9_000, 0.15, 0.1], "(10,000 to 9,000 units in treatment)"),
        ([9_000, 0.1, 0.1], "(1,350 to 900 successes, 10,000 to 9,000 units in treatment)"),
    ],
)
def test_counts_are_said_where_they_changed(new: list[float], said: str) -> None:
    details = _details(MetricKind.PROPORTION, [[10_000, 0.1, 0.09], [10_000, 0.135, 0.1]], [[10_000, 0.1, 0.09], new])

    line = corrections.what(details, ARMS)

    assert line == f"corrected orders per user {said} of E-7: 2 looks no longer count."


def test_a_mean_says_mean_deviation_and_units() -> None:
    old, new = [[100, 12.0, 900.0], [100, 15.0, 900.0]], [[100, 12.0, 900.0], [110, 14.5, 1024.0]]

    line = corrections.what(_details(MetricKind.MEAN, old, new, gone=1), ARMS)

    assert "(mean 15 to 14.5, deviation 30 to 32, 100 to 110 units in treatment)" in line
    assert line.endswith(": 1 look no longer counts.")


def test_the_newest_again_says_no_numbers() -> None:
    arms = [[100, 0.1, 0.09], [100, 0.1, 0.09]]

    line = corrections.what(_details(MetricKind.PROPORTION, arms, arms, gone=0), ARMS)

    assert line == "corrected orders per user of E-7: no look rested on it."


def test_many_variants_are_counted() -> None:
    names = ("control", "a", "b", "c", "d")

    line = corrections.what(_details(MetricKind.PROPORTION, [[100, 0.1, 1]] * 5, [[100, 0.2, 1]] * 5), names)

    assert line.count("10 to 20 successes") == 3
    assert "; and 2 more variants)" in line


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("win", "inconclusive", "It was a win; now there is no clear effect."),
        ("keep collecting", "win", "There was no clear effect yet; now it is a win."),
        ("win", "win", "It is still a win."),
        ("win", None, "It was a win; now there is no verdict yet."),
        (None, "goal harm", "There was no verdict; now there is harm on the goal."),
        (None, None, "There is still no verdict."),
    ],
)
def test_what_the_verdict_was_and_is(was: str | None, now: str | None, said: str) -> None:
    assert corrections.outcome({"verdicts": [["treatment", was, now]]}) == said


def test_of_several_treatments_those_with_another_verdict_are_named() -> None:
    some = [["photos_big", "win", "inconclusive"], ["photos_small", "inconclusive", "inconclusive"]]
    none = [["photos_big", "win", "win"], ["photos_small", "inconclusive", "inconclusive"]]

    assert corrections.outcome({"verdicts": some}) == "photos_big: it was a win; now there is no clear effect."
    assert corrections.outcome({"verdicts": none}) == "The verdicts are the same."


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_can_be_said(verdict: Verdict) -> None:
    said = corrections.was_and_is(verdict, None)

    assert said.endswith("; now there is no verdict yet.")
    assert said[0].isupper()


def test_the_cards_note_names_the_day() -> None:
    assert corrections.note(NOW, "Europe/Berlin") == "Corrected on Wed 25 Nov"
