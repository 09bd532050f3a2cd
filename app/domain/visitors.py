"""Visitors of a storefront whose pages its own server renders: the server speaks for them, and proves that it may."""

from __future__ import annotations

from dataclasses import replace
from hmac import compare_digest

from app.domain.errors import AccessCode, HeaderRefused, UnauthenticatedReason
from app.domain.requests import RequestFacts
from app.domain.tenants import Client


def hear(client: Client | None, facts: RequestFacts) -> RequestFacts:
    """Return the facts of the visitor that a request speaks for, or of the request itself where it speaks for nobody.

    A client without a secret has no server that could. Raises `HeaderRefused`: UNAUTHENTICATED for a wrong secret,
    BAD_REQUEST for an address that cannot be read.
    """
    sent = facts.as_sent
    visitor = sent.visitor
    if visitor is None or client is None or not client.is_storefront or client.secret is None:
        return sent
    if not compare_digest(visitor.secret.encode(), client.secret.get_secret_value().encode()):
        raise HeaderRefused(
            AccessCode.UNAUTHENTICATED,
            "The header Storefront-Secret does not hold the secret of this client.",
            reason=UnauthenticatedReason.INVALID,
        )
    if visitor.ip == "":
        raise HeaderRefused(AccessCode.BAD_REQUEST, "The header Buyer-IP must hold one IP address of the visitor.")
    if visitor.ip is None and visitor.user_agent is None:
        return sent
    return replace(sent, ip=visitor.ip or sent.ip, user_agent=visitor.user_agent, server=sent)
