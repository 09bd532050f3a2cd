"""The gateway as a process of its own: `python -m app serve`, as an operator runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import httpx2

from app.settings import Settings
from tests.harness.client import StorefrontClient
from tests.harness.mails import Mail, read_mails
from tests.harness.postgresql import free_port

ROOT = Path(__file__).parents[2]
# Seconds that anything may take on a machine that is busy with other things.
PATIENCE = 150.0
SERVE = (sys.executable, "-m", "app", "serve")


class ServerProcess:
    """One process of the gateway on a free port; `environment` has at least DATABASE_URL and STATE_DIR."""

    def __init__(self, environment: Mapping[str, str], command: Sequence[str] = SERVE) -> None:
        self._command = command
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.state_dir = Path(environment["STATE_DIR"])
        self.log_file = self.state_dir / f"server-{self.port}.log"
        ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
        self._environment = {**ours, "PORT": str(self.port), "PUBLIC_URL": self.url, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the process has written so far."""
        return self.log_file.read_text()

    @property
    def pid(self) -> int:
        """The number of the process, which watches over others if there are several."""
        return self._running().pid

    def start(self) -> None:
        """Start it, and return when it is ready."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), and check that it does so cleanly and had no error all its life."""
        self.signal(signal.SIGTERM)
        self.wait_for_clean_end()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running().send_signal(number)

    def wait(self) -> int:
        """Wait until it has ended, and return its exit code."""
        code = self._running().wait(PATIENCE)
        self._process = None
        return code

    def wait_for_clean_end(self) -> None:
        """Wait until it has ended, and check that it had no error all its life."""
        code = self.wait()
        assert code in (0, -signal.SIGTERM), f"exit {code}\n{self.log}"
        assert "ERROR" not in self.log, self.log
        assert "Traceback" not in self.log, self.log

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL)."""
        process = self._running()
        process.kill()
        process.wait(PATIENCE)
        self._process = None

    def end(self) -> None:
        """End it if it still runs; for the clean-up after a test that failed."""
        if self._process is not None:
            self.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "The process does not run."
        return self._process

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/readyz", trust_env=False, timeout=PATIENCE).status_code == 200
        except httpx2.TransportError:
            return False


class ServerClient(StorefrontClient):
    """A storefront that talks to a server process over HTTP."""

    def __init__(self, server: ServerProcess) -> None:
        limits = httpx2.Limits(max_connections=64, max_keepalive_connections=64)
        super().__init__(httpx2.AsyncClient(base_url=server.url, trust_env=False, timeout=PATIENCE, limits=limits))
        self._mail_folder = server.state_dir / "mail"

    async def deliver(self) -> None:
        """Nothing to do: the server's own worker delivers. `wait_for_mail` waits for it."""

    def mails(self, to: str | None = None) -> list[Mail]:
        """Return what was mailed so far, to one address if it is given, the oldest first."""
        return read_mails(self._mail_folder, to)

    async def wait_for_mail(self, to: str, subject: str = "") -> Mail:
        """Return the latest mail to the address with these words in its subject, as soon as there is one."""
        with anyio.fail_after(PATIENCE):
            while True:
                found = [mail for mail in self.mails(to) if subject in mail.subject]
                if found:
                    return found[-1]
                await anyio.sleep(0.02)
