"""An authenticator in software, with the browser in front of it: it answers as told, and may lie about any part."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

Answer = dict[str, Any]

# The flags of authenticator data, WebAuthn Level 3 section 6.1.
PRESENT, VERIFIED, MAY_HAVE_BACKUP, HAS_BACKUP, HAS_KEY = 0x01, 0x04, 0x08, 0x10, 0x40
_NO_MODEL = bytes(16)


@dataclass
class Lies:
    """What browser or authenticator say that is not so; None is the truth."""

    origin: str | None = None
    rp_id: str | None = None
    challenge: bytes | None = None
    type: str | None = None
    flags: int | None = None
    counter: int | None = None
    key: EllipticCurvePrivateKey | None = None
    handle: bytes | None = None
    no_handle: bool = False
    credential_id: bytes | None = None
    cross_origin: bool = False


_TRUTH = Lies()


def new_key() -> EllipticCurvePrivateKey:
    """Return a new key of ES256."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authenticator:
    """One passkey, on a page of `origin`; `step` is by how much its counter rises, 0 for one that never counts."""

    origin: str
    step: int = 1
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    key: EllipticCurvePrivateKey = field(default_factory=new_key)
    counter: int = 0
    handle: bytes = b""

    def create(self, options: Any, lies: Lies = _TRUTH) -> Answer:
        """Make the passkey, and return a RegistrationResponseJSON."""
        self.handle = from_text(options["user"]["id"])
        credential_id = lies.credential_id or self.credential_id
        attested = _NO_MODEL + len(credential_id).to_bytes(2) + credential_id + self._cose_key()
        data = self._data(options["rp"]["id"], lies, HAS_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._client_data("webauthn.create", options["challenge"], lies)
        response = {
            "clientDataJSON": to_text(said),
            "attestationObject": to_text(attestation),
            "transports": ["internal", "hybrid", "of-the-future"],
        }
        return self._answer(credential_id, response)

    def get(self, options: Any, lies: Lies = _TRUTH) -> Answer:
        """Use the passkey, and return an AuthenticationResponseJSON."""
        self.counter += self.step
        data = self._data(options["rpId"], lies)
        said = self._client_data("webauthn.get", options["challenge"], lies)
        signature = (lies.key or self.key).sign(data + sha256(said).digest(), ec.ECDSA(SHA256()))
        handle = lies.handle or self.handle
        response = {
            "clientDataJSON": to_text(said),
            "authenticatorData": to_text(data),
            "signature": to_text(signature),
            "userHandle": None if lies.no_handle else to_text(handle),
        }
        return self._answer(lies.credential_id or self.credential_id, response)

    def _cose_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})

    def _data(self, rp_id: str, lies: Lies, more: int = 0) -> bytes:
        flags = (self.flags if lies.flags is None else lies.flags) | more
        counter = self.counter if lies.counter is None else lies.counter
        return sha256((lies.rp_id or rp_id).encode()).digest() + bytes([flags]) + counter.to_bytes(4)

    def _client_data(self, kind: str, challenge: str, lies: Lies) -> bytes:
        said = {
            "type": lies.type or kind,
            "challenge": to_text(lies.challenge) if lies.challenge else challenge,
            "origin": lies.origin or self.origin,
            "crossOrigin": lies.cross_origin,
        }
        return json.dumps(said).encode()

    def _answer(self, credential_id: bytes, response: dict[str, Any]) -> Answer:
        name = to_text(credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }


def to_text(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Return what base64url without padding says."""
    return urlsafe_b64decode(f"{text}===")
