"""`labcoat serve`, whose every transaction takes a second longer while the file SLOW_WHILE is there."""

import os
import sys
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from labcoat import cli

SLOW_WHILE = Path(os.environ["SLOW_WHILE"])


@event.listens_for(Engine, "begin")
def take_longer(_: Connection) -> None:
    """Wait as a database does that is far away, or has too much to do."""
    if SLOW_WHILE.exists():
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(cli.main(["serve"]))
