"""Firebase: what `firebase auth:export --format=json` writes, `{users}`."""

from __future__ import annotations

from app.domain.moving import values
from app.domain.moving.drafts import Draft, Row, System

_OWN = frozenset({"password", "phone", "anonymous", "custom"})


def _convert(draft: Draft, row: Row) -> None:
    draft.text(email=row["email"])
    draft.name(None, None, row["displayName"])
    draft.reference(row.first("localId", "uid"))
    draft.phone(row["phoneNumber"])
    draft.flag("emailVerified", row["emailVerified"])
    draft.made(row["createdAt"])
    if values.flag(row["disabled"]):
        draft.said["active"] = False
    digest, salt = values.text(row["passwordHash"]), values.text(row["salt"])
    if digest is not None:
        draft.said["passwordHash"] = f"firebase_scrypt${salt or ''}${digest}"
    for each in values.entries(row["providerUserInfo"]):
        provider = (values.text(each.get("providerId")) or "").removesuffix(".com")
        if provider and provider not in _OWN:
            draft.name(None, None, each.get("displayName"))
            known_as = each.get("rawId") or each.get("federatedId")
            draft.identity("x" if provider == "twitter" else provider, known_as, each.get("email"))
    draft.keep("customAttributes", dict(values.members(row.first("customAttributes", "customClaims"))))


FIREBASE = System("firebase", _convert, ("item", "users.item"))
