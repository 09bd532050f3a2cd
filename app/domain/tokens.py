"""Bearer and one-time tokens: a prefix for the kind, a hint of the tenant, random bytes, and the hash.

The hash is all that we store. The hint lets the look-up name its tenant, so that it goes to one server where the
tenants are spread over many. It is no secret and no name, and proves nothing: the hash is of the whole text.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum, unique
from hashlib import sha256


@unique
class TokenPrefix(StrEnum):
    """The kind of token that a text claims to be. It decides where the token is looked up."""

    ANONYMOUS_ACCESS = "cg_aa_"
    ANONYMOUS_REFRESH = "cg_ar_"
    CUSTOMER_ACCESS = "cg_ca_"
    CUSTOMER_REFRESH = "cg_cr_"
    ON_BEHALF_ACCESS = "cg_ob_"
    ONE_TIME = "cg_ot_"
    SOCIAL_STATE = "cg_ss_"
    SOCIAL_CODE = "cg_sc_"
    LINK_TICKET = "cg_lt_"
    DEVICE = "cg_dv_"
    SIGN_IN_TICKET = "cg_st_"


ACCESS_PREFIXES = (TokenPrefix.ANONYMOUS_ACCESS, TokenPrefix.CUSTOMER_ACCESS, TokenPrefix.ON_BEHALF_ACCESS)
REFRESH_PREFIXES = (TokenPrefix.ANONYMOUS_REFRESH, TokenPrefix.CUSTOMER_REFRESH)

HINT_BYTES = 6
_HINT_LABEL = b"customer-gateway tenant of a token\0"
# Where a token's text has its hint: behind the prefix, and six bytes are eight characters.
_HINT = slice(6, 14)
_FORM = re.compile(r"(cg_[a-z]{2}_)[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class OpaqueToken:
    """A token in clear text. It is given out once and never stored, and its `repr` hides it from logs."""

    prefix: TokenPrefix
    text: str

    @classmethod
    def of(cls, prefix: TokenPrefix, secret: bytes) -> OpaqueToken:
        """Return the token of this kind with these 32 random bytes, which hint at no tenant."""
        return cls(prefix, prefix + urlsafe_b64encode(secret).rstrip(b"=").decode())

    @classmethod
    def of_tenant(cls, prefix: TokenPrefix, tenant_id: str, secret: bytes) -> OpaqueToken:
        """Return the tenant's token of this kind: its hint, and 26 of these 32 random bytes (208 bits)."""
        return cls.of(prefix, _hint_bytes(tenant_id) + secret[HINT_BYTES:])

    @property
    def hash(self) -> bytes:
        """The SHA-256 of the whole text, which the database stores."""
        return hash_token(self.text)

    def __repr__(self) -> str:
        return f"OpaqueToken({self.prefix.name})"


def hint_of(tenant_id: str) -> str:
    """Return what the tokens of this tenant have behind their prefix; other tenants may by chance have the same."""
    return urlsafe_b64encode(_hint_bytes(tenant_id)).decode()


def read_hint(text: str) -> str:
    """Return what stands in a token where the hint is; in one from before there were hints, it is random."""
    return text[_HINT]


def _hint_bytes(tenant_id: str) -> bytes:
    return sha256(_HINT_LABEL + tenant_id.encode()).digest()[:HINT_BYTES]


def hash_token(text: str) -> bytes:
    """Return the SHA-256 of a token's text."""
    return sha256(text.encode()).digest()


def read_prefix(text: str) -> TokenPrefix | None:
    """Return the kind that a well-formed token claims, or None for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        return TokenPrefix(match[1])
    except ValueError:
        return None
