"""Trades a code at a provider's token endpoint (RFC 6749 section 4.1.3), and revokes a token of it (RFC 7009)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NoReturn, TypeGuard

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.discovery import Endpoints
from app.adapters.social.http import ProviderRefusedError, read_object_or_form
from app.adapters.social.rules import rules_of
from app.adapters.social.secrets import authenticate
from app.domain.ports import PostponedError
from app.domain.retry_after import postponed
from app.domain.social import AuthorizationGrant, ProviderTokens
from app.domain.tenants import SocialProvider
from app.domain.texts import mapped_line

# Errors (RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6, GitHub) that are about this login, not about a
# fault of ours or of the provider.
_REFUSALS = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "bad_verification_code",
        "consent_required",
        "expired_token",
        "interaction_required",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "unverified_user_email",
    }
)
# How providers say that there is nothing to revoke, where the standard would have them say nothing.
_REVOKED = frozenset({"invalid_grant", "invalid_token", "unsupported_token_type"})
_TOKEN = re.compile(r"[\x20-\x7e]{1,16384}")
# What GraphQL can say in seconds.
_LONGEST_LIFE = 2**31 - 1
_LONGEST_ERROR = 100
_LONGEST_DESCRIPTION = 400


async def trade_code(
    http: httpx2.AsyncClient,
    provider: SocialProvider,
    endpoints: Endpoints,
    grant: AuthorizationGrant,
    now: datetime,
) -> tuple[ProviderTokens, str | None]:
    """Return what the provider gives for the code, and its refresh token.

    Raises `ProviderRefusedError` where it refuses the code, `ProviderUnavailableError` where it does not do its work.
    """
    ours = authenticate(provider, endpoints.client_authentication, endpoints.token, now)
    form = {"grant_type": "authorization_code", "code": grant.code, "redirect_uri": grant.redirect_uri, **ours.form}
    if rules_of(provider).sends_verifier:
        form["code_verifier"] = grant.code_verifier
    response = await http.post(endpoints.token, data=form, headers={"Accept": "application/json", **ours.headers})
    if response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
        raise ProviderUnavailableError(f"its token endpoint answers {response.status_code}")
    answer = read_object_or_form(response, "its token endpoint")
    if answer.get("error"):
        _raise_for(answer["error"], answer.get("error_description"))
    if response.status_code >= httpx2.codes.BAD_REQUEST:
        raise ProviderUnavailableError(f"its token endpoint answers {response.status_code}")
    return _read_tokens(answer), _refresh_token(answer) if endpoints.revocation is not None else None


async def revoke_token(
    http: httpx2.AsyncClient, provider: SocialProvider, endpoints: Endpoints, token: str, now: datetime
) -> None:
    """Revoke a refresh token; one that is not valid any more is revoked (RFC 7009 section 2.2).

    Raises `ProviderUnavailableError` where the provider has not done it, `PostponedError` if it says when it will.
    """
    if endpoints.revocation is None:
        raise ProviderUnavailableError("it has no revocation endpoint any more")
    ours = authenticate(provider, endpoints.client_authentication, endpoints.token, now)
    form = {"token": token, "token_type_hint": "refresh_token", **ours.form}
    response = await http.post(endpoints.revocation, data=form, headers={"Accept": "application/json", **ours.headers})
    if response.status_code < httpx2.codes.BAD_REQUEST:
        return
    if response.status_code == httpx2.codes.BAD_REQUEST and _error_of(response) in _REVOKED:
        return
    wait = postponed(response.status_code, response.headers.get("Retry-After"), now)
    if wait is not None:
        raise PostponedError(f"Its revocation endpoint answers {response.status_code}, to be tried later.", wait)
    raise ProviderUnavailableError(f"its revocation endpoint answers {response.status_code}")


def _error_of(response: httpx2.Response) -> str | None:
    try:
        error = read_object_or_form(response, "its revocation endpoint").get("error")
    except ProviderUnavailableError:
        return None
    return error if isinstance(error, str) else None


def _raise_for(error: object, description: object) -> NoReturn:
    # Providers older than the standard, such as Facebook, describe a wrong code with an object.
    is_refusal = isinstance(error, dict) or (isinstance(error, str) and error in _REFUSALS)
    if isinstance(error, dict):
        description = error.get("message")
        error = error.get("type")
    told = ": ".join(filter(None, (_line(error, _LONGEST_ERROR), _line(description, _LONGEST_DESCRIPTION))))
    if is_refusal:
        raise ProviderRefusedError(f"its token endpoint says {told}", told)
    raise ProviderUnavailableError(f"its token endpoint says {told}")


def _line(value: object, maximum: int) -> str | None:
    return mapped_line(value, maximum) if isinstance(value, str) else None


def _read_tokens(token: dict[str, Any]) -> ProviderTokens:
    access_token, id_token, expires_in = token.get("access_token"), token.get("id_token"), token.get("expires_in")
    if not _is_token(access_token):
        raise ProviderUnavailableError("its token endpoint answers without an access token")
    return ProviderTokens(
        access_token=access_token,
        id_token=id_token if isinstance(id_token, str) else None,
        expires_in=_seconds(expires_in),
    )


def _refresh_token(answer: dict[str, Any]) -> str | None:
    token = answer.get("refresh_token")
    return token if _is_token(token) else None


def _is_token(value: object) -> TypeGuard[str]:
    """Tell whether it is a token by its characters (RFC 6749 appendix A.12): it goes into a header."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _seconds(value: object) -> int | None:
    # An answer that is a form has its numbers as text, and some write a whole number as a fraction.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    return value if type(value) is int and 0 <= value <= _LONGEST_LIFE else None
