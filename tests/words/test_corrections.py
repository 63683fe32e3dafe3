"""A correction in words: who reads it sees the numbers, what it undid, and what the verdict was and is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from builders import E7, H12, NOW, OWNER
from labcoat.domain.totals_facts import ArmTotals, MetricCorrected, TotalsCorrected, TotalsOrigin, VerdictChange
from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind
from labcoat.words import corrections

ARMS = ("control", "treatment")


Arms = Sequence[tuple[int, float, float]]
"""Units, mean and variance of each variant."""


def _totals(arms: Arms) -> tuple[ArmTotals, ...]:
    return tuple(ArmTotals(count=count, mean=mean, variance=variance) for count, mean, variance in arms)


def _corrected(kind: MetricKind, old: Arms, new: Arms, *, gone: int = 2) -> TotalsCorrected:
    one = MetricCorrected(metric="orders per user", kind=kind, old=_totals(old), new=_totals(new))
    return replace(_changed(), corrected=(one,), gone=gone)


def _changed(*verdicts: tuple[str, Verdict | None, Verdict | None]) -> TotalsCorrected:
    changes = tuple(VerdictChange(treatment=name, before=before, after=after) for name, before, after in verdicts)
    origin = TotalsOrigin(by=OWNER)
    return TotalsCorrected(hypothesis=H12, experiment=E7, corrected=(), gone=0, verdicts=changes, origin=origin)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ((10_000, 0.105, 0.1), "(1,350 to 1,050 successes in treatment)"),
        ((9_000, 0.15, 0.1), "(10,000 to 9,000 units in treatment)"),
        ((9_000, 0.1, 0.1), "(1,350 to 900 successes, 10,000 to 9,000 units in treatment)"),
    ],
)
def test_counts_are_said_where_they_changed(new: tuple[int, float, float], said: str) -> None:
    control = (10_000, 0.1, 0.09)
    fact = _corrected(MetricKind.PROPORTION, [control, (10_000, 0.135, 0.1)], [control, new])

    line = corrections.what(fact, ARMS)

    assert line == f"corrected orders per user {said} of E-7: 2 looks no longer count."


def test_a_mean_says_mean_deviation_and_units() -> None:
    old, new = [(100, 12.0, 900.0), (100, 15.0, 900.0)], [(100, 12.0, 900.0), (110, 14.5, 1024.0)]

    line = corrections.what(_corrected(MetricKind.MEAN, old, new, gone=1), ARMS)

    assert "(mean 15 to 14.5, deviation 30 to 32, 100 to 110 units in treatment)" in line
    assert line.endswith(": 1 look no longer counts.")


def test_the_newest_again_says_no_numbers() -> None:
    arms = [(100, 0.1, 0.09), (100, 0.1, 0.09)]

    line = corrections.what(_corrected(MetricKind.PROPORTION, arms, arms, gone=0), ARMS)

    assert line == "corrected orders per user of E-7: no look rested on it."


def test_many_variants_are_counted() -> None:
    names = ("control", "a", "b", "c", "d")

    line = corrections.what(_corrected(MetricKind.PROPORTION, [(100, 0.1, 1.0)] * 5, [(100, 0.2, 1.0)] * 5), names)

    assert line.count("10 to 20 successes") == 3
    assert "; and 2 more variants)" in line


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        (Verdict.WIN, Verdict.INCONCLUSIVE, "It was a win; now there is no clear effect."),
        (Verdict.KEEP_COLLECTING, Verdict.WIN, "There was no clear effect yet; now it is a win."),
        (Verdict.WIN, Verdict.WIN, "It is still a win."),
        (Verdict.WIN, None, "It was a win; now there is no verdict yet."),
        (None, Verdict.GOAL_HARM, "There was no verdict; now there is harm on the goal."),
        (None, None, "There is still no verdict."),
    ],
)
def test_what_the_verdict_was_and_is(was: Verdict | None, now: Verdict | None, said: str) -> None:
    assert corrections.outcome(_changed(("treatment", was, now))) == said


def test_of_several_treatments_those_with_another_verdict_are_named() -> None:
    same = ("photos_small", Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    some = _changed(("photos_big", Verdict.WIN, Verdict.INCONCLUSIVE), same)
    none = _changed(("photos_big", Verdict.WIN, Verdict.WIN), same)

    assert corrections.outcome(some) == "photos_big: it was a win; now there is no clear effect."
    assert corrections.outcome(none) == "The verdicts are the same."


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_can_be_said(verdict: Verdict) -> None:
    said = corrections.was_and_is(verdict, None)

    assert said.endswith("; now there is no verdict yet.")
    assert said[0].isupper()


def test_the_cards_note_names_the_day() -> None:
    assert corrections.note(NOW, "Europe/Berlin") == "Corrected on Wed 25 Nov"
