"""The password hashes that we compare with: reads them, limits their cost, and verifies passwords.

The formats are PHC strings, the modular crypt format (argon2, bcrypt, scrypt, PBKDF2), Django's and WordPress's, and
one of our own: `$pre$` with the steps of another system that come before such a hash, as in
`$pre$hash,sha1,c2FsdA,$argon2id$…`. A hash that takes much more than a second or more than 128 MiB is refused, so that
nobody can block the logins of others with one.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError

from app.adapters.keys.hash_steps import ARGON2_TYPES, DIGESTS, Step, WrongPasswordError, run_all

Check = Callable[[str], bool]

_BCRYPT_SALTED = 53
_BCRYPT_SALT = 22
PRE = "$pre$"
_MOST_STEPS = 8
# About how long the dearest hashes of an algorithm take; memory is a part of argon2's cost, and takes no time.
_SECONDS = {"bcrypt": 1.0, "scrypt": 0.8, "scryptkdf": 0.8, "firebase": 0.8, "pbkdf2": 0.6, "argon2": 0.25}
_LONGEST_SALT = 64
_FIRST_ARGON2 = 16
# A little more than 1: what wraps a hash counts as well.
_MOST_COST = 1.2

_BCRYPT = re.compile(r"\$(2[aby])\$(\d\d)\$([./A-Za-z0-9]{53})", re.ASCII)
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([^$]+)\$([^$]+)", re.ASCII)
_PBKDF2 = re.compile(r"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,9})(?:,l=\d{1,3})?\$([^$]+)\$([^$]+)", re.ASCII)
_DJANGO_SCRYPT = re.compile(r"scrypt\$(\d{1,9})\$([^$]+)\$(\d{1,3})\$(\d{1,3})\$([^$]+)", re.ASCII)
_DJANGO_PBKDF2 = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$(\d{1,9})\$([^$]+)\$([^$]+)", re.ASCII)
_WRITTEN = re.compile(r"[^=]")
_BY_WORDPRESS = (Step("trim"), Step("hmac64", ("sha384", b"wp-sha384")))
_BY_DJANGO = (Step("hash", ("sha256", b"", b"")),)


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """A hash: the steps that lead from the password to it, and the result of the last one."""

    steps: Sequence[Step]
    digest: bytes

    @property
    def is_too_dear(self) -> bool:
        """Whether it would take too long, or too much memory; raises `ValueError` where there can be no such hash."""
        costs = [step.cost for step in self.steps]
        return len(costs) > _MOST_STEPS or max(costs) > 1 or sum(costs) > _MOST_COST

    @property
    def is_strong(self) -> bool:
        """Whether it is as hard to guess as it has to be."""
        return any(step.is_strong for step in self.steps)

    def check(self, password: str) -> bool:
        """Tell whether this is the hashed password."""
        try:
            return hmac.compare_digest(run_all(self.steps, password), self.digest)
        except WrongPasswordError:
            return False


def read_hash(encoded: str) -> Check | None:
    """Return the function that verifies a password against this hash; None if we do not support the hash."""
    made = parse_hash(encoded)
    return None if made is None or made.is_too_dear else made.check


def parse_hash(encoded: str) -> Made | None:
    """Return what a hash says, whatever it costs; None where it is none of those that we store."""
    try:
        made = _parse_all(encoded)
        if made is not None:
            made.is_too_dear  # noqa: B018 - it raises where there can be no such hash
    except (ValueError, Error):
        return None
    return made


def write_pre(steps: Sequence[Step], encoded: str) -> str:
    """Return the hash of what these steps make of a password; `encoded` is a PHC string or bcrypt's."""
    return f"{PRE}{'+'.join(step.text for step in steps)}{encoded}" if steps else encoded


def write_phc(step: Step, digest: bytes) -> str:
    """Return the result of a strong step (argon2, bcrypt, scrypt, PBKDF2) as a PHC string, or as bcrypt writes it."""
    match step:
        case Step("bcrypt", (str() as version, int() as cost, bytes() as salt)):
            return f"${version}${cost:02}${salt.decode()}{digest.decode()}"
        case Step(
            "argon2",
            (str() as kind, int() as version, int() as memory, int() as passes, int() as lanes, bytes() as salt, _),
        ):
            raw = bytes.fromhex(digest.decode())
            return f"$argon2{kind}$v={version}$m={memory},t={passes},p={lanes}${_encode(salt)}${_encode(raw)}"
        case Step("scrypt", (int() as logarithm, int() as block, int() as lanes, bytes() as salt, _)):
            return f"$scrypt$ln={logarithm},r={block},p={lanes}${_encode(salt)}${_encode(digest)}"
        case Step("pbkdf2", (str() as name, int() as rounds, bytes() as salt, _)):
            return f"$pbkdf2-{name}$i={rounds}${_encode(salt)}${_encode(digest)}"
    raise ValueError("This step makes no hash of that form.")


def kind_of(encoded: str) -> str:
    """Return a hash of the same kind and cost, of which nothing but that is known: it is that of no password.

    It is verified as slowly as the one that it was made of.
    """
    if encoded.startswith(PRE):
        steps, rest = _split(encoded)
        return write_pre([step.masked for step in steps], kind_of(rest))
    if found := _BCRYPT.search(encoded):
        return encoded[: found.end() - _BCRYPT_SALTED] + "." * _BCRYPT_SALTED
    parts = encoded.split("$")
    # Django writes the cost of scrypt on both sides of the salt.
    for place in (2 if encoded.startswith("scrypt$") else -2, -1):
        parts[place] = _WRITTEN.sub("A", parts[place])
    return "$".join(parts)


