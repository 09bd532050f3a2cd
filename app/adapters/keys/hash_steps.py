"""The steps by which other systems come from a password to its hash, what each costs, and how it is stored."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import bcrypt
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from passlib.hash import (  # type: ignore[import-untyped]
    apr_md5_crypt,
    des_crypt,
    md5_crypt,
    phpass,
    sha256_crypt,
    sha512_crypt,
)
from passlib.utils.binary import h64  # type: ignore[import-untyped]

MEBIBYTE = 1024 * 1024
DIGESTS = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
ARGON2_TYPES = {"d": Type.D, "i": Type.I, "id": Type.ID}
CRYPTS = {"1": md5_crypt, "apr1": apr_md5_crypt, "5": sha256_crypt, "6": sha512_crypt, "des": des_crypt}
# Whoever has a longer password has none from these: they read it again in every round, as often as a hash says.
_LONGEST = 512
_BCRYPT_BYTES = 72
# What PHP's trim() takes away.
_PHP_BLANKS = b" \t\n\r\0\x0b"
_DRUPAL_CHARACTERS = 43
_SALT = 64
# A salt of any length, where only that there is one is to be known.
_MASK = b"." * 16


class WrongPasswordError(Exception):
    """No such password can have been hashed so."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step by its name and its arguments: numbers, words, and salts as bytes."""

    name: str
    arguments: tuple[int | str | bytes, ...] = ()

    @classmethod
    def read(cls, text: str) -> Step:
        """Read what `text` has written; raises `ValueError`."""
        name, *written = text.split(",")
        kind = _KINDS.get(name)
        if kind is None or len(written) != len(kind.form):
            raise ValueError("There is no such step.")
        return cls(name, tuple(_READ[letter](each) for letter, each in zip(kind.form, written, strict=True)))

    @property
    def text(self) -> str:
        """The step as it is stored."""
        return ",".join([self.name, *map(_write, self.arguments)])

    @property
    def masked(self) -> Step:
        """A step of the same cost without its salts."""
        form = _KINDS[self.name].form
        return Step(self.name, tuple(_mask(letter, each) for letter, each in zip(form, self.arguments, strict=True)))

    @property
    def cost(self) -> float:
        """How much of what a login may cost (a second or two, 128 MiB) it takes; above 1 it is too dear."""
        return _KINDS[self.name].cost(*self.arguments)

    @property
    def is_strong(self) -> bool:
        """Whether it costs those who guess as much as the OWASP Password Storage Cheat Sheet asks for at least."""
        return _KINDS[self.name].is_strong(*self.arguments)

    def run(self, secret: bytes) -> bytes:
        """Return what the step makes of a password, or of what the step before has made."""
        return _KINDS[self.name].run(secret, *self.arguments)


def run_all(steps: Sequence[Step], password: str) -> bytes:
    """Return what the steps make of a password; raises `WrongPasswordError`."""
    return reduce(lambda secret, step: step.run(secret), steps, password.encode())


@dataclass(frozen=True, slots=True)
class _Kind:
    """`form` has a letter for each argument: n number, w word, s salt of any length, f salt of a form of its own."""

    form: str
    run: Callable[..., bytes]
    cost: Callable[..., float] = lambda *_: 0.0
    is_strong: Callable[..., bool] = lambda *_: False


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len("4294967296")):
        raise ValueError("This is no number.")
    return int(text)


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


_READ: dict[str, Callable[[str], int | str | bytes]] = {"n": _number, "w": str, "s": _bytes, "f": _bytes}


def _write(argument: int | str | bytes) -> str:
    return urlsafe_b64encode(argument).decode().rstrip("=") if isinstance(argument, bytes) else str(argument)


def _mask(letter: str, argument: int | str | bytes) -> int | str | bytes:
    if not isinstance(argument, bytes) or not argument:
        return argument
    return _MASK if letter == "s" else b"." * len(argument)


