"""What our SQL becomes in each engine's dialect, where sqlglot's own translation is not enough."""

from collections.abc import Callable, Mapping

import sqlglot
from sqlglot import exp

MICROSECONDS = "LABCOATMICROSECONDS"
_EPOCHS = {
    "duckdb": "MAKE_TIMESTAMP(CAST({} AS BIGINT))",
    "postgres": "TO_TIMESTAMP(({}) / 1000000.0)",
    "spark": "TIMESTAMP_MICROS(CAST({} AS BIGINT))",
    "databricks": "TIMESTAMP_MICROS(CAST({} AS BIGINT))",
    "clickhouse": "fromUnixTimestamp64Micro(toInt64({}), 'UTC')",
    "bigquery": "TIMESTAMP_MICROS(CAST({} AS INT64))",
    "snowflake": "TO_TIMESTAMP_TZ(CAST({} AS BIGINT), 6)",
    "trino": "FROM_UNIXTIME_NANOS(CAST({} AS BIGINT) * 1000)",
    "redshift": "(TIMESTAMPTZ 'epoch' + ({}) * INTERVAL '1 microsecond')",
}
"""Microseconds since 1970 as an instant, in each dialect."""


def epochs_for(node: exp.Expr, dialect: str) -> exp.Expr:
    """Return a call of MICROSECONDS as the engine makes an instant; anything else as it is."""
    if not (isinstance(node, exp.Anonymous) and node.name == MICROSECONDS):
        return node
    number = node.expressions[0].sql(dialect)
    return sqlglot.parse_one(_EPOCHS[dialect].format(number), read=dialect)


def _for_duckdb(node: exp.Expr) -> exp.Expr:
    # FAVG compensates: AVG over a million values near 1e9 is off in the third decimal, five standard errors.
    if isinstance(node, exp.Avg):
        return exp.func("FAVG", node.this)
    # Whatever has a zone goes through a calendar, row by row: thirty times as slow. Without one it is UTC here.
    if isinstance(node, exp.Cast) and node.is_type("timestamptz"):
        value = node.this
        if isinstance(value, exp.Literal):
            return exp.cast(exp.Literal.string(value.this.removesuffix("+00:00")), "TIMESTAMP")
        if isinstance(value, exp.Null):
            return exp.cast(value, "TIMESTAMP")
        instant = node if isinstance(node, exp.TryCast) else value
        return exp.func("MAKE_TIMESTAMP", exp.func("EPOCH_US", instant.copy()))
    return node


def _for_clickhouse(node: exp.Expr) -> exp.Expr:
    # Its plain variance is a difference of sums of squares; and its DateTime has whole seconds and ends in 2106.
    if isinstance(node, exp.Variance):
        return exp.func("varSampStable", node.this)
    if isinstance(node, exp.CovarSamp):
        return exp.func("covarSampStable", node.this, node.expression)
    if isinstance(node, exp.Cast) and node.is_type("timestamptz"):
        value = node.this
        if isinstance(value, exp.Literal):
            value = exp.Literal.string(value.this.removesuffix("+00:00"))
        return exp.func("toDateTime64", value, exp.Literal.number(6), exp.Literal.string("UTC"))
    return node


def _for_trino(node: exp.Expr) -> exp.Expr:
    # Without a precision it keeps milliseconds only, and what came just before an exposure would come with it.
    if not (isinstance(node, exp.Cast) and node.is_type("timestamptz")) or node.to.expressions:
        return node
    value = node.this
    if isinstance(value, exp.Literal):
        value = exp.Literal.string(f"{value.this.removesuffix('+00:00')} UTC")
    return exp.cast(value, exp.DataType.build("TIMESTAMP(6) WITH TIME ZONE", dialect="trino"))


def _for_bigquery(node: exp.Expr) -> exp.Expr:
    # Its documentation has a whole number there, and text only for a range of parts.
    if isinstance(node, exp.Interval) and isinstance(node.this, exp.Literal):
        return exp.Interval(this=exp.Literal.number(node.this.this), unit=node.unit)
    return node


def _for_redshift(node: exp.Expr) -> exp.Expr:
    # It has no covariance: cov(x, y) = (var(x + y) - var(x - y)) / 4.
    if not isinstance(node, exp.CovarSamp):
        return node
    both, apart = node.this + node.expression, node.this - node.expression
    return exp.paren(exp.func("VAR_SAMP", both) - exp.func("VAR_SAMP", apart)) / exp.Literal.number("4.0")


REWRITE: Mapping[str, Callable[[exp.Expr], exp.Expr]] = {
    "duckdb": _for_duckdb,
    "bigquery": _for_bigquery,
    "clickhouse": _for_clickhouse,
    "trino": _for_trino,
    "redshift": _for_redshift,
}
"""By the dialect: what is put in place of a node."""


def rewritten(tree: exp.Expr, dialect: str) -> exp.Expr:
    """Return our SQL as the dialect needs it, from the inside out: what `transform` replaces it does not look into."""
    rewrite = REWRITE[dialect]
    for node in reversed(list(tree.walk())):
        other = rewrite(node)
        if other is not node:
            node.replace(other)
    return tree
