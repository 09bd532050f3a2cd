"""Opens the sockets to listen on; several processes may share them."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from app.domain.hosts import ALL_IPV6, LOCALHOST, SOCKET

# Seconds for the look whether anybody listens on a socket that is a file.
_LOOK = 1.0


class ListenError(Exception):
    """Where it is not possible to listen, in one line that names the variable."""


class Listeners:
    """Sockets bound to all of these, which do not listen yet; raises `ListenError`.

    Port 0 is one free port for all addresses.
    """

    def __init__(self, hosts: Sequence[str], port: int) -> None:
        self.sockets: list[socket.socket] = []
        self._files: list[tuple[Path, int]] = []
        try:
            for host in hosts:
                if host.startswith(SOCKET):
                    self._add_file(Path(host.removeprefix(SOCKET)))
                    continue
                for listener in _open_addresses(host, port, alone=len(hosts) == 1):
                    self.sockets.append(listener)
                    port = listener.getsockname()[1]
        except ListenError:
            self.close()
            raise
        _allow_many_files()

    def _add_file(self, path: Path) -> None:
        self.sockets.append(_open_file(path))
        self._files.append((path, path.stat().st_ino))

    def close(self) -> None:
        """Close them, and delete those that are files."""
        for listener in self.sockets:
            listener.close()
        for path, number in self._files:
            with suppress(OSError):
                # The next process may have put its own there.
                if path.stat().st_ino == number:
                    path.unlink()
        self._files.clear()


def shown(listener: socket.socket) -> str:
    """Return where it listens, as it is written in a URL or in HOST."""
    if listener.family == socket.AF_UNIX:
        return f"{SOCKET}{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if listener.family == socket.AF_INET6 else f"{host}:{port}"


def _open_addresses(host: str, port: int, *, alone: bool) -> Iterator[socket.socket]:
    """Yield a socket for an address; for localhost one for each of the families that this machine has."""
    addresses = ("127.0.0.1", "::1") if host == LOCALHOST else (host,)
    for number, address in enumerate(addresses):
        family, _, _, _, place = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        try:
            listener = _open_address(family, place, both=alone and address == ALL_IPV6)
        except OSError as error:
            if number > 0 and error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                return
            variable = f"PORT {port}" if error.errno in {errno.EADDRINUSE, errno.EACCES} else "HOST"
            raise ListenError(f"{variable} cannot be used at {address}: {os.strerror(error.errno or 0)}") from error
        port = listener.getsockname()[1]
        yield listener


def _open_address(family: int, place: tuple[object, ...], *, both: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        listener.bind(place)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def _open_file(path: Path) -> socket.socket:
    """Return a socket at the path, in the place of one that a dead process has left there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            if not stat.S_ISSOCK(path.stat().st_mode):
                raise OSError(errno.EEXIST, "there is a file, and it is no socket")
            if _is_in_use(path):
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            path.unlink()
        listener.bind(str(path))
        # Who may connect is said by the folder, as a proxy runs under another user.
        path.chmod(0o666)
    except OSError as error:
        listener.close()
        raise ListenError(f"HOST cannot be used at {SOCKET}{path}: {error.strerror}") from error
    listener.set_inheritable(True)
    return listener


def _is_in_use(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as look:
        look.settimeout(_LOOK)
        try:
            look.connect(str(path))
        except ConnectionRefusedError:
            return False
        except TimeoutError:
            pass
        return True


def _allow_many_files() -> None:
    """Take as many connections as the system allows: the usual 1,024 are gone with as many half requests."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
