"""Texts about the same are found whatever their word order and spelling; others are not."""

import pytest

from labcoat.domain.similarity import Similarity, words_of
from labcoat.usecases.hypotheses.similar import NEAR_ENOUGH

KNOWN = {
    1: "Show fresh offers first to people who come back within a day 4 of 5 scrolled past old offers",
    2: "Suggest the category while people type, for searches of one word every fifth finds nothing",
    3: "Show bigger photos in the results people zoom in before they click",
    4: "Buy with one click from the results a third of all baskets is left at the address form",
    5: "Translate the filters for people who search in Turkish one in nine searches is in Turkish",
    6: "Suggest a lower price to sellers after a week without contact: cheap ones sell soon",
    7: "Show one offer a screen, to swipe through, on phones young people call lists old",
    8: "Mail people when the price of a saved offer falls half of saved offers get cheaper",
}

ALIKE = [
    ("Fresh offers first for people who return the next day", 1),
    ("Rank the freshest offer at the top when someone comes back within one day", 1),
    ("Sugest a categroy while typing one-word serches", 2),
    ("Larger photos on the results page because people zoom in", 3),
    ("One-click buying from search results; baskets are left at the address form", 4),
    ("Turkish filters: translate them", 5),
    ("Tell people by mail when saved offers get cheaper", 8),
]
OTHERS = [
    "Sort the help pages by how often they are read",
    "Let drivers choose their route",
    "Ask for a review after delivery",
    "Show the weather on the front page",
    "Fewer steps in the sign-up",
]


@pytest.fixture(scope="module")
def similarity() -> Similarity[int]:
    return Similarity(KNOWN)


@pytest.mark.parametrize(("text", "expected"), ALIKE)
def test_the_same_in_other_words_is_the_nearest_and_near_enough(
    similarity: Similarity[int], text: str, expected: int
) -> None:
    scores = similarity.alike(text)

    assert max(scores, key=lambda number: scores[number]) == expected
    assert scores[expected] >= NEAR_ENOUGH
    assert sum(score >= NEAR_ENOUGH for score in scores.values()) == 1


@pytest.mark.parametrize("text", OTHERS)
def test_something_else_is_not_near(similarity: Similarity[int], text: str) -> None:
    assert all(score < NEAR_ENOUGH for score in similarity.alike(text).values())


def test_the_very_same_is_fully_alike(similarity: Similarity[int]) -> None:
    assert similarity.alike(KNOWN[3])[3] == pytest.approx(1)


def test_a_search_forgives_typing_mistakes(similarity: Similarity[int]) -> None:
    scores = similarity.containing("bigger phtoos")

    assert max(scores, key=lambda number: scores[number]) == 3


def test_a_search_wants_all_its_words(similarity: Similarity[int]) -> None:
    scores = similarity.containing("turkish filters")

    assert max(scores, key=lambda number: scores[number]) == 5
    assert scores[5] == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "   ", "the of and", "🧪🧪", "!!!"])
def test_nothing_to_say_is_like_nothing(similarity: Similarity[int], text: str) -> None:
    assert similarity.alike(text) == {}
    assert similarity.containing(text) == {}


def test_without_texts_nothing_is_found() -> None:
    assert Similarity[int]({}).alike("fresh offers") == {}


def test_words_are_compared_in_lower_case_and_singular() -> None:
    assert words_of("Stories, CITIES and Offers: less mess") == ("story", "city", "offer", "less", "mess")
