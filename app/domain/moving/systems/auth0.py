"""Auth0: lines of profiles, and the lines of passwords that its support exports; a user may have one of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Read, Row, System
from app.domain.moving.records import Record

# Auth0's names of the providers that have others here.
PROVIDERS = {
    "google-oauth2": "google",
    "google-apps": "google",
    "twitter": "x",
}
_BOTH = "the other line"


def _gather(read: Read) -> Iterator[Record]:
    """Put each password into its user's profile, where the file has both; hashes are kept until then."""
    passwords: dict[str, Mapping[str, Any]] = {}
    profiles: set[str] = set()
    for record in read():
        if record.content is None:
            continue
        known_as = _id(record.content)
        if known_as is not None and _is_password_line(record.content):
            passwords[known_as] = {name: record.content.get(name) for name in ("passwordHash", "email_verified")}
        elif known_as is not None:
            profiles.add(known_as)
    for record in read():
        known_as = None if record.content is None else _id(record.content)
        if record.content is None or known_as is None:
            yield record
        elif not _is_password_line(record.content):
            yield replace(record, content={**record.content, _BOTH: passwords.get(known_as)})
        elif known_as not in profiles:
            yield record


def _is_password_line(content: Mapping[str, Any]) -> bool:
    return "passwordHash" in content and not content.keys() & {"user_id", "identities", "user_metadata", "name"}


def _id(content: Mapping[str, Any]) -> str | None:
    told = content.get("user_id", content.get("_id"))
    if isinstance(told, dict):
        told = told.get("$oid")
    return None if told is None else str(told).removeprefix("auth0|")


def _convert(draft: Draft, row: Row) -> None:
    person, app = values.members(row["user_metadata"]), values.members(row["app_metadata"])
    draft.text(email=row["email"])
    whole = row.first("name", "nickname")
    draft.name(
        row.first("given_name") or person.get("given_name") or person.get("first_name"),
        row.first("family_name") or person.get("family_name") or person.get("last_name"),
        None if whole == row["email"] else row["name"],
    )
    told = row.first("user_id", "_id", "id")
    oid = told.get("$oid") if isinstance(told, dict) else None
    draft.reference(f"auth0|{oid}" if oid else told)
    draft.phone(row["phone_number"] or person.get("phone") or person.get("phone_number"))
    draft.text(preferredLanguage=row["locale"])
    draft.flag("emailVerified", row["email_verified"])
    draft.made(row["created_at"])
    custom = values.members(row["custom_password_hash"])
    password = values.members(row[_BOTH]).get("passwordHash")
    draft.text(
        passwordHash=row.first("passwordHash", "password_hash") or password or (json.dumps(custom) if custom else None)
    )
    if values.flag(row["blocked"]):
        draft.said["active"] = False
    for each in values.entries(row["identities"]):
        provider = values.text(each.get("provider")) or ""
        if provider not in {"", "auth0", "sms", "email"}:
            profile = values.members(each.get("profileData"))
            draft.identity(PROVIDERS.get(provider, provider), each.get("user_id"), profile.get("email") or row["email"])
    draft.keep("user_metadata", dict(person))
    draft.keep("app_metadata", dict(app))


AUTH0 = System("auth0", _convert, ("item", "users.item"), gather=_gather)
