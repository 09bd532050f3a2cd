"""Encryption of what must wait in the database and be read again, with Fernet (AES-128-CBC and HMAC-SHA256)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class FernetSealer:
    """Seals with the first key and opens with any of them.

    `key_material` holds the secret bytes that the keys are derived from (HKDF, RFC 5869), the current one first; it
    must not be empty. After a rotation the old material stands further down the list, and old seals still open.
    """

    def __init__(self, key_material: Sequence[bytes]) -> None:
        self._fernet = MultiFernet([_fernet(material) for material in key_material])
        self._fingerprint_key = _derive(key_material[0], b"customer-gateway fingerprints 1")

    def seal(self, text: str) -> str:
        """Return the encrypted text, printable."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return the text again; raises `ValueError` for what was not sealed here."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("This was not sealed with any of our keys.") from None

    def fingerprint(self, text: str) -> str:
        """Return the HMAC-SHA256 of the text; after a rotation it is another one."""
        return hmac.digest(self._fingerprint_key, text.encode(), "sha256").hex()


class RotatingSealer:
    """Seals and opens with what `key_material` returns at that moment, as a `FernetSealer` does."""

    def __init__(self, key_material: Callable[[], Sequence[bytes]]) -> None:
        self._read_material = key_material
        self._material = key_material()
        self._sealer = FernetSealer(self._material)

    def seal(self, text: str) -> str:
        """Return the encrypted text, printable."""
        return self._current().seal(text)

    def open(self, sealed: str) -> str:
        """Return the text again; raises `ValueError` for what was not sealed here."""
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
