"""`python -m marketable` is the command `marketable`."""

import sys

from .reports.command import main

sys.exit(main())
