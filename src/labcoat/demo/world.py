"""The demo's data: a DuckDB file of seeded exposures and a metrics file that reads it, as any team's would."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

DATABASE, METRICS_FILE = "marketplace.duckdb", "metrics.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One experiment's traffic.

    key: its name in the exposure data, which is its id unless the plan says otherwise.
    units: over all days and both arms. treatment_share: of the units that arrive.
    orders, refunds: probability per unit in control and treatment.
    """

    key: str
    units: int
    treatment_share: float
    orders: tuple[float, float]
    refunds: tuple[float, float]


DAYS = 60
TRAFFIC = (
    Traffic(key="E-1", units=80_000, treatment_share=0.5, orders=(0.10, 0.113), refunds=(0.02, 0.02)),
    Traffic(key="E-2", units=30_000, treatment_share=0.58, orders=(0.10, 0.10), refunds=(0.02, 0.02)),
    Traffic(key="E-3", units=60_000, treatment_share=0.5, orders=(0.10, 0.104), refunds=(0.02, 0.032)),
)

_METRICS = f"""\
sources:
  marketplace:
    engine: duckdb
    database: {DATABASE}
metrics:
  orders per user:
    source: marketplace
    kind: proportion
    direction: up
    description: Share of users who ordered after they saw the variant.
    complete_at_exposure: true
    sql: SELECT unit, variant, experiment, exposed_at, ordered AS value FROM exposures
  refund rate:
    source: marketplace
    kind: proportion
    direction: down
    description: Share of users who sent an order back.
    complete_at_exposure: true
    sql: SELECT unit, variant, experiment, exposed_at, refunded AS value FROM exposures
"""


def build(folder: Path, *, start: datetime) -> Path:
    """Write the database and the metrics file into the folder; return the metrics file.

    start: when all traffic begins; it arrives evenly over DAYS days, and the same for the same start.
    """
    database = folder / DATABASE
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        connection.execute(
            "CREATE TABLE exposures (unit BIGINT, variant TEXT, experiment TEXT, exposed_at TIMESTAMP, "
            "ordered INTEGER, refunded INTEGER)"
        )
        for traffic in TRAFFIC:
            connection.execute(_insert(), _values(traffic, start))
    metrics = folder / METRICS_FILE
    metrics.write_text(_METRICS, encoding="utf-8")
    return metrics


def _insert() -> str:
    # A unit's fate hangs on the hash of its number alone, so the world is the same on every machine.
    chance = "(md5_number_lower(concat_ws(':', $key, {salt}, unit)) % 1000003) / 1000003.0"
    arm, order, refund = (chance.format(salt=f"'{salt}'") for salt in ("arm", "order", "refund"))
    return f"""
        INSERT INTO exposures
        WITH arrived AS (
            SELECT unit, {arm} < $treatment_share AS treated,
                   $start::TIMESTAMP + to_seconds($seconds * (unit + 0.5) / $units) AS exposed_at
            FROM range($units) AS units(unit)
        )
        SELECT unit, if(treated, 'treatment', 'control'), $key, exposed_at,
               ({order} < if(treated, $order_treatment, $order_control))::INTEGER,
               ({refund} < if(treated, $refund_treatment, $refund_control))::INTEGER
        FROM arrived
    """


def _values(traffic: Traffic, start: datetime) -> dict[str, object]:
    return {
        "key": traffic.key,
        "units": traffic.units,
        "treatment_share": traffic.treatment_share,
        "start": start.astimezone(UTC).replace(tzinfo=None),
        "seconds": DAYS * 86_400,
        "order_control": traffic.orders[0],
        "order_treatment": traffic.orders[1],
        "refund_control": traffic.refunds[0],
        "refund_treatment": traffic.refunds[1],
    }
