"""Pairs of tokens that are answered once more: sealed for some seconds, and given as long as they live."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from app.domain.tokens import hash_token
from app.models.customers import CustomerProfile
from app.models.sessions import KeptPair, Session
from app.services.sessions.token_sets import Pair, TokenSet, token_set
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """What was kept: the tokens, whose they are, and `more` that the operation has answered with them."""

    tokens: TokenSet
    customer: CustomerProfile | None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> CustomerProfile:
        """The customer; only a visit that nobody has logged in to has none."""
        if self.customer is None:
            raise RuntimeError("These tokens are nobody's.")
        return self.customer


async def keep_pair(
    uow: UnitOfWork,
    tokens: TokenSet,
    presented_hash: bytes,
    until: datetime,
    *,
    input_hash: bytes | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Keep a pair that was just issued for the token with this hash, to be answered again until then."""
    opened = {
        "access": tokens.access_token,
        "refresh": tokens.refresh_token,
        "device": tokens.device_token,
        "more": more or {},
    }
    await uow.kept_pairs.add(
        KeptPair(
            tenant_id=uow.tenant.id,
            refresh_hash=hash_token(tokens.refresh_token or ""),
            presented_hash=presented_hash,
            input_hash=input_hash,
            sealed=uow.tools.sealer.seal(orjson.dumps(opened).decode()),
            created_at=uow.now,
            expires_at=until,
        )
    )


async def reopen(uow: UnitOfWork, pair: KeptPair, session: Session, customer: CustomerProfile | None) -> Kept | None:
    """Return a kept pair of an open session; None unless both tokens work, and the refresh token was never used."""
    try:
        opened = orjson.loads(uow.tools.sealer.open(pair.sealed))
    except ValueError:  # Sealed with a key that was taken away since.
        return None
    refresh = await uow.sessions.find_living_refresh_token(pair.refresh_hash, uow.now)
    access = await uow.sessions.find_living_access_token(hash_token(opened["access"]), uow.now)
    if refresh is None or access is None or refresh.session_id != session.id or refresh.family != session.family:
        return None
    again = Pair(opened["access"], access.expires_at, opened["refresh"], refresh.expires_at)
    tokens = replace(token_set(uow, session, customer, again), device_token=opened["device"])
    return Kept(tokens, customer, opened["more"])
