"""What an access token says, for its bearer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.principal import Actor, Owner, TokenKind
from app.domain.scopes import scope_words
from app.domain.sign_in import SignInMethod
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The token's kind, life (whole seconds) and owner."""

    kind: TokenKind
    token_type: str
    expires_in: int
    scope: list[str]
    session_id: str | None
    tenant: str
    client_id: str
    customer_id: str | None
    email: str | None
    legal_entity_id: str | None
    actor: Actor | None
    owner: Owner | None
    authenticated_at: datetime | None
    methods: list[SignInMethod]
    level: str | None


def token_info(uow: UnitOfWork) -> TokenInfo:
    """Return what the caller's token says; raises UNAUTHENTICATED with the reason when it counts for nothing."""
    principal = uow.caller.require_principal()
    customer = uow.caller.customer
    own = principal.kind is TokenKind.CUSTOMER
    proved = principal.proved
    return TokenInfo(
        kind=principal.kind,
        token_type="Bearer",  # noqa: S106 - the type, not a token
        expires_in=int((principal.expires_at - uow.now).total_seconds()),
        scope=scope_words(principal),
        session_id=principal.session_id,
        tenant=principal.tenant_id,
        client_id=principal.client_id,
        customer_id=principal.customer_id,
        email=customer.email if customer else None,
        legal_entity_id=principal.legal_entity_id,
        actor=principal.actor,
        owner=principal.owner,
        authenticated_at=principal.authenticated_at if own else None,
        methods=list(proved.methods) if own else [],
        level=proved.level if own else None,
    )
