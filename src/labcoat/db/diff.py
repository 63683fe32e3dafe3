"""What a step changed, found by comparing two frozen values field by field."""

from dataclasses import fields
from typing import Any

from pydantic_core import to_jsonable_python

from labcoat.domain.dossier import Dossier
from labcoat.domain.history import Change

_NOT_TOLD = frozenset(
    {"version", "workspace", "number", "position", "stage_since", "involved", "is_imported", "plan_version"}
)


def between(old: Dossier | None, new: Dossier) -> dict[str, Change]:
    """Return old and new of every field that differs, by name: "stage", "E-7 state", "prototype 1 cap_days"."""
    found = _changed("", old.hypothesis if old else None, new.hypothesis)
    found |= _of_children("E-{}", "number", old.experiments if old else (), new.experiments)
    for word in ("prototypes", "evidence", "requests", "needs"):
        label = word.removesuffix("s") + " {}"
        found |= _of_children(label, "position", getattr(old, word) if old else (), getattr(new, word))
    return found


def _of_children(label: str, key: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> dict[str, Change]:
    before = {getattr(child, key): child for child in old}
    found: dict[str, Change] = {}
    for child in new:
        name = label.format(getattr(child, key))
        found |= _changed(name + " ", before.get(getattr(child, key)), child)
    return found


def _changed(prefix: str, old: Any, new: Any) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for field in fields(new):
        if field.name in _NOT_TOLD:
            continue
        before = None if old is None else getattr(old, field.name)
        after = getattr(new, field.name)
        if before != after and not (old is None and after in ("", (), False, 0)):
            found[prefix + field.name] = (to_jsonable_python(before), to_jsonable_python(after))
    return found
