"""House rules that no tool checks. Each test is one rule and lists who breaks it, as file:line."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import pytest

from chaos.test_kills import POINTS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/labcoat"
SANDBOX = ROOT / "src/slack_sandbox"
LONGEST_FILE = 350

EVERY_EXCEPTION_MAY_BE_CAUGHT = ("slack/errors.py", "worker/schedule.py", "cli/app.py")
BUSINESS_TIME_MAY_BE_READ = (
    "cli/*",
    "worker/schedule.py",
    "api/app.py",
    "slack/listeners/*",
    "db/clock.py",
    "demo/*",
)
MACHINE_TIME_MAY_BE_READ = (
    "cli/*",
    "worker/schedule.py",
    "worker/housekeeping.py",
    "api/app.py",
    "api/token_limit.py",
    "db/clock.py",
    "slack/incoming/membership.py",
    "demo/*",
)
SLOW_TO_LOAD = (
    ("warehouse/engines/duckdb_connection.py", "import duckdb"),
    ("slack/outgoing/rendering.py", "from labcoat.slack.outgoing import charts"),
)
"""Loaded when first needed, so that `labcoat serve` is ready at once; tests/rules/test_startup.py sees to it."""
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "common", "base", "core", "manager", "handler", "data", "info"})

NEVER_SAID = (
    "ideas?", "tickets?", "user stor(y|ies)", "phases?", "POCs?", "MVPs?", "A/B", "buckets?", "KPIs?", "winners?",
    "losers?", "votes?", "bets?", "newsletters?", "alerts?", "tech debt", "traffic errors?", "invalid", "error:",
    "fail(s|ed|ure|ures)?",
)  # fmt: skip
"""What the glossary has a better word for, or what blames. Its other words (group, note, test) have plain uses too."""

SAID_BY_SQLALCHEMY = frozenset({"process_bind_param", "process_result_value"})
"""Methods that its column types ask for."""

INDEX_HOSTS = ("pypi" + ".org", "python" + "hosted.org", "anaconda" + ".org", "npmjs" + ".com", "crates" + ".io")
"""Package indexes. Whoever installs says where from; a mirror must not be overruled by a file of ours."""


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module by its path in the package; those of the sandbox by their path in src."""
    read = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
    read |= {path.relative_to(SANDBOX.parent).as_posix(): path for path in sorted(SANDBOX.rglob("*.py"))}
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in read.items()}


def nodes(*, outside: tuple[str, ...] = ()) -> Iterator[tuple[str, ast.AST]]:
    """Yield every node with its place; outside: paths that the rule does not hold for."""
    for path, tree in modules().items():
        if not any(PurePosixPath(path).match(allowed) for allowed in outside):
            for node in ast.walk(tree):
                yield f"{path}:{getattr(node, 'lineno', 0)}", node


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return what git keeps, or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def imported(node: ast.AST) -> tuple[str, ...]:
    """Return what an import statement names."""
    if isinstance(node, ast.Import):
        return tuple(alias.name for alias in node.names)
    return (node.module or "",) if isinstance(node, ast.ImportFrom) else ()


def test_only_the_three_last_resorts_catch_every_exception() -> None:
    broad = [
        place
        for place, node in nodes(outside=EVERY_EXCEPTION_MAY_BE_CAUGHT)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]

    assert broad == []


def test_nothing_is_imported_inside_a_function_but_by_commands_and_what_would_slow_the_start() -> None:
    inside = [
        place
        for place, function in nodes(outside=("cli/*", "slack_sandbox/command.py"))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if imported(node) and (place.partition(":")[0], ast.unparse(node)) not in SLOW_TO_LOAD
    ]

    assert inside == []


def test_packages_say_nothing_in_their_init() -> None:
    talking = [
        path
        for path, tree in modules().items()
        if path.endswith("/__init__.py") and path != "slack_sandbox/__init__.py" and tree.body  # not the packages' own
    ]

    assert talking == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    paths = [PurePosixPath(path) for path in modules()]

    assert [str(path) for path in paths if VAGUE_NAMES & {*path.parent.parts, path.stem}] == []


def test_every_module_class_and_function_that_others_use_says_what_it_does() -> None:
    silent = [
        f"{path}:{getattr(node, 'lineno', 1)} {getattr(node, 'name', path)}"
        for path, tree in modules().items()
        for node in public(tree)
        if not ast.get_docstring(node)
    ]

    assert silent == []


Documented: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(tree: ast.Module | ast.ClassDef) -> Iterator[Documented]:
    """Yield a module, its public classes with their public methods, and its public functions."""
    if tree.body:
        yield tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            is_said_elsewhere = any(name.endswith(".setter") or name == "overload" for name in decorators)
            if not is_said_elsewhere and node.name not in SAID_BY_SQLALCHEMY:
                yield node


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "migrations"])
def test_no_file_is_longer_than_one_can_hold_in_mind(folder: str) -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    most = LONGEST_FILE if folder == "src" else 2 * LONGEST_FILE

    assert {path: length for path, length in lengths.items() if length > most} == {}


def test_no_tracked_file_names_a_package_index() -> None:
    pattern = re.compile("|".join(map(re.escape, (*INDEX_HOSTS, "index-" + "url", "find-" + "links"))))
    named = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in tracked_files()
        if (found := pattern.search(path.read_text(encoding="utf-8", errors="ignore")))
    ]

    assert named == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-demo.lock", "requirements-engines.lock"])
