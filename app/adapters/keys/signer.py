"""Signs and verifies our JWTs with the ES256 keys of a private JWK set file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, GuestProtocol

from app.adapters.clock import SystemClock
from app.adapters.keys.signing_keys import KeyFile, create_keys, kid, private_value
from app.domain.ports import Clock

_ALGORITHMS = ("ES256",)
_LONGEST_TOKEN = 8192


class Es256Signer:
    """Signs with the first key and verifies with all of them; each has its own `kid`.

    `keys` returns the current keys in the order current, next, previous.
    """

    def __init__(self, keys: Callable[[], Sequence[ECKey]]) -> None:
        self._read_keys = keys

    @classmethod
    def load(cls, path: Path, clock: Clock | None = None) -> Es256Signer:
        """Return the signer with the keys of this file, which is read again after a change.

        Raises `ValueError` with one line, and without any part of a key, if the file is not valid.
        """
        file = KeyFile(path, clock or SystemClock())
        return cls(lambda: file.keys)

    @classmethod
    def load_or_create(cls, path: Path, clock: Clock | None = None) -> Es256Signer:
        """Return the signer with the keys of this file, made with one new key when there is none (development).

        Several processes may do this at once: the file appears complete, only its owner can read it, and all get the
        same key.
        """
        create_keys(path)
        return cls.load(path, clock)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the compact JWS of these claims, with the current key's `kid` in its header."""
        current = self._read_keys()[0]
        header = {"typ": "JWT", "alg": "ES256", "kid": kid(current)}
        return jwt.encode(header, dict(claims), current, algorithms=_ALGORITHMS)

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a JWT that one of our keys has signed, or None. The claims are not checked."""
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
                {**key.as_dict(private=False, use="sig", alg="ES256"), "kid": kid(key)} for key in self._read_keys()
            ]
        }

    def key_material(self) -> list[bytes]:
        """Return the private values (32 bytes each) in the order of the keys, for other keys to be derived from."""
        return [private_value(key) for key in self._read_keys()]

    def _find_key(self, token: GuestProtocol) -> ECKey:
        wanted = str(token.headers().get("kid"))
        for key in self._read_keys():
            if kid(key) == wanted:
                return key
        raise InvalidKeyIdError
