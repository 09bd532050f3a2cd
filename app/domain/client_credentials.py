"""What a confidential client proves itself with, known by fingerprints: its tokens die with what they came from."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import scrypt, sha256

# What the secrets of the built-in demo begin with; production takes none of them.
WELL_KNOWN_SECRET = "development-only-"  # noqa: S105 - everybody may know it

# Production takes no shorter secret of a client: 32 characters of base64 are 192 bits.
SHORTEST_SECRET = 32
MAKE_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"  # noqa: S105 - it makes one


def split_keys(jwks: str | None) -> tuple[str, ...]:
    """Return the keys of a JWK set (RFC 7517) one by one, each as JSON text."""
    return tuple(json.dumps(key, sort_keys=True) for key in json.loads(jwks)["keys"]) if jwks is not None else ()


def fingerprint_key(key: str) -> bytes:
    """Return the 32 bytes that a public key is known by."""
    return sha256(key.encode()).digest()


@lru_cache(maxsize=1024)
def fingerprint_secret(client_id: str, secret: str) -> bytes:
    """Return the 32 bytes that a secret is known by.

    They are stored with every token, so they are slow to make: whoever reads the table cannot try many secrets.
    """
    return scrypt(secret.encode(), salt=client_id.encode(), n=1 << 12, r=8, p=1, dklen=32)
