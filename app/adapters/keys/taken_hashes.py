"""Decides what becomes of a hash of another system: stored, wrapped in ours, or left out."""

from __future__ import annotations

from app.adapters.keys.foreign_hashes import read_foreign
from app.adapters.keys.password_hashes import PRE, Made, parse_hash, write_phc, write_pre
from app.domain.foreign_hashes import LONGEST_WRITTEN_HASH, HashSecrets, HashVerdict, JudgedHash

# The column has 255. Ours, which comes after the steps of a hash that is wrapped, has 97.
_LONGEST_STORED = 255
_LONGEST_STEPS = _LONGEST_STORED - 97
_WRITABLE = frozenset({"argon2", "bcrypt", "scrypt", "pbkdf2"})
_UNKNOWN = "This is no hash of a form that we know, or a broken one."
_LONG = "A salt of this hash, or the hash itself, is longer than we can store."
_DEAR = "To compare a password with this hash takes too long, or too much memory."
_FIREBASE = "A hash of Firebase needs the parameters of its project, which it does not fit or which are missing."


def judge(written: str, secrets: HashSecrets) -> JudgedHash:
    """Return the verdict on a hash as it was written; it takes no time to speak of, whatever is written."""
    text = written.strip()
    if len(text) > LONGEST_WRITTEN_HASH:
        return JudgedHash(HashVerdict.UNKNOWN, _LONG)
    # Our own export has hashes that are wrapped already.
    made = parse_hash(text) if text.startswith(PRE) else read_foreign(text, secrets)
    if made is None:
        is_of_firebase = text.startswith("firebase") or ('"passwordHash"' in text and text.startswith("{"))
        return JudgedHash(HashVerdict.UNKNOWN, _FIREBASE if is_of_firebase else _UNKNOWN)
    if made.is_too_dear:
        return JudgedHash(HashVerdict.TOO_DEAR, _DEAR)
    encoded = _stored(made, text) if made.is_strong else ""
    if encoded and len(encoded) <= _LONGEST_STORED:
        return JudgedHash(HashVerdict.ACCEPTED, encoded=encoded)
    before = write_pre(made.steps, "")
    if len(before) > _LONGEST_STEPS:
        return JudgedHash(HashVerdict.UNKNOWN, _LONG)
    return JudgedHash(HashVerdict.WRAPPED, encoded=before, wrapped=made.digest)


def _stored(made: Made, text: str) -> str:
    """Return a strong hash in a form that we compare with: its own, where that is one."""
    if parse_hash(text) == made:
        return text
    *before, last = made.steps
    return write_pre(before, write_phc(last, made.digest)) if last.name in _WRITABLE else ""
