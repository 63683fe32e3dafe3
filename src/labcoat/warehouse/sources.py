"""Where the user's data is, one model per engine; what opens it is in the module of the engine's name.

A secret is never written into the metrics file: it is `${NAME}` there, and read from the environment with the file.
"""

import re
from collections.abc import Collection, Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    model_validator,
)

from labcoat.domain.late_data import ReadyAfter

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?:\s+(\S+))?")
PARQUET = ".parquet"
_ANY_CASE = "".join(f"[{sign}{sign.upper()}]" for sign in PARQUET)
_TEXT_FILES = (".csv", ".tsv", ".txt", ".xlsx")
# Engine's own catalogs; a source of that name would hide them.
_RESERVED = frozenset({"memory", "system", "temp", "main", "default", "information_schema"})


class Model(BaseModel):
    """A part of the metrics file: unknown fields are refused, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _identifier(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name) and name.casefold() not in _RESERVED:
        return name
    message = (
        f"`{name}` can't be used as a name in SQL. Use letters, digits and _, and none of: memory, system, temp, main"
    )
    raise ValueError(message)


def _beside_the_file(path: Path, context: ValidationInfo) -> Path:
    folder: Path = context.context["folder"] if context.context else Path()
    return folder / path


def _parquet_file(path: Path) -> Path:
    # Engines would read these as a pattern over other files.
    if path.suffix.lower() == PARQUET and not set(str(path)) & set("*?[{"):
        return path
    message = (
        f"`{path.name}` can't be read by this engine. Name one .parquet file, with no * ? [ {{ in its path, or use "
        "`engine: duckdb`"
    )
    raise ValueError(message)


def _listed(written: object) -> object:
    return written if isinstance(written, list | tuple) else [written]


def _table_files(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    for path in paths:
        kind = path.suffix.lower()
        if set(str(path)) & set("[]{}"):
            message = f"`{path.name}` has one of [ ] {{ }} in its path. Rename it; a pattern has * and ? only"
            raise ValueError(message)
        if kind != PARQUET and (is_pattern(path) or kind not in ("", *_TEXT_FILES)):
            message = (
                f"`{path.name}` can't be read. Name a file ({', '.join(_TEXT_FILES)} or {PARQUET}), a folder of "
                f"Parquet files, or a pattern that ends in {PARQUET}"
            )
            raise ValueError(message)
        if len(paths) > 1 and kind in _TEXT_FILES:
            message = f"`{path.name}` can't be one of several, only Parquet files can. Make it a table of its own"
            raise ValueError(message)
    return paths


def _from_environment(value: object, context: ValidationInfo) -> object:
    if isinstance(value, SecretStr):
        return value
    reference = re.fullmatch(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value.strip()) if isinstance(value, str) else None
    if reference is None:
        message = (
            f"`{context.field_name}` is a secret. Put it into the environment and write {context.field_name}: ${{NAME}}"
        )
        raise ValueError(message)
    environment = (context.context or {}).get("environment", {})
    found = environment.get(reference[1], "").strip()
    if not found:
        message = f"{reference[1]} is not set in the environment, and `{context.field_name}` needs it"
        raise ValueError(message)
    return found


def _memory(text: str) -> str:
    if re.fullmatch(r"[1-9]\d{0,4}(MB|GB)", text):
        return text
    message = "`memory_limit` is a whole number of MB or GB, as 512MB or 4GB"
    raise ValueError(message)


Identifier = Annotated[str, AfterValidator(_identifier)]
LocalPath = Annotated[Path, AfterValidator(_beside_the_file)]
ParquetFile = Annotated[LocalPath, AfterValidator(_parquet_file)]
TableFiles = Annotated[
    tuple[LocalPath, ...], Field(min_length=1), BeforeValidator(_listed), AfterValidator(_table_files)
]
Secret = Annotated[SecretStr, BeforeValidator(_from_environment)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=3600, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


def _ready_after(written: object) -> object:
    if isinstance(written, ReadyAfter):
        return written
    if isinstance(written, str) and (found := _CLOCK.fullmatch(written.strip())):
        hour, minute, zone = found.groups()
        if zone is not None and zone not in available_timezones():
            message = (
                f"`ready_after` has no time zone {zone[:40]}. Write one as Europe/Berlin or UTC, or none for the plan's"
            )
            raise ValueError(message)
        return ReadyAfter(clock=time(int(hour), int(minute)), zone=zone)
    # YAML reads 11:00 without quotes as sixty times eleven.
    is_clock = type(written) is int and 60 <= written < 24 * 60
    hours, minutes = divmod(written, 60) if is_clock and isinstance(written, int) else (11, 0)
    right = f'ready_after: "{hours:02}:{minutes:02}"'
    message = f'`ready_after` is an hour of the day in quotes. Write {right}, or with a time zone {right[:-1]} UTC"'
    raise ValueError(message)


class _Source(Model):
    """What every source has. time_limit_seconds: of each statement.

    ready_after: when each day's load is done. freshness: a SELECT of the instant that data are complete to.
    """

    time_limit_seconds: Seconds = 60.0
    ready_after: Annotated[ReadyAfter, BeforeValidator(_ready_after)] | None = None
    freshness: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None

    @model_validator(mode="after")
    def _says_once_how_far_it_is(self) -> Self:
        if self.ready_after is not None and self.freshness is not None:
            message = (
                "A source has `ready_after` or `freshness`, not both: leave out `ready_after`, the query knows better"
            )
            raise ValueError(message)
        return self


class DuckDbSource(_Source):
    """Files that DuckDB reads in this process: a database, files under table names, or both.

    database, tables: absolute, or relative to the metrics file. A table is one file of text, a workbook, or Parquet
    files: one, several, those of a folder and the folders in it, those of a pattern.
    """

    engine: Literal["duckdb"]
    database: LocalPath | None = None
    tables: dict[Identifier, TableFiles] = {}
    memory_limit: Annotated[str, AfterValidator(_memory)] = "1GB"
    threads: Annotated[int, Field(strict=True, ge=1, le=128)] = 2

    @model_validator(mode="after")
    def _has_files(self) -> Self:
        if self.database is None and not self.tables:
            message = "A source needs `database` or `tables`"
            raise ValueError(message)
        return self


class PostgresqlSource(_Source):
    """A PostgreSQL database. url: postgresql://user:password@host:port/name, of a role that may only read."""

    engine: Literal["postgresql"]
    url: Secret


