"""OAuth between programs (RFC 6749, RFC 7523): what a client sends, and how it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, unique

from app.domain.requests import RequestFacts


@unique
class GrantType(StrEnum):
    """The grants that we support."""

    CLIENT_CREDENTIALS = "client_credentials"
    JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@unique
class OAuthErrorCode(StrEnum):
    """The error codes of RFC 6749 section 5.2 and RFC 7009 section 2.2.1."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"  # noqa: S105 - a code, not a token


class OAuthError(Exception):
    """Why a client is refused. The description is for its developer and never repeats a secret."""

    def __init__(self, code: OAuthErrorCode, description: str) -> None:
        super().__init__(f"{code.value}: {description}")
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True, repr=False)
class BasicCredentials:
    """Client id and secret of HTTP Basic.

    `secrets` holds the secret twice: form-decoded, as RFC 6749 section 2.3.1 says, and as it was sent, because many
    clients do not encode it.
    """

    client_id: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class OAuthRequest:
    """One request at an OAuth endpoint: its form, each parameter once and not empty, and its Basic credentials."""

    facts: RequestFacts
    parameters: Mapping[str, str]
    basic: BasicCredentials | None = None

    def require(self, name: str) -> str:
        """Return a parameter; `invalid_request` when it is missing."""
        value = self.parameters.get(name)
        if value is None:
            raise OAuthError(OAuthErrorCode.INVALID_REQUEST, f"The parameter {name} is missing.")
        return value
