"""Social login: a person who comes back from a provider is a known customer, one to confirm, or a new one."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from app.domain.audit import AuditAction
from app.domain.emails import EmailAddress
from app.domain.errors import DomainError, Refused, UserErrorCode, refuse
from app.domain.social import ProviderTokens, SocialProof
from app.domain.tenants import SignupMode, SocialLinking, SocialProvider
from app.domain.topics import Topic
from app.models.credentials import Credential, Maker
from app.models.social import SocialIdentity
from app.services.accounts.closed_accounts import lock_for_proof
from app.services.accounts.invitations import tell_of_registration
from app.services.accounts.new_customers import add_customer
from app.services.accounts.ownership import Proof, prove_ownership
from app.services.audit import record
from app.services.outgoing.events import emit
from app.services.sessions.kept_pairs import Kept
from app.services.sessions.login_steps import LoginStep
from app.services.sessions.repeated_calls import RepeatableCall
from app.services.sessions.sessions import LoggedIn
from app.services.social.answers import ProviderAnswer, parse_name
from app.services.social.identities import (
    add_identity,
    cannot_log_in,
    find_identity,
    log_in,
    tell_linked,
    told_email,
    vouched_email,
)
from app.services.social.links import LinkConfirmation, require_confirmation
from app.services.social.proofs import count_as_proof
from app.services.social.states import end_asking, is_asking, prove
from app.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True, repr=False)
class SocialLogin:
    """A customer who has just logged in, or has a step to go.

    `tokens` are the provider's, where the tenant hands them on; before the last step nobody gets them.
    """

    logged_in: LoggedIn | LoginStep
    created: bool
    tokens: ProviderTokens | None = None


async def social_login(
    uow: UnitOfWork, answer: ProviderAnswer, device_token: str | None = None, *, device_cookie: str | None = None
) -> SocialLogin | LinkConfirmation:
    """Turn the caller's anonymous session into that of the customer, known or new, whom the provider has proved.

    Errors as `prove` and `log_in` tell. An address that the provider vouches for and that is another customer's makes a
    `LinkConfirmation`; any other address is never compared with those of customers.
    `device_token` is what an earlier login has given; without it `device_cookie` counts, which the browser sends.
    """
    call = RepeatableCall(uow, "socialLogin", *asdict(answer).values(), device_token)
    return await call.answer(
        lambda: _social_login(uow, call, answer, device_token or device_cookie),
        _again,
        lambda looking: is_asking(looking, answer),
    )


async def _social_login(
    uow: UnitOfWork, call: RepeatableCall, answer: ProviderAnswer, device_token: str | None
) -> SocialLogin | LinkConfirmation:
    provider, proof = await prove(uow, answer)
    try:
        arrived = await _Arrival(uow, provider, proof, answer, device_token).enter()
    except DomainError:
        await end_asking(uow, answer)
        raise
    if isinstance(arrived, SocialLogin) and isinstance(arrived.logged_in, LoggedIn):
        tokens = asdict(arrived.tokens) if arrived.tokens is not None else None
        await call.keep(arrived.logged_in.tokens, created=arrived.created, provider_tokens=tokens)
    else:
        await end_asking(uow, answer)
    return arrived


def _again(kept: Kept) -> SocialLogin | LinkConfirmation:
    tokens = kept.more["provider_tokens"]
    return SocialLogin(
        LoggedIn(kept.tokens, kept.owner), kept.more["created"], ProviderTokens(**tokens) if tokens else None
    )


class _Arrival:
    """Somebody who has come back from a provider."""

    def __init__(
        self,
        uow: UnitOfWork,
        provider: SocialProvider,
        proof: SocialProof,
        answer: ProviderAnswer,
        device_token: str | None,
    ) -> None:
        self._uow = uow
        self._provider = provider
        self._proof = proof
        self._answer = answer
        self._device_token = device_token

    async def enter(self) -> SocialLogin | LinkConfirmation:
        known = await find_identity(self._uow, self._provider, self._proof)
        if known is not None:
            return await self._log_in(known)
        vouched = vouched_email(self._provider, self._proof)
        owner = await self._uow.credentials.find_by_email(vouched.key) if vouched else None
        if owner is not None and vouched is not None:
            return await self._meet(owner, vouched)
        return await self._create(vouched)

    async def _log_in(
        self, identity: SocialIdentity, *, created: bool = False, has_proved: bool = False
    ) -> SocialLogin:
        """Log in; what has been proved by it stays proved, even when the customer may not."""
        vouched = vouched_email(self._provider, self._proof)
        if not has_proved:
            has_proved = await count_as_proof(self._uow, identity.customer_id, vouched, identity_id=identity.id)
        logged_in = await log_in(self._uow, identity, self._proof, device_token=self._device_token, durable=has_proved)
        is_complete = isinstance(logged_in, LoggedIn)
        tokens = self._proof.tokens if self._uow.tenant.social_tokens and is_complete else None
        return SocialLogin(logged_in, created, tokens)

    async def _meet(self, owner: Credential, vouched: EmailAddress) -> SocialLogin | LinkConfirmation:
        """Decide about an identity whose vouched address is a customer's."""
        uow = self._uow
        customer = await lock_for_proof(uow, owner.customer_id)
        known = await find_identity(uow, self._provider, self._proof)
        if known is not None:
            return await self._log_in(known)
        current = await uow.credentials.find(owner.customer_id)
        if current is None or current.email_key != vouched.key:
            # At this moment the address was changed or the customer erased, so it belongs to nobody.
            return await self._create(vouched)
        if not vouched.is_same_mailbox(current.email):
            # Only the key is the same: the mailbox may be somebody else's.
            return await self._create(None)
        if customer is None:
            raise refuse(UserErrorCode.INVALID_CREDENTIALS, "No customer can log in with this social account.")
        if current.email_verified_at is None:
            return await self._take_over(current, vouched)
        if uow.tenant.social_linking is SocialLinking.CONFIRM:
            return await require_confirmation(uow, current, self._provider, self._proof)
        return await self._link(current.customer_id)

    async def _take_over(self, unproven: Credential, vouched: EmailAddress) -> SocialLogin:
        """Give an account to the proven owner of its address; all earlier access, which was without a proof, ends."""
        uow, customer_id = self._uow, unproven.customer_id
        if not await count_as_proof(uow, customer_id, vouched):
            raise RuntimeError("The credential of a locked customer was changed by somebody else.")
        # The provider tells it today, as it would of a new customer.
        await uow.customers.change(customer_id, uow.now, contact_email=vouched.address)
        return await self._link(customer_id, has_proved=True)

    async def _link(self, customer_id: str, *, has_proved: bool = False) -> SocialLogin:
        identity = await add_identity(self._uow, customer_id, self._provider, self._proof)
        if identity is None:
            return await self._log_in_as_linked_meanwhile()
        await tell_linked(self._uow, self._provider, identity)
        return await self._log_in(identity, has_proved=has_proved)

    async def _log_in_as_linked_meanwhile(self) -> SocialLogin:
        identity = await find_identity(self._uow, self._provider, self._proof)
        if identity is None:
            raise RuntimeError("An identity that could not be added is there.")
        return await self._log_in(identity)

    async def _create(self, vouched: EmailAddress | None) -> SocialLogin | LinkConfirmation:
        """Make a customer, whose login address is the vouched one; without one, only the identity signs in."""
        uow = self._uow
        customer_id = uow.tools.random.new_id()
        credential = _credential(uow, customer_id, vouched)
        if not await uow.credentials.add_unless_email_taken(credential):
            owner = await uow.credentials.find_by_email(vouched.key) if vouched else None
            if owner is not None and vouched is not None:
                return await self._meet(owner, vouched)
            # Nobody has the address, but an account that has left it can still take it back.
            return await self._create(None)
        identity = await add_identity(uow, customer_id, self._provider, self._proof)
        if identity is None:
            await uow.credentials.delete(customer_id)
            return await self._log_in_as_linked_meanwhile()
        if vouched is not None:
            await prove_ownership(uow, credential, Proof.SOCIAL_IDENTITY, identity_id=identity.id)
        is_active = uow.tenant.signup is not SignupMode.EMPLOYEE_ACTIVATION
        await add_customer(uow, customer_id, {**self._profile(), "active": is_active}, email=credential.email)
        session_id = uow.caller.require_principal().session_id
        await record(uow, AuditAction.CUSTOMER_CREATED, customer_id, provider=self._provider.provider)
        await emit(uow, Topic.CUSTOMER_CREATED, customer_id, sessionId=session_id)
        if not is_active:
            await tell_of_registration(uow, customer_id)
            raise await cannot_log_in(uow, identity, durable=True)
        return await self._log_in(identity, created=True, has_proved=vouched is not None)

    def _profile(self) -> dict[str, str | None]:
        # A provider that tells the name once only, and in no token, tells it the client.
        told, proof, answer = told_email(self._proof), self._proof, self._answer
        return {
            "first_name": _name(proof.first_name) or _name(answer.first_name),
            "last_name": _name(proof.last_name) or _name(answer.last_name),
            "contact_email": told.address if told else None,
        }


def _credential(uow: UnitOfWork, customer_id: str, vouched: EmailAddress | None) -> Credential:
    return Credential(
        tenant_id=uow.tenant.id,
        customer_id=customer_id,
        email=vouched.address if vouched else None,
        email_key=vouched.key if vouched else None,
        email_verified_at=uow.now if vouched else None,
        changed_at=uow.now,
        made_by=Maker.SOCIAL.value,
    )


def _name(text: str | None) -> str | None:
    try:
        return parse_name(text)
    except Refused:
        return None
