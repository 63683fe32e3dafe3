"""What README and docs name exists, and what a user needs is named there."""

import inspect
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

import labcoat
from labcoat import settings
from labcoat.cli import app as cli
from labcoat.slack import grammar
from labcoat.warehouse.files.columns import NAMES
from rules.test_house import tracked_files

ROOT = Path(__file__).parents[2]
README, OPERATE, CONTRIBUTING = ROOT / "README.md", ROOT / "docs/operate.md", ROOT / "CONTRIBUTING.md"
PAGES = [README, CONTRIBUTING, *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}
ALL = "\n".join(TEXT.values())
LONGEST_README = 120

COMMANDS = frozenset(
    name
    for path in (ROOT / "src/labcoat").glob("cli/*.py")
    for name in re.findall(r'commands\.add_parser\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
)
TARGETS = frozenset(
    re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
)
SETTINGS = frozenset(re.findall(r'(?:environment, |\[|get\()"([A-Z_]+)"', inspect.getsource(settings)))
SCOPES = frozenset(yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"])


def code(page: Path) -> str:
    """Return what a page shows as code, block or inline."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", TEXT[page], flags=re.DOTALL))


def slug(heading: str) -> str:
    """Return the anchor that a heading gets on GitHub.

    >>> slug("The metrics file, in full")
    'the-metrics-file-in-full'
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return what links may point at within a page."""
    without_code = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", without_code, flags=re.MULTILINE)}


def test_the_pages_know_what_they_are_checked_against() -> None:
    assert {"serve", "migrate", "demo", "sandbox", "analyse", "metrics", "token"} <= COMMANDS
    assert {"demo", "test", "check"} < TARGETS
    assert {"SLACK_BOT_TOKEN", "DATABASE_URL", "PORT"} < SETTINGS
    assert "chat:write" in SCOPES


@pytest.mark.parametrize("role", NAMES)
def test_every_name_of_a_column_is_documented_and_every_role_in_the_help(
    role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["import", "--help"])
    roles = capsys.readouterr().out.partition("Roles: ")[2].partition(".")[0].split(", ")
    row = next(line for line in TEXT[ROOT / "docs/operate.md"].splitlines() if line.startswith(f"| `{role}` |"))

    assert role in roles
    assert set(NAMES[role][1:]) <= set(re.findall(r"`([^`]+)`", row))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"(?<![\w/-])labcoat ([a-z]+)", code(page)))

    assert named <= COMMANDS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    assert set(re.findall(r"(?<![\w-])make ([a-z-]+)", code(page))) <= TARGETS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_environment_variable_that_is_named_is_read(page: Path) -> None:
    named = set(re.findall(r"(?<![\w-])((?:LABCOAT|SLACK|DATABASE)_[A-Z_]+|PORT)(?![\w-])", TEXT[page]))

    assert named <= SETTINGS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_scope_that_is_named_is_asked_for(page: Path) -> None:
    kinds = "channels|chat|commands|files|groups|im|mpim|reactions|team|users|app_mentions"

    assert set(re.findall(rf"`((?:{kinds}):[a-z.:]+)`", TEXT[page])) <= SCOPES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_sub_command_of_slack_that_is_named_exists(page: Path) -> None:
    typed = re.findall(r"`/(?:hypothesis|experiment) ([a-z]+)", TEXT[page])

    assert set(typed) <= {*grammar.ABOUT_ONE, *grammar.ALONE}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", TEXT[page]):
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_this_repository_that_is_named_exists(page: Path) -> None:
    named = re.findall(r"`((?:src|docs|tests|benchmarks|migrations)/[\w./-]*)`", TEXT[page])

    assert [path for path in named if not (ROOT / path).exists()] == []


def configuration() -> str:
    """Return the section of docs/operate.md that lists every setting."""
    return TEXT[OPERATE].partition("\n## Configuration\n")[2].partition("\n## ")[0]


def test_the_configuration_table_has_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", configuration(), flags=re.MULTILINE)

    assert len(rows) == len(set(rows))
    assert set(rows) == SETTINGS


def test_the_configuration_table_tells_the_true_defaults() -> None:
    shown = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", configuration(), flags=re.MULTILINE))
    read = settings.read({"SLACK_BOT_TOKEN": "t", "SLACK_SIGNING_SECRET": "s"})

    assert shown == {
        "DATABASE_URL": read.database_url,
        "PORT": str(read.port),
        "LABCOAT_OPS_HOST": read.ops_host,
        "LABCOAT_KEEP_SENT_DAYS": str((read.keep_sent or timedelta()).days),
        "LABCOAT_LOG_LEVEL": read.log_level.lower(),
        "LABCOAT_HOST": read.host,
        "LABCOAT_REFRESH_MINUTES": f"{(read.refresh or timedelta()).total_seconds() / 60:.0f}",
        "LABCOAT_TIMEZONE": read.timezone,
        "LABCOAT_THREADS": str(read.threads),
        "LABCOAT_ANSWER_WITHIN_MS": f"{read.answer_within.total_seconds() * 1000:.0f}",
        "LABCOAT_API_PER_MINUTE": str(read.api_per_minute),
        "LABCOAT_ACTS_PER_MINUTE": str(read.acts_per_minute),
        "LABCOAT_LINKS": str(read.links),
        "LABCOAT_STOP_SECONDS": str(read.stop_seconds),
        "LABCOAT_LEASE_SECONDS": f"{read.lease.total_seconds():.0f}",
        "LABCOAT_SETTLE_SECONDS": f"{read.settling.total_seconds():.0f}",
        "LABCOAT_DELIVERERS": str(read.deliverers),
    }


def test_readme_names_every_command_and_contributing_every_make_target() -> None:
    assert [one for one in sorted(COMMANDS) if f"labcoat {one}" not in TEXT[README]] == []
    assert [one for one in sorted(TARGETS) if f"make {one}" not in TEXT[CONTRIBUTING]] == []


def test_readme_is_read_in_one_go() -> None:
    assert len(TEXT[README].splitlines()) < LONGEST_README


def test_every_page_is_in_readme_s_map() -> None:
    missing = [
        str(page.relative_to(ROOT))
        for page in PAGES
        if page != README and f"]({page.relative_to(ROOT).as_posix()}" not in TEXT[README]
    ]

    assert missing == []


def test_no_page_leads_out_of_the_repository() -> None:
    out = {page.name for page in PAGES if re.search(r"(?<![\w.])\.\./shared|/work/", TEXT[page])}

    assert out == set()


def test_contributing_names_every_folder_of_tests() -> None:
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").glob("*/**/test_*.py")}

    assert {folder for folder in folders if f"`tests/{folder}`" not in TEXT[CONTRIBUTING]} == set()


def test_the_gate_runs_what_readme_and_contributing_say() -> None:
    gate = (ROOT / ".ci/run").read_text(encoding="utf-8")

    assert "make test" in TEXT[README]
    assert "make check" in TEXT[CONTRIBUTING]
    assert {"make test", "make check"} <= set(gate.splitlines())


def test_readme_needs_the_python_that_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floor = project["requires-python"].removeprefix(">=")

    assert f"Python {floor} or later" in TEXT[README]


def test_the_changelog_s_newest_version_is_this_one() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    versions = [heading for heading in headings if heading != "Unreleased"]

    assert headings.index(versions[0]) == int("Unreleased" in headings)
    assert re.fullmatch(rf"{re.escape(labcoat.__version__)} \(\d{{4}}-\d\d-\d\d\)", versions[0])


def test_no_page_names_a_registry() -> None:
    hosts = "|".join(map(re.escape, ("pypi" + ".org", "python" + "hosted.org", "conda" + ".anaconda")))

    assert re.findall(hosts, ALL) == []


ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", ARCHITECTURE))))
def test_the_map_names_files_that_exist(name: str) -> None:
    found = [path for path in tracked_files() if f"/{name}" in f"/{path.relative_to(ROOT).as_posix()}"]

    assert found


def test_the_map_names_every_layer() -> None:
    packages = {path.parent.name for path in (ROOT / "src/labcoat").glob("*/__init__.py")}

    assert {one for one in packages if not re.search(rf"\b{one}\b", ARCHITECTURE)} == set()
