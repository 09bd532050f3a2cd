"""Reads the password hashes of other systems, as these wrote them."""

from __future__ import annotations

import re
from binascii import Error
from collections.abc import Callable

from app.adapters.keys.foreign_hash_objects import read_object
from app.adapters.keys.hash_steps import DIGESTS, Step
from app.adapters.keys.password_hashes import (
    Made,
    decode,
    made_by_argon2,
    made_by_digest,
    made_by_pbkdf2,
    made_by_scrypt,
    parse_hash,
)
from app.domain.foreign_hashes import HashSecrets

# What bcrypt reads; what comes later in a pepper is nothing to it.
_BCRYPT_BYTES = 72
_HEX = re.compile(r"[0-9a-f]+", re.ASCII)
_PHPASS = re.compile(r"\$([PH])\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{22})", re.ASCII)
_DRUPAL = re.compile(r"\$S\$([./0-9A-Za-z])([./0-9A-Za-z]{8})([./0-9A-Za-z]{43})", re.ASCII)
_CRYPT = re.compile(r"\$(1|apr1|5|6)\$(?:rounds=(\d{1,9})\$)?([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]+)", re.ASCII)
_DES = re.compile(r"crypt\$[^$]*\$([./0-9A-Za-z]{2})([./0-9A-Za-z]{11})", re.ASCII)
_SALTED_DIGEST = re.compile(r"(?:unsalted_)?(md5|sha1|sha224|sha256|sha384|sha512)\$([^$]*)\$([0-9a-fA-F]+)", re.ASCII)
_AUTHLOGIC = re.compile(r"authlogic_sha512\$([^$]*)\$([0-9a-fA-F]{128})", re.ASCII)
_BETTER_AUTH = re.compile(r"([^:$]{1,64}):([0-9a-fA-F]{128})", re.ASCII)
_MAGENTO = re.compile(r"([0-9a-fA-F]{32,128}):([^:]{1,64})((?::[0-9_]+)*)", re.ASCII)
_JOOMLA = re.compile(r"joomla\$([0-9a-fA-F]{32}):([^:]{1,64})", re.ASCII)
_MAGENTO_ARGON2 = re.compile(r"3_(\d{1,3})_(\d{1,9})_(\d{1,12})", re.ASCII)
_LDAP = re.compile(r"\{(S?)(MD5|SHA|SHA256|SHA512)\}([A-Za-z0-9+/=]+)", re.ASCII)
_FIREBASE = re.compile(r"firebase(?:_scrypt)?\$([^$]*)\$([^$]+)", re.ASCII)
_CHARACTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRYPT_LENGTHS = {"1": 22, "apr1": 22, "5": 43, "6": 86}
_CRYPT_SALTS = {"1": 8, "apr1": 8, "5": 16, "6": 16}
_CRYPT_ROUNDS = 5_000
_CRYPT_FEWEST_ROUNDS = 1_000
_MAGENTO_DIGESTS = {"0": "md5", "1": "sha256"}
_SODIUM_SALT = 16
_LONGEST_DIGEST = 64
# What an ASP.NET Identity hash of version 3 calls its digests.
_ASP_NET = {0: "sha1", 1: "sha256", 2: "sha512"}
_ASP_NET_2 = (1, 17, 49)
_ASP_NET_3 = 13
_SCRYPT_KDF = 96
_AUTHLOGIC_TIMES = 20
_PHP_MD5 = Step("hash", ("md5", b"", b""))
_DIGEST_NAMES = {2 * DIGESTS[name]: name for name in ("md5", "sha1", "sha256", "sha512")}


def read_foreign(written: str, secrets: HashSecrets) -> Made | None:
    """Return the steps of a hash and its digest, whatever it costs; None where we do not know its form."""
    for reader in _READERS:
        try:
            made = reader(written, secrets)
            if made is not None:
                made.is_too_dear  # noqa: B018 - it raises where there can be no such hash
                return made
        except (ValueError, Error):
            continue
    return None


def _standard(written: str, secrets: HashSecrets) -> Made | None:
    """Read what we store as it comes; bcrypt with the pepper, where Devise has one."""
    made = parse_hash(written)
    if made is None or not secrets.pepper or not written.startswith("$2"):
        return made
    return Made((Step("then", (secrets.pepper[:_BCRYPT_BYTES],)), *made.steps), made.digest)