def _bounded(secret: bytes) -> bytes:
    if len(secret) > _LONGEST:
        raise WrongPasswordError
    return secret


def _hash(secret: bytes, name: str, before: bytes, after: bytes) -> bytes:
    return hashlib.new(name, before + secret + after).hexdigest().encode()


def _again(secret: bytes, name: str, times: int) -> bytes:
    return reduce(lambda made, _: _hash(made, name, b"", b""), range(times), secret)


def _hmac64(secret: bytes, name: str, key: bytes) -> bytes:
    return b64encode(hmac.digest(key, secret, name))


def _phpass(secret: bytes, logarithm: int, salt: bytes) -> bytes:
    made: str = phpass.using(rounds=logarithm, salt=salt.decode("ascii")).hash(_bounded(secret))
    return made[-22:].encode()


def _drupal(secret: bytes, logarithm: int, salt: bytes) -> bytes:
    secret = _bounded(secret)
    made = hashlib.sha512(salt + secret).digest()
    for _ in range(1 << logarithm):
        made = hashlib.sha512(made + secret).digest()
    return bytes(h64.encode_bytes(made)[:_DRUPAL_CHARACTERS])


def _crypt(secret: bytes, scheme: str, rounds: int, salt: bytes) -> bytes:
    given: dict[str, Any] = {"salt": salt.decode("ascii")} | ({"rounds": rounds} if rounds else {})
    try:
        made: str = CRYPTS[scheme].using(**given).hash(_bounded(secret))
    except ValueError as error:  # a NUL: crypt(3) ends there
        raise WrongPasswordError from error
    return (made[2:] if scheme == "des" else made.rpartition("$")[2]).encode()


def _bcrypt(secret: bytes, version: str, cost: int, salt: bytes) -> bytes:
    # bcrypt itself reads no more than this, but its library refuses longer passwords.
    return bcrypt.hashpw(secret[:_BCRYPT_BYTES], f"${version}${cost:02}$".encode() + salt)[-31:]


def _pbkdf2(secret: bytes, name: str, rounds: int, salt: bytes, length: int) -> bytes:
    return hashlib.pbkdf2_hmac(name, secret, salt, rounds, length)


def _scrypt(secret: bytes, logarithm: int, block: int, lanes: int, salt: bytes, length: int) -> bytes:
    most = 129 * MEBIBYTE
    return hashlib.scrypt(secret, salt=salt, n=1 << logarithm, r=block, p=lanes, maxmem=most, dklen=length)


def _scrypt_kdf(secret: bytes, logarithm: int, block: int, lanes: int, salt: bytes) -> bytes:
    """Return the signature at the end of a file of scrypt(1), as scrypt-kdf writes it."""
    head = b"scrypt\0" + bytes([logarithm]) + block.to_bytes(4, "big") + lanes.to_bytes(4, "big") + salt
    head += hashlib.sha256(head).digest()[:16]
    return hmac.digest(_scrypt(secret, logarithm, block, lanes, salt, 64)[32:], head, "sha256")


def _firebase(secret: bytes, logarithm: int, block: int, salt: bytes, length: int) -> bytes:
    """Return what Firebase hides its signing key with: so the key itself need not be stored."""
    key = _scrypt(secret, logarithm, block, 1, salt, 32)
    return Cipher(AES(key), CTR(bytes(16))).encryptor().update(bytes(length))


def _argon2(
    secret: bytes, kind: str, version: int, memory: int, passes: int, lanes: int, salt: bytes, length: int
) -> bytes:
    made = hash_secret_raw(secret, salt, passes, memory, lanes, length, ARGON2_TYPES[kind], version)
    return made.hex().encode()


def _cost_of_argon2(kind: str, version: int, memory: int, passes: int, lanes: int, salt: bytes, length: int) -> float:
    if kind not in ARGON2_TYPES or version not in {16, 19} or passes < 1 or memory < 8 * lanes or lanes < 1:
        raise ValueError("argon2 has no such parameters.")
    _check_lengths(salt, length)
    return max(memory * passes / (512 * 1024), memory / (128 * 1024), lanes / 8)


