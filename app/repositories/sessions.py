"""Sessions and their access and refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select
from sqlmodel import col

from app.domain.devices import device_key
from app.domain.ports import Connection
from app.domain.principal import TokenKind
from app.domain.rows import Reading
from app.models.credentials import Credential
from app.models.customers import Customer
from app.models.sessions import AccessToken, PresentedToken, RefreshToken, Session
from app.repositories.base import Repository, Rows, mine
from app.repositories.customers import PROFILE_COLUMNS
from app.repositories.lookups import Lookup

_SESSION_COLUMNS = [column.label(f"session_{column.name}") for column in Session.__table__.c]

# One joined statement from the token to the customer; every request runs it once.
_BY_ACCESS_TOKEN = Lookup(
    PresentedToken,
    AccessToken,
    select(
        col(AccessToken.expires_at).label("token_expires_at"),
        col(AccessToken.revoked_at).label("token_revoked_at"),
        *_SESSION_COLUMNS,
        *PROFILE_COLUMNS,
    )
    .join_from(
        AccessToken.__table__,
        Session.__table__,
        and_(col(Session.tenant_id) == col(AccessToken.tenant_id), col(Session.id) == col(AccessToken.session_id)),
    )
    .outerjoin(
        Customer.__table__,
        and_(col(Customer.tenant_id) == col(Session.tenant_id), col(Customer.id) == col(Session.customer_id)),
    )
    .outerjoin(
        Credential.__table__,
        and_(col(Credential.tenant_id) == col(Session.tenant_id), col(Credential.customer_id) == col(Customer.id)),
    )
    .where(col(AccessToken.token_hash) == bindparam("token_hash")),
)


# What a cluster reads on the tenant's node by itself: a join costs it twice as much.
READ_ON_NODES = (_BY_ACCESS_TOKEN.in_tenant,)


class SessionOfToken:
    """Where a refresh token belongs."""

    tenant_id: str
    session_id: str
    client_id: str


_BY_REFRESH_TOKEN = Lookup(
    SessionOfToken,
    RefreshToken,
    select(RefreshToken.__table__.c.tenant_id, RefreshToken.__table__.c.session_id, Session.__table__.c.client_id)
    .join_from(
        RefreshToken.__table__,
        Session.__table__,
        and_(col(Session.tenant_id) == col(RefreshToken.tenant_id), col(Session.id) == col(RefreshToken.session_id)),
    )
    .where(col(RefreshToken.token_hash) == bindparam("token_hash")),
)


class SessionOfCookie(SessionOfToken):
    """Whose session a refresh token belongs to, and until when."""

    kind: str
    customer_id: str | None
    expires_at: datetime


_OF_LIVING_REFRESH_TOKEN = Reading(
    SessionOfCookie,
    select(
        RefreshToken.__table__.c.tenant_id,
        RefreshToken.__table__.c.session_id,
        Session.__table__.c.client_id,
        Session.__table__.c.kind,
        Session.__table__.c.customer_id,
        RefreshToken.__table__.c.expires_at,
    )
    .join_from(
        RefreshToken.__table__,
        Session.__table__,
        and_(col(Session.tenant_id) == col(RefreshToken.tenant_id), col(Session.id) == col(RefreshToken.session_id)),
    )
    .where(
        mine(
            RefreshToken,
            col(RefreshToken.token_hash) == bindparam("token_hash"),
            col(RefreshToken.revoked_at).is_(None),
            col(RefreshToken.expires_at) > bindparam("now"),
            col(RefreshToken.family) == col(Session.family),
            col(Session.revoked_at).is_(None),
            col(Session.expires_at) > bindparam("now"),
        )
    ),
)


class _Device:
    user_agent: str | None


_IS_NOT_REVOKED = col(Session.revoked_at).is_(None)
_IS_OPEN = and_(_IS_NOT_REVOKED, col(Session.expires_at) > bindparam("now"))
_IS_NOBODYS = col(Session.customer_id).is_(None)
_SESSION = Rows(Session, "id")
_UNREVOKED = Rows(Session, "id", _IS_NOT_REVOKED)
_ANONYMOUS_SESSION = Rows(Session, "id", _IS_NOT_REVOKED, _IS_NOBODYS)
_OPEN = Rows(Session, "id", _IS_OPEN)
_OPEN_OF_CUSTOMER = Rows(Session, "id", "customer_id", _IS_OPEN)
_OPEN_OF_NOBODY = Rows(Session, "id", _IS_NOBODYS, _IS_OPEN)
_LIVE = Rows(Session, "customer_id", _IS_OPEN, order_by=(col(Session.last_used_at).desc(), col(Session.id).desc()))
_UNREVOKED_OF_CUSTOMER = Rows(Session, "customer_id", col(Session.id) != bindparam("kept"), _IS_NOT_REVOKED)
_ENDED_OF_CUSTOMER = Rows(Session, "customer_id", col(Session.revoked_at).is_not(None))
_BORN_FROM = Rows(Session, "customer_id", "identity_id", _IS_NOT_REVOKED)
_OPENED_BY_PASSKEY = Rows(Session, "customer_id", "passkey_id", _IS_NOT_REVOKED)
_ACTING_FOR = Rows(Session, "customer_id", "legal_entity_id")
_DEVICES = Reading(
    _Device,
    select(Session.__table__.c.user_agent)
    .where(
        mine(
            Session,
            col(Session.customer_id) == bindparam("customer_id"),
            col(Session.kind) == TokenKind.CUSTOMER.value,
        )
    )
    .distinct(),
)
_LIVE_ACCESS_TOKENS = Rows(AccessToken, "session_id", col(AccessToken.revoked_at).is_(None))
_LIVE_REFRESH_TOKENS = Rows(RefreshToken, "session_id", col(RefreshToken.revoked_at).is_(None))
_REFRESH_TOKEN = Rows(RefreshToken, "token_hash")
_CHILDREN = Rows(RefreshToken, "parent_hash")
_LIVE_ACCESS_TOKEN = Rows(
    AccessToken, "token_hash", col(AccessToken.revoked_at).is_(None), col(AccessToken.expires_at) > bindparam("now")
)
# Those of which nobody knows whose pair they belong to are from before that was written down.
_ACCESS_OF_CHILDREN = Rows(
    AccessToken,
    "session_id",
    col(AccessToken.revoked_at).is_(None),
    or_(
        col(AccessToken.refresh_hash).is_(None),
        col(AccessToken.refresh_hash).in_(
            select(col(RefreshToken.token_hash)).where(
                mine(RefreshToken, col(RefreshToken.parent_hash) == bindparam("parent_hash"))
            )
        ),
    ),
)
_LIVE_CHILDREN = Rows(RefreshToken, "parent_hash", col(RefreshToken.revoked_at).is_(None))
_UNUSED_REFRESH_TOKEN = Rows(
    RefreshToken, "token_hash", col(RefreshToken.used_at).is_(None), col(RefreshToken.revoked_at).is_(None)
)
_LIVE_REFRESH_TOKEN = Rows(
    RefreshToken,
    "token_hash",
    col(RefreshToken.used_at).is_(None),
    col(RefreshToken.revoked_at).is_(None),
    col(RefreshToken.expires_at) > bindparam("now"),
)
_LOST_LONG_AGO = Rows(
    RefreshToken,
    "token_hash",
    col(RefreshToken.revoked_at).is_(None),
    or_(col(RefreshToken.lost_at).is_(None), col(RefreshToken.lost_at) < bindparam("before")),
)


class TokenLookup:
    """Finds the owner of a token in the tenants that it may belong to (`TenantDirectory.hinted`); in all for none."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_by_access_token(self, tenant_ids: Sequence[str], token_hash: bytes) -> PresentedToken | None:
        """Return the token's times, its session (`session_…`) and its customer's profile in one row, or None."""
        return await _BY_ACCESS_TOKEN.find(self._connection, tenant_ids, token_hash=token_hash)

    async def find_refresh_token(self, tenant_ids: Sequence[str], token_hash: bytes) -> SessionOfToken | None:
        """Return the tenant, the session and the client of a refresh token, or None."""
        return await _BY_REFRESH_TOKEN.find(self._connection, tenant_ids, token_hash=token_hash)


