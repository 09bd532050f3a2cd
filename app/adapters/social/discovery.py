"""A provider's endpoints, from its discovery document (OpenID Connect Discovery 1.0), kept for a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from app.adapters.guarded_http import ProviderUnavailableError
from app.adapters.social.algorithms import ALGORITHMS
from app.adapters.social.http import get_json
from app.adapters.social.kept import Ages, Kept
from app.adapters.social.rules import rules_of
from app.domain.ports import Clock
from app.domain.tenants import SocialProvider

_BASIC, _POST, _ASSERTION = "client_secret_basic", "client_secret_post", "private_key_jwt"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """A provider's endpoints and what it can do. `issuer` may be a template, where the provider has directories."""

    issuer: str
    authorization: str
    token: str
    userinfo: str | None
    keys: str | None
    revocation: str | None
    algorithms: frozenset[str]
    client_authentication: str
    names_issuer_in_redirect: bool


class Discovery:
    """The endpoints of one provider; what the tenants file says goes before what the document says.

    `check` raises `ProviderUnavailableError` for an address to which we may not send anybody.
    """

    def __init__(
        self,
        provider: SocialProvider,
        clock: Clock,
        ages: Ages,
        http: httpx2.AsyncClient,
        check: Callable[[str], None],
    ) -> None:
        self._provider = provider
        self._http = http
        self._check = check
        self._configured = _configured(provider)
        self._kept = Kept(f"{provider.provider} discovery", clock, ages, self._fetch)

    async def endpoints(self) -> Endpoints:
        """Return the endpoints; raises `ProviderUnavailableError` for a document that is not the provider's."""
        return self._configured or await self._kept.get()

    async def renew(self, seen: Endpoints) -> None:
        """Read the document again, unless that was done a moment ago."""
        if self._configured is None:
            await self._kept.get_other_than(seen)

    async def _fetch(self) -> Endpoints:
        provider = self._provider
        document = await get_json(self._http, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
        issuer = document.get("issuer")
        if not isinstance(issuer, str) or not rules_of(provider).announces(provider, issuer):
            raise ProviderUnavailableError(
                f"its discovery document names the issuer {str(issuer)[:300]!r}, not {provider.issuer!r}"
            )
        authorization = provider.authorization_endpoint or _required(document, "authorization_endpoint")
        self._check(authorization)
        return Endpoints(
            issuer=issuer,
            authorization=authorization,
            token=provider.token_endpoint or _required(document, "token_endpoint"),
            userinfo=provider.userinfo_endpoint or _optional(document, "userinfo_endpoint"),
            keys=provider.jwks_uri or _required(document, "jwks_uri"),
            revocation=provider.revocation_endpoint or _optional(document, "revocation_endpoint"),
            algorithms=_texts(document, "id_token_signing_alg_values_supported", ALGORITHMS),
            client_authentication=_authentication(provider, document),
            names_issuer_in_redirect=document.get("authorization_response_iss_parameter_supported") is True,
        )


def _configured(provider: SocialProvider) -> Endpoints | None:
    """Return the endpoints of a provider without discovery document, as the tenants file says it."""
    if provider.authorization_endpoint is None or provider.token_endpoint is None:
        return None
    if provider.is_openid and provider.jwks_uri is None:
        return None
    default = _POST if provider.signing is None or provider.signing.team_id is not None else _ASSERTION
    return Endpoints(
        issuer=provider.issuer,
        authorization=provider.authorization_endpoint,
        token=provider.token_endpoint,
        userinfo=provider.userinfo_endpoint,
        keys=provider.jwks_uri,
        revocation=provider.revocation_endpoint,
        algorithms=frozenset(ALGORITHMS),
        client_authentication=provider.token_endpoint_auth_method or default,
        names_issuer_in_redirect=False,
    )


def _authentication(provider: SocialProvider, document: dict[str, Any]) -> str:
    """Return how we authenticate; of two ways that both could do, the first that every provider must support."""
    if provider.token_endpoint_auth_method is not None:
        return provider.token_endpoint_auth_method
    if provider.signing is not None and provider.signing.team_id is None:
        return _ASSERTION
    supported = _texts(document, "token_endpoint_auth_methods_supported", (_BASIC,))
    for method in (_BASIC, _POST):
        if method in supported:
            return method
    raise ProviderUnavailableError("it asks for a way to authenticate that we do not support, or that needs signing")


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
