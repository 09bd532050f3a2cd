"""What a customer has enrolled beside the password, counted in one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, func, select
from sqlmodel import col

from app.domain.rows import Reading
from app.models.base import TenantRow
from app.models.passkeys import Passkey
from app.models.social import SocialIdentity
from app.models.totp import RecoveryCode, TotpSecret
from app.repositories.base import Condition, Repository, mine


class _Enrolled:
    """How many of each a customer has."""

    passkeys: int
    totp: int
    recovery_codes: int
    social: int


def _count(model: type[TenantRow], *conditions: Condition) -> Any:
    theirs = mine(model, model.__table__.c.customer_id == bindparam("customer_id"), *conditions)
    return select(func.count()).select_from(model.__table__).where(theirs).scalar_subquery()


_ENROLLED = Reading(
    _Enrolled,
    select(
        _count(Passkey, col(Passkey.removed_at).is_(None), col(Passkey.rp_id) == bindparam("rp_id")).label("passkeys"),
        _count(TotpSecret, col(TotpSecret.removed_at).is_(None)).label("totp"),
        _count(RecoveryCode, col(RecoveryCode.used_at).is_(None), col(RecoveryCode.removed_at).is_(None)).label(
            "recovery_codes"
        ),
        _count(SocialIdentity).label("social"),
    ),
)


class WaysInRepository(Repository):
    """What the customers of one tenant have enrolled."""

    async def count(self, customer_id: str, rp_id: str) -> tuple[int, int, int, int]:
        """Return how many passkeys for a relying party, TOTP secrets, unused recovery codes, social accounts."""
        (counted,) = await self._list(_ENROLLED, customer_id=customer_id, rp_id=rp_id)
        return counted.passkeys, counted.totp, counted.recovery_codes, counted.social
