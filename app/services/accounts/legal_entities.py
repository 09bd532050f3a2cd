"""The companies that a customer buys for; only staff can confirm them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import UserErrorCode
from app.domain.origins import Origin
from app.domain.patches import Kept, Patch, Rule, Rules, Situation, any_value, by_value, check_patch, null_keeps
from app.domain.problems import Problems
from app.domain.texts import optional_line, required_line
from app.models.legal_entities import LegalEntityAssignment
from app.services.unit_of_work import UnitOfWork

_NAME = required_line(200)
_MAY_BE_MADE = by_value(optional_line(100))
# Each is a column; `id` is the company's, `legal_entity_id` there.
CLAIM: Rules = {
    "name": by_value(_NAME),
    "id": _MAY_BE_MADE,
    "contact_assignment_id": _MAY_BE_MADE,
}
ASSIGNMENT: Rules = {
    "id": _MAY_BE_MADE,
    # Whoever has the legal entity already needs no name for it.
    "name": by_value(lambda name: _NAME(name) if name else Kept.KEPT),
    "confirmed": null_keeps(any_value),
    "contact_assignment_id": _MAY_BE_MADE,
}
MOST = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """A legal entity that a customer has named. `id` is None if the customer gave none."""

    name: str
    id: str | None = None
    contact_assignment_id: str | None = None


def check_claims(entities: Sequence[Patch] | None, situation: Situation) -> list[Claim]:
    """Return each legal entity that a customer claims; the rule for `legal_entities` of customers."""
    problems = Problems()
    claimed = [
        Claim(**check_patch(problems, {"name": None, **entity}, CLAIM, situation, str(index)))
        for index, entity in enumerate(entities or ())
    ]
    _check_all(problems, claimed)
    return claimed


def _check_all(problems: Problems, entities: Sequence[Claim | Assignment]) -> None:
    """Raise what is wrong with single ones, or with all of them together."""
    if len(entities) > MOST:
        problems.add(UserErrorCode.LIMIT_REACHED, f"Please name at most {MOST} legal entities.")
    ids = [entity.id for entity in entities if entity.id is not None]
    if len(set(ids)) < len(ids):
        problems.add(UserErrorCode.INVALID, "Please name each legal entity once.")
    problems.raise_if_any()


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
    """A legal entity as staff assign it. `id` is None for a new one.

    `changes` are what was said of it: all else of one that the customer has already stays.
    """

    id: str | None
    changes: dict[str, Any]


def assignments_to(known: Collection[str]) -> Rule:
    """Return the rule for `legal_entities` of staff, for a customer who has the `known` ones already."""

    def check(entities: Sequence[Patch] | None, situation: Situation) -> list[Assignment]:
        problems = Problems()
        assignments = [
            _check_assignment(problems, entity, known, situation, str(index))
            for index, entity in enumerate(entities or ())
        ]
        _check_all(problems, assignments)
        return assignments

    return check


def _check_assignment(
    problems: Problems, entity: Patch, known: Collection[str], situation: Situation, *path: str
) -> Assignment:
    changes = {"confirmed": True, **check_patch(problems, entity, ASSIGNMENT, situation, *path)}
    entity_id: str | None = changes.pop("id", None)
    if "name" not in changes and entity_id not in known:
        problems.check(_NAME, None, *path, "name")
    return Assignment(entity_id, changes)


async def assign_legal_entities(uow: UnitOfWork, customer_id: str, wanted: Sequence[Assignment]) -> None:
    """Make these the customer's only legal entities; no session keeps one that is no longer confirmed."""
    so_far = {entity.legal_entity_id: entity for entity in await uow.legal_entities.list(customer_id)}
    confirmed = {assignment.id for assignment in wanted if assignment.changes["confirmed"]}
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
                origin=Origin.SHOP.value,
                **assignment.changes,
            )
        )


async def legal_entities(uow: UnitOfWork, customer_id: str) -> Sequence[LegalEntityAssignment]:
    """Return a customer's legal entities, confirmed or not."""
    return await uow.legal_entities.list(customer_id)
