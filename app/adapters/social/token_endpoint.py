"""Trades a code at a provider's token endpoint (RFC 6749 section 4.1.3), and understands how it refuses one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.discovery import Endpoints
from app.adapters.social.http import ProviderRefusedError, read_object_or_form
from app.adapters.social.rules import rules_of
from app.adapters.social.secrets import authenticate
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
_LONGEST_TOKEN = 16_384
_LONGEST_ERROR = 100
_LONGEST_DESCRIPTION = 400


async def trade_code(
    http: httpx2.AsyncClient,
    provider: SocialProvider,
    endpoints: Endpoints,
    grant: AuthorizationGrant,
    now: datetime,
) -> ProviderTokens:
    """Return what the provider gives for the code.

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
    return _read_tokens(answer)


def _raise_for(error: object, description: object) -> NoReturn:
    # Providers older than the standard, such as Facebook, describe a wrong code with an object.
    is_refusal = isinstance(error, dict) or error in _REFUSALS
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
    if not isinstance(access_token, str) or not 0 < len(access_token) <= _LONGEST_TOKEN:
        raise ProviderUnavailableError("its token endpoint answers without an access token")
    return ProviderTokens(
        access_token=access_token,
        id_token=id_token if isinstance(id_token, str) else None,
        expires_in=_seconds(expires_in),
    )


def _seconds(value: object) -> int | None:
    # An answer that is a form has its numbers as text.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    return value if type(value) is int and value >= 0 else None
