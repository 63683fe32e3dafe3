"""Whatever the layout, the types, the zones and the windows are, a read is what plain Python makes of the rows."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import postgres
from warehouse import generated
from warehouse.generated import FILES, World

many = settings(settings.get_profile("data sets"), suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        yield url


@many
@given(world=generated.worlds, kind=st.sampled_from(["database", "parquet", "csv"]))
def test_on_duckdb(tmp_path: Path, world: World, kind: str) -> None:
    source = f"{{engine: duckdb, {FILES.format(kind=kind)}}}"
    if kind == "database":
        source = "{engine: duckdb, database: shop.duckdb}"
        with duckdb.connect(tmp_path / "shop.duckdb") as connection:
            generated.fill_duckdb(connection, tmp_path, world)
    else:
        generated.write_files(tmp_path, world, kind=kind)

    assert not generated.differences(world, generated.load(tmp_path, world, source))


@many
@given(world=generated.worlds)
def test_on_postgresql(tmp_path: Path, url: str, world: World) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        generated.fill_postgresql(connection, world)
    source = "{engine: postgresql, url: '${SHOP_URL}'}"

    assert not generated.differences(world, generated.load(tmp_path, world, source, environment={"SHOP_URL": url}))
