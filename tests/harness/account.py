"""The account that servers run as in tests which refuse to run as root, as PostgreSQL does."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

_NAME = "postgres"


def account_of_servers() -> str | None:
    """Return the distribution's account where the tests run as root; None where their own will do."""
    return _NAME if os.geteuid() == 0 else None


def give_to_servers(path: Path) -> None:
    """Give a file or folder to that account."""
    name = account_of_servers()
    if name is not None:
        account = pwd.getpwnam(name)
        os.chown(path, account.pw_uid, account.pw_gid)
