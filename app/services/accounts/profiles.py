"""The profile's rules: what sign-up, the customer's own changes and staff may write about a customer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.domain.emails import parse_email
from app.domain.errors import Refused, UserErrorCode
from app.domain.locales import parse_currency, parse_language
from app.domain.mixins import check_mixins, merge_patch
from app.domain.patches import Patch, input_name
from app.domain.phones import parse_phone
from app.domain.problems import Problems
from app.domain.tenants import Tenant
from app.domain.texts import is_blank, optional_line
from app.models.customers import BusinessModel

_LINES: dict[str, Callable[[str | None], str | None]] = {
    "title": optional_line(50),
    "first_name": optional_line(100),
    "middle_name": optional_line(100),
    "last_name": optional_line(100),
    "company": optional_line(200),
}
COMPANY_REGISTRATION_LINE = optional_line(100)
# What `b2b: null` says.
NO_COMPANY: Patch = {"company_registration_id": None, "legal_entities": []}


def check_profile(
    problems: Problems,
    tenant: Tenant,
    patch: Patch,
    *path: str,
    site: str | None,
    mixins: dict[str, Any],
    countries: Sequence[str | None] = (),
) -> dict[str, Any]:
    """Return the columns that the patch changes, checked and normalized; each fault is noted under `path`.

    `site` is the customer's site so far, by whose country a national phone number is read, or else by one of
    `countries`; `mixins` the data so far. An empty text counts as null.
    """
    columns: dict[str, Any] = {}
    for name, rule in _LINES.items():
        if name in patch:
            columns[name] = problems.check(rule, patch[name], *path, input_name(name))
    site_id = patch.get("preferred_site") or site
    home = tenant.find_site(site_id) if site_id else tenant.default_site
    country = home.country if home else None
    rules: dict[str, Callable[[str], Any]] = {
        "contact_email": lambda text: parse_email(text).address,
        "contact_phone": lambda text: parse_phone(text, country, *countries),
        "preferred_language": parse_language,
        "preferred_currency": parse_currency,
        "preferred_site": lambda text: _parse_site(tenant, text),
    }
    for name, parse in rules.items():
        if name in patch:
            value = patch[name]
            blank = value is None or is_blank(value)
            columns[name] = None if blank else problems.check(parse, value, *path, input_name(name))
    if patch.get("business_model") is not None:
        columns["business_model"] = patch["business_model"]
    if "mixins" in patch:
        columns["mixins"] = _merge_mixins(problems, tenant, patch["mixins"], mixins, *path)
    return columns


def find_company(problems: Problems, patch: Patch) -> tuple[Patch, tuple[str, ...]]:
    """Return what staff say of the company, and where: in `b2b` as customers do, or beside the profile, but not both.

    `b2b` that is null clears all of it.
    """
    if "b2b" not in patch:
        return patch, ()
    if "company_registration_id" in patch or "legal_entities" in patch:
        problems.add(UserErrorCode.INVALID, "Please give this only once: in b2b, or beside it.", "b2b")
    given: Patch | None = patch["b2b"]
    return NO_COMPANY if given is None else given, ("b2b",)


def imply_business_model(columns: dict[str, Any], legal_entities: Sequence[object]) -> None:
    """Make the customer B2B if a company is named, unless the same call says otherwise."""
    if columns.get("company_registration_id") is not None or legal_entities:
        columns.setdefault("business_model", BusinessModel.B2B)


def _parse_site(tenant: Tenant, text: str) -> str:
    site = tenant.find_site(text)
    if site is None:
        sites = ", ".join(site.id for site in tenant.sites)
        raise Refused(UserErrorCode.INVALID, f"The shop has no site with this id; it has: {sites}.")
    return site.id


def _merge_mixins(problems: Problems, tenant: Tenant, patch: object, so_far: dict[str, Any], *path: str) -> object:
    merged = {} if patch is None else merge_patch(so_far, patch)
    for error in check_mixins(merged, tenant.mixin_schemas):
        problems.add(error.code, error.message, *path, "mixins", *error.field)
    return merged
