"""The customer's own social accounts: links and unlinks them."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.errors import UnauthenticatedReason, UserErrorCode, refuse, unauthenticated
from app.domain.social import ProviderTokens
from app.models.credentials import Credential
from app.models.social import SocialIdentity
from app.services.accounts.reauthentication import reauthenticate
from app.services.accounts.ways_in import remove_identity
from app.services.social.answers import ProviderAnswer
from app.services.social.identities import (
    add_identity,
    find_identity,
    keep_refresh_token,
    tell_linked,
    tell_unlinked,
    vouched_email,
)
from app.services.social.proofs import count_as_proof
from app.services.social.states import prove
from app.services.unit_of_work import UnitOfWork

MOST_ACCOUNTS = 20


@dataclass(frozen=True, slots=True, repr=False)
class LinkedAccount:
    """A social account of the customer's; `tokens` are the provider's, where the tenant hands them on."""

    identity: SocialIdentity
    tokens: ProviderTokens | None = None


async def link_social_account(uow: UnitOfWork, answer: ProviderAnswer, password: str | None) -> LinkedAccount:
    """Let the caller sign in with a provider from now on; what is linked already stays linked.

    An address that the provider vouches for, and that signs in, is proved by it too.
    REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS; errors as `prove` tells; SOCIAL_ACCOUNT_TAKEN when another customer
    signs in with it; LIMIT_REACHED.
    """
    customer_id = uow.caller.require_customer().id
    checked = await reauthenticate(uow, password, "password")
    provider, proof = await prove(uow, answer)
    tokens = proof.tokens if uow.tenant.social_tokens else None
    await _lock(uow, customer_id, checked.version)
    known = await find_identity(uow, provider, proof)
    if known is None and len(await uow.social_identities.list(customer_id)) >= MOST_ACCOUNTS:
        raise refuse(
            UserErrorCode.LIMIT_REACHED,
            f"You have {MOST_ACCOUNTS} social accounts already: unlink one first.",
            "provider",
        )
    identity = await add_identity(uow, customer_id, provider, proof)
    if identity is not None:
        await count_as_proof(uow, customer_id, vouched_email(provider, proof), identity_id=identity.id)
        await tell_linked(uow, provider, identity)
        return LinkedAccount(identity, tokens)
    known = await find_identity(uow, provider, proof)
    if known is None or known.customer_id != customer_id:
        raise refuse(
            UserErrorCode.SOCIAL_ACCOUNT_TAKEN, "Another customer signs in with this social account.", "provider"
        )
    await keep_refresh_token(uow, known, provider, proof)
    await count_as_proof(uow, customer_id, vouched_email(provider, proof), identity_id=known.id)
    return LinkedAccount(known, tokens)


async def _lock(uow: UnitOfWork, customer_id: str, checked_version: int) -> None:
    """Lock the customer. If the credential has changed while the provider was asked, the proof is no longer valid."""
    customer = await uow.customers.lock(customer_id)
    credential = await uow.credentials.find(customer_id)
    session = await uow.sessions.lock(uow.caller.require_principal().session_id or "")
    if customer is None or not customer.active or customer.on_hold or session is None or session.revoked_at is not None:
        raise unauthenticated(UnauthenticatedReason.REVOKED)
    if credential is None or credential.version != checked_version:
        raise unauthenticated(UnauthenticatedReason.REVOKED)


async def _signs_in_without(uow: UnitOfWork, credential: Credential) -> bool:
    """Tell whether the customer can sign in without any social account.

    By the password, by a passkey, or where there are no passwords by a mailed code.
    """
    tenant = uow.tenant
    if tenant.password_login and credential.password_hash is not None:
        return True
    if not tenant.password_login and tenant.login_code and credential.email is not None:
        return True
    return tenant.passkeys and bool(await uow.passkeys.list(credential.customer_id))


def _still_works(uow: UnitOfWork, identity: SocialIdentity) -> bool:
    return uow.tenant.find_social_provider(identity.provider) is not None


async def unlink_social_account(uow: UnitOfWork, account_id: str, password: str | None) -> str:
    """Take one of the caller's social accounts away, and return its id; sessions that began with it end.

    REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS; NOT_FOUND for any other id; LAST_SIGN_IN_METHOD.
    """
    customer_id = uow.caller.require_customer().id
    checked = await reauthenticate(uow, password, "password")
    await _lock(uow, customer_id, checked.version)
    identities = await uow.social_identities.list(customer_id)
    gone = next((identity for identity in identities if identity.id == account_id), None)
    if gone is None:
        raise refuse(UserErrorCode.NOT_FOUND, "You have no social account with this id.", "accountId")
    remaining = [identity for identity in identities if identity.id != gone.id and _still_works(uow, identity)]
    if not remaining and not await _signs_in_without(uow, checked):
        raise refuse(
            UserErrorCode.LAST_SIGN_IN_METHOD,
            "This is your only way to sign in: link another account, or set a password first.",
            "accountId",
        )
    await remove_identity(uow, gone)
    await uow.sessions.revoke_born_from(customer_id, gone.id, uow.now)
    await tell_unlinked(uow, gone)
    return gone.id
