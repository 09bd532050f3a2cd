"""`migrate`: the tables become those of this release."""

from __future__ import annotations

import sys

from app.domain.releases import RELEASE
from app.settings import Settings
from app.wiring import finish_upgrade, migrate


def migrate_database(settings: Settings, *, finish: bool) -> None:
    """Migrate the database, or with `finish` say that no older release serves on it any more; print what is to tell."""
    if finish:
        remark = finish_upgrade(settings)
        sys.stdout.write(f"From now on no release before {RELEASE} may serve on this database.\n")
        if remark is not None:
            sys.stdout.write(f"{remark}\n")
        return
    told = migrate(settings)
    if told is not None:
        sys.stdout.write(f"{told}\n")
