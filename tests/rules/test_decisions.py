"""Decisions have a date, a status and a line in the index, and what refers to one refers to one that exists."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rules.test_documentation import slug
from rules.test_house import tracked_files

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/decisions.md"
TEXT = PAGE.read_text(encoding="utf-8")
INDEX = re.findall(r"^\| \[(\d+)\]\(#(\S+)\) \| (.+) \| (\S+) \| (.+) \|$", TEXT, flags=re.MULTILINE)
DECISIONS = re.findall(r"^## (\d+)\. (.+)\n\n(\S+) · (.+)\n", TEXT, flags=re.MULTILINE)
NUMBERS = frozenset(int(number) for number, *_ in DECISIONS)
REFERENCE = re.compile(r"\b[Dd]ecisions? (\d+(?:(?:, | and |,? or )\d+)*)")


def referred_to(text: str) -> list[int]:
    """Return the decisions that a text names.

    >>> referred_to("Decisions 3, 30 and 31 say why (decision 42); its 4 decisions")
    [3, 30, 31, 42]
    """
    return [int(number) for named in REFERENCE.findall(text) for number in re.findall(r"\d+", named)]


def references() -> Iterator[tuple[str, int]]:
    """Yield where a decision is named, and which."""
    for path in tracked_files():
        if path.suffix in (".py", ".md", ".toml", ".yml", ".sql") or path.name == "Makefile":
            for number in referred_to(path.read_text(encoding="utf-8")):
                yield path.relative_to(ROOT).as_posix(), number


def test_decisions_are_numbered_without_a_gap_and_each_has_a_date_and_a_status() -> None:
    headings = re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE)

    assert [int(number) for number, *_ in DECISIONS] == list(range(1, len(headings) + 1))


def test_the_index_and_the_decisions_agree() -> None:
    expected = [(number, slug(f"{number}. {title}"), title, *rest) for number, title, *rest in DECISIONS]

    assert expected == INDEX


@pytest.mark.parametrize(("number", "day", "status"), [(number, day, status) for number, _, day, status in DECISIONS])
def test_a_decision_stands_until_a_later_one_supersedes_it(number: str, day: str, status: str) -> None:
    stands = re.fullmatch(r"accepted|(?:accepted, in part )?superseded by (\d+)", status)

    assert date.fromisoformat(day)
    assert stands is not None
    if stands[1]:
        later = TEXT.partition(f"\n## {stands[1]}. ")[2].partition("\n## ")[0]
        assert int(stands[1]) > int(number)
        assert re.search(rf"Supersedes (what )?{number}\b", later)


def test_every_decision_that_is_named_exists() -> None:
    assert [(place, number) for place, number in references() if number not in NUMBERS] == []


def test_the_code_points_to_decisions_where_a_reader_would_ask_why() -> None:
    modules = {place for place, _ in references() if place.startswith("src/")}

    assert len(modules) >= 10
