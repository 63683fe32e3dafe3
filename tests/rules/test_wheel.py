"""The built wheel works alone: installed where no checkout is, with the dependencies and nothing else."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

import labcoat

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bin folder of a new environment with the wheel; its dependencies are those of the running one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True, symlinks=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True, timeout=120)
    # A folder that a .pth file names is searched, but its own .pth files are not read, so the checkout that is
    # installed editable there stays out of sight.
    (site_packages,) = (folder / "lib").glob("python*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A working folder with nothing in it, and an environment that names a database there."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}
    return tmp_path, {**kept, "DATABASE_URL": f"sqlite:///{tmp_path / 'labcoat.db'}"}


def files_in(wheel: Path, folder: str) -> set[str]:
    names = zipfile.ZipFile(wheel).namelist()
    return {name.removeprefix(folder) for name in names if name.startswith(folder)}


def files_under(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


def test_the_wheel_has_every_migration_and_what_runs_them(wheel: Path) -> None:
    assert files_in(wheel, "labcoat/migrations/") == files_under(ROOT / "migrations")


def test_the_wheel_has_every_module_and_the_sandbox_s_page(wheel: Path) -> None:
    packed = {name for name in files_in(wheel, "labcoat/") if not name.startswith("migrations/")}
    sandbox = files_in(wheel, "slack_sandbox/")

    assert packed == files_under(ROOT / "src/labcoat")
    assert sandbox == files_under(ROOT / "src/slack_sandbox")
    assert "page/index.html" in sandbox


def test_the_wheel_has_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert tops == {"labcoat", "slack_sandbox", f"labcoat-{labcoat.__version__}.dist-info"}


def test_the_wheel_says_what_anyone_may_do_with_it(wheel: Path) -> None:
    about = f"labcoat-{labcoat.__version__}.dist-info/"
    packed = zipfile.ZipFile(wheel)
    metadata = packed.read(f"{about}METADATA").decode().splitlines()

    assert {"License-Expression: Apache-2.0", "License-File: LICENSE", "Author: Labcoat contributors"} <= set(metadata)
    assert packed.read(f"{about}licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()
    assert b"Version 2.0, January 2004" in (ROOT / "LICENSE").read_bytes()


def test_what_is_installed_is_the_wheel_and_not_this_checkout(
    installed: Path, elsewhere: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = elsewhere
    program = "import labcoat, alembic; print(labcoat.__file__)"

    said = subprocess.check_output([installed / "python", "-c", program], cwd=folder, env=environment, text=True)

    assert Path(said.strip()).is_relative_to(installed.parent)


def test_help_and_migrate_work_without_a_checkout(installed: Path, elsewhere: tuple[Path, dict[str, str]]) -> None:
    folder, environment = elsewhere

    for arguments in (["--help"], ["migrate"], ["migrate"]):
        subprocess.run([installed / "labcoat", *arguments], cwd=folder, env=environment, check=True, timeout=240)

    assert (folder / "labcoat.db").exists()


def test_the_demo_starts_without_a_checkout(installed: Path, elsewhere: tuple[Path, dict[str, str]]) -> None:
    # The whole tour is played in tests/demo, and once by a release from an empty environment.
    folder, environment = elsewhere
    command = [str(installed / "labcoat"), "demo", "--port", "0"]
    environment |= {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        address = re.search(rb"http://127\.0\.0\.1:\d+", demo.stdout.readline())
        page = httpx.get(address[0].decode(), timeout=10) if address else None
        demo.send_signal(signal.SIGTERM)  # a shell that starts this in the background has SIGINT ignored
        demo.communicate(timeout=240)

    assert page is not None
    assert page.status_code == httpx.codes.OK
    assert demo.returncode == 0