@lru_cache(maxsize=1_024)
def guess_seconds(encoded: str) -> float:
    """Return about how long a password is compared with a hash: good enough to say which of two takes longer."""
    made = parse_hash(encoded)
    return sum(step.cost * _SECONDS.get(step.name, 0.4) for step in made.steps) if made is not None else 0.0


def _parse_all(encoded: str) -> Made | None:
    if not encoded.startswith(PRE):
        return _parse(encoded)
    steps, rest = _split(encoded)
    made = _parse(rest) if rest.startswith("$") else None
    return made and Made((*steps, *made.steps), made.digest)


def _split(encoded: str) -> tuple[list[Step], str]:
    text, _, rest = encoded.removeprefix(PRE).partition("$")
    return [Step.read(each) for each in text.split("+")], f"${rest}"


def _parse(encoded: str) -> Made | None:
    if encoded.startswith(("$argon2", "argon2$")) and encoded.isascii():
        return _parse_argon2(encoded.removeprefix("argon2"))
    if encoded.startswith("bcrypt_sha256$"):
        return _parse_bcrypt(encoded.removeprefix("bcrypt_sha256$"), *_BY_DJANGO)
    if encoded.startswith("$wp$2"):
        return _parse_bcrypt(encoded.removeprefix("$wp"), *_BY_WORDPRESS)
    if encoded.startswith(("$2", "bcrypt$")):
        return _parse_bcrypt(encoded.removeprefix("bcrypt$"))
    if found := _SCRYPT.fullmatch(encoded):
        rounds, block, lanes, salt, digest = found.groups()
        return made_by_scrypt(int(rounds), int(block), int(lanes), decode(salt), decode(digest))
    if found := _DJANGO_SCRYPT.fullmatch(encoded):
        cost, salt, block, lanes, digest = found.groups()
        return made_by_scrypt(logarithm_of(int(cost)), int(block), int(lanes), salt.encode(), decode(digest))
    if found := _PBKDF2.fullmatch(encoded):
        name, rounds, salt, digest = found.groups()
        return made_by_pbkdf2(name or "sha1", int(rounds), decode(salt), decode(digest))
    if found := _DJANGO_PBKDF2.fullmatch(encoded):
        name, rounds, salt, digest = found.groups()
        return made_by_pbkdf2(name, int(rounds), salt.encode(), decode(digest))
    return None


def _parse_argon2(encoded: str) -> Made | None:
    try:
        said = extract_parameters(encoded)
    except InvalidHashError:
        return None
    kind = next(name for name, kind in ARGON2_TYPES.items() if kind is said.type)
    salt, digest = (decode(text) for text in encoded.split("$")[-2:])
    # Without a version it is of the first, which wrote none.
    version = said.version if "$v=" in encoded else _FIRST_ARGON2
    return made_by_argon2(kind, version, said.memory_cost, said.time_cost, said.parallelism, salt, digest)


def _parse_bcrypt(encoded: str, *before: Step) -> Made | None:
    found = _BCRYPT.fullmatch(encoded)
    if found is None:
        return None
    version, cost, salted = found.groups()
    salt, digest = salted[:_BCRYPT_SALT].encode(), salted[_BCRYPT_SALT:].encode()
    return Made((*before, Step("bcrypt", (version, int(cost), salt))), digest)


def made_by_argon2(kind: str, version: int, memory: int, passes: int, lanes: int, salt: bytes, digest: bytes) -> Made:
    """Return a hash of argon2; memory in KiB."""
    step = Step("argon2", (kind, version, memory, passes, lanes, salt, len(digest)))
    return Made((step,), digest.hex().encode())


def made_by_scrypt(logarithm: int, block: int, lanes: int, salt: bytes, digest: bytes) -> Made:
    """Return a hash of scrypt; `logarithm` is that of N."""
    return Made((Step("scrypt", (logarithm, block, lanes, salt, len(digest))),), digest)


def made_by_pbkdf2(name: str, rounds: int, salt: bytes, digest: bytes) -> Made:
    """Return a hash of PBKDF2."""
    return Made((Step("pbkdf2", (name, rounds, salt, len(digest))),), digest)


def made_by_digest(name: str, before: bytes, after: bytes, digest: str) -> Made | None:
    """Return a plain hash, in hex, of the password between two salts; None where its length is another one."""
    is_whole = len(digest) == 2 * DIGESTS[name] and len(before) <= _LONGEST_SALT and len(after) <= _LONGEST_SALT
    return Made((Step("hash", (name, before, after)),), digest.lower().encode()) if is_whole else None


def logarithm_of(cost: int) -> int:
    """Return the logarithm of scrypt's N; raises `ValueError` unless it is a power of two above one."""
    if cost < 2 or cost & (cost - 1):
        raise ValueError("The cost of scrypt is a power of two.")
    return cost.bit_length() - 1


def decode(text: str) -> bytes:
    """Return the bytes of base64 with or without padding; `.` may replace `+`, as in modular crypt."""
    plain = text.rstrip("=").replace(".", "+")
    return b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _encode(content: bytes) -> str:
    return b64encode(content).decode().rstrip("=")
