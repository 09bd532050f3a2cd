"""Login addresses and password hashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, not_, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.domain.errors import Refused, UserErrorCode
from app.domain.ports import Connection
from app.domain.rows import Reading
from app.models.base import OfTenant
from app.models.credentials import Credential, Maker, UnprovenAccount
from app.models.customers import Customer
from app.models.one_time_tokens import WAS_PROVEN, OneTimeToken, Purpose
from app.repositories.base import Repository, Rows, mine

_BY_EMAIL = Rows(Credential, "email_key")
_BY_PHONE = Rows(Credential, "verified_phone")
_PHONE_OF_ANOTHER = Rows(Credential, "verified_phone", col(Credential.customer_id) != bindparam("customer_id"))
_OF_CUSTOMER = Rows(Credential, "customer_id")
_BY_FORMER_EMAIL = Rows(Credential, "former_email_key", order_by=(col(Credential.customer_id).desc(),))
_VERSION = Rows(Credential, "customer_id", "version")
_ADDRESS = Rows(Credential, "customer_id", "email_key")
_BOUNCED = Rows(Credential, "customer_id", "email_key", col(Credential.email_bounced_at).is_not(None))
_HASHED_SO = Rows(Credential, "customer_id", "password_hash")
_WITHOUT_PASSWORD = Rows(Credential, "customer_id", "version", col(Credential.password_hash).is_(None))
_UNPROVEN = col(Credential.email_verified_at).is_(None)
_UNPROVEN_OF_ANOTHER = Rows(Credential, "email_key", col(Credential.customer_id) != bindparam("customer_id"), _UNPROVEN)
# In one order, so that two who ask for each other's address do not wait for each other for ever.
_BOTH = Rows(
    Credential,
    or_(
        col(Credential.customer_id) == bindparam("customer_id"),
        and_(col(Credential.email_key) == bindparam("email_key"), _UNPROVEN),
    ),
    order_by=(col(Credential.customer_id),),
)
_BY_SIGNUP = or_(
    col(Credential.must_confirm).is_(True), func.coalesce(col(Credential.made_by), "") == Maker.SIGNUP.value
)
_NEVER_USED = and_(col(Customer.last_login_at).is_(None), col(Customer.order_count) == 0)
_AND_ITS_CUSTOMER = and_(
    col(Customer.tenant_id) == col(Credential.tenant_id), col(Customer.id) == col(Credential.customer_id)
)
_IDLE = Reading(
    Credential,
    select(Credential.__table__)
    .join(Customer.__table__, _AND_ITS_CUSTOMER)
    .where(
        mine(
            Credential,
            col(Credential.email_key) == bindparam("email_key"),
            _UNPROVEN,
            _BY_SIGNUP,
            _NEVER_USED,
        )
    ),
)
_WAYS_BACK = Rows(
    OneTimeToken,
    "email_key",
    col(OneTimeToken.purpose) == Purpose.REVERT_EMAIL_CHANGE.value,
    col(OneTimeToken.customer_id) != bindparam("customer_id"),
    col(OneTimeToken.used_at).is_(None),
    col(OneTimeToken.revoked_at).is_(None),
    col(OneTimeToken.expires_at) > bindparam("now"),
)


class CredentialRepository(Repository):
    """The credentials of one tenant."""

    async def add_unless_email_taken(self, credential: Credential) -> bool:
        """Write a new credential; False if somebody has its address already, or it is reserved for somebody."""
        key = credential.email_key
        if key is not None and await self.find_way_back(key, credential.customer_id, credential.changed_at):
            return False
        if credential.password_hash is not None:
            credential.password_set_at = credential.changed_at
        # No constraint is named: where one ticket is used twice at once, both write the same customer as well, and
        # PostgreSQL raises for whichever constraint it meets first, unless it is one of those that are asked for.
        return await self._add_unless(credential)

    async def is_email_taken(self, email_key: str, customer_id: str, now: datetime) -> bool:
        """Tell whether somebody else than this customer has the address, or could still take it back.

        Who never proved that it is theirs does not count.
        """
        owner = await self.find_by_email(email_key)
        if owner is not None and owner.customer_id != customer_id and owner.email_verified_at is not None:
            return True
        return await self.find_way_back(email_key, customer_id, now) is not None

    async def find_way_back(self, email_key: str, customer_id: str, now: datetime) -> OneTimeToken | None:
        """Return the mailed link by which another customer who has left the address can still come back to it.

        An account that had never proved the address keeps it from nobody.
        """
        links = await self._list(_WAYS_BACK, email_key=email_key, customer_id=customer_id, now=now)
        return next((link for link in links if link.data.get(WAS_PROVEN) is not False), None)

    async def find_idle(self, email_key: str) -> Credential | None:
        """Return who has signed up with this address and done nothing since, neither proved it nor logged in."""
        return await self._find(_IDLE, email_key=email_key)

    async def give_up_unproven_email(self, email_key: str, customer_id: str, now: datetime) -> Credential | None:
        """Take the address from another account than this one that never proved it; return that one as it is then.

        However close in time: an account that proves it meanwhile keeps it, and the unique key tells.
        """
        given = {"email_key": email_key, "customer_id": customer_id}
        await self._lock(_BOTH, **given)
        return await self._change_one(
            _UNPROVEN_OF_ANOTHER, given, counted="version", changed_at=now, email=None, email_key=None
        )

    async def note_bounce(self, customer_id: str, email_key: str, now: datetime) -> None:
        """Note that a mail server has refused the customer's login address, if it is still this one."""
        await self._change(_ADDRESS, {"customer_id": customer_id, "email_key": email_key}, email_bounced_at=now)

    async def forget_bounce(self, customer_id: str, email_key: str) -> None:
        """Note that a mail server has taken a mail to the customer's login address."""
        await self._change(_BOUNCED, {"customer_id": customer_id, "email_key": email_key}, email_bounced_at=None)

    async def list_unproven(
        self, before: datetime, after: tuple[datetime, str], limit: int
    ) -> Sequence[UnprovenAccount]:
        """Return up to `limit` accounts from sign-ups that were never proved, and not changed since `before`.

        In the order of that moment and of the customer's id, and only what comes `after` these.
        """
        moment, customer_id = col(Credential.changed_at), col(Credential.customer_id)
        theirs = self._mine(
            Credential,
            _UNPROVEN,
            _BY_SIGNUP,
            moment < before,
            or_(moment > after[0], and_(moment == after[0], customer_id > after[1])),
        )
        columns = Customer.__table__.c
        statement = (
            select(
                col(Credential.tenant_id),
                customer_id,
                moment,
                columns.last_login_at,
                columns.order_count,
                columns.anonymization_status,
            )
            .join_from(Credential.__table__, Customer.__table__, _AND_ITS_CUSTOMER)
            .where(theirs)
            .order_by(moment, customer_id)
            .limit(limit)
        )
        return await self._connection.read_anew(Reading(UnprovenAccount, statement))

    async def find_ids_by_email(self, email_keys: Sequence[str]) -> Mapping[str, str]:
        """Return the customer's id for each of these addresses that signs in; one as of `find_idle` does not count."""
        those = self._mine(Credential, col(Credential.email_key).in_(email_keys))
        theirs = select(Credential.__table__).join(Customer.__table__, _AND_ITS_CUSTOMER)
        counting = theirs.where(those, not_(and_(_UNPROVEN, _BY_SIGNUP, _NEVER_USED)))
        rows = await self._connection.read_anew(Reading(Credential, counting))
        return {row.email_key or "": row.customer_id for row in rows}

    async def list_of(self, customer_ids: Sequence[str]) -> Sequence[Credential]:
        """Return the credentials of these customers, in any order."""
        return await self._list_of(_OF_CUSTOMER, customer_ids)

    async def delete(self, customer_id: str) -> None:
        """Delete a credential that this transaction has written."""
        await self._delete(_OF_CUSTOMER, customer_id=customer_id)

    async def find_by_email(self, email_key: str) -> Credential | None:
        """Return the credential that signs in with this address."""
        return await self._find(_BY_EMAIL, email_key=email_key)

    async def find_by_former_email(self, email_key: str) -> Credential | None:
        """Return the credential of the newest account that had this address until it was joined with another one."""
        return await self._find(_BY_FORMER_EMAIL, former_email_key=email_key)

    async def find(self, customer_id: str) -> Credential | None:
        """Return the credential of a customer."""
        return await self._find(_OF_CUSTOMER, customer_id=customer_id)

    async def find_by_phone(self, phone: str) -> Credential | None:
        """Return the credential that signs in with this number."""
        return await self._find(_BY_PHONE, verified_phone=phone)

    async def release_phone(self, phone: str, customer_id: str) -> None:
        """Take a number from another customer than this one, who has proved it since."""
        given = {"verified_phone": phone, "customer_id": customer_id}
        await self._change(_PHONE_OF_ANOTHER, given, verified_phone=None, phone_verified_at=None)

    async def note_phone(self, customer_id: str, phone: str | None, now: datetime) -> bool:
        """Set the number that a customer has proved, or none.

        If it is another customer's, returns False, and the transaction can only be rolled back.
        """
        given, verified_at = {"customer_id": customer_id}, now if phone is not None else None
        try:
            await self._change(_OF_CUSTOMER, given, verified_phone=phone, phone_verified_at=verified_at)
        except IntegrityError:
            return False
        return True

    async def confirm_email(self, customer_id: str, version: int, now: datetime) -> bool:
        """Record that the customer owns the address; False if the credential has changed since."""
        given = {"customer_id": customer_id, "version": version}
        return await self._change(_VERSION, given, email_verified_at=now, must_confirm=False) == 1

    async def rehash(self, customer_id: str, old_hash: str, new_hash: str) -> None:
        """Store the same password with the current hash parameters, unless it has changed since."""
        given = {"customer_id": customer_id, "password_hash": old_hash}
        await self._change(_HASHED_SO, given, password_hash=new_hash)

    async def take_over_password(self, customer_id: str, version: int, password_hash: str, now: datetime) -> bool:
        """Store the first hash of a password that was known elsewhere; False if there is one, or another version."""
        given = {"customer_id": customer_id, "version": version}
        return await self._change(_WITHOUT_PASSWORD, given, password_hash=password_hash, password_set_at=now) == 1

    async def change(self, customer_id: str, version: int, now: datetime, **values: Any) -> bool:
        """Set columns and count one version up; False if the credential has another version now."""
        given = {"customer_id": customer_id, "version": version}
        if "password_hash" in values:
            values["password_set_at"] = now if values["password_hash"] is not None else None
        return await self._change(_VERSION, given, version=version + 1, changed_at=now, **values) == 1

    async def set_password(
        self, customer_id: str, version: int, now: datetime, password_hash: str, **values: Any
    ) -> bool:
        """Set a password that the customer has chosen; False if the credential has another version now."""
        return await self.change(
            customer_id,
            version,
            now,
            password_hash=password_hash,
            password_version=version + 1,
            **{"initial_password": False, **values},
        )

    async def change_email(
        self, customer_id: str, version: int, now: datetime, email: str, email_key: str, **values: Any
    ) -> bool:
        """Set a proven address; False if the credential has another version now.

        Have an account that never proved the address give it up before.
        Raises `Refused` EMAIL_TAKEN, after which the transaction can only be rolled back: the unique key decides who of
        two comes first.
        """
        taken = Refused(UserErrorCode.EMAIL_TAKEN, "Another customer has got this address: choose another one.")
        if await self.is_email_taken(email_key, customer_id, now):
            raise taken
        try:
            return await self.change(
                customer_id,
                version,
                now,
                email=email,
                email_key=email_key,
                **{"email_verified_at": now, "must_confirm": False, "email_bounced_at": None, **values},
            )
        except IntegrityError as error:
            raise taken from error


class UnprovenQueue:
    """The accounts of all tenants whose address was never proved, as the worker sees them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_tenants(self, before: datetime) -> Sequence[str]:
        """Return the ids of the tenants that have such accounts, not changed since `before`."""
        columns = Credential.__table__.c
        statement = select(columns.tenant_id).where(_UNPROVEN, columns.changed_at < before).distinct()
        return [row.tenant_id for row in await self._connection.read_anew(Reading(OfTenant, statement))]
