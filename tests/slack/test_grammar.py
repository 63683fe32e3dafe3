"""What is a verb, and what is the text of a new hypothesis."""

import pytest

from labcoat.domain.subject import Subject
from labcoat.slack.commands import EXPERIMENT, HYPOTHESIS
from labcoat.slack.grammar import ABOUT_ONE, FreeText, Intent, Unclear, parse

H12, E7 = Subject(hypothesis=12), Subject(experiment=7)  # type: ignore[arg-type]  # plain numbers do here


@pytest.mark.parametrize(
    "text",
    [
        "show more offers on the first page",
        "start with the cheapest offer",
        "stop sending mails at night",
        "close the basket after an hour",
        "record what people search for",
        "plan the route for drivers",
        "ask people for their size",
        "list fewer offers per page",
        "list of the newest offers",
        "help people find their way",
        "ship orders on Sundays",
        "again and again the same offers",
        "digest mails once a week",
        "experiment with bigger photos",
        "h12 is not alone here",
        "H-12",
    ],
)
def test_sentence_that_begins_like_a_verb_is_a_hypothesis(text: str) -> None:
    expected = Intent(verb="show", subject=H12) if text == "H-12" else FreeText(text=text)

    assert parse(HYPOTHESIS, text) == expected


@pytest.mark.parametrize("verb", sorted(ABOUT_ONE))
@pytest.mark.parametrize("root", [HYPOTHESIS, EXPERIMENT])
def test_verb_with_an_id_is_a_verb_after_either_command(root: str, verb: str) -> None:
    assert parse(root, f"{verb} H-12") == Intent(verb=verb, subject=H12)
    assert parse(root, f"{verb.upper()}   e7 ") == Intent(verb=verb, subject=E7)
    assert parse(root, f"{verb} 7") == Intent(verb=verb, number=7)
    assert parse(root, verb) == Intent(verb=verb)


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("shwo H-12", "show H-12"),
        ("strat E-7", "start E-7"),
        ("start E-7 now please", "start E-7"),
        ("reslut e7", "result E-7"),
        ("aprove H-12", None),
    ],
)
def test_near_miss_before_an_id_is_asked_about(text: str, suggestion: str | None) -> None:
    meant = parse(EXPERIMENT, text)

    assert isinstance(meant, Unclear)
    assert meant.suggestion == suggestion


def test_what_nobody_knows_is_a_hypothesis_only_after_its_command() -> None:
    assert parse(HYPOTHESIS, "bigger photos") == FreeText(text="bigger photos")
    assert parse(EXPERIMENT, "bigger photos") == Unclear(text="bigger photos", suggestion=None)


@pytest.mark.parametrize(
    ("text", "verb", "rest"),
    [
        ("list", "list", ""),
        ("LIST Mine", "list", "mine"),
        ("list stage Prototype", "list", "stage prototype"),
        ("help", "help", ""),
        ("help all", "help", "all"),
        ("digest preview", "digest", "preview"),
        ("digest now", "digest", "now"),
        ("digest", "digest", ""),
    ],
)
def test_words_without_an_id_take_only_their_own(text: str, verb: str, rest: str) -> None:
    assert parse(HYPOTHESIS, text) == Intent(verb=verb, rest=rest)


def test_totals_follow_the_id_as_they_were_typed() -> None:
    meant = parse(EXPERIMENT, "record E-7 Refund Rate control=1/2  Treatment=3/4")

    assert meant == Intent(verb="record", subject=E7, rest="Refund Rate control=1/2 Treatment=3/4")


def test_nothing_typed_is_an_empty_form_or_the_menu() -> None:
    assert parse(HYPOTHESIS, "  ") == FreeText(text="")
    assert parse(EXPERIMENT, "") == Intent(verb="menu")


def test_lines_of_a_hypothesis_are_kept() -> None:
    assert parse(HYPOTHESIS, "Bigger photos\nfor people on phones") == FreeText(
        text="Bigger photos\nfor people on phones"
    )


@pytest.mark.parametrize("text", ["H-0000000001", "E-1234567890", "H--1", "X-1", "H-1x", "Ｈ-1"])
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    assert parse(HYPOTHESIS, text) == FreeText(text=text)
