"""Reads the password hashes that are JSON: Keycloak's, Auth0's `custom_password_hash`, Firebase's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from app.adapters.keys.hash_steps import DIGESTS, Step
from app.adapters.keys.password_hashes import (
    Made,
    decode,
    logarithm_of,
    made_by_argon2,
    made_by_digest,
    made_by_pbkdf2,
    made_by_scrypt,
)

Members = Mapping[str, Any]
# Reads a hash that stands within the JSON as a text.
ReadText = Callable[[str], Made | None]

_KEYCLOAK_PBKDF2 = {"pbkdf2": "sha1", "pbkdf2-sha256": "sha256", "pbkdf2-sha512": "sha512"}
_KEYCLOAK_ARGON2_VERSIONS = {"1.0": 16, "1.3": 19}
_WRITTEN_AS_ONE_TEXT = frozenset({"argon2", "bcrypt", "pbkdf2", "ldap"})


def read_object(written: str, read_text: ReadText) -> Made | None:
    """Return the hash of a JSON object, None where it is none that we know; raises `ValueError`."""
    if not written.startswith('{"') and not written.startswith("{ "):
        return None
    try:
        members = json.loads(written)
        if "credentialData" in members:
            return _keycloak(_opened(members["credentialData"]), _opened(members["secretData"]))
        if "algorithm" in members:
            return _auth0(members, read_text)
        if "passwordHash" in members:
            return read_text(f"firebase_scrypt${members.get('salt') or ''}${members['passwordHash']}")
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise ValueError("A member of this hash is missing, or is something else.") from error
    return None


def _opened(content: str | Members) -> Members:
    """Return an object that may be written as a text within the JSON, as in Keycloak's tables."""
    opened: Members = json.loads(content) if isinstance(content, str) else content
    return opened


def _keycloak(said: Members, secret: Members) -> Made | None:
    name, rounds = said["algorithm"], said["hashIterations"]
    if not isinstance(rounds, int):
        raise TypeError("The iterations are a number.")
    salt, digest = decode(secret["salt"]), decode(secret["value"])
    if name in _KEYCLOAK_PBKDF2:
        return made_by_pbkdf2(_KEYCLOAK_PBKDF2[name], rounds, salt, digest)
    if name != "argon2":
        return None
    more = {key: values[0] for key, values in said["additionalParameters"].items()}
    version = _KEYCLOAK_ARGON2_VERSIONS[more.get("version", "1.3")]
    memory, lanes = int(more["memory"]), int(more["parallelism"])
    return made_by_argon2(more["type"], version, memory, rounds, lanes, salt, digest)


def _auth0(said: Members, read_text: ReadText) -> Made | None:
    name, written = str(said["algorithm"]).lower(), said["hash"]
    if name in _WRITTEN_AS_ONE_TEXT:
        return read_text(written["value"])
    digest = _bytes_of(written, default="hex")
    salt = _bytes_of(said["salt"], default="utf8") if said.get("salt") else b""
    if name == "scrypt":
        cost = logarithm_of(int(said["cost"]))
        return made_by_scrypt(cost, int(said["blockSize"]), int(said["parallelization"]), salt, digest)
    is_after = bool(salt) and said["salt"].get("position", "prefix") == "suffix"
    before, after = (b"", salt) if is_after else (salt, b"")
    if name == "hmac":
        key = _bytes_of(written["key"], default="utf8")
        steps = [Step("salted", (before, after))] if salt else []
        return Made((*steps, Step("hmac", (written["digest"], key))), digest.hex().encode())
    return made_by_digest(name, before, after, digest.hex()) if name in DIGESTS else None


def _bytes_of(said: Members, *, default: str) -> bytes:
    value, encoding = said["value"], said.get("encoding", default)
    if encoding == "hex":
        return bytes.fromhex(value)
    if encoding == "base64":
        return decode(value.replace("-", "+").replace("_", "/"))
    if encoding in {"utf8", "ascii"}:
        return str(value).encode()
    raise ValueError("There is no such encoding.")
