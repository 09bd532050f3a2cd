"""The algorithms that a provider may sign with (RFC 7518, RFC 8037, RFC 9864)."""

from __future__ import annotations

# Those with which only the provider can sign. Its announcement can shorten the list, but not extend it.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    *("Ed25519", "EdDSA"),
)
# Both are names of the same.
EDWARDS = frozenset({"Ed25519", "EdDSA"})
EDWARDS_CURVE = "Ed25519"
# Signed with our client secret: only for a provider whose preset says so.
SHARED = "HS256"
