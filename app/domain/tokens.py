"""Bearer and one-time tokens: a prefix for the kind, 32 random bytes, and the hash, which is all that we store."""

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

_FORM = re.compile(r"(cg_[a-z]{2}_)[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class OpaqueToken:
    """A token in clear text. It is given out once and never stored, and its `repr` hides it from logs."""

    prefix: TokenPrefix
    text: str

    @classmethod
    def of(cls, prefix: TokenPrefix, secret: bytes) -> OpaqueToken:
        """Return the token of this kind with these 32 random bytes."""
        return cls(prefix, prefix + urlsafe_b64encode(secret).rstrip(b"=").decode())

    @property
    def hash(self) -> bytes:
        """The SHA-256 of the whole text, which the database stores."""
        return hash_token(self.text)

    def __repr__(self) -> str:
        return f"OpaqueToken({self.prefix.name})"


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