def _phpass(written: str, _: HashSecrets) -> Made | None:
    """Read WordPress, phpBB 3 and Drupal; in the latter a `U` tells that it is the hash of an MD5."""
    is_upgraded = written.startswith("U$")
    written = written.removeprefix("U") if is_upgraded else written
    if found := _PHPASS.fullmatch(written):
        system, cost, salt, digest = found.groups()
        step = Step("phpass", (_logarithm(cost), salt.encode()))
        # WordPress takes blanks from both ends before it compares.
        before = (_PHP_MD5,) if is_upgraded else (Step("trim"),) if system == "P" else ()
        return Made((*before, step), digest.encode())
    if found := _DRUPAL.fullmatch(written):
        cost, salt, digest = found.groups()
        step = Step("drupal", (_logarithm(cost), salt.encode()))
        return Made((_PHP_MD5, step) if is_upgraded else (step,), digest.encode())
    return None


def _logarithm(character: str) -> int:
    logarithm = _CHARACTERS.index(character)
    if logarithm < 7 or logarithm > 30:
        raise ValueError("phpass has no such cost.")
    return logarithm


def _crypt(written: str, _: HashSecrets) -> Made | None:
    """Read crypt(3): MD5, Apache's, SHA-256, SHA-512; and DES as Django has it."""
    if found := _DES.fullmatch(written):
        salt, digest = found.groups()
        return Made((Step("crypt", ("des", 0, salt.encode())),), digest.encode())
    found = _CRYPT.fullmatch(written)
    if found is None:
        return None
    scheme, rounds, salt, digest = found.groups()
    if len(digest) != _CRYPT_LENGTHS[scheme] or len(salt) > _CRYPT_SALTS[scheme]:
        return None
    count = 0
    if scheme in {"5", "6"}:
        count = max(int(rounds or _CRYPT_ROUNDS), _CRYPT_FEWEST_ROUNDS)
    elif rounds is not None:
        return None
    return Made((Step("crypt", (scheme, count, salt.encode())),), digest.encode())


def _salted_digest(written: str, _: HashSecrets) -> Made | None:
    """Read Django's `algorithm$salt$hex`, where the salt stands before the password or is empty."""
    found = _SALTED_DIGEST.fullmatch(written)
    return made_by_digest(found[1], found[2].encode(), b"", found[3]) if found else None


def _authlogic(written: str, _: HashSecrets) -> Made | None:
    """Read Spree's, whose encryptor hashes twenty times and knows no pepper."""
    found = _AUTHLOGIC.fullmatch(written)
    made = made_by_digest("sha512", b"", found[1].encode(), found[2]) if found else None
    return made and Made((*made.steps, Step("again", ("sha512", _AUTHLOGIC_TIMES - 1))), made.digest)


def _better_auth(written: str, _: HashSecrets) -> Made | None:
    """Read `salt:key`: scrypt with the salt as it is written, and the password in NFKC."""
    found = _BETTER_AUTH.fullmatch(written)
    if found is None:
        return None
    made = made_by_scrypt(14, 16, 1, found[1].encode(), bytes.fromhex(found[2]))
    return Made((Step("nfkc"), *made.steps), made.digest)


def _magento(written: str, _: HashSecrets) -> Made | None:
    """Read `hash:salt` of Magento 1 and `hash:salt:version` of Magento 2, where each upgrade adds a version."""
    found = _MAGENTO.fullmatch(written)
    if found is None:
        return None
    digest, salt = found[1].lower(), found[2].encode()
    if not found[3]:
        name = _DIGEST_NAMES.get(len(digest))
        return made_by_digest(name, salt, b"", digest) if name is not None else None
    versions = found[3].removeprefix(":").split(":")
    made = [_of_magento(version, salt, bytes.fromhex(digest)) for version in versions]
    if any(each is None for each in made) or made[-1] is None or len(made[-1].digest) != len(digest):
        return None
    return Made(tuple(step for each in made if each for step in each.steps), digest.encode())


def _joomla(written: str, _: HashSecrets) -> Made | None:
    """Read `joomla$hash:salt`: MD5 with the salt behind the password. Without the prefix it looks like Magento's."""
    found = _JOOMLA.fullmatch(written)
    return made_by_digest("md5", b"", found[2].encode(), found[1]) if found else None


