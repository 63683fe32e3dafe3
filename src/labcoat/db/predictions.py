"""Predictions: one a person and experiment; who predicts again before the start has changed their mind."""

from sqlalchemy import delete, insert, select

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables import schema
from labcoat.domain.ids import ExperimentNumber, WorkspaceId
from labcoat.domain.prediction import Prediction


def put(tx: Transaction, workspace: WorkspaceId, prediction: Prediction) -> None:
    """Store a prediction in place of the person's earlier one."""
    table = schema.predictions
    earlier = (
        (table.c.workspace == workspace)
        & (table.c.experiment == prediction.experiment)
        & (table.c.person == prediction.person)
    )
    tx.execute(delete(table).where(earlier))
    tx.execute(insert(table).values(workspace=workspace, **to_row(prediction, table)))


def list_of(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> list[Prediction]:
    """Return the predictions of an experiment, oldest first."""
    table = schema.predictions
    query = select(table).where(table.c.workspace == workspace, table.c.experiment == number)
    rows = tx.execute(query.order_by(table.c.made_at, table.c.person)).mappings()
    return [from_row(Prediction, table, row) for row in rows]
