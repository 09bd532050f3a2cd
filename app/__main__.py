"""Begins a process: `python -m app COMMAND`, or one that the server has started beside it."""

from __future__ import annotations

import gc
import os
import sys

# All that is imported now stays: collections meanwhile would look through it for nothing, a tenth of the start.
gc.disable()

from app.commands.command_line import main  # noqa: E402

if __name__ == "__main__":
    # What is written is for nobody else: keys, mail, a database of customers.
    os.umask(0o077)
    sys.exit(main())
