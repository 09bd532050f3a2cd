"""The fingerprints of a confidential client's secrets and keys: if one is removed, the tokens it gave end too."""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import scrypt, sha256

# The secrets of the built-in demo begin so; production accepts none of them.
WELL_KNOWN_SECRET = "development-only-"  # noqa: S105 - everybody may know it

# Production takes no shorter secret of a client: 32 characters of base64 are 192 bits.
SHORTEST_SECRET = 32
MAKE_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"  # noqa: S105 - it makes one


def split_keys(jwks: str | None) -> tuple[str, ...]:
    """Return the keys of a JWK set (RFC 7517) one by one, each as JSON text."""
    return tuple(json.dumps(key, sort_keys=True) for key in json.loads(jwks)["keys"]) if jwks is not None else ()


def fingerprint_key(key: str) -> bytes:
    """Return the fingerprint of a public key (32 bytes)."""
    return sha256(key.encode()).digest()


@lru_cache(maxsize=1024)
def fingerprint_secret(client_id: str, secret: str) -> bytes:
    """Return the fingerprint of a secret (32 bytes).

    It is stored with every token and slow to compute, so that somebody who reads the table cannot try many secrets.
    """
    return scrypt(secret.encode(), salt=client_id.encode(), n=1 << 12, r=8, p=1, dklen=32)
