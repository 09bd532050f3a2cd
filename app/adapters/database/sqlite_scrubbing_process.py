"""The process that scrubs a SQLite file; it ends with the one that started it, which closes our standard input."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

from app.adapters.database.sqlite_page_file import FileBusyError, PageFile
from app.adapters.database.sqlite_pages import NotUnderstoodError
from app.adapters.database.sqlite_scrubbing import Scrubber


def _pause(seconds: float) -> None:
    """Wait; end the process when nobody wants it any more. A transaction that is open is never committed then."""
    if select.select([sys.stdin], [], [], seconds)[0]:
        os._exit(1)


def main(path: str, patience: str) -> int:
    """Scrub the file; others may have it locked for as long as `patience`, in seconds.

    Returns the exit code: `EX_TEMPFAIL` if it is to be tried again, `EX_UNAVAILABLE` if it cannot be done in this way.
    """
    try:
        Scrubber(PageFile(Path(path), float(patience), _pause)).run()
    except FileBusyError:
        return os.EX_TEMPFAIL
    except NotUnderstoodError as error:
        sys.stderr.write(f"{error}\n")
        return os.EX_UNAVAILABLE
    return os.EX_OK


if __name__ == "__main__":
    # The file is not closed: who is the last to close it takes its log away, and that is not for us.
    os._exit(main(*sys.argv[1:]))
