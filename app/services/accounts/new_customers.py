"""New customers: the one way in which they are written, whoever makes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.domain.errors import DomainError, UserErrorCode, refuse
from app.domain.origins import Origin
from app.models.addresses import Address
from app.models.customers import Customer
from app.services.accounts.addresses import add_address
from app.services.outgoing.mails import current_site
from app.services.unit_of_work import UnitOfWork


async def add_customer(
    uow: UnitOfWork,
    customer_id: str,
    columns: Mapping[str, Any],
    addresses: Sequence[dict[str, Any]] = (),
    *,
    email: str | None,
    origin: Origin | None = None,
    left_empty: Collection[str] = (),
) -> None:
    """Write a new customer, and the checked addresses, of whom there is only the credential so far.

    `email` is the login address of the credential.
    What the columns do not say is made: a free customer number, a shopper reference, the language of the site unless
    that is `left_empty`. Nothing is written when TAKEN is raised, for a number or a reference that they say. `origin`
    is that of the addresses.
    """
    given = {name: value for name, value in columns.items() if value is not None}
    made = {
        "shopper_reference": customer_id,
        "preferred_language": current_site(uow).language,
        "created_at": uow.now,
        "updated_at": uow.now,
    }
    made = {name: value for name, value in made.items() if name not in left_empty}
    added = False
    while not added:
        number = uow.tools.random.digits(8)
        customer = Customer(tenant_id=uow.tenant.id, id=customer_id, **{"customer_number": number, **made, **given})
        found_by = [Address(tenant_id=uow.tenant.id, **address) for address in addresses]
        added = await uow.customers.add_unless_taken(customer, email, found_by)
        taken = None if added else await _find_taken(uow, given)
        if taken is not None:
            raise taken
    for address in addresses:
        await add_address(uow, customer_id, address, origin=origin)


async def _find_taken(uow: UnitOfWork, given: Mapping[str, Any]) -> DomainError | None:
    """Tell what of the given is taken; None when it was the number that we made up."""
    reference, number = given.get("shopper_reference"), given.get("customer_number")
    if reference is not None and await uow.customers.find_by_shopper_reference(reference) is not None:
        return refuse(UserErrorCode.TAKEN, "Another customer has this shopper reference.", "shopperReference")
    if number is not None and await uow.customers.find_by_number(number) is not None:
        return refuse(UserErrorCode.TAKEN, "Another customer has this customer number.", "customerNumber")
    return None
