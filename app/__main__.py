"""`python -m app` is `digitlab`."""

import sys

from app.cli import main

sys.exit(main())
