"""The customer's own profile."""

from __future__ import annotations

from app.domain.errors import UserErrorCode, refuse
from app.domain.origins import origins_after
from app.domain.patches import Patch, input_name
from app.domain.problems import Problems
from app.domain.topics import Topic
from app.models.customers import CustomerProfile
from app.services.accounts.legal_entities import Claim, check_claims, claim_legal_entities
from app.services.accounts.own_account import lock_own_account
from app.services.accounts.profiles import PROFILE, check_profile, situation_of
from app.services.outgoing.events import emit
from app.services.unit_of_work import UnitOfWork


async def update_me(uow: UnitOfWork, patch: Patch, version: int | None) -> CustomerProfile:
    """Change the caller's own profile; a field left out stays, null clears it.

    VERSION_CONFLICT if `version` is given and is no longer that of the profile.
    """
    so_far = await lock_own_account(uow)
    customer_id = so_far.id
    if version is not None and version != so_far.version:
        raise refuse(
            UserErrorCode.VERSION_CONFLICT,
            "The profile was changed in the meantime: read it again before you change it.",
            "metadata",
            "version",
        )
    problems = Problems()
    situation = situation_of(uow, patch, so_far.preferred_site, mixins=so_far.mixins)
    columns = check_profile(problems, patch, PROFILE, check_claims, situation)
    claimed: list[Claim] | None = columns.pop("legal_entities", None)
    problems.raise_if_any()
    if claimed is not None:
        await claim_legal_entities(uow, customer_id, claimed)
    if columns or "b2b" in patch:
        origins = origins_after(so_far, columns, by_shop=False)
        await uow.customers.change_locked(so_far, uow.now, **columns, **origins)
        await emit(uow, Topic.CUSTOMER_UPDATED, customer_id, fields=sorted(map(input_name, patch)))
    return await get_profile(uow, customer_id)


async def get_profile(uow: UnitOfWork, customer_id: str) -> CustomerProfile:
    """Return a customer's current profile; NOT_FOUND if there is none."""
    profile = await uow.customers.find(customer_id)
    if profile is None:
        raise refuse(UserErrorCode.NOT_FOUND, "This customer no longer exists.")
    return profile
