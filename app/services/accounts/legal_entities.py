"""The companies that a customer buys for; only staff can confirm them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.domain.errors import UserErrorCode
from app.domain.patches import Patch
from app.domain.problems import Problems
from app.domain.texts import optional_line, required_line
from app.models.legal_entities import LegalEntityAssignment
from app.services.unit_of_work import UnitOfWork

_ID = optional_line(100)
_NAME = required_line(200)
_CONTACT_ASSIGNMENT_ID = optional_line(100)
MOST = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """A legal entity that a customer has named. `id` is None if the customer gave none."""

    id: str | None
    name: str
    contact_assignment_id: str | None


def check_legal_entities(problems: Problems, entities: Sequence[Patch] | None, *path: str) -> list[Claim]:
    """Return each legal entity that the customer has named; errors are noted under `path`."""
    claimed: list[Claim] = []
    if len(entities or ()) > MOST:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please name at most {MOST} legal entities.", *path)
    for index, entity in enumerate(entities or ()):
        name = problems.check(_NAME, entity.get("name"), *path, str(index), "name")
        entity_id = problems.check(_ID, entity.get("id"), *path, str(index), "id")
        place = _check_contact_assignment(problems, entity, *path, str(index))
        claimed.append(Claim(entity_id, name or "", place))
    ids = [claim.id for claim in claimed if claim.id is not None]
    if len(set(ids)) < len(ids):
        problems.add(UserErrorCode.INVALID, "Please name each legal entity only once.", *path)
    return claimed


def _check_contact_assignment(problems: Problems, entity: Patch, *path: str) -> str | None:
    return problems.check(_CONTACT_ASSIGNMENT_ID, entity.get("contact_assignment_id"), *path, "contactAssignmentId")


async def claim_legal_entities(uow: UnitOfWork, customer_id: str, claimed: Sequence[Claim]) -> None:
    """Replace the legal entities that the customer has named so far; those that staff have confirmed stay."""
    so_far = await uow.legal_entities.list(customer_id)
    for assignment in so_far:
        if not assignment.confirmed:
            await uow.legal_entities.delete(customer_id, assignment.id)
    confirmed = {assignment.legal_entity_id for assignment in so_far if assignment.confirmed}
    for claim in claimed:
        if claim.id in confirmed:
            continue
        await uow.legal_entities.add(
            LegalEntityAssignment(
                tenant_id=uow.tenant.id,
                id=uow.tools.random.new_id(),
                customer_id=customer_id,
                legal_entity_id=claim.id or uow.tools.random.new_id(),
                name=claim.name,
                contact_assignment_id=claim.contact_assignment_id,
            )
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """A legal entity as staff assign it. `id` is None for a new one, `name` for one that keeps its own.

    `keeps_place`: nothing was said of `contact_assignment_id`, so that one which is there stays.
    """

    id: str | None
    name: str | None
    confirmed: bool
    contact_assignment_id: str | None = None
    keeps_place: bool = True

    @property
    def changes(self) -> dict[str, object]:
        """The columns that an assignment of before gets."""
        changes: dict[str, object] = {"confirmed": self.confirmed}
        if self.name is not None:
            changes["name"] = self.name
        return changes if self.keeps_place else {**changes, "contact_assignment_id": self.contact_assignment_id}


def check_assignments(
    problems: Problems, entities: Sequence[Patch] | None, known: Collection[str], *path: str
) -> list[Assignment]:
    """Return what staff assign; faults are noted under `path`. Only a `known` legal entity needs no name."""
    assignments: list[Assignment] = []
    if len(entities or ()) > MOST:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please name at most {MOST} legal entities.", *path)
    for index, entity in enumerate(entities or ()):
        entity_id = problems.check(_ID, entity.get("id"), *path, str(index), "id")
        name = entity.get("name") or None
        if name is not None or entity_id not in known:
            name = problems.check(_NAME, name, *path, str(index), "name")
        assignments.append(
            Assignment(
                entity_id,
                name,
                confirmed=entity.get("confirmed") is not False,
                contact_assignment_id=_check_contact_assignment(problems, entity, *path, str(index)),
                keeps_place="contact_assignment_id" not in entity,
            )
        )
    ids = [assignment.id for assignment in assignments if assignment.id is not None]
    if len(set(ids)) < len(ids):
        problems.add(UserErrorCode.INVALID, "Please name each legal entity only once.", *path)
    return assignments


async def assign_legal_entities(uow: UnitOfWork, customer_id: str, wanted: Sequence[Assignment]) -> None:
    """Make these the customer's only legal entities; no session keeps one that is no longer confirmed."""
    so_far = {entity.legal_entity_id: entity for entity in await uow.legal_entities.list(customer_id)}
    confirmed = {assignment.id for assignment in wanted if assignment.confirmed}
    for entity_id, entity in so_far.items():
        if entity.confirmed and entity_id not in confirmed:
            await uow.sessions.leave_legal_entity(customer_id, entity_id)
        if all(assignment.id != entity_id for assignment in wanted):
            await uow.legal_entities.delete(customer_id, entity.id)
    for assignment in wanted:
        known = so_far.get(assignment.id or "")
        if known is not None:
            await uow.legal_entities.change(customer_id, known.id, **assignment.changes)
            continue
        await uow.legal_entities.add(
            LegalEntityAssignment(
                tenant_id=uow.tenant.id,
                id=uow.tools.random.new_id(),
                customer_id=customer_id,
                legal_entity_id=assignment.id or uow.tools.random.new_id(),
                name=assignment.name or "",
                contact_assignment_id=assignment.contact_assignment_id,
                confirmed=assignment.confirmed,
            )
        )


async def legal_entities(uow: UnitOfWork, customer_id: str) -> Sequence[LegalEntityAssignment]:
    """Return a customer's legal entities, confirmed or not."""
    return await uow.legal_entities.list(customer_id)
