"""Start a sandbox: `python -m slack_sandbox`."""

import sys

from slack_sandbox.command import main

sys.exit(main())
