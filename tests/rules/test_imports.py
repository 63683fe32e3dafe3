"""The import contracts hold what they promise: a violation of each kind, planted in a copy, is found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = {
    "labcoat/worker/planted.py": ("import sqlalchemy", "SQLAlchemy and Alembic live in db"),
    "labcoat/warehouse/planted.py": ("from sqlalchemy import text", "SQLAlchemy and Alembic live in db"),
    "labcoat/web/planted.py": ("import numpy", "numpy and scipy live in stats"),
    "labcoat/cli/planted.py": ("import slack_sdk", "Slack's libraries live in slack"),
    "labcoat/warehouse/files/planted.py": ("import sqlglot", "sqlglot lives in two modules of the warehouse"),
    "slack_sandbox/planted.py": ("from labcoat.domain import ids", "The sandbox imports none of Labcoat"),
    "slack_sandbox/planted_numbers.py": ("import numpy", "The sandbox imports none of Labcoat"),
    "labcoat/slack/planted.py": ("import slack_sandbox.client", "Only the demo and the command line know the sandbox"),
    "labcoat/domain/planted.py": ("from labcoat.db import outbox", "Imports point down only"),
    "labcoat/api/planted.py": ("from labcoat.slack import blocks", "Imports point down only"),
    "labcoat/slack/views/planted.py": ("from labcoat.slack.listeners import call", "Inside slack too"),
    "labcoat/slack/grammar.py": ("from labcoat.slack.views import lists", "Inside slack too"),
    "labcoat/slack/blocks.py": ("from labcoat.slack import commands", "Inside slack too"),
    "labcoat/slack/commands.py": ("from labcoat.words import numbers", "Commands are data that know only the domain"),
    "labcoat/slack/listeners/registry.py": (
        "from labcoat.slack.listeners import dispatch",
        "Dispatch stands above the registry",
    ),
    "labcoat/slack/listeners/planted.py": (
        "from labcoat.slack.listeners import registry",
        "No feature knows the registry or dispatch",
    ),
    "labcoat/usecases/looks/planted.py": (
        "from labcoat.stats import batch",
        "Who asks the statistics asks stats.entry",
    ),
    "labcoat/words/planted.py": ("from labcoat.stats import entry", "Only plain results leave the statistics"),
    "labcoat/observability/planted.py": ("from labcoat.domain import ids", "Observability imports none of our code"),
    "labcoat/planted.py": ("", "Imports point down only"),  # a module at the root that no layer names
}


def _lint(folder: Path) -> str:
    """Return what lint-imports prints of a copy of the sources."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    ).stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with its contracts."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_planted_violation_is_found(copy: Path) -> None:
    assert "0 broken" in _lint(copy)

    for path, (line, _) in PLANTED.items():
        with (copy / "src" / path).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    said = _lint(copy)

    broken = {name.rpartition(" BROKEN")[0] for name in said.splitlines() if " BROKEN" in name}
    missed = [name for _, name in PLANTED.values() if not any(one.startswith(name) for one in broken)]
    assert missed == []
    modules = [path.removesuffix(".py").replace("/", ".") for path in PLANTED]
    assert [module for module in modules if module not in said] == []
