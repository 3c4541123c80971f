"""What does `python -m qdlite_server` do? The same as the command `qdlite`."""

from __future__ import annotations

import sys

from qdlite_server.cli import main

sys.exit(main())