class SparkSource(_Source):
    """A Spark session. url: sc://host:port of Spark Connect; without one Spark runs on this machine (Java needed)."""

    engine: Literal["spark"]
    url: Secret | None = None
    tables: dict[Identifier, ParquetFile] = {}


class ClickHouseSource(_Source):
    """A ClickHouse server by its HTTP interface, http(s)://user:password@host:8123/name, or files read in-process."""

    engine: Literal["clickhouse"]
    url: Secret | None = None
    tables: dict[Identifier, ParquetFile] = {}

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.url is None) == (not self.tables):
            message = "A source of ClickHouse needs `url` or `tables`, and not both"
            raise ValueError(message)
        return self


class BigQuerySource(_Source):
    """A BigQuery project, with the machine's own Google credentials. most_gigabytes: a query may read."""

    engine: Literal["bigquery"]
    project: Text
    dataset: Text | None = None
    location: Text | None = None
    most_gigabytes: Annotated[float, Field(strict=True, gt=0)] = 100.0


class SnowflakeSource(_Source):
    """A Snowflake account."""

    engine: Literal["snowflake"]
    account: Text
    user: Text
    password: Secret
    warehouse: Text
    database: Text
    db_schema: Annotated[Text | None, Field(alias="schema")] = None
    role: Text | None = None


class DatabricksSource(_Source):
    """A Databricks SQL warehouse."""

    engine: Literal["databricks"]
    host: Text
    http_path: Text
    token: Secret
    catalog: Text | None = None
    db_schema: Annotated[Text | None, Field(alias="schema")] = None


class TrinoSource(_Source):
    """A Trino cluster; without a password its access is not encrypted."""

    engine: Literal["trino"]
    host: Text
    port: Annotated[int, Field(strict=True, ge=1, le=65_535)] = 443
    user: Text
    password: Secret | None = None
    catalog: Text
    db_schema: Annotated[Text | None, Field(alias="schema")] = None


class RedshiftSource(_Source):
    """A Redshift cluster or workgroup."""

    engine: Literal["redshift"]
    host: Text
    port: Annotated[int, Field(strict=True, ge=1, le=65_535)] = 5439
    user: Text
    password: Secret
    database: Text


Source = Annotated[
    DuckDbSource
    | PostgresqlSource
    | SparkSource
    | ClickHouseSource
    | BigQuerySource
    | SnowflakeSource
    | DatabricksSource
    | TrinoSource
    | RedshiftSource,
    Field(discriminator="engine"),
]

MODELS: Mapping[str, type[Model]] = {
    "duckdb": DuckDbSource,
    "postgresql": PostgresqlSource,
    "spark": SparkSource,
    "clickhouse": ClickHouseSource,
    "bigquery": BigQuerySource,
    "snowflake": SnowflakeSource,
    "databricks": DatabricksSource,
    "trino": TrinoSource,
    "redshift": RedshiftSource,
}
"""By the engine's name."""


def files_of(source: Source, tables: Collection[str]) -> tuple[Path, ...]:
    """Return the files and folders that a read of these tables opens; none of a server. tables: in lower case."""
    if isinstance(source, SparkSource | ClickHouseSource):
        return tuple(path for table, path in source.tables.items() if table.casefold() in tables)
    if not isinstance(source, DuckDbSource):
        return ()
    entries = [entry for table, mine in source.tables.items() if table.casefold() in tables for entry in mine]
    files = [path for entry in entries for path in (files_in(entry) if is_pattern(entry) else [entry])]
    return (*files, *([source.database] if source.database else []))


def is_pattern(path: Path) -> bool:
    """Whether a path stands for all files that fit it."""
    return bool(set(str(path)) & set("*?"))


def files_in(entry: Path) -> list[Path]:
    """Return the files of an entry of `tables`: itself, or the Parquet files that it stands for, in order of names.

    In folders, what begins with . or _ is how other programs keep what is not finished, or no data.
    """
    if not is_pattern(entry) and not entry.is_dir():
        return [entry]
    folder = folder_of(entry) or entry
    pattern = str(entry.relative_to(folder).with_suffix("")) if is_pattern(entry) else "**/*"
    files = [path for path in folder.glob(f"{pattern}{_ANY_CASE}") if path.is_file()]
    return sorted(path for path in files if not any(part[0] in "._" for part in path.relative_to(folder).parts))


def folder_of(entry: Path) -> Path | None:
    """Return the folder that holds the files of a folder or a pattern; None for one file."""
    if is_pattern(entry):
        return next(parent for parent in entry.parents if not is_pattern(parent))
    return entry if entry.is_dir() else None
