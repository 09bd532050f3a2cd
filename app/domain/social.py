"""Social login: what we send to a provider, what it proves, and the proof key of the client (PKCE, RFC 7636)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from app.domain.errors import Refused, UserErrorCode

# What we send to a provider ourselves: neither a tenants file nor a call may say otherwise.
OWN_PARAMETERS = frozenset(
    {
        "client_id",
        "client_secret",
        "client_key",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        "registration",
        "id_token_hint",
    }
)

# Where providers post their answers to (OAuth 2.0 Form Post Response Mode), below our own address.
FORM_POST_PATH = "/social/form_post"

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_VERIFIER_LENGTH = range(43, 129)


@dataclass(frozen=True, slots=True, repr=False)
class AuthorizationRequest:
    """Where the provider sends the person back to, and what ties its answer to our request.

    `parameters` are those that the call adds. `reauthenticates`: the provider is to have the person log in anew, even
    if they are logged in there.
    """

    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str
    parameters: tuple[tuple[str, str], ...] = ()
    reauthenticates: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class AuthorizationGrant:
    """What came back from a provider. `iss` is the issuer that the redirect named (RFC 9207), if any.

    `max_age` is how many seconds before `asked_at`, in seconds since 1970, the person may have logged in there; None if
    that was not asked for.
    """

    code: str
    redirect_uri: str
    code_verifier: str
    nonce: str
    iss: str | None = None
    max_age: int | None = None
    asked_at: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class NativeGrant:
    """The id token that an app got from the sheet of its platform, and the nonce that it had asked there with."""

    id_token: str
    nonce: str


@dataclass(frozen=True, slots=True, repr=False)
class ProviderTokens:
    """The provider's own tokens, never stored in clear; `expires_in` in seconds."""

    access_token: str
    id_token: str | None
    expires_in: int | None


@dataclass(frozen=True, slots=True, repr=False)
class SocialProof:
    """Who somebody is, as the provider says. `email_verified` is true only if the provider said JSON `true`.

    `tokens` is None where the app has got the id token itself. `authenticated_at` is when the person has logged in at
    the provider, in seconds since 1970, if it tells that (`auth_time`). `email_trusted`: by the provider's own rule the
    address is of a domain that it keeps itself, so that it is believed without further settings. `refresh_token` is the
    provider's, where it has one that can be revoked; nobody gets it.
    """

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    first_name: str | None
    last_name: str | None
    tokens: ProviderTokens | None
    email_trusted: bool = False
    authenticated_at: int | None = None
    refresh_token: str | None = None


def parse_max_age(text: str) -> int:
    """Return how many seconds ago somebody may have logged in at a provider; `Refused` with INVALID for no number."""
    if _SECONDS.fullmatch(text) is None:
        raise Refused(UserErrorCode.INVALID, "max_age must be a number of seconds, such as 3600.")
    return int(text)


def parse_code_challenge(text: str) -> str:
    """Return an S256 code challenge (RFC 7636 section 4.2); `Refused` with INVALID for anything else."""
    if _CHALLENGE.fullmatch(text) is None:
        raise Refused(
            UserErrorCode.INVALID,
            "The code challenge must be the SHA-256 of the code verifier in base64url: 43 characters, without padding.",
        )
    return text


def parse_code_verifier(text: str) -> str:
    """Return a code verifier (RFC 7636 section 4.1); else `Refused` with TOO_SHORT, TOO_LONG or INVALID."""
    if len(text) < _VERIFIER_LENGTH.start:
        raise Refused(UserErrorCode.TOO_SHORT, "The code verifier must have at least 43 characters.")
    if len(text) >= _VERIFIER_LENGTH.stop:
        raise Refused(UserErrorCode.TOO_LONG, "The code verifier may have at most 128 characters.")
    if _VERIFIER.fullmatch(text) is None:
        raise Refused(UserErrorCode.INVALID, "The code verifier may have only letters, digits, '-', '.', '_' and '~'.")
    return text


def answers_challenge(code_verifier: str, code_challenge: str) -> bool:
    """Tell whether this is the verifier that the challenge was made from (RFC 7636 section 4.6)."""
    digest = sha256(code_verifier.encode()).digest()
    return compare_digest(urlsafe_b64encode(digest).rstrip(b"=").decode(), code_challenge)
