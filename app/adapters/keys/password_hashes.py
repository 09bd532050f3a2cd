"""Password hashes from an import: reads them, limits their cost, and verifies passwords.

The formats are PHC strings, the modular crypt format (argon2, bcrypt, scrypt, PBKDF2) and Django's. A hash that takes
much more than a second or more than 128 MiB is refused, so that nobody can block the logins of others with one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error, hexlify
from collections.abc import Callable
from functools import partial

import bcrypt
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

Check = Callable[[str], bool]

_MEBIBYTE = 1024 * 1024
_MEMORY = 128 * _MEBIBYTE
_ARGON2_PASSES_TIMES_KIBIBYTES = 512 * 1024
_ARGON2_LANES = 8
_BCRYPT_COST = 14
_BCRYPT_BYTES = 72
_BCRYPT_SALTED = 53
_SCRYPT_COST = 2 * 1024 * 1024
_PBKDF2_ROUNDS = 2_000_000
_DIGEST_BYTES = range(16, 65)
_SALT_BYTES = range(1, 65)

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([^$]+)\$([^$]+)")
_PBKDF2 = re.compile(r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,9})(?:,l=\d{1,3})?\$([^$]+)\$([^$]+)")
_DJANGO_SCRYPT = re.compile(r"scrypt\$(\d{1,9})\$([^$]+)\$(\d{1,3})\$(\d{1,3})\$([^$]+)")
_DJANGO_PBKDF2 = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$(\d{1,9})\$([^$]+)\$([^$]+)")
_WRITTEN = re.compile(r"[^=]")
_DIGESTS = {"sha1": 20, "sha256": 32, "sha512": 64}


def read_hash(encoded: str) -> Check | None:
    """Return the function that verifies a password against this hash; None if we do not support the hash."""
    try:
        return _read(encoded)
    except (ValueError, Error):
        return None


def kind_of(encoded: str) -> str:
    """Return a hash of the same kind and cost, of which nothing but that is known: it is that of no password.

    It is verified as slowly as the one that it was made of.
    """
    if found := _BCRYPT.search(encoded):
        return encoded[: found.end() - _BCRYPT_SALTED] + "." * _BCRYPT_SALTED
    parts = encoded.split("$")
    # Django writes the cost of scrypt on both sides of the salt.
    for place in (2 if encoded.startswith("scrypt$") else -2, -1):
        parts[place] = _WRITTEN.sub("A", parts[place])
    return "$".join(parts)


def _read(encoded: str) -> Check | None:
    if encoded.startswith(("$argon2", "argon2$")):
        return _read_argon2(encoded.removeprefix("argon2"))
    if encoded.startswith("bcrypt_sha256$"):
        check = _read_bcrypt(encoded.removeprefix("bcrypt_sha256$"))
        return check and (lambda password: check(hexlify(hashlib.sha256(password.encode()).digest()).decode()))
    if encoded.startswith(("$2", "bcrypt$")):
        return _read_bcrypt(encoded.removeprefix("bcrypt$"))
    if found := _SCRYPT.fullmatch(encoded):
        rounds, block, lanes, salt, digest = found.groups()
        return _scrypt(2 ** int(rounds), int(block), int(lanes), _decode(salt), _decode(digest))
    if found := _DJANGO_SCRYPT.fullmatch(encoded):
        cost, salt, block, lanes, digest = found.groups()
        return _scrypt(int(cost), int(block), int(lanes), salt.encode(), _decode(digest))
    if found := _PBKDF2.fullmatch(encoded):
        name, rounds, salt, digest = found.groups()
        return _pbkdf2(name or "sha1", int(rounds), _decode(salt), _decode(digest))
    if found := _DJANGO_PBKDF2.fullmatch(encoded):
        name, rounds, salt, digest = found.groups()
        return _pbkdf2(name, int(rounds), salt.encode(), _decode(digest))
    return None


def _read_argon2(encoded: str) -> Check | None:
    try:
        parameters = extract_parameters(encoded)
    except InvalidHashError:
        return None
    within = (
        parameters.memory_cost * 1024 <= _MEMORY
        and parameters.memory_cost * parameters.time_cost <= _ARGON2_PASSES_TIMES_KIBIBYTES
        and parameters.parallelism <= _ARGON2_LANES
        and parameters.hash_len in _DIGEST_BYTES
    )
    return partial(_matches_argon2, encoded) if within else None


def _matches_argon2(encoded: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(encoded, password)
    except (VerificationError, InvalidHashError):
        return False


def _read_bcrypt(encoded: str) -> Check | None:
    found = _BCRYPT.fullmatch(encoded)
    if found is None or int(found[1]) > _BCRYPT_COST:
        return None
    # bcrypt itself reads no more than this, but its library refuses longer passwords.
    return lambda password: bcrypt.checkpw(password.encode()[:_BCRYPT_BYTES], encoded.encode())


def _scrypt(cost: int, block: int, lanes: int, salt: bytes, digest: bytes) -> Check | None:
    is_power = cost > 1 and cost & (cost - 1) == 0
    within = 0 < 128 * cost * block <= _MEMORY and 0 < cost * block * lanes <= _SCRYPT_COST
    if not is_power or not within or not _is_sound(salt, digest):
        return None
    length, most = len(digest), _MEMORY + _MEBIBYTE

    def check(password: str) -> bool:
        made = hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=most, dklen=length)
        return hmac.compare_digest(made, digest)

    return check


def _pbkdf2(name: str, rounds: int, salt: bytes, digest: bytes) -> Check | None:
    blocks = -(-len(digest) // _DIGESTS[name])
    if not 0 < rounds * blocks <= _PBKDF2_ROUNDS or not _is_sound(salt, digest):
        return None
    length = len(digest)
    return lambda password: hmac.compare_digest(
        hashlib.pbkdf2_hmac(name, password.encode(), salt, rounds, length), digest
    )


def _is_sound(salt: bytes, digest: bytes) -> bool:
    return len(salt) in _SALT_BYTES and len(digest) in _DIGEST_BYTES


def _decode(text: str) -> bytes:
    """Return the bytes of base64 with or without padding; `.` may replace `+`, as in modular crypt."""
    plain = text.rstrip("=").replace(".", "+")
    return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
