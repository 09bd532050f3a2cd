"""Bearer and one-time tokens: a prefix for the kind, a hint of the tenant, random bytes, and the hash.

The hash is all that we store. The hint lets the look-up name its tenant, so that it goes to one server where the
tenants are spread over many. It is no secret and no name, and proves nothing: the hash is of the whole text.

The tokens of a visit (`app.models.visits`) are longer: they have its id too, by which it is found without an index of
hashes. Its access token follows from its refresh token, so that one stored hash tells whether either is right.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
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
_FORM = re.compile(r"(cg_[a-z]{2}_)[A-Za-z0-9_-]{43}|(cg_a[ar]_)[A-Za-z0-9_-]{72}", re.ASCII)
# A token of a visit: the prefix, and in base64url the hint, the 16 bytes of the id, and a secret of 32 bytes.
_VISIT_LENGTH = 6 + 72
_VISIT_ID = slice(HINT_BYTES, HINT_BYTES + 16)


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
    """Return what is stored of a token: the SHA-256 of its text, or of a visit's refresh token what follows from it."""
    if len(text) == _VISIT_LENGTH and text.startswith(TokenPrefix.ANONYMOUS_REFRESH):
        key = read_visit_key(text)
        if key is not None:
            return hash_of_refresh_token(key.access_hash)
    return sha256(text.encode()).digest()


def read_prefix(text: str) -> TokenPrefix | None:
    """Return the kind that a well-formed token claims, or None for anything else."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    try:
        return TokenPrefix(match[1] or match[2])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, repr=False)
class VisitKey:
    """What a visit's access or refresh token says: which visit, and the hash of the access token."""

    visit_id: bytes
    access_hash: bytes


def visit_tokens(tenant_id: str, visit_id: bytes, secret: bytes) -> tuple[OpaqueToken, OpaqueToken]:
    """Return the access and the refresh token of a visit: who holds the one cannot find the other out."""
    known = _hint_bytes(tenant_id) + visit_id
    refresh = OpaqueToken.of(TokenPrefix.ANONYMOUS_REFRESH, known + secret)
    return _access_token_of(known, secret), refresh


def read_visit_key(text: str) -> VisitKey | None:
    """Return what a token of a visit says, or None for every other text; it proves nothing yet."""
    if len(text) != _VISIT_LENGTH:
        return None
    prefix = read_prefix(text)
    if prefix is None:
        return None
    content = urlsafe_b64decode(text[len(prefix) :])
    known, secret = content[: _VISIT_ID.stop], content[_VISIT_ID.stop :]
    is_access = prefix is TokenPrefix.ANONYMOUS_ACCESS
    access_hash = hash_token(text) if is_access else _access_token_of(known, secret).hash
    return VisitKey(content[_VISIT_ID], access_hash)


def hash_of_refresh_token(access_hash: bytes) -> bytes:
    """Return what is stored of a visit's refresh token: it follows from the stored hash of the access token."""
    return sha256(b"refresh" + access_hash).digest()


def _access_token_of(known: bytes, refresh_secret: bytes) -> OpaqueToken:
    secret = hmac.digest(refresh_secret, b"access", "sha256")
    return OpaqueToken.of(TokenPrefix.ANONYMOUS_ACCESS, known + secret)
