"""The OAuth token for the mail server: what a command of the operator's prints, kept for a moment."""

from __future__ import annotations

import asyncio
import shlex
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from datetime import datetime, timedelta

from app.adapters.deadlines import is_still_ahead
from app.domain.ports import Clock, MailLineError

# Seconds that the command may take.
_PATIENCE = 10.0
_KEPT = timedelta(seconds=60)


class TokenCommand:
    """Runs the command, without a shell, when a token is wanted and the last one is older than a minute."""

    def __init__(self, command: str, clock: Clock) -> None:
        """Read the command line; raises `ValueError` when its quotes do not match, or it is empty."""
        self._arguments = shlex.split(command)
        if not self._arguments:
            raise ValueError("SMTP_TOKEN_COMMAND is empty")
        self._clock = clock
        self._token = ""
        self._kept_until: datetime | None = None

    async def read(self) -> str:
        """Return the token; raises `MailLineError` when the command prints none."""
        if not is_still_ahead(self._kept_until, self._clock.now(), _KEPT):
            self._token = await self._run()
            self._kept_until = self._clock.now() + _KEPT
        return self._token

    def forget(self) -> None:
        """Run the command when a token is wanted next: the server has refused this one."""
        self._kept_until = None

    async def _run(self) -> str:
        try:
            process = await asyncio.create_subprocess_exec(*self._arguments, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
        except OSError as error:
            raise MailLineError(f"SMTP_TOKEN_COMMAND could not be run: {error.strerror}") from None
        try:
            output, _ = await asyncio.wait_for(process.communicate(), _PATIENCE)
        except TimeoutError:
            raise MailLineError(f"SMTP_TOKEN_COMMAND took longer than {_PATIENCE:.0f} seconds") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise MailLineError(f"SMTP_TOKEN_COMMAND ended with exit code {process.returncode}")
        token = output.decode("ascii", "replace").strip()
        if not token or not token.isprintable() or not token.isascii() or " " in token:
            raise MailLineError("SMTP_TOKEN_COMMAND printed no token: one line is wanted")
        return token
