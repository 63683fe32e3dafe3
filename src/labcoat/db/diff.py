"""What a step changed, found by comparing two frozen values field by field."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from pydantic_core import to_jsonable_python

from labcoat.domain.dossier import Dossier
from labcoat.domain.history import Entity, FieldChange

_NOT_TOLD = frozenset(
    {"version", "workspace", "number", "position", "stage_since", "involved", "is_imported", "plan_version"}
)
_CHILDREN = (
    (Entity.EXPERIMENT, "experiments", "number"),
    (Entity.PROTOTYPE, "prototypes", "position"),
    (Entity.EVIDENCE, "evidence", "position"),
    (Entity.REQUEST, "requests", "position"),
    (Entity.NEED, "needs", "position"),
)


def between(old: Dossier | None, new: Dossier) -> tuple[FieldChange, ...]:
    """Return old and new of every field that differs: the hypothesis's own first, then those of what belongs to it."""
    return tuple(_between(old, new))


def _between(old: Dossier | None, new: Dossier) -> Iterator[FieldChange]:
    yield from _changed(Entity.HYPOTHESIS, None, old.hypothesis if old else None, new.hypothesis)
    for entity, word, key in _CHILDREN:
        before = {getattr(child, key): child for child in (getattr(old, word) if old else ())}
        for child in getattr(new, word):
            number = getattr(child, key)
            yield from _changed(entity, number, before.get(number), child)


def _changed(entity: Entity, key: int | None, old: Any, new: Any) -> Iterator[FieldChange]:
    for field in fields(new):
        if field.name in _NOT_TOLD:
            continue
        before = None if old is None else getattr(old, field.name)
        after = getattr(new, field.name)
        if before != after and not (old is None and after in ("", (), False, 0)):
            told = (to_jsonable_python(before), to_jsonable_python(after))
            yield FieldChange(entity=entity, key=key, field=field.name, old=told[0], new=told[1])
