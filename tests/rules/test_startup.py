"""What a start loads: no test tool, no engine's driver and no font before somebody needs it."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from rules.test_house import required_name

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
TOOLS_AND_DRIVERS = {required_name(one) for extra in EXTRAS.values() for one in extra}
HEAVY = TOOLS_AND_DRIVERS | {"duckdb", "fonttools", "matplotlib", "pillow", "psycopg"}
NEEDED_BY_NO_HELP = HEAVY | {
    "alembic",
    "numpy",
    "pydantic",
    "scipy",
    "slack-bolt",
    "sqlalchemy",
    "sqlglot",
    "starlette",
}

SERVE = "from labcoat import settings, wiring; from labcoat.observability import logs; from labcoat.web import serving"
HELP = """
from labcoat.cli import app
try:
    app.main(["--help"])
except SystemExit:
    pass
"""


def loaded_by(program: str) -> set[str]:
    """Return the packages, as they are named when they are installed, that a program of its own loads."""
    shown = f"{program}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True, timeout=240)
    tops = {name.partition(".")[0] for name in json.loads(run.stderr.splitlines()[-1])}
    return {dist.lower() for top, dists in packages_distributions().items() if top in tops for dist in dists}


def test_the_help_loads_nothing_that_only_other_commands_need() -> None:
    assert loaded_by(HELP) & NEEDED_BY_NO_HELP == set()


def test_serve_loads_no_test_tool_no_driver_and_no_font_at_its_start() -> None:
    loaded = loaded_by(SERVE)

    assert loaded & HEAVY == set()
    assert {"slack-bolt", "sqlalchemy", "starlette"} - {name.replace("_", "-") for name in loaded} == set()


@pytest.mark.parametrize(
    ("program", "package"),
    [("import labcoat.slack.outgoing.charts", "matplotlib"), ("import duckdb", "duckdb"), ("import pytest", "pytest")],
)
def test_what_is_loaded_would_be_seen(program: str, package: str) -> None:
    assert package in loaded_by(program)