def _cost_of_scrypt(logarithm: int, block: int, lanes: int, salt: bytes, length: int = 32) -> float:
    if not (1 <= logarithm <= 63 and block >= 1 and lanes >= 1):
        raise ValueError("scrypt has no such parameters.")
    _check_lengths(salt, length)
    return max((block << logarithm) / MEBIBYTE, (block * lanes << logarithm) / (2 * MEBIBYTE))


def _cost_of_pbkdf2(name: str, rounds: int, salt: bytes, length: int) -> float:
    if name not in _PBKDF2_FLOOR or rounds < 1:
        raise ValueError("PBKDF2 has no such parameters.")
    _check_lengths(salt, length)
    return rounds * -(-length // DIGESTS[name]) / 2_000_000


def _check_lengths(salt: bytes, length: int) -> None:
    if not (1 <= len(salt) <= _SALT and 16 <= length <= 64):
        raise ValueError("The salt or the hash has a length that none has.")


def _cost_of_crypt(scheme: str, rounds: int, salt: bytes) -> float:
    if scheme not in CRYPTS:
        raise ValueError("crypt has no such scheme.")
    return rounds / 1_000_000


def _cost_of_digest(name: str, *_: object) -> float:
    if name not in DIGESTS:
        raise ValueError("There is no such digest.")
    return 0.0


def _is_argon2_strong(_kind: str, _version: int, memory: int, passes: int, *_: object) -> bool:
    return memory >= 7 * 1024 and memory * passes >= 35 * 1024


def _is_scrypt_strong(logarithm: int, block: int, lanes: int, *_: object) -> bool:
    return (block * lanes << logarithm) >= 10 * 64 * 1024


def _power(logarithm: int, most: int) -> float:
    return 2.0 ** min(logarithm - most, 64)


_PBKDF2_FLOOR = {"sha1": 1_300_000, "sha256": 600_000, "sha512": 210_000}
_KINDS = {
    "nfkc": _Kind("", lambda secret: unicodedata.normalize("NFKC", secret.decode()).encode()),
    "trim": _Kind("", lambda secret: secret.strip(_PHP_BLANKS)),
    "then": _Kind("s", lambda secret, more: secret + more),
    "salted": _Kind("ss", lambda secret, before, after: before + secret + after),
    "hash": _Kind("wss", _hash, _cost_of_digest),
    "again": _Kind("wn", _again, lambda name, times: _cost_of_digest(name) + times / 500_000),
    "hmac": _Kind("ws", lambda secret, name, key: hmac.digest(key, secret, name).hex().encode(), _cost_of_digest),
    "hmac64": _Kind("ws", _hmac64, _cost_of_digest),
    "phpass": _Kind("nf", _phpass, lambda logarithm, _: _power(logarithm, 18)),
    "drupal": _Kind("nf", _drupal, lambda logarithm, _: _power(logarithm, 18)),
    "crypt": _Kind("wnf", _crypt, _cost_of_crypt),
    "bcrypt": _Kind("wnf", _bcrypt, lambda _, cost, __: _power(cost, 14), lambda _, cost, __: cost >= 10),
    "pbkdf2": _Kind("wnsn", _pbkdf2, _cost_of_pbkdf2, lambda name, rounds, *_: rounds >= _PBKDF2_FLOOR[name]),
    "scrypt": _Kind("nnnsn", _scrypt, _cost_of_scrypt, _is_scrypt_strong),
    "scryptkdf": _Kind("nnns", _scrypt_kdf, _cost_of_scrypt),
    "firebase": _Kind("nnsn", _firebase, lambda n, r, salt, _: _cost_of_scrypt(n, r, 1, salt)),
    "argon2": _Kind("wnnnnsn", _argon2, _cost_of_argon2, _is_argon2_strong),
}
