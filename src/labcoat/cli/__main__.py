"""`python -m labcoat.cli`, for where the command is not on the path."""

import sys

from labcoat.cli.app import main

sys.exit(main())
