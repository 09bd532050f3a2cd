"""Refresh: a refresh token is traded for new tokens, and used tokens tell what has happened to their family."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.domain.audit import AuditAction
from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.principal import TokenKind
from app.domain.rotation import Rotation, RotationRules, count_living, decide_rotation, grace_began
from app.domain.tenants import Tenant
from app.domain.tokens import REFRESH_PREFIXES, hash_token, read_prefix
from app.domain.topics import Topic
from app.domain.visit_ids import text_of
from app.models.customers import CustomerProfile
from app.models.sessions import RefreshToken, Session
from app.services.audit import record_failure
from app.services.callers.lookups import find_visit
from app.services.limits import guard_refresh, guard_trade
from app.services.outgoing.events import emit
from app.services.outgoing.mails import send_security_mail
from app.services.sessions.kept_pairs import keep_pair, reopen
from app.services.sessions.token_sets import TokenSet, issue_tokens, session_end
from app.services.unit_of_work import UnitOfWork

# The end of an anonymous session is in an index, and its tokens end by themselves: it is put off once in this time.
_AHEAD = timedelta(hours=1)


async def refresh(uow: UnitOfWork, refresh_token: str, legal_entity_id: str | None) -> TokenSet:
    """Trade a refresh token for new tokens of the same session (RFC 6749 section 6, RFC 9700 section 4.14).

    TOKEN_INVALID, TOKEN_EXPIRED; TOKEN_REUSED ends the whole session; NOT_FOUND for a legal entity that is not the
    customer's own and confirmed.
    """
    uow.ignore_token()
    token_hash = hash_token(refresh_token)
    found, visit = None, await find_visit(uow.tools, refresh_token)
    if visit is None and read_prefix(refresh_token) in REFRESH_PREFIXES:
        found = await uow.token_lookup.find_refresh_token(uow.tenants_of(refresh_token), token_hash)
    whose = visit or found
    tenant = uow.tools.tenants.find_tenant(whose.tenant_id) if whose else None
    uow.hear(whose.client_id if whose else None)
    if tenant is None:
        await guard_refresh(uow)
        raise _invalid()
    uow.enter(tenant)
    await guard_refresh(uow)
    if visit is not None:
        uow.speak_for(visit)
    # Whoever trades a token of the session waits here, so that each sees what those before have done.
    session = await uow.sessions.lock(text_of(visit.id) if visit else found.session_id if found else "")
    token = await uow.sessions.find_refresh_token(token_hash)
    if session is None or token is None or not _is_of_family(uow, session, token):
        raise _invalid()
    customer = await _customer_of(uow, session)
    return await _Trade(uow, session, token, customer, legal_entity_id).answer()


def _invalid() -> DomainError:
    return refuse(UserErrorCode.TOKEN_INVALID, "This refresh token is not valid: start a new session.", "refreshToken")


def _expired() -> DomainError:
    return refuse(UserErrorCode.TOKEN_EXPIRED, "The session has ended: start a new one.", "refreshToken")


def _reused(*, durable: bool = False) -> DomainError:
    return refuse(
        UserErrorCode.TOKEN_REUSED,
        "A refresh token of this session was used twice. To protect the account, the session was ended: log in again.",
        "refreshToken",
        durable=durable,
    )


def _is_of_family(uow: UnitOfWork, session: Session, token: RefreshToken) -> bool:
    """Tell whether the token's family goes on; where a reuse has ended it, raise what tells the client why."""
    if session.family != token.family or uow.tenant.find_client(session.client_id) is None:
        return False
    if session.reused_at is not None:
        raise _reused() if uow.now < token.expires_at else _expired()
    return session.revoked_at is None


async def _customer_of(uow: UnitOfWork, session: Session) -> CustomerProfile | None:
    if session.customer_id is None:
        return None
    customer = await uow.customers.find(session.customer_id)
    if customer is None or not customer.active or customer.on_hold:
        raise _invalid()
    return customer


