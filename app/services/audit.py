"""Writes the audit: successes in their own transaction, refusals even if everything else is rolled back."""

from __future__ import annotations

from app.domain.audit import AuditAction, AuditOutcome, shorten_ip
from app.domain.errors import AccessCode, AccessError
from app.domain.ports import Limit
from app.domain.principal import Principal, TokenKind
from app.models.audit import AuditEvent
from app.services.limits import hit_ip
from app.services.unit_of_work import UnitOfWork

_DENIALS = {
    AccessCode.FORBIDDEN: AuditAction.AUTHORIZATION_REFUSED,
    AccessCode.RATE_LIMITED: AuditAction.LIMIT_HIT,
    AccessCode.CHALLENGE_REQUIRED: AuditAction.LIMIT_HIT,
}
# Lines that one address can cause in a minute by being refused: whoever is limited must not make us write instead.
_MOST_DENIALS = Limit("audit.access_refusals", 30, 60)


async def record(uow: UnitOfWork, action: AuditAction, customer_id: str | None, **detail: str | bool) -> None:
    """Write down what was done to a customer, in the transaction that does it.

    `detail` holds codes and ids: no secret, and nothing personal.
    """
    uow.about = uow.about or customer_id
    await uow.audit.add(_event(uow, action, AuditOutcome.SUCCESS, customer_id, detail))


def record_failure(uow: UnitOfWork, action: AuditAction, customer_id: str | None, **detail: str | bool) -> None:
    """Have written down that something was refused, after the rollback that the refusal brings; `detail` as above."""
    uow.write_at_end(_event(uow, action, AuditOutcome.REFUSED, customer_id, detail))


async def record_denial(uow: UnitOfWork, error: AccessError, field: str) -> None:
    """Write down that a root field was refused for want of a right, or over a limit, in a unit of work of its own.

    `uow` is the one that has ended so; it says who called, and in which shop.
    """
    action = _DENIALS.get(error.code)
    if action is None or not uow.has_tenant:
        return
    try:
        await hit_ip(uow, _MOST_DENIALS)
    except AccessError:
        return
    async with UnitOfWork(uow.tools, uow.caller) as own:
        own.enter(uow.tenant)
        principal = own.caller.principal
        record_failure(own, action, principal.customer_id if principal else None, field=field)


def _event(
    uow: UnitOfWork, action: AuditAction, outcome: AuditOutcome, customer_id: str | None, detail: dict[str, str | bool]
) -> AuditEvent:
    principal, facts = uow.caller.principal, uow.caller.facts
    return AuditEvent(
        tenant_id=uow.tenant.id,
        id=uow.tools.random.new_id(),
        occurred_at=uow.now,
        action=action.value,
        outcome=outcome.value,
        actor_kind=principal.kind.value if principal else None,
        actor_id=_actor_id(principal) if principal else None,
        customer_id=customer_id,
        session_id=principal.session_id if principal else None,
        ip=shorten_ip(facts.ip),
        request_id=facts.request_id,
        detail=detail,
    )


def _actor_id(principal: Principal) -> str | None:
    if principal.actor is not None:
        return principal.actor.id
    if principal.kind is TokenKind.CUSTOMER:
        return principal.customer_id
    return principal.owner.id if principal.owner is not None else principal.client_id
