"""A refusal that names a field is shown under it: every form has the fields that its use case can name."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import labcoat
import largest
import largest_words

SOURCE = Path(labcoat.__file__).parent
RAISED = {
    "file": {"change", "metric", "direction", "because", "owner", "channel"},
    "search": set(),
    "import": {"paste", "channel"},
    "predict": set(),
    "size": {"baseline", "minimum_effect", "deviation", "power", "alpha"},
    "prototype": {"summary", "cap", "stop_when", "build_guess"},
    "evidence": {"kind", "count", "summary", "link", "spent"},
    "plan": {
        "goal", "kind", "baseline", "minimum_effect", "units_per_day", "variants", "unit", "planned_days", "design",
        "guardrails", "starts_on", "ends_on",
    },
    "adopt": {
        "goal", "kind", "baseline", "minimum_effect", "units_per_day", "variants", "unit", "planned_days", "design",
        "guardrails", "since",
    },
    "start": {"since"},
    "drop": {"treatment", "at", "reason"},
    "fixed": {"reason", "since"},
    "stop": {"ended_at", "reason"},
    "cancel": {"reason"},
    "record": {"metric", "correct", "wrong_since", "as_of", "table", "file"}
    | {f"totals_{n}" for n in range(len(largest_words.NAMES))},
    "ask": {"conclusion", "learning", "amount", "lead"},
    "approve": {"reason"},
    "send_back": {"reason"},
    "decline": {"reason"},
    "withdraw": {"reason"},
    "handover": {"owner", "deputy", "reason"},
    "away": {"back_on", "stand_in"},
    "snooze": {"until"},
    "settings": set(),
    "close": {"outcome", "learning", "days_spent"},
    "edit": set(),
    "pivot": {"outcome", "learning", "days_spent", "change", "metric", "direction", "because"},
    "reopen": {"reason"},
    "cap": {"cap", "reason"},
    "need": {"summary", "found_in"},
    "ship": {"link", "tenfold", "days_spent"},
}  # fmt: skip
"""What a use case may name whatever the form's shape."""

IN_SOME_SHAPES = {
    "evidence": {"offline_metric", "baseline", "candidate", "data_set", "split"},
    "plan": {"evidence_reason", "deviation", "window_days"},
    "settings": {"channel", "weekday", "time", "zone", "quiet_from", "quiet_until", "home", "tags", "leads"},
    "ask": {"no_experiment", "no_experiment_note", "treatment"},
    "close": {"overrides"},
    "import": {"file"},
    "pivot": {"overrides"},
    "edit": {"change", "metric", "direction", "because", "reason"},
}
"""What it names only in the shape of the form that asks for it."""

OUTSIDE_FORMS = {
    "look_hour",  # no form asks for it
    "name",  # of a token, typed in a terminal
    "note",  # of the typed command
    "offline",  # the form asks for its parts
    "totals",  # of the typed command
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name, _ in largest.forms()])
def test_form_has_every_field_that_a_refusal_may_name(name: str) -> None:
    form = dict(largest.forms())[name]
    shown = {block["block_id"] for block in form["blocks"] if block["type"] == "input"}

    assert RAISED[form["callback_id"]] <= shown


@pytest.mark.parametrize("callback", IN_SOME_SHAPES)
def test_field_of_some_shapes_is_in_one_of_them(callback: str) -> None:
    shapes = [form for _, form in largest.forms() if form["callback_id"] == callback]
    shown = {block["block_id"] for form in shapes for block in form["blocks"] if block["type"] == "input"}

    assert IN_SOME_SHAPES[callback] <= shown


def test_every_field_that_the_code_names_belongs_to_a_form() -> None:
    known = set().union(*RAISED.values(), *IN_SOME_SHAPES.values())

    assert set(_named_fields()) - known == OUTSIDE_FORMS


def _named_fields() -> Iterator[str]:
    """Yield every field that is named in `Refusal(reason, "field")`, `read_...(field="field")` and the like."""
    for folder in ("domain", "usecases", "slack"):
        for path in (SOURCE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield from _fields_of(node)


def _fields_of(call: ast.Call) -> Iterator[str]:
    second = call.args[1:2] if isinstance(call.func, ast.Name) and call.func.id == "Refusal" else []
    named = [keyword.value for keyword in call.keywords if keyword.arg == "field"]
    for value in [*second, *named]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
