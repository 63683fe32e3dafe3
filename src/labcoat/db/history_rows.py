"""The changes of a history entry as JSON; also read as versions before 0.2 wrote them."""

import re
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter
from sqlalchemy import JSON, Dialect
from sqlalchemy.types import TypeDecorator

from labcoat.db.types import storable
from labcoat.domain.history import Entity, FieldChange

_ADAPTER: TypeAdapter[tuple[FieldChange, ...]] = TypeAdapter(tuple[FieldChange, ...])
_V1_KEY = re.compile(r"(?:(?P<experiment>E-)|(?P<entity>prototype|evidence|request|need) )(?P<key>\d+) (?P<field>\w+)")


class Changes(TypeDecorator[tuple[FieldChange, ...]]):
    """Changes as a list of objects; as an object of pairs in rows of versions before 0.2."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[FieldChange, ...] | None, dialect: Dialect) -> object:  # noqa: ARG002
        return storable(_ADAPTER.dump_python(value or (), mode="json"))

    def process_result_value(self, value: object, dialect: Dialect) -> tuple[FieldChange, ...]:  # noqa: ARG002
        return of_pairs(value) if isinstance(value, dict) else _ADAPTER.validate_python(value)


def of_pairs(pairs: Mapping[str, Sequence[object]]) -> tuple[FieldChange, ...]:
    """Return changes from old and new by name, as 0.1 stored them: "stage", "E-7 state", "prototype 1 cap_days".

    >>> of_pairs({"E-7 state": ["draft", "running"]})[0].entity
    <Entity.EXPERIMENT: 'experiment'>
    """
    return tuple(_of_pair(name, old, new) for name, (old, new) in pairs.items())


def _of_pair(name: str, old: object, new: object) -> FieldChange:
    child = _V1_KEY.fullmatch(name)
    if child is None:
        return FieldChange(entity=Entity.HYPOTHESIS, field=name, old=old, new=new)
    entity = Entity.EXPERIMENT if child["experiment"] else Entity(child["entity"])
    return FieldChange(entity=entity, key=int(child["key"]), field=child["field"], old=old, new=new)
