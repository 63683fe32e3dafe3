"""`labcoat serve`, whose every transaction takes a second longer while the file SLOW_WHILE is there."""

import os
import sys
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from labcoat.cli import app as cli


def main() -> int:
    """Serve, and wait at each transaction as for a database that is far away, or has too much to do."""
    slow_while = Path(os.environ["SLOW_WHILE"])

    def take_longer(_: Connection) -> None:
        if slow_while.exists():
            time.sleep(1)

    event.listen(Engine, "begin", take_longer)
    return cli.main(["serve"])


if __name__ == "__main__":
    sys.exit(main())
