"""Signs and verifies our JWTs with the ES256 keys of a private JWK set file."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, GuestProtocol

_ALGORITHMS = ("ES256",)
_MOST_KEYS = 3
_LONGEST_TOKEN = 8192


class Es256Signer:
    """Signs with the first key, verifies with all of them; each has a `kid` of its own."""

    def __init__(self, keys: Sequence[ECKey]) -> None:
        self._keys = {_kid(key): key for key in keys}
        self._current, *_ = self._keys

    @classmethod
    def load(cls, path: Path) -> Es256Signer:
        """Return the signer with the keys of this private JWK set (RFC 7517), in the order current, next, previous.

        A key without `kid` gets its thumbprint (RFC 7638). Raises `ValueError`, in one line and without any part of
        a key, for a file that cannot be read or holds anything but one to three P-256 private keys.
        """
        try:
            return cls(_read_keys(json.loads(path.read_bytes())))
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
        except _BadKeySetError as error:
            raise ValueError(f"{path}: {error}") from None
        except (ValueError, RecursionError):
            raise ValueError(f"{path}: is not JSON") from None

    @classmethod
    def load_or_create(cls, path: Path) -> Es256Signer:
        """Return the signer with the keys of this file, made with one new key when there is none (development).

        Several processes may do this at once: the file appears whole, readable by its owner only, and all of them
        get the same key.
        """
        if not path.exists():
            _create(path)
        return cls.load(path)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the compact JWS of these claims, with the current key's `kid` in its header."""
        header = {"typ": "JWT", "alg": "ES256", "kid": self._current}
        return jwt.encode(header, dict(claims), self._keys[self._current], algorithms=_ALGORITHMS)

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT signed by one of our keys, or None; the claims themselves are not judged."""
        if len(token) > _LONGEST_TOKEN:
            return None
        try:
            return dict(jwt.decode(token, self._find_key, algorithms=_ALGORITHMS).claims)
        except (JoseError, ValueError, RecursionError):
            return None

    def jwks(self) -> dict[str, Any]:
        """Return the public JWK set (RFC 7517): current, next and previous key."""
        return {
            "keys": [
                {**key.as_dict(private=False, use="sig", alg="ES256"), "kid": kid} for kid, key in self._keys.items()
            ]
        }

    def key_material(self) -> list[bytes]:
        """Return the private values (32 bytes each) in the order of the keys, for other keys to be derived from."""
        return [_private_value(key) for key in self._keys.values()]

    def _find_key(self, token: GuestProtocol) -> ECKey:
        key = self._keys.get(str(token.headers().get("kid")))
        if key is None:
            raise InvalidKeyIdError
        return key


class _BadKeySetError(Exception):
    """What is wrong with a key set, in words that show nothing of the keys."""


def _read_keys(key_set: object) -> list[ECKey]:
    entries = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(entries, list):
        raise _BadKeySetError('is not a JWK set: it needs a list under "keys"')
    if not 1 <= len(entries) <= _MOST_KEYS:
        raise _BadKeySetError(f"holds {len(entries)} keys: needed are one to three (current, next, previous)")
    keys = [_read_key(number, entry) for number, entry in enumerate(entries, start=1)]
    if len({_kid(key) for key in keys}) < len(keys):
        raise _BadKeySetError("holds two keys with the same kid")
    return keys


def _read_key(number: int, entry: object) -> ECKey:
    if not isinstance(entry, dict) or entry.get("kty") != "EC" or entry.get("crv") != "P-256":
        raise _BadKeySetError(f"key {number} is not an EC key on the curve P-256")
    if not isinstance(entry.get("d"), str):
        raise _BadKeySetError(f"key {number} is not a private key")
    if entry.get("use", "sig") != "sig" or entry.get("alg", "ES256") != "ES256":
        raise _BadKeySetError(f"key {number} is not meant for signing with ES256")
    try:
        key = ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y", "d", "kid") if name in entry})
    except (JoseError, ValueError):
        raise _BadKeySetError(f"key {number} is damaged") from None
    key.ensure_kid()
    return key


def _kid(key: ECKey) -> str:
    return str(key.kid)


def _private_value(key: ECKey) -> bytes:
    return urlsafe_b64decode(f"{key.as_dict(private=True)['d']}==").rjust(32, b"\0")


def _create(path: Path) -> None:
    key = ECKey.generate_key("P-256", auto_kid=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=path.name) as draft:
        json.dump({"keys": [key.as_dict(private=True)]}, draft)
        draft.flush()
        os.fsync(draft.fileno())
        # A link appears whole, and unlike a rename never takes the place of another process's file.
        with suppress(FileExistsError):
            os.link(draft.name, path)
