"""Check that a statement is one SELECT, and write ours in the engine's dialect around it.

With `dialects` the only home of sqlglot, which reads what a statement is, not what its functions do; what a SELECT may
reach is the engine's to guard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from labcoat.warehouse import dialects

_OURS = "duckdb"  # the dialect that our own SQL is written in
_DIALECTS = {"postgresql": "postgres"}  # where an engine's name is not sqlglot's

# Names that are fine as they are in most engines, and something else in some.
_KEPT_BY_ENGINES = frozenset(
    {"all", "and", "as", "by", "case", "cast", "column", "date", "default", "desc", "distinct", "end", "from", "full"}
    | {"group", "having", "in", "index", "is", "join", "key", "left", "like", "limit", "not", "null", "offset", "on"}
    | {"or", "order", "primary", "right", "row", "rows", "select", "set", "table", "then", "time", "timestamp", "to"}
    | {"union", "unique", "user", "using", "value", "values", "when", "where", "with"}
)


_TEMPLATE = re.compile(r"\{\{|\{%|\$\{|<%")
_CALLS_JAVA = frozenset({"reflect", "java_method", "try_reflect"})
_PART = r'([\w$]+(-[\w$]+)*|"[^"]+"|`[^`]+`)'


class SqlError(Exception):
    """The text is not one SELECT statement; the message says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of the user's data: a table's name, or one SELECT, in the engine's dialect; one of the two is None."""

    table: str | None = None
    select: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What `:since` and `:until` stand for in a SELECT; aware."""

    since: datetime
    until: datetime


def dialect_of(engine: str) -> str:
    """Return sqlglot's name of an engine's dialect."""
    return _DIALECTS.get(engine, engine)


def check(text: str, *, dialect: str = _OURS) -> None:
    """Refuse everything but one statement that only reads.

    >>> check("SELECT userid AS unit FROM players;")
    >>> check("DROP TABLE players")
    Traceback (most recent call last):
    labcoat.warehouse.sql.SqlError: The SQL must be one SELECT statement; this is DROP.
    """
    _parse(text, dialect)


def check_table(name: str) -> None:
    """Refuse what is not the name of a table, perhaps with its schema.

    >>> check_table("shop.orders")
    >>> check_table("read_csv('x')")
    Traceback (most recent call last):
    labcoat.warehouse.sql.SqlError: `read_csv('x')` is not a table's name. Write table or schema.table; else use `sql`.
    """
    if not re.fullmatch(rf"{_PART}(\.{_PART}){{0,3}}", name):
        message = f"`{name[:60]}` is not a table's name. Write table or schema.table; else use `sql`."
        raise SqlError(message)


@cache
def table_names(rows: Rows, *, dialect: str) -> frozenset[str]:
    """Return the tables that rows come from, in lower case, without schema.

    >>> sorted(table_names(Rows(select="SELECT 1 FROM Players JOIN game.days USING (unit)"), dialect="duckdb"))
    ['days', 'players']
    """
    return frozenset(table.name.casefold() for table in _from(rows, dialect, None).find_all(exp.Table))


@cache
def has_bounds(rows: Rows, *, dialect: str) -> bool:
    """Whether a SELECT asks for `:since` or `:until`; raise SqlError where it can't be read.

    >>> has_bounds(Rows(select="SELECT * FROM t WHERE at >= :since"), dialect="duckdb")
    True
    """
    return any(str(place.this) in ("since", "until") for place in _from(rows, dialect, None).find_all(exp.Placeholder))


@cache
def selected(rows: Rows, *, dialect: str) -> frozenset[str]:
    """Return what the columns of a SELECT are called, in lower case; "*" among them where it takes all of some.

    >>> sorted(selected(Rows(select="SELECT id AS unit, e.* FROM seen e"), dialect="duckdb"))
    ['*', 'unit']
    """
    assert rows.select is not None
    return frozenset(name.casefold() for name in _parse(rows.select, dialect).named_selects)


def one_column(text: str, *, name: str, dialect: str = _OURS) -> str:
    """Return a SELECT of one column with that column's name set; refuse one of several columns, or with bounds.

    >>> one_column("SELECT MAX(loaded_at) FROM loads", name="complete_to")
    'SELECT MAX(loaded_at) AS complete_to FROM loads'
    """
    query = _parse(text, dialect).copy()
    first = query
    while not isinstance(first, exp.Select) and isinstance(first.this, exp.Query):
        first = first.this
    if len(first.selects) != 1 or first.is_star:
        message = "The SQL must give one column; name one, as SELECT MAX(loaded_at) FROM loads."
        raise SqlError(message)
    if query.find(exp.Placeholder):
        message = "This SQL is of no experiment, so it has no `:since` and no `:until`."
        raise SqlError(message)
    first.set("expressions", [exp.alias_(first.selects[0].unalias(), name)])
    return query.sql(dialect)


def columns_query(rows: Rows, *, dialect: str, bounds: Bounds) -> str:
    """Return SQL that gives the columns of rows, and none of them."""
    return exp.select("*").from_(_from(rows, dialect, bounds).as_("e")).limit(0).sql(dialect, comments=False)


def column(name: str, *, dialect: str = _OURS) -> str:
    """Return a column of the rows called e, as our SQL writes it. name: as the engine spells it.

    Quoted only where the engine would read it as something else: most fold what is not quoted to one case.

    >>> column("user_id"), column("Order"), column("userId", dialect="postgres"), column("USER_ID", dialect="snowflake")
    ('e.user_id', 'e."Order"', 'e."userId"', 'e.USER_ID')
    """
    folded = {"postgres": name.lower(), "redshift": name.lower(), "snowflake": name.upper()}.get(dialect, name)
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.casefold() not in _KEPT_BY_ENGINES
    return f"e.{name}" if is_plain and folded == name else f"e.{quoted_name(name)}"


def instant(moment: datetime) -> str:
    """Return a moment as our SQL writes it.

    >>> instant(datetime(2026, 3, 1, tzinfo=UTC))
    "CAST('2026-03-01 00:00:00.000000+00:00' AS TIMESTAMPTZ)"
    """
    return f"CAST('{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00:00' AS TIMESTAMPTZ)"


def instant_of_microseconds(number: str) -> str:
    """Return microseconds since 1970 as an instant, as our SQL writes it."""
    return f"{dialects.MICROSECONDS}({number})"


def write(ours: str, rows: Mapping[str, Rows], *, dialect: str, bounds: Bounds) -> str:
    """Return our SQL in an engine's dialect, with the user's rows where it names them.

    ours: in DuckDB's dialect. rows: by the table name that stands for them in `ours`.
    """
    tree = sqlglot.parse_one(ours, read=_OURS)
    if dialects.MICROSECONDS in ours:
        tree = tree.transform(dialects.epochs_for, dialect)
    if dialect in dialects.REWRITE:
        tree = dialects.rewritten(tree, dialect)
    for table in list(tree.find_all(exp.Table)):
        if table.name in rows:
            table.replace(_from(rows[table.name], dialect, bounds).as_(table.alias))
    return tree.sql(dialect, copy=False, comments=False)


def quoted_name(name: str) -> str:
    """Return an identifier for DuckDB.

    >>> quoted_name('a"b')
    '"a""b"'
    """
    return exp.to_identifier(name, quoted=True).sql(_OURS)


def quoted_text(text: str) -> str:
    """Return a text literal for DuckDB.

    >>> quoted_text("it's")
    "'it''s'"
    """
    return exp.Literal.string(text).sql(_OURS)


def _from(rows: Rows, dialect: str, bounds: Bounds | None) -> exp.Table | exp.Subquery:
    if rows.select is None:
        assert rows.table is not None
        return exp.to_table(rows.table, dialect=dialect)
    query = _parse(rows.select, dialect).copy()
    if bounds is not None:
        for place in list(query.find_all(exp.Placeholder)):
            moment = {"since": bounds.since, "until": bounds.until}.get(str(place.this))
            if moment is not None:
                text = exp.Literal.string(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
                # Trino compares a time with no text.
                place.replace(exp.cast(text, "TIMESTAMP") if dialect == "trino" else text)
    return exp.Subquery(this=query)


@cache
def _parse(text: str, dialect: str) -> exp.Query:
    _require_compiled(text)
    try:
        # A comment after the last semicolon is a statement to sqlglot.
        parsed = sqlglot.parse(text, dialect=dialect)
        statements = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
    except SqlglotError as error:
        raise SqlError(_parse_message(error)) from error
    if len(statements) != 1:
        message = f"The SQL must be one SELECT statement; here are {len(statements)}."
        raise SqlError(message)
    statement = statements[0]
    writes = statement.find(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Drop, exp.Copy) or statement
    if isinstance(statement, exp.Query) and (writes is statement or isinstance(writes, exp.Query)):
        _require_tables_only(statement, dialect)
        _require_known_parameters(statement)
        return statement
    message = f"The SQL must be one SELECT statement; this is {_verb(writes)}."
    raise SqlError(message)


def _require_compiled(text: str) -> None:
    # Neither a text nor a comment is a template; what is left keeps its place.
    plain = re.sub(
        r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S
    )
    found = _TEMPLATE.search(plain)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        message = (
            f"The SQL is a template: it has `{found[0]}` on its line {line}. Give the compiled SQL; `dbt compile` "
            "writes it below target/compiled."
        )
        raise SqlError(message)


def _require_known_parameters(query: exp.Query) -> None:
    for one in query.find_all(exp.Placeholder, exp.Parameter):
        name = str(one.this.name if isinstance(one.this, exp.Expr) else one.this or "?")
        if isinstance(one, exp.Parameter) or name not in ("since", "until"):
            message = (
                f"The SQL has a parameter, `{name}`. Give the compiled SQL; only :since and :until are filled in here."
            )
            raise SqlError(message)


def _require_tables_only(query: exp.Query, dialect: str) -> None:
    if dialect in ("spark", "databricks"):
        _refuse_programs(query)
    # ClickHouse's table functions read any file and any host, and nothing in an embedded one forbids it.
    if dialect != "clickhouse":
        return
    for table in query.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            message = (
                f"The SQL may read tables only; this is `{table.sql(dialect)[:60]}`. Name the file under `tables`."
            )
            raise SqlError(message)


def _refuse_programs(query: exp.Query) -> None:
    # Spark calls Java and shells out of a SELECT; where it is a server, only its own rules can forbid that for good.
    called = {one.name.casefold() for one in query.find_all(exp.Anonymous)} & _CALLS_JAVA
    if query.find(exp.QueryTransform):
        called.add("transform ... using")
    if called:
        message = f"The SQL may not call Java or a program; this calls {min(called)}."
        raise SqlError(message)


def _parse_message(error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return "The SQL can't be read: a quote or bracket may be left open."
    first = details[0]
    return f"The SQL can't be read at line {first['line']}, column {first['col']}: {first['description']}."


def _verb(statement: exp.Expr) -> str:
    if isinstance(statement, exp.Into):
        return "SELECT INTO"
    return statement.name.upper() if isinstance(statement, exp.Command) else statement.key.upper()
