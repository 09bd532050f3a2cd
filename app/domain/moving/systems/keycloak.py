"""Keycloak: the users of an exported realm, with their attributes and credentials of every version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System

_PHONES = ("phone_number", "phoneNumber", "phone", "mobile")
_ADDRESS = ("street", "street_address", "locality", "city", "postal_code", "postalCode", "country", "region")


def _convert(draft: Draft, row: Row) -> None:
    attributes = values.members(row["attributes"])

    def attribute(*names: str) -> Any:
        return next((found for name in names if (found := _single(attributes.get(name))) is not None), None)

    name = values.text(row["username"])
    draft.text(email=row["email"] or (name if name is not None and "@" in name else None))
    draft.name(row["firstName"], row["lastName"])
    draft.reference(row["id"])
    draft.phone(attribute(*_PHONES))
    draft.text(preferredLanguage=attribute("locale"), company=attribute("company"), title=attribute("title"))
    draft.flag("emailVerified", row["emailVerified"])
    draft.flag("active", row["enabled"])
    draft.made(row["createdTimestamp"])
    draft.groups(path.rpartition("/")[2] for path in values.words(row["groups"]))
    draft.address(
        lines=(attribute("street", "street_address"),),
        zipCode=attribute("postal_code", "postalCode"),
        city=attribute("locality", "city"),
        state=attribute("region"),
        country=attribute("country"),
        is_default=True,
    )
    draft.text(passwordHash=next(filter(None, map(_hash, values.entries(row["credentials"]))), None))
    for each in values.entries(row["federatedIdentities"]):
        draft.identity(values.text(each.get("identityProvider")) or "", each.get("userId"))
    used = {*_PHONES, *_ADDRESS, "locale", "company", "title"}
    draft.keep("attributes", {name: value for name, value in attributes.items() if name not in used})
    draft.keep("username", name if name != values.text(row["email"]) else None)
    draft.keep("realmRoles", values.words(row["realmRoles"]))


def _single(value: Any) -> str | None:
    return values.text(value[0] if isinstance(value, list) and value else value)


def _hash(credential: Mapping[str, Any]) -> str | None:
    """Return the hash of a password as Keycloak writes it since its version 8: secrets and costs are JSON in texts."""
    if credential.get("type") != "password":
        return None
    if isinstance(credential.get("secretData"), str):
        return json.dumps({name: credential.get(name) for name in ("secretData", "credentialData")})
    if not isinstance(credential.get("hashedSaltedValue"), str):
        return None
    secret = {"value": credential["hashedSaltedValue"], "salt": credential.get("salt")}
    algorithm = credential.get("algorithm") or "pbkdf2-sha256"
    data = {"hashIterations": credential.get("hashIterations"), "algorithm": algorithm}
    return json.dumps({"secretData": json.dumps(secret), "credentialData": json.dumps(data)})


KEYCLOAK = System("keycloak", _convert, ("item", "users.item", "item.users.item"))