def _of_magento(version: str, salt: bytes, digest: bytes) -> Made | None:
    if version in _MAGENTO_DIGESTS:
        name = _MAGENTO_DIGESTS[version]
        return made_by_digest(name, salt, b"", "0" * 2 * DIGESTS[name])
    filled = (salt * _SODIUM_SALT)[:_SODIUM_SALT]
    if version in {"2", "3"}:
        return made_by_argon2("id", 19, 64 * 1024, 2, 1, filled, bytes(32))
    if found := _MAGENTO_ARGON2.fullmatch(version):
        length, passes, memory = map(int, found.groups())
        if not len(digest) == length <= _LONGEST_DIGEST:
            raise ValueError("The hash has another length than its version says.")
        return made_by_argon2("id", 19, memory // 1024, passes, 1, filled, bytes(length))
    return None


def _plain_digest(written: str, _: HashSecrets) -> Made | None:
    """Read a hash without salt: MD5, SHA-1, SHA-256 or SHA-512, by its length."""
    name = _DIGEST_NAMES.get(len(written))
    return made_by_digest(name, b"", b"", written) if name and _HEX.fullmatch(written.lower()) else None


def _ldap(written: str, _: HashSecrets) -> Made | None:
    """Read RFC 2307's, such as `{SSHA}`: the salt stands after the digest."""
    found = _LDAP.fullmatch(written)
    if found is None:
        return None
    name = {"SHA": "sha1"}.get(found[2], found[2].lower())
    content, length = decode(found[3]), DIGESTS[name]
    if not found[1] and len(content) > length:
        return None
    return made_by_digest(name, b"", content[length:], content[:length].hex())


def _packed(written: str, _: HashSecrets) -> Made | None:
    """Read what is base64 as a whole: ASP.NET Identity of versions 2 and 3, and scrypt-kdf of Medusa."""
    content = decode(written)
    first, salted, whole = _ASP_NET_2
    if len(content) == whole and content[0] == 0:
        return made_by_pbkdf2("sha1", 1_000, content[first:salted], content[salted:])
    if len(content) > _ASP_NET_3 and content[0] == 1:
        prf, rounds, length = (int.from_bytes(content[place : place + 4], "big") for place in (1, 5, 9))
        salt, digest = content[_ASP_NET_3 : _ASP_NET_3 + length], content[_ASP_NET_3 + length :]
        return made_by_pbkdf2(_ASP_NET[prf], rounds, salt, digest) if prf in _ASP_NET else None
    if len(content) == _SCRYPT_KDF and content.startswith(b"scrypt\0"):
        block, lanes = (int.from_bytes(content[place : place + 4], "big") for place in (8, 12))
        return Made((Step("scryptkdf", (content[7], block, lanes, content[16:48])),), content[64:])
    return None


def _firebase(written: str, secrets: HashSecrets) -> Made | None:
    """Read `firebase_scrypt$salt$hash`, with the parameters of the project.

    The hash is the project's signing key, encrypted by the password. What hides it is all that we compare.
    """
    found = _FIREBASE.fullmatch(written)
    project = secrets.firebase
    if found is None or project is None:
        return None
    salt, content = (_of_either_alphabet(text) for text in found.groups())
    if len(content) != len(project.signer_key):
        return None
    hidden = bytes(one ^ other for one, other in zip(content, project.signer_key, strict=True))
    given = (project.memory_cost, project.rounds, salt + project.salt_separator, len(content))
    return Made((Step("firebase", given),), hidden)


def _of_either_alphabet(text: str) -> bytes:
    return decode(text.replace("-", "+").replace("_", "/"))


def _object(written: str, secrets: HashSecrets) -> Made | None:
    return read_object(written, lambda text: None if text.startswith('{"') else read_foreign(text, secrets))


_READERS: tuple[Callable[[str, HashSecrets], Made | None], ...] = (
    _standard,
    _phpass,
    _crypt,
    _salted_digest,
    _authlogic,
    _better_auth,
    _magento,
    _joomla,
    _plain_digest,
    _ldap,
    _firebase,
    _object,
    _packed,
)
