"""The companies that a customer says to buy for; only staff can confirm them."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import UserErrorCode
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.texts import optional_line, required_line
from app.models.legal_entities import LegalEntityAssignment
from app.services.unit_of_work import UnitOfWork

_ID = optional_line(100)
_NAME = required_line(200)
MOST = 20


def check_legal_entities(
    problems: Problems, entities: Sequence[Patch] | None, *path: str
) -> list[tuple[str | None, str]]:
    """Return id (None for a new one) and name of each claimed legal entity; faults are noted under `path`."""
    claimed: list[tuple[str | None, str]] = []
    if len(entities or ()) > MOST:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please name at most {MOST} legal entities.", *path)
    for index, entity in enumerate(entities or ()):
        name = problems.check(_NAME, entity.get("name"), *path, str(index), "name")
        entity_id = problems.check(_ID, entity.get("id"), *path, str(index), "id")
        claimed.append((entity_id, name or ""))
    ids = [entity_id for entity_id, _ in claimed if entity_id is not None]
    if len(set(ids)) < len(ids):
        problems.add(UserErrorCode.INVALID, "Please name each legal entity once.", *path)
    return claimed


async def claim_legal_entities(uow: UnitOfWork, customer_id: str, claimed: list[tuple[str | None, str]]) -> None:
    """Replace what the customer claimed so far; what staff have confirmed stays as it is."""
    so_far = await uow.legal_entities.list(customer_id)
    for assignment in so_far:
        if not assignment.confirmed:
            await uow.legal_entities.delete(customer_id, assignment.id)
    confirmed = {assignment.legal_entity_id for assignment in so_far if assignment.confirmed}
    for entity_id, name in claimed:
        if entity_id in confirmed:
            continue
        await uow.legal_entities.add(
            LegalEntityAssignment(
                tenant_id=uow.tenant.id,
                id=uow.tools.random.new_id(),
                customer_id=customer_id,
                legal_entity_id=entity_id or uow.tools.random.new_id(),
                name=name,
            )
        )


async def legal_entities(uow: UnitOfWork, customer_id: str) -> Sequence[LegalEntityAssignment]:
    """Return a customer's legal entities, confirmed or not."""
    return await uow.legal_entities.list(customer_id)
