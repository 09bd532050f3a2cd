"""Begins a process: `python -m app COMMAND`, or one that the server has started beside it."""

from __future__ import annotations

import gc
import os
import signal
import sys

if __name__ == "__main__" and sys.argv[1:2] in (["serve"], ["worker"]):
    # What is imported below takes a second, in which SIGHUP would end the process: it waits, see `hold_hangups`.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
# All that is imported now stays: collections meanwhile would look through it for nothing, a tenth of the start.
gc.disable()

from app.commands.command_line import main

if __name__ == "__main__":
    # What is written is for nobody else: keys, mail, a database of customers.
    os.umask(0o077)
    sys.exit(main())
