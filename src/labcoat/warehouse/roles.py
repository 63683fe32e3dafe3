"""Whether the role of a source can do more than read: what it can't do is the guard, whatever the SQL says."""

import json
import re
from collections.abc import Sequence

from labcoat.warehouse.engines import engine as engines
from labcoat.warehouse.engines.clickhouse import OpenClickHouse
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import ClickHouseSource, PostgresqlSource, RedshiftSource, SnowflakeSource, Source

_GRANTS = ("GRANT USAGE ON SCHEMA shop TO labcoat;", "GRANT SELECT ON shop.exposures, shop.orders TO labcoat;")
POSTGRESQL_LINES = ("CREATE ROLE labcoat LOGIN PASSWORD '…';", *_GRANTS)
REDSHIFT_LINES = ("CREATE USER labcoat PASSWORD '…';", *_GRANTS)
CLICKHOUSE_LINES = ("CREATE USER labcoat IDENTIFIED BY '…';", "GRANT SELECT ON shop.* TO labcoat;")

_MEMBERSHIPS = {
    "pg_write_all_data": "change every table",
    "pg_read_server_files": "read files of the server",
    "pg_write_server_files": "write files of the server",
    "pg_execute_server_program": "run programs on the server",
}
# What a role can become by SET ROLE, it can do. A superuser is a member of all roles.
_POSTGRESQL_ROLES = """
SELECT r.rolname = current_user, r.rolsuper, r.rolcreaterole, r.rolcreatedb, CAST(r.rolname AS text)
FROM pg_catalog.pg_roles AS r
WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER')
"""
_POSTGRESQL_TABLES = r"""
SELECT n.nspname || '.' || c.relname AS name, count(*) OVER () AS tables
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
AND EXISTS (
    SELECT 1 FROM pg_catalog.pg_roles AS r
    WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER') AND (
        pg_catalog.has_any_column_privilege(r.oid, c.oid, 'INSERT, UPDATE')
        OR pg_catalog.has_table_privilege(r.oid, c.oid, 'DELETE, TRUNCATE')
    )
)
ORDER BY name LIMIT 1
"""
_REDSHIFT = "SELECT usesuper FROM pg_user WHERE usename = current_user"
_SNOWFLAKE = "SELECT CURRENT_ROLE(), CURRENT_SECONDARY_ROLES()"
_SNOWFLAKE_ADMINS = ("ACCOUNTADMIN", "SYSADMIN", "SECURITYADMIN", "USERADMIN", "ORGADMIN", "GLOBALORGADMIN")
_CLICKHOUSE_GRANT = re.compile(r"GRANT ([\w ,]+?) ON (\S+)")
_CLICKHOUSE_READS = frozenset(
    {"SELECT", "CHECK", "dictGet", "NONE", "USAGE", "TABLE ENGINE"}
    | {"CREATE TEMPORARY TABLE", "CREATE ARBITRARY TEMPORARY TABLE"}
)
_CLICKHOUSE_SOURCES = ("READ", "WRITE")  # what they reach stands after ON: FILE, URL, S3
_GRANTS_NAMED = 3
_HAVE_ROLES = (PostgresqlSource, RedshiftSource, SnowflakeSource, ClickHouseSource)


def ask(source: Source, *, name: str) -> str | None:
    """Return the same as `warning` on an engine of its own, None too where the source can't be opened."""
    if not isinstance(source, _HAVE_ROLES):
        return None
    try:
        with engines.opened(source, name=name, tables=()) as opened:
            return warning(opened, source, name=name)
    except SourceError:
        return None


def warning(engine: Engine, source: Source, *, name: str) -> str | None:
    """Return what the role of an open source can do beyond reading, and what to run instead; None if nothing is known.

    name: of the source. What can't be asked is no trouble of the source, so None too; PostgreSQL and Redshift answer
    nothing more on this engine then, so ask it last, or on an engine of its own.
    """
    try:
        can, lines = _asked(engine, source)
    except SourceError:
        return None
    if not can:
        return None
    shown = "".join(f"\n  {line}" for line in lines)
    return (
        f"The role of {name} can do more than read: it {_joined(can)}. Labcoat needs a read-only role. Run this with "
        f"your own names and password, then let {name} connect with it:{shown}"
    )


