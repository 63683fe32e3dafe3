"""How a database would find what a query asks for."""

from typing import Any

from sqlalchemy import Select, text

from labcoat.db.database import Database


def explained(database: Database, query: Select[Any]) -> str:
    """Return the plan of a query with its parameters, a line a step."""
    word = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    with database.reading() as tx:
        said = query.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(str(row[-1]) for row in tx.execute(text(f"{word} {said}".replace(":", "\\:"))))
