"""What a passkey ceremony is about (WebAuthn Level 3 section 7): the relying party, the person, and what came of it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from app.domain.errors import Refused, UserErrorCode

PASSKEY_NAME_LENGTH = 100
# WebAuthn Level 3 section 4: a credential id has at most this many bytes.
CREDENTIAL_ID_LENGTH = 1_023


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks for the passkey: its domain, the name that the browser may show, and whose pages and apps may answer."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PasskeyUser:
    """Whose the passkey will be; `handle` says nothing of the person, the others are what the browser shows."""

    handle: bytes
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A passkey as the browser is told of it: its credential id, and how it is reached (`internal`, `usb` …)."""

    credential_id: bytes
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a registration has proved.

    `is_synced` is the flag "backup eligible", `backed_up` the flag "backup state"; `aaguid` is the authenticator's
    model, where it says that.
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    is_synced: bool
    backed_up: bool
    transports: tuple[str, ...]
    aaguid: str | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What we know of the passkey that an answer is to be of.

    `must_name_owner`: nobody has said before whose passkey it is, so the answer itself must (`userHandle`).
    """

    public_key: bytes
    sign_count: int
    is_synced: bool
    handle: bytes
    must_name_owner: bool


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What an answer has proved: the counter of today, and whether the key has a backup today."""

    sign_count: int
    backed_up: bool


def invalid_passkey() -> Refused:
    """Return PASSKEY_INVALID: one error for whatever is wrong with an answer."""
    return Refused(
        UserErrorCode.PASSKEY_INVALID, "This passkey does not work here: please try again, or sign in another way."
    )


def read_credential_id(answer: Any) -> bytes:
    """Return which passkey an answer is of, in base64url without padding as browsers write it; PASSKEY_INVALID."""
    text = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(text, str):
        raise invalid_passkey()
    try:
        found = urlsafe_b64decode(f"{text}===")
    except ValueError:
        raise invalid_passkey() from None
    # One text for each id: the decoder passes over what is no letter of base64.
    if urlsafe_b64encode(found).rstrip(b"=").decode() != text or not 0 < len(found) <= CREDENTIAL_ID_LENGTH:
        raise invalid_passkey()
    return found
