"""A provider's endpoints, from its discovery document (OpenID Connect Discovery 1.0), kept for an hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.http import get_json
from app.adapters.social.id_token import ALGORITHMS
from app.domain.ports import Clock
from app.domain.tenants import SocialProvider

LIFETIME = timedelta(hours=1)

# In order of preference; every provider must support the first (RFC 6749 section 2.3.1).
_AUTHENTICATIONS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A provider's endpoints and what it can do."""

    authorization: str
    token: str
    userinfo: str | None
    keys: str | None
    algorithms: frozenset[str]
    client_authentication: str
    names_issuer_in_redirect: bool


class Discovery:
    """The endpoints of one provider; those of an OAuth 2 provider without OpenID stand in the tenants file.

    `check` raises `ProviderUnavailableError` for an address to which we may not send anybody.
    """

    def __init__(
        self, provider: SocialProvider, clock: Clock, http: httpx2.AsyncClient, check: Callable[[str], None]
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._http = http
        self._check = check
        self._lock = asyncio.Lock()
        self._found: Endpoints | None = _configured(provider)
        self._ends: datetime | None = None

    async def endpoints(self) -> Endpoints:
        """Return the endpoints; raises `ProviderUnavailableError` for a document that is not the provider's."""
        async with self._lock:
            is_old = self._ends is not None and self._ends <= self._clock.now()
            if self._found is None or is_old:
                self._found = await self._fetch()
                self._ends = self._clock.now() + LIFETIME
            return self._found

    async def _fetch(self) -> Endpoints:
        issuer = self._provider.issuer
        document = await get_json(self._http, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise ProviderUnavailableError("its discovery document names another issuer")
        authorization = _required(document, "authorization_endpoint")
        self._check(authorization)
        return Endpoints(
            authorization=authorization,
            token=_required(document, "token_endpoint"),
            userinfo=_optional(document, "userinfo_endpoint"),
            keys=_required(document, "jwks_uri"),
            algorithms=_texts(document, "id_token_signing_alg_values_supported", ALGORITHMS),
            client_authentication=_authentication(document),
            names_issuer_in_redirect=document.get("authorization_response_iss_parameter_supported") is True,
        )


def _configured(provider: SocialProvider) -> Endpoints | None:
    if provider.authorization_endpoint is None or provider.token_endpoint is None:
        return None
    return Endpoints(
        authorization=provider.authorization_endpoint,
        token=provider.token_endpoint,
        userinfo=provider.userinfo_endpoint,
        keys=None,
        algorithms=frozenset(),
        client_authentication="client_secret_post",
        names_issuer_in_redirect=False,
    )


def _authentication(document: dict[str, Any]) -> str:
    supported = _texts(document, "token_endpoint_auth_methods_supported", _AUTHENTICATIONS[:1])
    for method in _AUTHENTICATIONS:
        if method in supported:
            return method
    raise ProviderUnavailableError("it asks for a way to authenticate that we do not support")


def _required(document: dict[str, Any], name: str) -> str:
    found = _optional(document, name)
    if found is None:
        raise ProviderUnavailableError(f"its discovery document has no {name}")
    return found


def _optional(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def _texts(document: dict[str, Any], name: str, default: tuple[str, ...]) -> frozenset[str]:
    """Return a list of texts; what the document leaves out is the default."""
    values = document.get(name)
    if not isinstance(values, list):
        return frozenset(default)
    return frozenset(value for value in values if isinstance(value, str))
