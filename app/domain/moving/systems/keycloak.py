"""Keycloak: the users of an exported realm, with their attributes and credentials of every version."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System

_PHONES = ("phone_number", "phoneNumber", "phone", "mobile")
_ADDRESS = ("street", "street_address", "locality", "city", "postal_code", "postalCode", "country", "region")
# Keycloak's names of PBKDF2, and those of the format that carries the cost with the hash.
_PBKDF2 = {
    "pbkdf2": "pbkdf2",
    "pbkdf2-sha1": "pbkdf2",
    "pbkdf2-sha256": "pbkdf2-sha256",
    "pbkdf2-sha512": "pbkdf2-sha512",
}


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
    """Return the hash of a password with its cost; secrets are JSON in texts since Keycloak 8, and plain before."""
    if credential.get("type") != "password":
        return None
    secret = values.members(credential.get("secretData"))
    data = values.members(credential.get("credentialData"))
    digest = secret.get("value") or credential.get("hashedSaltedValue")
    salt = secret.get("salt") or credential.get("salt")
    rounds = data.get("hashIterations") or credential.get("hashIterations")
    algorithm = str(data.get("algorithm") or credential.get("algorithm") or "pbkdf2-sha256").casefold()
    if not isinstance(digest, str) or not isinstance(salt, str):
        return None
    more = {name: _single(value) for name, value in values.members(data.get("additionalParameters")).items()}
    if algorithm == "argon2":
        cost = f"m={more.get('memory')},t={rounds},p={more.get('parallelism')}"
        return f"$argon2{more.get('type') or 'id'}$v=19${cost}${_bare(salt)}${_bare(digest)}"
    name = _PBKDF2.get(algorithm)
    return f"${name}${rounds}${_adapted(salt)}${_adapted(digest)}" if name is not None else f"{algorithm}${digest}"


def _bare(encoded: str) -> str:
    return encoded.rstrip("=")


def _adapted(encoded: str) -> str:
    """Return Base64 in the alphabet of the format: without padding, and `.` for `+`."""
    try:
        base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return encoded
    return _bare(encoded).replace("+", ".")


KEYCLOAK = System("keycloak", _convert, ("item", "users.item", "item.users.item"))