class _Trade:
    """One refresh token that is presented in an open session, which is locked."""

    def __init__(
        self,
        uow: UnitOfWork,
        session: Session,
        token: RefreshToken,
        customer: CustomerProfile | None,
        legal_entity_id: str | None,
    ) -> None:
        self._uow = uow
        self._session = session
        self._token = token
        self._customer = customer
        self._legal_entity_id = legal_entity_id
        self._rules = _rules(uow.tenant)

    async def answer(self) -> TokenSet:
        uow, token = self._uow, self._token
        children = await uow.sessions.list_children(token.token_hash) if token.used_at is not None else ()
        decision = decide_rotation(token, children, uow.now, self._rules)
        if decision is Rotation.EXPIRED or self._session.expires_at <= uow.now:
            raise _expired()
        match decision:
            case Rotation.REUSED:
                await self._end_family()
                raise _reused(durable=True)
            case Rotation.TOO_OFTEN:
                raise _invalid()
            case Rotation.TRADE:
                await self._use_up()
            case Rotation.REPLACE_LOST:
                await self._retire_children()
                children = ()
        session = await self._go_on()
        if decision is Rotation.REPEAT:
            kept = await self._newest_living(session)
            if kept is not None:
                return kept
        return await self._add_child(session, count_living(children) + 1)

    async def _use_up(self) -> None:
        await guard_trade(self._uow, self._session.id)
        if not await self._uow.sessions.claim_refresh_token(self._token.token_hash, self._uow.now):
            raise _invalid()

    async def _retire_children(self) -> None:
        """End what was answered before: nothing of it was ever used."""
        uow, token_hash = self._uow, self._token.token_hash
        await guard_trade(uow, self._session.id)
        if not await uow.sessions.claim_lost_answer(token_hash, uow.now, uow.now - self._rules.lost_answer_period):
            raise _invalid()
        await uow.sessions.revoke_children(self._session.id, token_hash, uow.now)

    async def _newest_living(self, session: Session) -> TokenSet | None:
        for pair in await self._uow.kept_pairs.list(self._token.token_hash, self._uow.now):
            kept = await reopen(self._uow, pair, session, self._customer)
            if kept is not None:
                return kept.tokens
        return None

    async def _add_child(self, session: Session, living: int) -> TokenSet:
        """Issue one more pair; from the last one on that the token may give, it is kept to be repeated."""
        uow, token_hash = self._uow, self._token.token_hash
        tokens = await issue_tokens(uow, session, self._customer, parent_hash=token_hash)
        if living >= self._rules.most_children:
            began = grace_began(self._token) if living > 1 else None
            await keep_pair(uow, tokens, token_hash, (began or uow.now) + self._rules.sibling_grace)
        return tokens

    async def _end_family(self) -> None:
        """End a session of whose tokens one has two holders, and tell the customer."""
        uow, session = self._uow, self._session
        await uow.sessions.end_reused(session.id, uow.now)
        await emit(uow, Topic.SESSION_REUSE_DETECTED, session.customer_id, sessionId=session.id)
        record_failure(uow, AuditAction.REFRESH_REUSED, session.customer_id, session=session.id)
        if self._customer is not None:
            await send_security_mail(uow, "session_reused", self._customer)

    async def _go_on(self) -> Session:
        """Write down that the session is used, and for which legal entity; an anonymous one slides on."""
        uow, session = self._uow, self._session
        values: dict[str, Any] = {"last_used_at": uow.now}
        legal_entity_id = await self._legal_entity()
        if legal_entity_id != session.legal_entity_id:
            values["legal_entity_id"] = legal_entity_id
        if session.kind == TokenKind.ANONYMOUS and session.expires_at < (ends := session_end(uow, TokenKind.ANONYMOUS)):
            values["expires_at"] = ends + _AHEAD
        changed = await uow.sessions.change(session.id, **values)
        if changed is None:
            raise _invalid()
        return changed

    async def _legal_entity(self) -> str | None:
        """Return the legal entity to act for: the asked one, or the one so far while staff's confirmation stands."""
        uow, session, asked = self._uow, self._session, self._legal_entity_id
        wanted = asked or session.legal_entity_id
        if wanted is None:
            return None
        if session.customer_id is not None and await uow.legal_entities.find_confirmed(session.customer_id, wanted):
            return wanted
        if asked is None:
            return None
        raise refuse(
            UserErrorCode.NOT_FOUND, "This is not one of the customer's confirmed legal entities.", "legalEntityId"
        )


def _rules(tenant: Tenant) -> RotationRules:
    return RotationRules(
        sibling_grace=timedelta(seconds=tenant.refresh_sibling_grace_seconds),
        most_children=tenant.limits.refresh_children,
        lost_answer_period=timedelta(seconds=tenant.refresh_lost_answer_seconds),
    )
