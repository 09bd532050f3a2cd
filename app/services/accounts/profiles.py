"""The profile's rules: what sign-up, the customer's own changes and staff may write about a customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.domain.emails import parse_email
from app.domain.errors import DomainError, Refused, UserErrorCode
from app.domain.locales import parse_currency, parse_language
from app.domain.mixins import check_mixins, merge_patch
from app.domain.patches import (
    Patch,
    Rule,
    Rules,
    Situation,
    any_value,
    blank_clears,
    by_value,
    check_patch,
    null_keeps,
)
from app.domain.phones import parse_phone
from app.domain.problems import Problems
from app.domain.texts import optional_line
from app.models.customers import BusinessModel
from app.services.unit_of_work import UnitOfWork


def _site(text: str, situation: Situation) -> str:
    site = situation.tenant.find_site(text)
    if site is None:
        sites = ", ".join(site.id for site in situation.tenant.sites)
        raise Refused(UserErrorCode.INVALID, f"The shop has no site with this id; it has: {sites}.")
    return site.id


def _mixins(patch: object, situation: Situation) -> object:
    so_far, schemas = situation.so_far.get("mixins", {}), situation.tenant.mixin_schemas
    merged = {} if patch is None else merge_patch(so_far, patch)
    faults = check_mixins(merged, {})
    if not faults and isinstance(merged, dict):
        # What an import has brought from another system is in no schema, and stays as it is.
        kept = {name for name, mixin in so_far.items() if name not in schemas and merged.get(name) == mixin}
        faults = check_mixins({name: mixin for name, mixin in merged.items() if name not in kept}, schemas)
    if faults:
        raise DomainError(*faults)
    return merged


# Each is a column of the customer's.
PROFILE: Rules = {
    "title": by_value(optional_line(50)),
    "first_name": by_value(optional_line(100)),
    "middle_name": by_value(optional_line(100)),
    "last_name": by_value(optional_line(100)),
    "company": by_value(optional_line(200)),
    "contact_email": blank_clears(by_value(lambda text: parse_email(text).address)),
    "contact_phone": blank_clears(lambda text, situation: parse_phone(text, *situation.countries)),
    "preferred_language": blank_clears(by_value(parse_language)),
    "preferred_currency": blank_clears(by_value(parse_currency)),
    "preferred_site": blank_clears(_site),
    "business_model": null_keeps(any_value),
    "mixins": _mixins,
}
_COMPANY_REGISTRATION_ID = by_value(optional_line(100))
# What `b2b: null` says.
_NO_COMPANY: Patch = {"company_registration_id": None, "legal_entities": []}


def company_rules(legal_entities: Rule) -> Rules:
    """Return the rules for what is said of the company; customers and staff have different ones for its entities."""
    return {"company_registration_id": _COMPANY_REGISTRATION_ID, "legal_entities": legal_entities}


def situation_of(
    uow: UnitOfWork, patch: Patch, site: str | None, *, countries: Sequence[str | None] = (), **so_far: Any
) -> Situation:
    """Return the situation of a customer whose site is this, unless the patch names another.

    National phone numbers are read by the country of the site, or else by one of `countries`.
    """
    site_id = patch.get("preferred_site") or site
    home = uow.tenant.find_site(site_id) if site_id else uow.tenant.default_site
    home_country = home.country if home else None
    return replace(uow.situation, site=home, countries=(home_country, *countries), so_far=so_far)


def check_profile(
    problems: Problems, patch: Patch, rules: Rules, legal_entities: Rule, situation: Situation, *path: str
) -> dict[str, Any]:
    """Return what the patch sets of the customer and the company; each fault is noted under `path`.

    `legal_entities`, where they are said, are no column: they are what their rule returns. Who names a company buys for
    it, unless the patch says otherwise.
    """
    rest, company, where = _split(problems, patch, *path)
    columns = check_patch(problems, rest, rules, situation, *path)
    columns |= check_patch(problems, company, company_rules(legal_entities), situation, *path, *where)
    if columns.get("company_registration_id") is not None or columns.get("legal_entities"):
        columns.setdefault("business_model", BusinessModel.B2B)
    return columns


def _split(problems: Problems, patch: Patch, *path: str) -> tuple[Patch, Patch, tuple[str, ...]]:
    """Return what the patch says of the customer, what of the company, and where.

    That is in `b2b`, which clears all of it when it is null; staff may also say it beside the profile, but not both.
    """
    rest, beside = dict(patch), {}
    for name in _NO_COMPANY:
        if name in rest:
            beside[name] = rest.pop(name)
    if "b2b" not in rest:
        return rest, beside, ()
    given: Patch | None = rest.pop("b2b")
    if beside:
        problems.add(UserErrorCode.INVALID, "Please say it once: in b2b, or beside it.", *path, "b2b")
    return rest, _NO_COMPANY if given is None else given, ("b2b",)
