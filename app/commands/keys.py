"""`keys`: list or rotate the keys that sign tokens."""

from __future__ import annotations

import sys
from pathlib import Path

from app.settings import Settings
from app.wiring import list_keys, rotate


def show_keys(settings: Settings, file: Path | None) -> None:
    """Print the names of the signing keys, and the use of each; raises `ValueError` if there are none."""
    for kid, use in zip(list_keys(settings, file), ("current", "next", "previous"), strict=False):
        sys.stdout.write(f"{kid}  {use}\n")


def rotate_keys(settings: Settings, file: Path | None) -> None:
    """Rotate the signing keys and print them; raises `ValueError` when the file cannot be read or written."""
    rotate(settings, file)
    show_keys(settings, file)
    sys.stdout.write(
        "Running processes use the new keys within a minute. Tokens and mail that the previous key signed or sealed "
        "are valid until you rotate again, so wait at least 72 hours.\n"
    )
