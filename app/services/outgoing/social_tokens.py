"""Refresh tokens of social providers: kept sealed with the identity, and handed back by the outbox (RFC 7009).

We call nothing with them. Apple wants them revoked when an account is deleted, and nobody else should hold one then.
"""

from __future__ import annotations

import orjson

from app.domain.tenants import SocialProvider, Tenant
from app.domain.tools import Tools
from app.models.outbox import OutboxKind, OutboxMessage
from app.services.unit_of_work import UnitOfWork

TOPIC = "social_token"


def seal_refresh_token(uow: UnitOfWork, provider: SocialProvider, refresh_token: str | None) -> str | None:
    """Return a provider's refresh token sealed, with whose it is; None for none."""
    if refresh_token is None:
        return None
    opened = {"token": refresh_token, "issuer": provider.issuer, "client": provider.client_id}
    return uow.tools.sealer.seal(orjson.dumps(opened).decode())


async def revoke_social_token(uow: UnitOfWork, provider_id: str, sealed: str | None) -> None:
    """Have a sealed refresh token revoked after the commit; nothing to do for none.

    The message says nobody's name, so that it outlives the erasure of the customer: no shop waits for its provider.
    """
    if sealed is None:
        return
    message = OutboxMessage(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        kind=OutboxKind.REVOCATION.value,
        topic=TOPIC,
        payload={"provider": provider_id, "token": sealed},
        created_at=uow.now,
        due_at=uow.now,
    )
    await uow.outbox.add(message)


async def revoke_social_tokens(uow: UnitOfWork, customer_id: str) -> None:
    """Have all refresh tokens of a customer revoked, also those of links that were never confirmed."""
    for identity in await uow.social_identities.list(customer_id):
        await revoke_social_token(uow, identity.provider, identity.sealed_refresh_token)
    await revoke_tokens_of_links(uow, customer_id)


async def revoke_tokens_of_links(uow: UnitOfWork, customer_id: str) -> None:
    """Have the refresh tokens of links revoked that wait for the customer's confirmation."""
    for ticket in await uow.link_tickets.list(customer_id):
        await revoke_social_token(uow, ticket.provider, ticket.sealed_refresh_token)


async def hand_back(tools: Tools, tenant: Tenant, message: OutboxMessage) -> bool:
    """Revoke the token of a message; False if nobody can: the shop has left the provider, or the key that sealed it.

    Raises `OSError` if the provider does not take it.
    """
    provider = tenant.find_social_provider(message.payload["provider"])
    try:
        opened = orjson.loads(tools.sealer.open(message.payload["token"]))
    except ValueError:
        return False
    # A token goes to whom it is from, and to nobody else.
    if provider is None or (provider.issuer, provider.client_id) != (opened["issuer"], opened["client"]):
        return False
    await tools.social.revoke(tenant, provider, opened["token"])
    return True