def snowflake_lines(source: SnowflakeSource) -> tuple[str, ...]:
    """Return what makes a role that only reads the schema of this source, and no other role beside it."""
    schema = f"{source.database}.{source.db_schema or 'PUBLIC'}"
    return (
        "CREATE ROLE labcoat;",
        f"GRANT USAGE ON WAREHOUSE {source.warehouse} TO ROLE labcoat;",
        f"GRANT USAGE ON DATABASE {source.database} TO ROLE labcoat;",
        f"GRANT USAGE ON SCHEMA {schema} TO ROLE labcoat;",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO ROLE labcoat;",
        f"GRANT ROLE labcoat TO USER {source.user};",
        f"ALTER USER {source.user} SET DEFAULT_SECONDARY_ROLES = ();",
    )


def _asked(engine: Engine, source: Source) -> tuple[list[str], Sequence[str]]:
    """Return what the role is or can do, each a verb after "it", and the lines that make one that only reads."""
    if isinstance(source, PostgresqlSource):
        return _postgresql(engine), POSTGRESQL_LINES
    if isinstance(source, RedshiftSource):
        return _redshift(engine), REDSHIFT_LINES
    if isinstance(source, SnowflakeSource):
        return _snowflake(engine), snowflake_lines(source)
    if isinstance(engine, OpenClickHouse) and not engine.is_here:
        return _clickhouse(engine.grants()), CLICKHOUSE_LINES
    return [], ()


def _postgresql(engine: Engine) -> list[str]:
    roles = engine.rows(_POSTGRESQL_ROLES)
    if any(is_itself and is_super for is_itself, is_super, *_ in roles):
        return ["is a superuser"]
    if any(is_super for _, is_super, *_ in roles):
        return ["can become a superuser"]
    can = []
    if any(may_create for _, _, may_create, *_ in roles):
        can.append("can create roles")
    if any(may_create for _, _, _, may_create, _ in roles):
        can.append("can create databases")
    names = {str(role) for *_, role in roles}
    can += [f"can {what}" for role, what in _MEMBERSHIPS.items() if role in names]
    if "pg_write_all_data" not in names:
        can += [f"can change {table}{_more(int(str(count)) - 1)}" for table, count in engine.rows(_POSTGRESQL_TABLES)]
    return can


def _more(tables: int) -> str:
    return f" and {tables:,} more table{'' if tables == 1 else 's'}" if tables else ""


def _redshift(engine: Engine) -> list[str]:
    return ["is a superuser"] if any(is_super for (is_super,) in engine.rows(_REDSHIFT)) else []


def _snowflake(engine: Engine) -> list[str]:
    active = {one for role, secondary in engine.rows(_SNOWFLAKE) for one in (str(role), *_secondary(secondary))}
    return [f"acts as {admin}" for admin in _SNOWFLAKE_ADMINS if admin in active]


def _secondary(answer: object) -> list[str]:
    """Return the roles in what CURRENT_SECONDARY_ROLES() answers.

    >>> _secondary('{"roles":"ANALYST,SYSADMIN","value":"ALL"}'), _secondary(None)
    (['ANALYST', 'SYSADMIN'], [])
    """
    try:
        return str(json.loads(str(answer))["roles"]).split(",")
    except (ValueError, KeyError, TypeError):
        return []


def _clickhouse(grants: Sequence[str]) -> list[str]:
    """Return what the lines of SHOW GRANTS allow beyond reading; roles among them are merged into the others.

    >>> _clickhouse(["GRANT SELECT(a, b), SHOW ON shop.* TO ana", "GRANT READ ON FILE TO ana", "GRANT loader TO ana"])
    ['has the grant READ ON FILE']
    """
    found = set()
    for line in grants:
        grant = _CLICKHOUSE_GRANT.match(re.sub(r"\([^)]*\)", "", line))
        if grant is not None:
            each = (one.strip() for one in grant[1].split(","))
            found |= {f"{one} ON {grant[2]}" if one in _CLICKHOUSE_SOURCES else one for one in each}
    more = sorted(one for one in found if one not in _CLICKHOUSE_READS and not one.startswith("SHOW"))
    left = len(more) - _GRANTS_NAMED
    said = ", ".join(more[:_GRANTS_NAMED]) + (f" and {left} more" if left > 0 else "")
    return [f"has the grant{'' if len(more) == 1 else 's'} {said}"] if more else []


def _joined(can: Sequence[str]) -> str:
    """Return what it can as one clause.

    >>> _joined(["can create roles", "can read files of the server", "can change shop.orders"])
    'can create roles, can read files of the server and can change shop.orders'
    """
    *first, last = can
    return f"{', '.join(first)} and {last}" if first else last
