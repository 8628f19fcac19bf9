"""`python -m marketable` is the command `marketable`."""

import sys

from marketable.report.command import main

sys.exit(main())
