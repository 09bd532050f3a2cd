"""Keeps a folder from the other users of the machine."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close_to_others(folder: Path) -> None:
    """Take from others what they may do with the folder and with the files in it, if it is there.

    Left as they are: what belongs to another user, a folder for all (`/tmp`), and one that holds the program itself.
    """
    if not folder.is_dir():
        return
    found = folder.stat()
    is_for_all = found.st_mode & stat.S_ISVTX or Path.cwd().is_relative_to(folder.resolve())
    if is_for_all or found.st_uid != os.geteuid():
        return
    folder.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    for path in folder.iterdir():
        with suppress(OSError):
            mode = path.lstat()
            if stat.S_ISREG(mode.st_mode) and mode.st_uid == os.geteuid() and mode.st_mode & _OTHERS:
                path.chmod(stat.S_IMODE(mode.st_mode) & ~_OTHERS)
