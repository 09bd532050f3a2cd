"""Saas tokens: JWTs that tell the shop's other services whose session it is, without a call to us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.principal import Principal, TokenKind
from app.domain.scopes import scope_words
from app.models.customers import CustomerProfile
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class SaasToken:
    """A saas token, and its lifetime in whole seconds from now."""

    token: str
    expires_in: int


async def saas_token(uow: UnitOfWork) -> SaasToken:
    """Return a new saas token of the caller's session: nothing is written, the tokens of the session stay."""
    bearer = uow.caller.require_principal()
    return SaasToken(await sign_saas_token(uow, bearer, uow.caller.customer), saas_token_seconds(uow, bearer))


def saas_token_seconds(uow: UnitOfWork, bearer: Principal) -> int:
    """Return the lifetime of a saas token that is signed now."""
    return int((_end(uow, bearer) - uow.now).total_seconds())


async def sign_saas_token(uow: UnitOfWork, bearer: Principal, customer: CustomerProfile | None) -> str:
    """Return the JWT (ES256) of a session; of a customer it has no personal data beyond the customer number.

    `sub` is the customer, or a guest's session; `act` is who acts on the customer's behalf (RFC 8693 section 4.1);
    `auth_time`, `amr` and `acr` say when and how the customer has proved who they are.
    `groups` are the codes of the customer's groups, at most one statement. It lives no longer than the access token.
    """
    claims: dict[str, Any] = {
        "iss": uow.tools.public_url,
        "aud": bearer.tenant_id,
        "sub": customer.id if customer else bearer.session_id,
        "iat": int(uow.now.timestamp()),
        "exp": int(_end(uow, bearer).timestamp()),
        "jti": uow.tools.random.new_id(),
        "sid": bearer.session_id,
        "client_id": bearer.client_id,
        "kind": bearer.kind.value,
        "scope": " ".join(scope_words(bearer)),
        "groups": await uow.groups.list_codes_of(customer.id) if customer else [],
    }
    if customer is not None:
        claims["customer_number"] = customer.customer_number
    if bearer.kind is TokenKind.CUSTOMER and bearer.authenticated_at is not None:
        claims |= _authentication(bearer, bearer.authenticated_at)
    if bearer.legal_entity_id is not None:
        claims["legal_entity_id"] = bearer.legal_entity_id
    if bearer.actor is not None:
        claims["act"] = {"sub": bearer.actor.id, "type": bearer.actor.type}
    return uow.tools.signer.sign(claims)


def _authentication(bearer: Principal, at: datetime) -> dict[str, Any]:
    """Return when and how the customer has proved who they are (OpenID Connect Core section 2, RFC 8176)."""
    proved = bearer.proved
    claims: dict[str, Any] = {"auth_time": int(at.timestamp()), "acr": proved.level}
    return {**claims, "amr": proved.amr} if proved.each else claims


def _end(uow: UnitOfWork, bearer: Principal) -> datetime:
    return min(uow.now + timedelta(seconds=uow.tenant.saas_token_seconds), bearer.expires_at)
