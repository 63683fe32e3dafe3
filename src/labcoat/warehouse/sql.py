"""Check that a metric's SQL is one SELECT, and build the aggregate around it: the only home of sqlglot.

sqlglot reads what a statement is, not what its functions do; what a SELECT may reach is the engine's to guard.
"""

from datetime import datetime, timedelta
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_DIALECT = "duckdb"

# Odd names, so that they never hide a table the metric's SQL reads.
# Rows at or after `until` are not known yet, so a unit is judged by what it had done by then. FAVG is DuckDB's
# compensated mean: AVG over a million values near 1e9 is off in the third decimal, five standard errors. The limit
# is for a `variant` column that holds something else by mistake: millions of groups must not come back.
_AGGREGATE = """
WITH labcoat_rows AS (
    SELECT
        unit,
        CAST(variant AS TEXT) AS variant,
        TRY_CAST(value AS DOUBLE) AS value,
        :exposed_at AS exposed_at
    FROM labcoat_metric
    WHERE :in_experiment
), labcoat_units AS (
    SELECT
        unit,
        MIN(variant) AS variant,
        MAX(variant) AS last_variant,
        ANY_VALUE(value) AS value,
        MIN(exposed_at) AS exposed_at,
        COUNT(*) AS row_count,
        COUNT(*) - COUNT(exposed_at) AS untimed_count
    FROM labcoat_rows
    WHERE :until IS NULL OR exposed_at IS NULL OR exposed_at < :until
    GROUP BY unit
), labcoat_seen AS (
    SELECT *, (:closed_before IS NULL OR exposed_at IS NULL OR exposed_at < :closed_before) AS is_closed
    FROM labcoat_units
    WHERE :since IS NULL OR exposed_at IS NULL OR exposed_at >= :since
)
SELECT
    variant,
    COUNT(*) AS exposed,
    COUNT(*) FILTER (WHERE is_closed) AS measured,
    FAVG(value) FILTER (WHERE is_closed AND ISFINITE(value)) AS mean,
    VAR_SAMP(value) FILTER (WHERE is_closed AND ISFINITE(value)) AS variance,
    COUNT(*) FILTER (WHERE is_closed AND (value IS NULL OR NOT ISFINITE(value))) AS not_numbers,
    COUNT(*) FILTER (WHERE is_closed AND ISFINITE(value) AND NOT value IN (0, 1)) AS not_binary,
    COALESCE(SUM(row_count) FILTER (WHERE unit IS NULL), 0) AS unnamed,
    COUNT(*) FILTER (WHERE variant <> last_variant) AS crossed,
    COUNT(*) FILTER (WHERE row_count > 1) AS repeated,
    COUNT(*) FILTER (WHERE :has_exposed_at AND untimed_count > 0) AS untimed
FROM labcoat_seen
GROUP BY variant
ORDER BY exposed DESC
LIMIT 100
"""


class SqlError(Exception):
    """The text is not one SELECT statement; the message says what to change."""


def check(text: str) -> None:
    """Refuse everything but one statement that only reads.

    >>> check("SELECT userid AS unit FROM players;")
    >>> check("DROP TABLE players")
    Traceback (most recent call last):
    labcoat.warehouse.sql.SqlError: The SQL must be one SELECT statement; this is DROP.
    """
    _parse(text)


@cache
def table_names(text: str) -> frozenset[str]:
    """Return the tables the SQL names, in lower case, without schema.

    >>> sorted(table_names("SELECT 1 FROM Players JOIN game.days USING (unit)"))
    ['days', 'players']
    """
    return frozenset(table.name.casefold() for table in _parse(text).find_all(exp.Table))


@cache
def columns_query(text: str) -> str:
    """Return SQL that gives the metric's columns and no rows."""
    return exp.select("*").from_(_subquery(text)).limit(0).sql(_DIALECT)


def aggregate(
    text: str,
    *,
    experiment_key: str | None,
    has_exposed_at: bool,
    since: datetime | None,
    until: datetime | None,
    window_days: float,
) -> str:
    """Return SQL that gives one row per variant; only counts, means and variances leave the engine.

    experiment_key: keep its rows; None if the metric has no `experiment` column.
    since, until: aware UTC, on each unit's first exposure, the end excluded; ignored without `exposed_at`.
    window_days: only units exposed that long before `until` are measured; the others are exposed only.
    Columns: variant, exposed, measured, mean, variance, not_numbers, not_binary, unnamed, crossed, repeated, untimed.
    """
    closed_before = until - timedelta(days=window_days) if until and window_days else None
    if not has_exposed_at:
        since = until = closed_before = None
    values = {
        "exposed_at": _as_instant(exp.column("exposed_at", quoted=True)) if has_exposed_at else exp.null(),
        "has_exposed_at": exp.convert(has_exposed_at),
        "in_experiment": _is_experiment(experiment_key),
        "since": _instant(since),
        "until": _instant(until),
        "closed_before": _instant(closed_before),
    }
    tree = exp.replace_placeholders(_template().copy(), **values)
    for table in tree.find_all(exp.Table):
        if table.name == "labcoat_metric":
            table.replace(_subquery(text))
            break
    return tree.sql(_DIALECT)


def quoted_name(name: str) -> str:
    """Return an identifier for the engine.

    >>> quoted_name('a"b')
    '"a""b"'
    """
    return exp.to_identifier(name, quoted=True).sql(_DIALECT)


def quoted_text(text: str) -> str:
    """Return a text literal for the engine.

    >>> quoted_text("it's")
    "'it''s'"
    """
    return exp.Literal.string(text).sql(_DIALECT)


@cache
def _template() -> exp.Expr:
    return sqlglot.parse_one(_AGGREGATE)


def _parse(text: str) -> exp.Query:
    try:
        statements = [statement for statement in sqlglot.parse(text, dialect=_DIALECT) if statement is not None]
    except SqlglotError as error:
        raise SqlError(_parse_message(error)) from error
    if len(statements) != 1:
        message = f"The SQL must be one SELECT statement; here are {len(statements)}."
        raise SqlError(message)
    statement = statements[0]
    writes = statement.find(exp.DDL, exp.DML, exp.Command, exp.Into, exp.Drop, exp.Copy) or statement
    if isinstance(statement, exp.Query) and (writes is statement or isinstance(writes, exp.Query)):
        return statement
    message = f"The SQL must be one SELECT statement; this is {_verb(writes)}."
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


def _subquery(text: str) -> exp.Subquery:
    return exp.Subquery(this=_parse(text), alias=exp.TableAlias(this=exp.to_identifier("labcoat_metric")))


def _is_experiment(key: str | None) -> exp.Expression:
    if key is None:
        return exp.true()
    return exp.EQ(this=exp.cast(exp.column("experiment", quoted=True), "TEXT"), expression=exp.Literal.string(key))


def _instant(moment: datetime | None) -> exp.Expression:
    return _as_instant(exp.null() if moment is None else exp.Literal.string(moment.isoformat()))


def _as_instant(value: exp.Expression) -> exp.Expression:
    return exp.TryCast(this=value, to=exp.DataType.build("TIMESTAMPTZ"))
