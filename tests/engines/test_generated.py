"""Whatever the layout, the types, the zones and the windows are, a read is what plain Python makes of the rows."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from warehouse import generated
from warehouse.generated import FILES, World

DATA_SETS = 20


@pytest.mark.parametrize("engine", ["spark", "clickhouse"])
@settings(
    max_examples=DATA_SETS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[phase for phase in Phase if phase is not Phase.shrink],  # Spark takes seconds for each
)
@given(world=generated.worlds)
def test_on_files(tmp_path: Path, engine: str, world: World) -> None:
    generated.write_files(tmp_path, world, kind="parquet")
    source = f"{{engine: {engine}, time_limit_seconds: 300, {FILES.format(kind='parquet')}}}"

    assert not generated.differences(world, generated.load(tmp_path, world, source))
