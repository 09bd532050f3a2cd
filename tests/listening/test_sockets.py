"""Where the gateway listens: on addresses and sockets, alone, and as long as it runs."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.listening.sockets import ListenError, Listeners, shown
from app.settings import Settings
from tests.harness.server import PATIENCE, ROOT, ServerProcess
from tests.listening.conftest import ASK, Listening, read_all, status

CLOSING = ASK.replace(b"Host: x", b"Host: x\r\nConnection: close")


def refused(tmp_path: Path, **variables: str) -> list[str]:
    """Start a gateway that must not; return the lines that it says about it."""
    ours = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    ended = subprocess.run(
        [sys.executable, "-m", "app", "serve", "--migrate"],
        cwd=ROOT,
        env={**ours, "PROFILE": "development", "STATE_DIR": str(tmp_path / "state"), **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 3
    assert "Traceback" not in ended.stderr
    return [line for line in ended.stderr.splitlines() if "cannot be used" in line]


class TestListeners:
    def test_are_on_both_families(self) -> None:
        listeners = Listeners(["localhost"], 0)
        (first, second) = map(shown, listeners.sockets)
        port = first.removeprefix("127.0.0.1:")
        assert second == f"[::1]:{port}"
        listeners.close()

    @pytest.mark.parametrize(("hosts", "both"), [(["::"], True), (["::", "127.0.0.1"], False)])
    def test_are_on_all_addresses_of_both_when_one_stands_alone(self, hosts: list[str], *, both: bool) -> None:
        listeners = Listeners(hosts, 0)
        assert listeners.sockets[0].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == (not both)
        listeners.close()

    def test_replace_a_socket_that_a_dead_process_has_left(self, tmp_path: Path) -> None:
        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
            left.listen()
        listeners = Listeners([f"unix:{path}"], 0)
        assert shown(listeners.sockets[0]) == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        listeners.close()
        assert not path.exists()

    def test_leave_the_socket_of_the_process_that_came_after_them(self, tmp_path: Path) -> None:
        path = tmp_path / "s"
        before = Listeners([f"unix:{path}"], 0)
        path.rename(tmp_path / "kept")
        after = Listeners([f"unix:{path}"], 0)
        before.close()
        assert path.exists()
        after.close()

    def test_are_none_at_a_file_that_is_no_socket(self, tmp_path: Path) -> None:
        path = tmp_path / "s"
        path.write_text("mine")
        with pytest.raises(ListenError, match=f"HOST cannot be used at unix:{path}: there is a file"):
            Listeners(["127.0.0.1", f"unix:{path}"], 0)
        assert path.read_text() == "mine"

    @pytest.mark.parametrize(
        ("host", "fault"),
        [
            ("unix:/no/such/folder/s", "HOST cannot be used at unix:/no/such/folder/s: No such file or directory"),
            ("203.0.113.7", "HOST cannot be used at 203.0.113.7: Cannot assign requested address"),
        ],
    )
    def test_are_none_where_there_is_no_such_place(self, host: str, fault: str) -> None:
        with pytest.raises(ListenError, match=fault):
            Listeners([host], 0)


class TestStart:
    @pytest.mark.parametrize("processes", ["1", "2"])
    def test_names_a_port_that_is_taken(self, tmp_path: Path, processes: str) -> None:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
            port = other.getsockname()[1]
            lines = refused(tmp_path, HOST="127.0.0.1,::1", PORT=str(port), PROCESSES=processes)
        assert lines == [f"PORT {port} cannot be used at ::1: Address already in use"]

    def test_names_a_socket_that_is_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            lines = refused(tmp_path, HOST=f"unix:{path}")
        assert lines == [f"HOST cannot be used at unix:{path}: Address already in use"]
        assert path.exists()


class TestPlaces:
    @pytest.mark.parametrize("place", ["127.0.0.1", "::1", "unix"])
    def test_all_answer(self, listening: Listening, place: str) -> None:
        with listening.connect(place) as connection:
            connection.sendall(CLOSING)
            assert status(read_all(connection)) == 200

    def test_are_told(self, listening: Listening) -> None:
        port = listening.server.port
        assert f"Listening at 127.0.0.1:{port}, [::1]:{port}, unix:{listening.path}" in listening.server.log


class TestEnd:
    def test_of_the_watching_process_leaves_none_behind(self, tmp_path: Path, sqlite_template: Path) -> None:
        """Kill it: its processes notice, and the port is free for the next one."""
        (tmp_path / "gateway.db").write_bytes(sqlite_template.read_bytes())
        path = tmp_path / "s"
        server = ServerProcess(
            {
                "DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
                "STATE_DIR": str(tmp_path / "state"),
                "HOST": f"127.0.0.1,unix:{path}",
                "PROCESSES": "2",
            }
        )
        server.start()
        try:
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            assert len(children) >= 2
            server.kill()
            deadline = time.monotonic() + 20
            while any(_runs(int(child)) for child in children):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            server.start()
            server.signal(signal.SIGTERM)
            server.wait()
        finally:
            server.end()


def _runs(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


class TestStateDir:
    @pytest.mark.parametrize("umask", [0o022, 0o000])
    def test_is_closed_to_others_with_all_that_is_in_it(self, tmp_path: Path, umask: int) -> None:
        """The folder was made by somebody else before, with a database of an older version."""
        server = ServerProcess(
            {
                "DATABASE_URL": f"sqlite:///{tmp_path / 'state' / 'gateway.db'}",
                "STATE_DIR": str(tmp_path / "state"),
            },
            [sys.executable, "-m", "app", "serve", "--migrate"],
        )
        before = os.umask(umask)
        try:
            (tmp_path / "state").mkdir()
            (tmp_path / "state" / "gateway.db").touch()
            server.start()
            server.stop()
        finally:
            os.umask(before)
            server.end()
        folder = tmp_path / "state"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "signing-keys.json").exists()
        assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*") if path.is_file()} == {
            path.name: "0o600" for path in folder.rglob("*") if path.is_file()
        }