class SessionRepository(Repository):
    """The sessions of one tenant."""

    async def add(self, session: Session) -> None:
        """Write a new session."""
        await self._add(session)

    async def lock(self, session_id: str) -> Session | None:
        """Return the session, which with its tokens is locked until the transaction ends."""
        return await self._lock(_SESSION, id=session_id)

    async def find_open(self, session_id: str, now: datetime) -> Session | None:
        """Return a session that has not ended."""
        return await self._find(_OPEN, id=session_id, now=now)

    async def find_by_refresh_token(self, token_hash: bytes, now: datetime) -> SessionOfCookie | None:
        """Return whose living session a living refresh token belongs to, traded or not, or None."""
        return await self._find(_OF_LIVING_REFRESH_TOKEN, token_hash=token_hash, now=now)

    async def goes_on(self, session_id: str) -> bool:
        """Tell whether nothing has ended the session; lock its customer before, and nothing will."""
        return await self._find(_UNREVOKED, id=session_id) is not None

    async def forget_devices(self, customer_id: str) -> None:
        """Forget how the devices of a customer's ended sessions name themselves."""
        await self._change(_ENDED_OF_CUSTOMER, {"customer_id": customer_id}, user_agent=None)

    async def list_live(self, customer_id: str, now: datetime) -> Sequence[Session]:
        """Return the customer's open sessions, the one that was used last first."""
        return await self._list(_LIVE, customer_id=customer_id, now=now)

    async def is_new_device(self, customer_id: str, user_agent: str | None) -> bool:
        """Tell whether the customer has logged in before, but never with such a device (`device_key`)."""
        known = {device_key(row.user_agent) for row in await self._list(_DEVICES, customer_id=customer_id)}
        return bool(known) and device_key(user_agent) not in known

    async def change(self, session_id: str, **values: Any) -> Session | None:
        """Set columns of a session, and return it as it is then."""
        return await self._change_one(_SESSION, {"id": session_id}, **values)

    async def raise_to_customer(self, session_id: str, **values: Any) -> Session | None:
        """Turn an anonymous session into a customer's and begin a new token family; None if it is not anonymous."""
        return await self._change_one(_ANONYMOUS_SESSION, {"id": session_id}, counted="family", **values)

    async def begin_family(self, session_id: str, now: datetime) -> Session | None:
        """Begin a new token family in an open session; None if it has ended."""
        return await self._change_one(_UNREVOKED, {"id": session_id}, counted="family", last_used_at=now)

    async def revoke(self, session_id: str, customer_id: str | None, now: datetime) -> bool:
        """End one session of this customer (an anonymous one, for None); False if it is not theirs or has ended."""
        given = {"id": session_id, "now": now}
        whose = _OPEN_OF_NOBODY
        if customer_id is not None:
            whose = _OPEN_OF_CUSTOMER
            given["customer_id"] = customer_id
        return await self._change(whose, given, revoked_at=now) == 1

    async def revoke_all(self, customer_id: str, now: datetime, *, keep: str | None = None) -> int:
        """End all sessions of a customer, except the one to keep."""
        given = {"customer_id": customer_id, "kept": keep or ""}
        return await self._change(_UNREVOKED_OF_CUSTOMER, given, revoked_at=now)

    async def revoke_born_from(self, customer_id: str, identity_id: str, now: datetime) -> int:
        """End the customer's sessions that began with this social identity."""
        given = {"customer_id": customer_id, "identity_id": identity_id}
        return await self._change(_BORN_FROM, given, revoked_at=now)

    async def revoke_opened_by(self, customer_id: str, passkey_id: str, now: datetime) -> int:
        """End the customer's sessions that began with this passkey."""
        given = {"customer_id": customer_id, "passkey_id": passkey_id}
        return await self._change(_OPENED_BY_PASSKEY, given, revoked_at=now)

    async def leave_legal_entity(self, customer_id: str, legal_entity_id: str) -> None:
        """Remove this legal entity from all sessions of the customer."""
        given = {"customer_id": customer_id, "legal_entity_id": legal_entity_id}
        await self._change(_ACTING_FOR, given, legal_entity_id=None)

    async def add_access_token(self, token: AccessToken) -> None:
        """Write a new access token."""
        await self._add(token)

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """Write a new refresh token."""
        await self._add(token)

    async def revoke_tokens(self, session_id: str, now: datetime) -> None:
        """End all tokens of a session; the session itself goes on."""
        for tokens in (_LIVE_ACCESS_TOKENS, _LIVE_REFRESH_TOKENS):
            await self._change_soon(tokens, {"session_id": session_id}, revoked_at=now)

    async def find_refresh_token(self, token_hash: bytes) -> RefreshToken | None:
        """Return a refresh token."""
        return await self._find(_REFRESH_TOKEN, token_hash=token_hash)

    async def list_children(self, token_hash: bytes) -> Sequence[RefreshToken]:
        """Return the refresh tokens that this one was traded for."""
        return await self._list(_CHILDREN, parent_hash=token_hash)

    async def claim_refresh_token(self, token_hash: bytes, now: datetime) -> bool:
        """Mark a refresh token as used; False when it already is."""
        return await self._change(_UNUSED_REFRESH_TOKEN, {"token_hash": token_hash}, used_at=now) == 1

    async def claim_lost_answer(self, token_hash: bytes, now: datetime, before: datetime) -> bool:
        """Note that the answer to this refresh token was lost; False when one was lost after `before` already."""
        return await self._change(_LOST_LONG_AGO, {"token_hash": token_hash, "before": before}, lost_at=now) == 1

    async def revoke_children(self, session_id: str, token_hash: bytes, now: datetime) -> None:
        """End the refresh tokens that this one of the session was traded for, and their access tokens."""
        given = {"session_id": session_id, "parent_hash": token_hash}
        await self._change(_ACCESS_OF_CHILDREN, given, revoked_at=now)
        await self._change(_LIVE_CHILDREN, {"parent_hash": token_hash}, revoked_at=now)

    async def end_reused(self, session_id: str, now: datetime) -> None:
        """End a session of whose tokens one has two holders, and keep that this was why."""
        await self._change(_UNREVOKED, {"id": session_id}, revoked_at=now, reused_at=now)

    async def find_living_access_token(self, token_hash: bytes, now: datetime) -> AccessToken | None:
        """Return an access token that works, as long as its session does."""
        return await self._find(_LIVE_ACCESS_TOKEN, token_hash=token_hash, now=now)

    async def find_living_refresh_token(self, token_hash: bytes, now: datetime) -> RefreshToken | None:
        """Return a refresh token that was not used and works, as long as its session does."""
        return await self._find(_LIVE_REFRESH_TOKEN, token_hash=token_hash, now=now)
