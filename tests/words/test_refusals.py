"""Every way a rule can say no reads as a sentence, with exactly the facts that the code gives it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import labcoat
from builders import NOW, OWNER
from labcoat.domain.hypothesis import Decision
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.person import Standing
from labcoat.domain.refusal import FactValue, Reason, Refusal
from labcoat.words import refusals

SOURCE = Path(labcoat.__file__).parent

FACTS: dict[str, FactValue] = {
    "hypothesis": 12,
    "experiment": 7,
    "unit": "user",
    "what": "an effect on",
    "owner": OWNER,
    "asked_of": "ULEAD",
    "by": "ULEAD",
    "at": NOW.isoformat(),
    "channel": "C1",
    "standing": Standing.GUEST,
    "decision": Decision.NOT_BUILT,
    "step": Step.PLAN,
    "stage": Stage.PROTOTYPE,
    "state": ExperimentState.RUNNING,
    "is_involved": True,
    "because": "the verdict says so",
    "text": "lots",
    "name": "blue",
    "known": "control, treatment",
    "nearest": "Blue",
    "kind": "mean",
    "metric": "orders per user",
    "before": "control 1,000",
    "as_of": NOW.isoformat(),
    "why": "the totals were corrected",
    "hint": "Try `/hypothesis help`.",
    "id": "E-7",
    "command": "/hypothesis show",
    "cap": 3.0,
    "window": 7.0,
    "total": 0.9,
    "length": 2001,
    "longest": 2000,
    "events": 12,
    "megabytes": 1,
    "line": 3,
    "until": NOW.isoformat(),
    "latest": NOW.isoformat(),
    "sources": "shop",
    "count": 21,
    "most": 20,
    "units": 10,
}


@dataclass(frozen=True)
class Raised:
    """One place in the code that refuses. facts: the names it gives."""

    where: str
    reason: str
    facts: tuple[str, ...]


def _refusals_in(path: Path) -> Iterator[Raised]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
            facts = tuple(keyword.arg for keyword in node.keywords if keyword.arg is not None)
            where = f"{path.relative_to(SOURCE)}:{node.lineno}"
            first = node.args[0]
            # One place picks its reason beforehand: the owner's step that a lead may or may not take too.
            names = [first.attr] if isinstance(first, ast.Attribute) else ["NOT_OWNER", "NOT_OWNER_OR_LEAD"]
            for name in names:
                yield Raised(where=where, reason=name, facts=facts)


ALL_RAISED = [raised for path in sorted(SOURCE.rglob("*.py")) for raised in _refusals_in(path)]


def _is_plain(sentence: str) -> bool:
    return bool(sentence) and not set("{}") & set(sentence) and "None" not in sentence


def test_the_code_was_read() -> None:
    assert len({raised.reason for raised in ALL_RAISED}) > 40


@pytest.mark.parametrize("raised", ALL_RAISED, ids=lambda raised: f"{raised.where} {raised.reason}")
def test_a_refusal_reads_as_a_sentence_with_the_facts_it_is_given(raised: Raised) -> None:
    refusal = Refusal(Reason[raised.reason], None, **{name: FACTS[name] for name in raised.facts})

    assert _is_plain(refusals.text(refusal))


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    assert _is_plain(refusals.text(Refusal(reason, None, **FACTS)))


def test_what_people_typed_is_made_harmless() -> None:
    refusal = Refusal(Reason.NOT_A_NUMBER, text="<!channel> {owner}")

    said = refusals.text(refusal, escape=lambda text: text.replace("<", "&lt;"))

    assert "“&lt;!channel> {owner}”" in said


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refusal(Reason.NOT_OWNER, hypothesis=12, owner=None), "the owner of H-12 (nobody yet)"),
        (Refusal(Reason.NOT_OWNER, hypothesis=12, owner=OWNER), "the owner of H-12 (<@UOWNER>)"),
        (
            Refusal(Reason.ALREADY_DECIDED, hypothesis=12, state=RequestState.APPROVED, by=OWNER, at=NOW.isoformat()),
            "already approved by <@UOWNER> on Wed 25 Nov 13:00",
        ),
        (
            Refusal(Reason.ALREADY_DECIDED, hypothesis=12, state=RequestState.WITHDRAWN, by=None, at=None),
            "already withdrawn. Nothing",
        ),
        (Refusal(Reason.ALLOCATION, total=0.9), "add up to 90 %, not 100 %"),
        (Refusal(Reason.CAP_NOT_RAISED, cap=3.0), "The cap is 3 person-days already"),
        (Refusal(Reason.WINDOW_TOO_LONG, window=7.0), "counts 7 days after"),
        (
            Refusal(Reason.WRONG_STATE, experiment=7, state=ExperimentState.DRAFT, step=Step.STOP),
            "E-7 is draft, so that is not possible. Start it first: `/experiment start E-7`.",
        ),
        (
            Refusal(Reason.WRONG_STATE, experiment=None, state=None, step=Step.ASK),
            "Its experiment is not planned yet, so that is not possible. Plan one first.",
        ),
        (
            Refusal(Reason.WRONG_STAGE, hypothesis=12, stage=Stage.HYPOTHESIZE, step=Step.SHIP),
            "Begin a prototype: `/hypothesis prototype H-12`.",
        ),
    ],
)
def test_a_refusal_says_who_when_and_what_to_do_now(refusal: Refusal, words: str) -> None:
    assert words in refusals.text(refusal, zone="Europe/Berlin")


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_next_step(stage: Stage) -> None:
    assert "H-12" in refusals.text(Refusal(Reason.WRONG_STAGE, hypothesis=12, stage=stage, step=Step.SHIP))


@pytest.mark.parametrize("state", ExperimentState)
def test_every_state_has_a_next_step(state: ExperimentState) -> None:
    said = refusals.text(Refusal(Reason.WRONG_STATE, experiment=7, state=state, step=Step.START))

    assert not said.endswith("not possible.")
