"""`python -m tui` is `pgdr`."""

import sys

from tui.cli import main

sys.exit(main())
