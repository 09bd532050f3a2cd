"""Encryption of stored values that must be read again, with Fernet (AES-128-CBC and HMAC-SHA256)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class FernetSealer:
    """Encrypts with the first key and decrypts with any of them.

    `key_material` holds the secret bytes that the keys are derived from (HKDF, RFC 5869), the current one first; it
    must not be empty. After a rotation the old material is further down the list, so that old texts can still be
    decrypted.
    """

    def __init__(self, key_material: Sequence[bytes]) -> None:
        self._fernet = MultiFernet([_fernet(material) for material in key_material])
        self._fingerprint_key = _derive(key_material[0], b"customer-gateway fingerprints 1")

    def seal(self, text: str) -> str:
        """Return the encrypted text, in printable characters."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return the decrypted text; raises `ValueError` if none of our keys has encrypted it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("None of our keys has sealed this.") from None

    def fingerprint(self, text: str) -> str:
        """Return the HMAC-SHA256 of the text; after a rotation it is another one."""
        return hmac.digest(self._fingerprint_key, text.encode(), "sha256").hex()


class RotatingSealer:
    """A `FernetSealer` with the key material that `key_material` returns at the time of the call."""

    def __init__(self, key_material: Callable[[], Sequence[bytes]]) -> None:
        self._read_material = key_material
        self._material = key_material()
        self._sealer = FernetSealer(self._material)

    def seal(self, text: str) -> str:
        """Return the encrypted text, in printable characters."""
        return self._current().seal(text)

    def open(self, sealed: str) -> str:
        """Return the decrypted text; raises `ValueError` if none of our keys has encrypted it."""
        return self._current().open(sealed)

    def fingerprint(self, text: str) -> str:
        """Return the HMAC-SHA256 of the text under the current key."""
        return self._current().fingerprint(text)

    def _current(self) -> FernetSealer:
        material = self._read_material()
        if material != self._material:
            self._material, self._sealer = material, FernetSealer(material)
        return self._sealer


def _fernet(material: bytes) -> Fernet:
    return Fernet(urlsafe_b64encode(_derive(material, b"customer-gateway sealer 1")))


def _derive(material: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=use).derive(material)
