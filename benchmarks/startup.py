"""Seconds until `labcoat --help` has answered and until `labcoat serve` is ready, medians of five; one JSON line.

heavy: packages among drivers, fonts and tools that `labcoat serve` has loaded when it is ready to import its app.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from slack_sandbox.serving import RunningSandbox, running_sandbox

LIMITS = {"help_seconds": 0.2, "serve_ready_seconds": 3.0}
TIMES = 5
LABCOAT = (sys.executable, "-m", "labcoat.cli")
HEAVY = (
    "PIL", "chdb", "duckdb", "fontTools", "hypothesis", "matplotlib", "pandas", "playwright", "psycopg", "pyspark",
    "pytest", "statsmodels",
)  # fmt: skip
LOADED = f"import sys, labcoat.wiring, labcoat.web.serving; print(*[name for name in {HEAVY} if name in sys.modules])"


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, running_sandbox() as sandbox:
        environment = _environment(Path(folder), sandbox)
        subprocess.run((*LABCOAT, "migrate"), env=environment, check=True, stdout=subprocess.DEVNULL)
        found = {
            "help_seconds": _median(_help_seconds),
            "serve_ready_seconds": _median(lambda: _serve_ready_seconds(environment)),
        }
    heavy = subprocess.check_output((sys.executable, "-c", LOADED), text=True).split()
    is_within_limits = not heavy and all(found[name] < limit for name, limit in LIMITS.items())
    shown = {"benchmark": "startup", **found, "heavy": heavy}
    print(json.dumps({**shown, "limits": LIMITS, "is_within_limits": is_within_limits}))


def _median(measure: Callable[[], float]) -> float:
    return round(statistics.median(measure() for _ in range(TIMES)), 3)


def _help_seconds() -> float:
    begun = time.perf_counter()
    subprocess.run((*LABCOAT, "--help"), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _serve_ready_seconds(environment: dict[str, str]) -> float:
    # One client: each new one reads the machine's certificates, on the core that the start needs.
    with httpx.Client(base_url=f"http://127.0.0.1:{environment['PORT']}", timeout=1) as client:
        begun = time.perf_counter()
        with subprocess.Popen((*LABCOAT, "serve"), env=environment, stderr=subprocess.DEVNULL) as process:
            while not _is_ready(client):
                assert process.poll() is None, "labcoat serve ended by itself"
                time.sleep(0.02)
            seconds = time.perf_counter() - begun
            process.terminate()
    return seconds


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _environment(folder: Path, sandbox: RunningSandbox) -> dict[str, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'labcoat.db'}",
        "LABCOAT_HOST": "127.0.0.1",
        "LABCOAT_SLACK_API_URL": sandbox.api_url,
        "PORT": str(port),
        "SLACK_BOT_TOKEN": "xoxb-sandbox-token",
        "SLACK_SIGNING_SECRET": "startup",
    }


if __name__ == "__main__":
    main()
