"""Which texts are about the same: words weighted by how rare they are, matched also when they are misspelt.

A text's weight is the sum of its words' inverse document frequencies (Sparck Jones 1972). Two texts are as similar as
twice the weight they share over the weight they have (Dice); a search wants as much as possible of its own words.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping
from functools import lru_cache
from math import log
from typing import Generic, TypeVar

from rapidfuzz import fuzz, process

KeyT = TypeVar("KeyT", bound=Hashable)

ALIKE = 82.0
"""Of 100: how alike two spellings must be to count as one word; "recomendation" and "recommendation" are at 96."""
_MOST_SPELLINGS = 6
_LEAST_SHARED = 2
_SAID_EVERYWHERE = """
    a an and are as at be because but by can do does for from had has have how i if in into is it its more most not of
    on or our out people show so than that the their them then there they this to up us user users was we were what
    when where which while who will with would you your
"""
_STOP_WORDS = frozenset(_SAID_EVERYWHERE.split())


_WORD = re.compile(r"\w+")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words that say something, in lower case and singular.

    >>> words_of("Show fresh offers to the people of two cities!")
    ('fresh', 'offer', 'two', 'city')
    """
    return tuple(filter(None, map(_form, _WORD.findall(text.casefold()))))


@lru_cache(maxsize=100_000)
def _form(word: str) -> str:
    """Return a word as it is compared, "" for one that says nothing."""
    if word in _STOP_WORDS:
        return ""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=50_000)
def _word_set(text: str) -> frozenset[str]:
    # Few texts change between two builds, and reading words takes most of a build.
    return frozenset(words_of(text))


class Similarity(Generic[KeyT]):
    """Texts to be compared with. texts: by what names each of them."""

    def __init__(self, texts: Mapping[KeyT, str]) -> None:
        self._words = {key: _word_set(text) for key, text in texts.items()}
        self._keys_of: dict[str, list[KeyT]] = defaultdict(list)
        for key, words in self._words.items():
            for word in words:
                self._keys_of[word].append(key)
        self._weights = {word: log(1 + len(texts) / len(keys)) for word, keys in self._keys_of.items()}
        self._rarest = log(1 + len(texts)) if texts else 1.0
        self._vocabulary = list(self._weights)

    def alike(self, text: str) -> dict[KeyT, float]:
        """Return how much each text is like this one, 0-1; without those that share a single word or none."""
        shared, own = self._shared(text)
        return {
            key: 2 * weight / (own + self._total(key))
            for key, (weight, words) in shared.items()
            if words >= _LEAST_SHARED
        }

    def containing(self, text: str) -> dict[KeyT, float]:
        """Return how much of this text's words each text has, 0-1; without those that have none."""
        shared, own = self._shared(text)
        return {key: weight / own for key, (weight, _) in shared.items()}

    def _total(self, key: KeyT) -> float:
        return sum(self._weights[word] for word in self._words[key])

    def _shared(self, text: str) -> tuple[dict[KeyT, tuple[float, int]], float]:
        """Return the weight and the number of the words that each text shares, and the weight of all its own."""
        words = _word_set(text)
        shared: dict[KeyT, tuple[float, int]] = {}
        for word in words:
            best: dict[KeyT, float] = {}
            for spelling, likeness in self._spellings(word):
                weight = self._weights[spelling] * likeness
                for key in self._keys_of[spelling]:
                    best[key] = max(best.get(key, 0.0), weight)
            for key, weight in best.items():
                before, count = shared.get(key, (0.0, 0))
                shared[key] = before + weight, count + 1
        own = sum(self._weights.get(word, self._rarest) for word in words)
        return shared, own or 1.0

    def _spellings(self, word: str) -> list[tuple[str, float]]:
        if word in self._weights:
            return [(word, 1.0)]
        found = process.extract(
            word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=_MOST_SPELLINGS, processor=None
        )
        return [(spelling, score / 100) for spelling, score, _ in found]
