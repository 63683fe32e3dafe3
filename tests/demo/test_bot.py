"""The demo as a process: it leaves nothing behind, however it ends."""

import subprocess
import sys

import psutil

ENDING_SECONDS = 20


def test_bot_ends_when_the_demo_is_killed() -> None:
    command = [sys.executable, "-m", "labcoat.cli", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert "http://127.0.0.1:" in demo.stdout.readline()
        children = psutil.Process(demo.pid).children()
        assert children

        demo.kill()

    _, alive = psutil.wait_procs(children, timeout=ENDING_SECONDS)
    assert alive == []
