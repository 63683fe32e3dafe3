"""Proofs by fault, in two sizes: small in `make test`, full in `make chaos`, which gives `--full`."""

import sys
from collections.abc import Callable

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the proofs of tests/chaos in their full size")


@pytest.fixture(scope="session")
def size(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """What picks how often something is done: `size(small, full)`."""
    # Below other folders this file is read after the options, and there the size is always the small one.
    is_full: bool = pytestconfig.getoption("full", default=False)

    def pick(small: int, full: int) -> int:
        return full if is_full else small

    return pick


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """What writes a figure where whoever runs the full size reads it."""

    def write(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return write
