"""The file of signing keys: reads, creates and rotates it, and notices a rotation by another process."""

from __future__ import annotations

import json
import logging
import os
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.domain.ports import Clock

# Between two checks of the file. Until the last process has read it, some sign with the old key and some with the new
# one; all of them know both.
_PAUSE = timedelta(minutes=1)
_MOST_KEYS = 3

logger = logging.getLogger(__name__)


class KeyFile:
    """The keys of one file, in the order current, next, previous; read again within a minute after it has changed.

    If a changed file cannot be read, the log has an error, and the keys stay the same.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._keys = read_keys(path)
        self._stamp = _stamp(path)
        self._looked = clock.now()

    @property
    def keys(self) -> Sequence[ECKey]:
        """The keys as they are now."""
        now = self._clock.now()
        if not timedelta(0) <= now - self._looked < _PAUSE:
            self._looked = now
            self._look()
        return self._keys

    def _look(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._keys = read_keys(self._path)
        except ValueError as error:
            logger.error("The signing keys are not changed: %s", error)
        else:
            logger.info("The signing keys were changed", extra={"kids": [kid(key) for key in self._keys]})


def read_keys(path: Path) -> list[ECKey]:
    """Return the keys of a private JWK set (RFC 7517).

    A key without `kid` gets its thumbprint (RFC 7638). Raises `ValueError`, in one line and without any part of a key,
    for a file that cannot be read or holds anything but one to three P-256 private keys.
    """
    try:
        return _read_set(json.loads(path.read_bytes()))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except _BadKeySetError as error:
        raise ValueError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{path}: is not JSON") from None


def create_keys(path: Path) -> None:
    """Make the file with one new key, unless it is there: several processes may do so at once, and get the same key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as draft:
        _write(draft.file, [_new_key()])
        # A link appears whole, and unlike a rename never takes the place of another process's file.
        with suppress(FileExistsError):
            os.link(draft.name, path)


def rotate_keys(path: Path) -> list[str]:
    """Make the next key the current one, the current one the previous, and a new one the next; return their `kid`s.

    A file with one key gets its next one, and the current one stays; where there is no file, it is made with both. The
    file is replaced whole, readable by its owner only. Raises `ValueError` when it cannot be read or written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            keys = [_new_key(), _new_key()]
        else:
            current, *others = read_keys(path)
            keys = [others[0], _new_key(), current] if others else [current, _new_key()]
        _replace(path, keys)
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {error.strerror}") from None
    return [kid(key) for key in keys]


def kid(key: ECKey) -> str:
    """Return the name of a key."""
    return str(key.kid)


def private_value(key: ECKey) -> bytes:
    """Return the private value (32 bytes), for other keys to be derived from."""
    return urlsafe_b64decode(f"{key.as_dict(private=True)['d']}==").rjust(32, b"\0")


class _BadKeySetError(Exception):
    """What is wrong with a key set, in words that show nothing of the keys."""


def _read_set(key_set: object) -> list[ECKey]:
    entries = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(entries, list):
        raise _BadKeySetError('is not a JWK set: it needs a list under "keys"')
    if not 1 <= len(entries) <= _MOST_KEYS:
        raise _BadKeySetError(f"holds {len(entries)} keys: it needs one to three (current, next, previous)")
    keys = [_read_key(number, entry) for number, entry in enumerate(entries, start=1)]
    if len({kid(key) for key in keys}) < len(keys):
        raise _BadKeySetError("holds two keys with the same kid")
    return keys


def _read_key(number: int, entry: object) -> ECKey:
    if not isinstance(entry, dict) or entry.get("kty") != "EC" or entry.get("crv") != "P-256":
        raise _BadKeySetError(f"key {number} is not an EC key on the curve P-256")
    if not isinstance(entry.get("d"), str):
        raise _BadKeySetError(f"key {number} is not a private key")
    if entry.get("use", "sig") != "sig" or entry.get("alg", "ES256") != "ES256":
        raise _BadKeySetError(f"key {number} is not for signing with ES256")
    try:
        key = ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y", "d", "kid") if name in entry})
    except (JoseError, ValueError):
        raise _BadKeySetError(f"key {number} is damaged") from None
    key.ensure_kid()
    return key


def _new_key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


def _write(file: Any, keys: Sequence[ECKey]) -> None:
    json.dump({"keys": [key.as_dict(private=True) for key in keys]}, file)
    file.flush()
    os.fsync(file.fileno())


def _replace(path: Path, keys: Sequence[ECKey]) -> None:
    with NamedTemporaryFile("w", dir=path.parent, prefix=path.name, delete=False) as draft:
        try:
            if path.exists():
                owner = path.stat()
                # The gateway may run as another user than the one who rotates, and must still be able to read it.
                os.fchown(draft.file.fileno(), owner.st_uid, owner.st_gid)
            _write(draft.file, keys)
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_mtime_ns, stat.st_ino, stat.st_size)
