"""The demo's data: a DuckDB file of seeded exposures and a metrics file that reads it, as any team's would."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

DATABASE, METRICS_FILE = "marketplace.duckdb", "metrics.yml"
DAYS = 56
VISITORS_EXPERIMENTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One experiment's traffic.

    units: over all days and both arms. treatment_share: of the units that arrive. orders, refunds: probability per
    unit in control and treatment. from_day: when it begins.
    """

    units: int
    treatment_share: float = 0.5
    orders: tuple[float, float] = (0.24, 0.24)
    refunds: tuple[float, float] = (0.04, 0.04)
    from_day: int = 0


WIN = Traffic(units=22_000, orders=(0.24, 0.268))
UNEVEN = Traffic(units=15_000, treatment_share=0.58)
HARM = Traffic(units=18_000, orders=(0.24, 0.246), refunds=(0.04, 0.068))
NO_EFFECT = Traffic(units=16_000, orders=(0.24, 0.241))
TEAMS = (WIN, UNEVEN, HARM, NO_EFFECT)
VISITORS = Traffic(units=24_000, orders=(0.24, 0.28), from_day=15)
"""What a visitor's own experiments find, whatever they are about."""

_METRICS = f"""\
sources:
  marketplace:
    engine: duckdb
    database: {DATABASE}
exposures:
  users:
    source: marketplace
    table: exposures
    unit: unit
    variant: variant
    exposed_at: exposed_at
    experiment: experiment
metrics:
  orders per user:
    kind: proportion
    direction: up
    description: Share of users who ordered after they saw the variant.
    complete_at_exposure: true
    value: ordered
  revenue per user:
    kind: mean
    direction: up
    description: Euros spent by users who saw the variant, those who bought nothing included.
    complete_at_exposure: true
    value: spent
  refund rate:
    kind: proportion
    direction: down
    description: Share of users who sent an order back.
    complete_at_exposure: true
    value: refunded
  empty searches:
    kind: proportion
    direction: down
    description: Share of users whose first search found nothing they opened.
    complete_at_exposure: true
    value: gave_up
"""


def write_metrics(folder: Path) -> Path:
    """Write the metrics file into the folder and return it."""
    metrics = folder / METRICS_FILE
    metrics.write_text(_METRICS, encoding="utf-8")
    return metrics


def build(folder: Path, *, start: datetime, first: int = 1) -> None:
    """Write the database into the folder.

    start: when all traffic begins; it arrives evenly over DAYS days, and the same for the same start.
    first: the number of the team's first experiment here; the visitor's own come after the team's.
    """
    database = folder / DATABASE
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        connection.execute(
            "CREATE TABLE exposures (unit BIGINT, variant TEXT, experiment TEXT, exposed_at TIMESTAMP, "
            "ordered INTEGER, spent DOUBLE, refunded INTEGER, gave_up INTEGER)"
        )
        visitors = (replace(VISITORS, units=VISITORS.units + 1000 * number) for number in range(VISITORS_EXPERIMENTS))
        for number, traffic in enumerate((*TEAMS, *visitors), start=first):
            connection.execute(_INSERT, _values(f"E-{number}", traffic, start))


def _chance(salt: str) -> str:
    # A unit's fate hangs on the hash of its number alone, so the world is the same on every machine.
    return f"(md5_number_lower(concat_ws(':', $salt, '{salt}', unit)) % 1000003) / 1000003.0"


_INSERT = f"""
    INSERT INTO exposures
    WITH arrived AS (
        SELECT unit, {_chance("arm")} < $treatment_share AS treated, {_chance("order")} AS luck,
               $start::TIMESTAMP + to_seconds($seconds * (unit + 0.5) / $units) AS exposed_at
        FROM range($units) AS units(unit)
    ), bought AS (
        SELECT *, luck < if(treated, $order_treatment, $order_control) AS ordered FROM arrived
    )
    SELECT unit, if(treated, 'treatment', 'control'), $key, exposed_at, ordered::INTEGER,
           if(ordered, round(8 + 60 * {_chance("basket")} ** 3, 2), 0),
           ({_chance("refund")} < if(treated, $refund_treatment, $refund_control))::INTEGER,
           ({_chance("empty")} < 0.3)::INTEGER
    FROM bought
"""


def _values(key: str, traffic: Traffic, start: datetime) -> dict[str, object]:
    begins = start.astimezone(UTC).replace(tzinfo=None) + timedelta(days=traffic.from_day)
    return {
        "key": key,
        "salt": f"{traffic.units}",
        "units": traffic.units,
        "treatment_share": traffic.treatment_share,
        "start": begins,
        "seconds": DAYS * 86_400,
        "order_control": traffic.orders[0],
        "order_treatment": traffic.orders[1],
        "refund_control": traffic.refunds[0],
        "refund_treatment": traffic.refunds[1],
    }
