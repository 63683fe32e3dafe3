"""The sandbox runs where Labcoat, its database and its numbers are not installed."""

import subprocess
import sys
from pathlib import Path

import slack_sandbox

PROGRAM = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Blocked())
import pkgutil, slack_sandbox
for module in pkgutil.walk_packages(slack_sandbox.__path__, "slack_sandbox."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
from slack_sandbox.serving import running_sandbox
with running_sandbox() as running:
    print("served", running.api_url)
"""
BLOCKED = ("labcoat", "sqlalchemy", "numpy", "scipy", "duckdb", "slack_bolt")


def _run(blocked: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.replace("{blocked}", repr(set(blocked)))
    source = str(Path(slack_sandbox.__file__).parents[1])
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, cwd=source
    )


def test_the_sandbox_serves_without_labcoat_and_its_libraries() -> None:
    ended = _run(BLOCKED)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("served http://127.0.0.1:")


def test_the_hook_that_blocks_imports_works() -> None:
    ended = _run((*BLOCKED, "starlette"))

    assert "blocked: starlette" in ended.stderr


def test_the_sandbox_has_a_command_line_of_its_own() -> None:
    command = [sys.executable, "-m", "slack_sandbox", "--help"]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 0
    assert "--app-url" in ended.stdout