def test_the_lock_names_no_host_and_hashes_everything(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^\S+==.*?(?=^\S|\Z)", lock, flags=re.MULTILINE | re.DOTALL)

    assert "://" not in lock
    assert pins
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_engines_lock_has_all_that_the_other_has() -> None:
    names = [
        set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE))
        for lock in ("requirements.lock", "requirements-engines.lock")
    ]

    assert names[0] - names[1] == set()  # else `make lock`


def test_the_demo_s_lock_pins_what_the_developers_lock_pins_and_none_of_their_tools() -> None:
    demo, developers = pins("requirements-demo.lock"), pins("requirements.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = {required_name(one) for one in (*project["dependencies"], *extras["checkout"])}
    tools = {required_name(one) for one in extras["dev"]} - needed

    assert demo - developers == set()  # else `make lock`
    assert needed - {pin.partition("==")[0] for pin in demo} == set()
    assert tools & {pin.partition("==")[0] for pin in demo} == set()


def pins(lock: str) -> set[str]:
    """Return each pin of a lock with its marker, as in `numpy==2.4.6 ; python_full_version < '3.12'`."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return set(re.findall(r"^[\w.-]+==[^\\\n]*?(?= \\|$)", text, flags=re.MULTILINE))


def required_name(requirement: str) -> str:
    """Return the name of the package.

    >>> required_name("psycopg[binary]>=3.2,<4")
    'psycopg'
    """
    return re.split(r"[\[<>=]", requirement)[0]


def test_people_never_read_a_word_that_the_glossary_forbids() -> None:
    pattern = re.compile(rf"(?<![\w/-])({'|'.join(NEVER_SAID)})(?![\w-])", re.IGNORECASE)
    said = [
        f"{path}:{line} {found[0]!r} in {text!r}"
        for path, tree in modules().items()
        if path.startswith(("words/", "slack/"))
        for line, text in texts(tree)
        if (found := pattern.search(text))
    ]

    assert said == []


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the strings of more than one word that are no docstrings, with their lines: those are for people."""
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in notes)
    for node in strings:
        if isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def test_business_time_is_read_at_the_edge_only() -> None:
    readers = [
        place
        for place, node in nodes(outside=BUSINESS_TIME_MAY_BE_READ)
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).endswith("business_now")
    ]

    assert readers == []


def test_machine_time_is_read_only_where_leases_and_retries_are_and_in_the_sandbox_of_its_own() -> None:
    clocks = re.compile(r"(datetime\.(now|utcnow|today)|date\.today|time\.time|machine_now)$")
    readers = [
        place
        for place, node in nodes(outside=(*MACHINE_TIME_MAY_BE_READ, "slack/listeners/*", "slack_sandbox/*"))
        if isinstance(node, ast.Attribute) and clocks.search(ast.unparse(node))
    ]

    assert readers == []


def test_listeners_read_machine_time_only_to_remember_deliveries() -> None:
    readers = {
        place.partition(":")[0]
        for place, node in nodes()
        if place.startswith("slack/listeners/")
        and isinstance(node, ast.Attribute)
        and re.search(r"(datetime\.now|machine_now)$", ast.unparse(node))
    }

    assert readers <= {"slack/listeners/call.py"}


def test_only_db_speaks_to_our_database() -> None:
    drivers = [
        place
        for place, node in nodes(outside=("db/*", "warehouse/engines/postgresql.py"))  # the other is the user's own
        if {name.partition(".")[0] for name in imported(node)} & {"sqlite3", "psycopg", "psycopg_pool"}
    ]

    assert drivers == []


def test_use_cases_open_no_transaction_and_end_none() -> None:
    ends = [
        place
        for place, node in nodes()
        if place.startswith(("usecases/", "domain/", "words/"))
        and isinstance(node, ast.Call)
        and re.search(r"(^|\.)(tx|session|database)\.(commit|rollback|begin|writing|reading)$", ast.unparse(node.func))
    ]

    assert ends == []


@pytest.mark.parametrize("point", [point.function for point in POINTS])
def test_every_point_where_a_process_is_killed_is_there(point: str) -> None:
    module, _, path = point.partition(":")

    assert callable(attrgetter(path)(import_module(module)))


def test_nothing_is_skipped_or_mocked() -> None:
    pattern = re.compile(r"pytest\.(mark\.skip|skip|importorskip)|unittest\.mock|MagicMock")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__) and (match := pattern.search(path.read_text(encoding="utf-8")))
    ]

    assert found == []


WITHOUT_A_MODULE_OF_THEIR_OWN = ("rules", "proofs", "journeys", "chaos", "browser", "engines")
"""Folders of tests about more than one module: the house's rules, proofs over many inputs, whole stories, faults."""


def test_a_unit_test_lies_where_its_module_lies() -> None:
    tests = ROOT / "tests"
    of = {"slack_sandbox": SANDBOX.parent}
    astray = [
        test.as_posix()
        for path in tests.rglob("test_*.py")
        if (test := path.relative_to(tests)).parts[0] not in WITHOUT_A_MODULE_OF_THEIR_OWN
        and not (of.get(test.parts[0], SOURCE) / test.parent / test.name.removeprefix("test_")).exists()
    ]

    assert astray == []
