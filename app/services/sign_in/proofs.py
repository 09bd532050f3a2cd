"""A mailed code as a proof of the address that it came to."""

from __future__ import annotations

from app.domain.topics import Topic
from app.models.credentials import Credential
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


async def count_code_as_proof(uow: UnitOfWork, so_far: Credential) -> bool:
    """Take a code that signs in as the first proof of the customer's address; False where it was proved before.

    The customer is locked. Whoever held the account without a proof is out of it, as `prove_ownership` tells.
    """
    if so_far.email_verified_at is not None:
        return False
    customer_id = so_far.customer_id
    columns = await prove_ownership(uow, so_far, Proof.MAILED_CODE)
    if not await uow.credentials.change(customer_id, so_far.version, uow.now, **columns):
        raise RuntimeError("The credential of a locked customer was changed by somebody else.")
    await emit(uow, Topic.CUSTOMER_CONFIRMED, customer_id)
    return True
