"""Column types: an instant that stays aware, a word of an enum, and a frozen value as JSON."""

from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import JSON, DateTime, Dialect, String, TypeDecorator

WordT = TypeVar("WordT", bound=StrEnum)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant. SQLite forgets the zone of DateTime(timezone=True), so it is put back when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a stored instant must be aware"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[WordT]):
    """A member of a StrEnum, stored as its word so that the rows can be read without the code."""

    impl = String(40)
    cache_ok = True

    def __init__(self, words: type[WordT]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: WordT | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> WordT | None:  # noqa: ARG002
        return None if value is None else self.words(value)


class Json(TypeDecorator[Any]):
    """A frozen value of any type that pydantic understands, checked when it is read back.

    empty: the value that a row without one has, as rows from before the column; stored as no value.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, shape: Any, *, empty: Any = None) -> None:
        super().__init__()
        self.shape = shape
        self.empty = empty
        self._adapter: TypeAdapter[Any] = TypeAdapter(shape)

    def process_bind_param(self, value: object, dialect: Dialect) -> object:  # noqa: ARG002
        return None if value == self.empty else storable(self._adapter.dump_python(value, mode="json"))

    def process_result_value(self, value: object, dialect: Dialect) -> object:  # noqa: ARG002
        return self.empty if value is None else self._adapter.validate_python(value)


def storable(value: object) -> object:
    """Return a JSON value that PostgreSQL takes too."""
    # PostgreSQL's JSON has no NaN and no Infinity; as words they are stored, and pydantic reads them back as numbers.
    match value:
        case float() if not isfinite(value):
            return str(value)
        case dict():
            return {key: storable(item) for key, item in value.items()}
        case list():
            return [storable(item) for item in value]
    return value
