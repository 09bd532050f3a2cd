"""Starts the process that removes from a SQLite file what was deleted, and tells how it ended."""

from __future__ import annotations

import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process, create_subprocess_exec
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_LIBRARY = "sqlean"
_PROCESS = "app.adapters.database.sqlite_scrubbing_process"
_ROOT = Path(__file__).parents[3]

logger = logging.getLogger(__name__)


async def scrub(database: Path, patience: float) -> bool:
    """Scrub the file in a process of its own, while others write; False if that cannot be done here.

    The path is absolute. Others may have the file locked for `patience` seconds. Raises `OSError` when it was not done;
    then it can be tried again.
    """
    if not _is_installed():
        return False
    # In a group of its own: Ctrl-C in a terminal is for us, and we end it.
    process = await create_subprocess_exec(
        *(sys.executable, "-m", _PROCESS, str(database), str(patience)),
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=PIPE,
        cwd=_ROOT,
        start_new_session=True,
    )
    try:
        return await _result_of(process)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _result_of(process: Process) -> bool:
    said = (await process.stderr.read()).decode(errors="replace") if process.stderr is not None else ""
    code = await process.wait()
    reason = said.strip().rpartition("\n")[2]
    if code == os.EX_TEMPFAIL:
        raise OSError("Another process keeps the database busy.")
    if code == os.EX_UNAVAILABLE:
        logger.warning("Deleted data are removed by VACUUM, while nobody can write: %s", reason)
        return False
    if code != os.EX_OK:
        raise OSError(f"Deleted data could not be removed from the file (exit code {code}): {reason}")
    return True


@cache
def _is_installed() -> bool:
    if find_spec(_LIBRARY) is not None:
        return True
    logger.warning("%s is not installed: deleted data are removed by VACUUM, while nobody can write", _LIBRARY)
    return False
