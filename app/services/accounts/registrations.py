"""What somebody signed up with, checked: kept until the address is proved, and written as a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from app.domain.emails import EmailAddress
from app.domain.origins import origins_after
from app.services.accounts.addresses import add_address
from app.services.accounts.legal_entities import Claim, claim_legal_entities
from app.services.accounts.new_customers import add_customer
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class CheckedRegistration:
    """A registration whose every field is in order; `columns` are those of the customer."""

    email: EmailAddress
    columns: dict[str, Any]
    legal_entities: list[Claim]
    address: dict[str, Any] | None

    @property
    def language(self) -> str | None:
        """The language that was chosen."""
        language: str | None = self.columns.get("preferred_language")
        return language

    def to_json(self) -> dict[str, Any]:
        """Return all but the address that signs in."""
        claims = [asdict(claim) for claim in self.legal_entities]
        return {"columns": self.columns, "legal_entities": claims, "address": self.address}

    @classmethod
    def of_json(cls, email: EmailAddress, data: Mapping[str, Any]) -> Self:
        """Return what `to_json` was made of."""
        claims = [Claim(**claim) for claim in data["legal_entities"]]
        return cls(email, dict(data["columns"]), claims, data["address"])


async def write_registration(
    uow: UnitOfWork, customer_id: str, registration: CheckedRegistration, *, active: bool
) -> None:
    """Write the new customer who signed up so, whose credential is there already."""
    addresses = [registration.address] if registration.address is not None else []
    await add_customer(
        uow, customer_id, {**registration.columns, "active": active}, addresses, email=registration.email.address
    )
    await claim_legal_entities(uow, customer_id, registration.legal_entities)


async def add_registration(
    uow: UnitOfWork, customer_id: str, registration: CheckedRegistration, *, keeps_profile: bool
) -> None:
    """Add what somebody signed up with to a customer of before, who is locked; what it does not say stays.

    With `keeps_profile`, what the profile says stays too.
    """
    customer = await uow.customers.lock(customer_id)
    given = {name: value for name, value in registration.columns.items() if value not in (None, {})}
    if keeps_profile and customer is not None:
        given = {name: value for name, value in given.items() if getattr(customer, name) in (None, {})}
    if given:
        origins = origins_after(customer, given, by_shop=False) if customer is not None else {}
        await uow.customers.change(customer_id, uow.now, **given, **origins)
    if registration.legal_entities:
        await claim_legal_entities(uow, customer_id, registration.legal_entities)
    so_far = await uow.addresses.list(customer_id)
    if registration.address is not None and len(so_far) < uow.tenant.limits.addresses_per_customer:
        await add_address(uow, customer_id, {**registration.address, "is_default": True})
        await uow.customers.note_addresses(customer_id, await uow.addresses.list(customer_id))
