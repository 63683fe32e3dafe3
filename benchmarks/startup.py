"""Wall time of `labcoat --help`, median of five; one JSON line."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

LARGEST_SECONDS = 0.5


def main() -> None:
    """Measure and print."""
    command = [str(Path(sys.executable).with_name("labcoat")), "--help"]
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begun)
    median = statistics.median(seconds)
    shown = {"benchmark": "startup", "median_s": round(median, 3), "all_s": [round(one, 3) for one in seconds]}
    print(json.dumps({**shown, "limits": {"median_s": LARGEST_SECONDS}, "is_within_limits": median < LARGEST_SECONDS}))


if __name__ == "__main__":
    main()
