"""What tells that a file has changed, without reading it."""

from __future__ import annotations

import os

# Its times, size and number; None where there is no such file.
Signature = tuple[int, int, int, int] | None


def sign(path: str) -> Signature:
    """Return the signature of a file as it is now; that of a link is its target's."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path for each of thousands of files takes ten times as long
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def sign_all(path: str) -> dict[str, Signature]:
    """Return the signatures of the TOML files of a folder, in the order of their names; or that of a single file.

    Not of those that an editor or an administrator has hidden by a dot.
    """
    try:
        names = os.listdir(path)  # noqa: PTH208 - as above
    except NotADirectoryError:
        return {path: sign(path)}
    except OSError:
        return {path: None}
    files = (f"{path}/{name}" for name in sorted(names) if name.endswith(".toml") and not name.startswith("."))
    return {file: sign(file) for file in files}
