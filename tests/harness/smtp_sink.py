"""A mail server on loopback that keeps what it accepts, slowly or not at all when the test says so."""

from __future__ import annotations

import asyncio
import threading
from email import message_from_bytes
from pathlib import Path

import anyio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.harness.postgresql import free_port

# Seconds that anything may take on a machine that is busy with other things.
PATIENCE = 100.0


class SmtpSink:
    """`accepted` has the recipient and the Message-ID of each mail; those in `held` wait until they are let go.

    With a `folder`, each is written there as a file, whole from the moment that it is there.
    """

    def __init__(self, delay: float = 0.0, folder: Path | None = None) -> None:
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.accepted: list[tuple[str, str]] = []
        self.held: set[str] = set()
        self._go_on = threading.Event()
        self._delay = delay
        self._folder = folder
        self._controller: Controller | None = None

    @property
    def recipients(self) -> list[str]:
        """Those whom mail has reached, in the order of its arrival."""
        return [recipient for recipient, _ in list(self.accepted)]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Accept a mail, after its time."""
        (recipient,) = envelope.rcpt_tos
        await asyncio.sleep(self._delay)
        if recipient in self.held:
            await asyncio.to_thread(self._go_on.wait, PATIENCE)
        if self._folder is not None:
            self._keep(envelope.original_content or b"", self._folder)
        self.accepted.append((recipient, message_from_bytes(envelope.original_content or b"")["Message-ID"]))
        return "250 OK"

    def _keep(self, content: bytes, folder: Path) -> None:
        half = folder / f"{len(self.accepted)}.half"
        half.write_bytes(content)
        half.rename(half.with_suffix(".eml"))

    def let_go(self) -> None:
        """Accept those in `held` after all."""
        self._go_on.set()

    async def wait_for(self, amount: int) -> None:
        """Return as soon as so many mails have been accepted."""
        with anyio.fail_after(PATIENCE):
            while True:
                if len(self.accepted) >= amount:
                    return
                await anyio.sleep(0.01)

    def start(self) -> None:
        """Listen on the port, always the same."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Be away."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
