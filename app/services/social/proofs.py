"""Social identities as proofs: what a provider vouches for may be the address that signs in."""

from __future__ import annotations

from app.domain.emails import EmailAddress
from app.domain.topics import Topic
from app.models.credentials import Credential
from app.services.accounts.closed_accounts import lock_for_proof
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


async def count_as_proof(
    uow: UnitOfWork, customer_id: str, vouched: EmailAddress | None, *, identity_id: str | None = None
) -> bool:
    """Take what the provider vouches for as the first proof of a customer's address; False where it is none.

    It counts for that address alone. In the account's own session it changes nothing else; in any other, everybody else
    is out of the account, and of the linked identities `identity_id` is left.
    """
    if vouched is None or not _proves(await uow.credentials.find(customer_id), vouched):
        return False
    if await lock_for_proof(uow, customer_id) is None:
        return False
    so_far = await uow.credentials.find(customer_id)
    if so_far is None or not _proves(so_far, vouched):
        return False
    columns = await prove_ownership(uow, so_far, Proof.SOCIAL_IDENTITY, identity_id=identity_id)
    if "password_hash" in columns:
        is_noted = await uow.credentials.change(customer_id, so_far.version, uow.now, **columns)
    else:
        # In the own session nothing ends, not even a mailed link.
        is_noted = await uow.credentials.confirm_email(customer_id, so_far.version, uow.now)
    if not is_noted:
        raise RuntimeError("The credential of a locked customer was changed by somebody else.")
    await emit(uow, Topic.CUSTOMER_CONFIRMED, customer_id)
    return True


def _proves(credential: Credential | None, vouched: EmailAddress) -> bool:
    if credential is None or credential.email_verified_at is not None or credential.email_key != vouched.key:
        return False
    return vouched.is_same_mailbox(credential.email)
