"""One open transaction a test: what the edge would have opened around a use case."""

from collections.abc import Iterator

import pytest

from builders import LEAD, OTHER_LEAD, WORKSPACE
from labcoat.db import workspaces
from labcoat.db.database import Database, Transaction


@pytest.fixture
def tx(database: Database) -> Iterator[Transaction]:
    """A transaction in a workspace with two leads."""
    with database.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, [LEAD, OTHER_LEAD], from_settings=True)
        yield tx
