"""Hashes of other systems: their passwords go on working, and nothing that is weak, dear or broken does harm."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from argon2.low_level import Type, hash_secret

from app.adapters.keys.password_hashes import kind_of, parse_hash
from app.adapters.keys.passwords import Argon2Passwords
from app.domain.foreign_hashes import NO_SECRETS, FirebaseParameters, HashSecrets, HashVerdict
from tests.adapters.keys.foreign_hashes import FIREBASE, FIREBASE_PARAMETERS, HASHES, PASSWORD, PEPPER, secrets_of

pytestmark = pytest.mark.anyio

# Stored as it is, or in another spelling; all others are easier to guess than they may be.
STRONG = {
    "WordPress from 6.8",
    "Laravel",
    "Laravel's argon2id",
    "PHP's argon2i, as phpBB has it",
    "phpBB 3.1",
    "Magento 2, argon2id13",
    "Magento 2, argon2id13 with a short salt",
    "Magento 2, SHA-256 upgraded",
    "Magento 2, MD5 upgraded twice",
    "Magento 2.4, agnostic argon2id13",
    "Magento 2.4, SHA-256 upgraded",
    "Magento 2.4, argon2 upgraded",
    "Django's pbkdf2_sha256",
    "Django's argon2",
    "Django's bcrypt_sha256",
    "Django's bcrypt",
    "Django's scrypt",
    "Devise",
    "Devise with a pepper",
    "Auth0, bcrypt",
    "Keycloak, PBKDF2 with SHA-512",
    "Keycloak, argon2",
}
# DES reads eight characters and no more.
SHORT = {"Django's crypt"}
OURS = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$" + "A" * 43
MD5 = "9af7f6905736312199acd62deb0bdbae"
DEAR = {
    "bcrypt": "$2y$15$" + "a" * 53,
    "WordPress": "$wp$2y$31$" + "a" * 53,
    "argon2's memory": "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "argon2's passes": "$argon2id$v=19$m=65536,t=4000000,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "scrypt": "$scrypt$ln=31,r=8,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "Django's scrypt": "scrypt$536870912$salt$8$1$" + "A" * 43,
    "PBKDF2": "pbkdf2_sha256$999999999$salt$" + "A" * 43,
    "phpass": "$P$SaB3dE6gHN1.qkgbjJVDrzUL0vJwbo1",
    "Drupal": "$S$S" + "a" * 51,
    "sha512-crypt": "$6$rounds=999999999$salt$" + "a" * 86,
    "Magento": "a" * 64 + ":salt:3_32_2_1099511627",
    "Magento, too many times": "a" * 64 + ":salt" + ":2" * 9,
    "ASP.NET Identity": base64.b64encode(
        b"\x01" + b"".join(each.to_bytes(4, "big") for each in (1, 2**31, 16)) + bytes(48)
    ).decode(),
    "Medusa": base64.b64encode(b"scrypt\0" + bytes([60]) + b"\0\0\0\x08\0\0\0\x01" + bytes(80)).decode(),
    "Keycloak": json.dumps(
        {
            "secretData": {"value": "A" * 44, "salt": "c2FsdHNhbHQ="},
            "credentialData": {"hashIterations": 10**9, "algorithm": "pbkdf2-sha256"},
        }
    ),
    "Auth0": json.dumps(
        {"algorithm": "scrypt", "hash": {"value": "ab" * 32, "encoding": "hex"}}
        | {"salt": {"value": "abc"}, "cost": 2**40, "blockSize": 8, "parallelization": 1}
    ),
}
BROKEN = {
    "a password": PASSWORD,
    "a blank": " ",
    "bcrypt that is cut off": "$2y$10$RnkvB7I980w9C8AE7rxi5elgCyVYYzaTR8f2vtFnkFp3qeK85J5k",
    "bcrypt of another alphabet": "$2y$10$" + "é" * 53,
    "bcrypt of a broken version": "$2x$10$" + "a" * 53,
    "WordPress without bcrypt": "$wp$" + "a" * 60,
    "phpass that is cut off": "$P$BVIBWQnDEADbRu71Qd.JzoU/JRaMZx",
    "phpass of no cost": "$P$0VIBWQnDEADbRu71Qd.JzoU/JRaMZx0",
    "Drupal that is too long": HASHES["Drupal 7"] + "a",
    "MD5 that is cut off": MD5[:-1],
    "MD5 of other letters": "z" * 32,
    "a salted MD5 as long as SHA-1": f"md5$salt${'a' * 40}",
    "a salt that is too long": f"md5${'s' * 65}${MD5}",
    "a digest that nobody has": f"whirlpool$salt${MD5}",
    "Magento of no version": f"{MD5}:salt:9",
    "Magento of another length": f"{MD5}:salt:1",
    "Magento, cut off": f"{MD5}:",
    "agnostic argon2 of another length": "a" * 64 + ":salt:3_16_2_67108864",
    "agnostic argon2 without memory": "a" * 64 + ":salt:3_32_2_0",
    "better-auth that is cut off": HASHES["better-auth"][:-2],
    "argon2 of no version": "$argon2id$v=99$m=65536,t=2,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "argon2 without passes": "$argon2id$v=19$m=65536,t=0,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "argon2 of other digits": "$argon2id$v=19$m=٦٥٥٣٦,t=2,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "PBKDF2 of other digits": "pbkdf2_sha256$٦٠٠٠٠٠$salt$" + "A" * 43,
    "PBKDF2 that is no base64": "pbkdf2_sha256$600000$salt$???",
    "ASP.NET Identity of no digest": base64.b64encode(
        b"\x01" + b"\0\0\0\x09\0\0\x27\x10\0\0\0\x10" + bytes(48)
    ).decode(),
    "ASP.NET Identity without a hash": base64.b64encode(
        b"\x01" + b"\0\0\0\x01\0\0\x27\x10\0\0\0\x30" + bytes(48)
    ).decode(),
    "Medusa without scrypt": base64.b64encode(b"scrypt\0" + bytes(89)).decode(),
    "JSON that is none": "{",
    "JSON of something else": '{"algorithm": []}',
    "JSON without end": "[" * 3_000,
    "JSON within itself": '{"a":' * 700 + "1" + "}" * 700,
    "Keycloak without salt": '{"secretData": {}, "credentialData": {"algorithm": "pbkdf2", "hashIterations": 1}}',
    "Keycloak of a text": '{"secretData": "x", "credentialData": "1"}',
    "Auth0 of another digest": '{"algorithm": "md4", "hash": {"value": "abcd", "encoding": "hex"}}',
    "Auth0 within itself": '{"algorithm": "bcrypt", "hash": {"value": "{\\"algorithm\\": 1}"}}',
    "Firebase of another project": "firebase_scrypt$c2FsdA==$YWJj",
    "steps that there are not": "$pre$melt,1" + "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "steps of another form": "$pre$hash,sha1" + "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "steps without a hash": "$pre$hash,sha1,,",
}


@pytest.fixture(scope="module")
def passwords() -> Iterator[Argon2Passwords]:
    passwords = Argon2Passwords(threads=2)
    yield passwords
    passwords.close()


_stored: dict[str, str] = {}


async def store(passwords: Argon2Passwords, name: str) -> str:
    """Return what is stored of a hash; each is wrapped once."""
    if name not in _stored:
        _stored[name] = await passwords.adopt(passwords.judge(HASHES[name], secrets_of(name)))
    return _stored[name]


class TestAHashOfAnotherSystem:
    @pytest.mark.parametrize("name", HASHES)
    async def test_knows_its_password_from_then_on(self, passwords: Argon2Passwords, name: str) -> None:
        verdict = passwords.judge(HASHES[name], secrets_of(name)).verdict
        assert verdict is (HashVerdict.ACCEPTED if name in STRONG else HashVerdict.WRAPPED)
        encoded = await store(passwords, name)
        assert len(encoded) <= 255
        assert await passwords.verify(encoded, PASSWORD)
        assert not await passwords.verify(encoded, PASSWORD[:7] if name in SHORT else PASSWORD + "x")
        assert passwords.needs_rehash(encoded)

    @pytest.mark.parametrize("name", sorted(HASHES.keys() - STRONG))
    async def test_is_nowhere_in_what_is_stored_where_it_is_weak(self, passwords: Argon2Passwords, name: str) -> None:
        judged = passwords.judge(HASHES[name], secrets_of(name))
        encoded = await store(passwords, name)
        assert encoded.startswith("$pre$")
        assert "$argon2id$v=19$m=19456,t=2,p=1$" in encoded
        for digest in (judged.wrapped.decode("latin-1"), base64.b64encode(judged.wrapped).decode().rstrip("=")):
            assert digest not in encoded

    @pytest.mark.parametrize("name", HASHES)
    async def test_is_of_a_kind_that_takes_as_long_and_has_nothing_of_it(
        self, passwords: Argon2Passwords, name: str
    ) -> None:
        encoded = await store(passwords, name)
        kind = kind_of(encoded)
        assert kind_of(kind) == kind
        made, of_kind = parse_hash(encoded), parse_hash(kind)
        assert made is not None
        assert of_kind is not None
        assert [(step.name, step.cost) for step in made.steps] == [(step.name, step.cost) for step in of_kind.steps]
        assert "Xq7LnT2v" not in kind
        assert PEPPER not in kind

    @pytest.mark.parametrize("name", HASHES)
    def test_never_raises_wherever_it_is_cut_off(self, passwords: Argon2Passwords, name: str) -> None:
        for length in range(len(HASHES[name])):
            assert passwords.judge(HASHES[name][:length], secrets_of(name)).verdict in HashVerdict

    @pytest.mark.parametrize("written", DEAR.values(), ids=DEAR)
    def test_is_left_out_where_it_takes_too_long(self, passwords: Argon2Passwords, written: str) -> None:
        judged = passwords.judge(written, NO_SECRETS)
        assert (judged.verdict, judged.encoded, judged.wrapped) == (HashVerdict.TOO_DEAR, "", b"")
        assert judged.reason

    @pytest.mark.parametrize("written", BROKEN.values(), ids=BROKEN)
    def test_is_left_out_where_it_is_broken(self, passwords: Argon2Passwords, written: str) -> None:
        judged = passwords.judge(written, FIREBASE)
        assert (judged.verdict, judged.encoded, judged.wrapped) == (HashVerdict.UNKNOWN, "", b"")
        assert judged.reason

    def test_is_left_out_where_it_is_longer_than_any(self, passwords: Argon2Passwords) -> None:
        assert passwords.judge("$2y$10$" + "a" * 1_000_000, NO_SECRETS).verdict is HashVerdict.UNKNOWN

    @pytest.mark.parametrize("name", ["Magento 1", "Drupal 7", "sha512-crypt", "Laravel", "ASP.NET Identity 2"])
    @pytest.mark.parametrize("password", ["", "\0", "violet\0-harbour-42", "ä" * 5_000, "\ud7ff\U0001f511"])
    async def test_refuses_any_other_password_without_a_fault(
        self, passwords: Argon2Passwords, name: str, password: str
    ) -> None:
        assert not await passwords.verify(await store(passwords, name), password)

    async def test_of_the_first_argon2_has_no_version(self, passwords: Argon2Passwords) -> None:
        written = hash_secret(PASSWORD.encode(), b"0123456789abcdef", 2, 19_456, 1, 32, Type.ID, version=16).decode()
        stored = await passwords.adopt(passwords.judge(written.replace("$v=16", ""), NO_SECRETS))
        assert await passwords.verify(stored, PASSWORD)
        assert not await passwords.verify(stored, f"{PASSWORD}!")

    async def test_that_we_have_stored_is_taken_again_as_it_is(self, passwords: Argon2Passwords) -> None:
        for name in ("Magento 1", "better-auth", "Devise with a pepper"):
            encoded = await store(passwords, name)
            again = passwords.judge(encoded, NO_SECRETS)
            assert (again.verdict, again.encoded) == (HashVerdict.ACCEPTED, encoded)
        own = await passwords.hash(PASSWORD)
        assert passwords.judge(own, HashSecrets(PEPPER.encode())).encoded == own


class TestARefusal:
    async def test_measures_no_more_than_the_slowest_of_many_kinds(self) -> None:
        kinds = {kind_of(text) for text in HASHES.values() if parse_hash(text) is not None}
        kinds |= {f"$pre$pbkdf2,sha256,{rounds},c2FsdA,32{OURS}" for rounds in range(1_000, 1_100)}
        passwords = Argon2Passwords(threads=2)
        comparison = await passwords.compare(None, PASSWORD)
        await passwords.level(comparison, kinds)
        assert len(passwords._seconds) == 1 + 3
        assert not [kind for kind in passwords._seconds if kind.startswith("$pre$")]
        passwords.close()


class TestWordPress:
    @pytest.mark.parametrize("name", ["WordPress to 6.7", "WordPress from 6.8"])
    async def test_takes_blanks_from_both_ends(self, passwords: Argon2Passwords, name: str) -> None:
        assert await passwords.verify(await store(passwords, name), f" {PASSWORD}\t")


class TestDevise:
    async def test_reads_72_bytes_of_password_and_pepper(self, passwords: Argon2Passwords) -> None:
        # Of the password five times over, with the pepper, by Devise 4.8.
        written = "$2a$04$X9fLtFmGl9FbcKqz6CUXSuodb.YDuRSQWityjca3.NM7NRVE.MW8e"
        encoded = await passwords.adopt(passwords.judge(written, HashSecrets(PEPPER.encode())))
        assert await passwords.verify(encoded, PASSWORD * 5)
        assert await passwords.verify(encoded, (PASSWORD * 5)[:72])
        assert not await passwords.verify(encoded, (PASSWORD * 5)[:71])

    async def test_has_another_password_without_its_pepper(self, passwords: Argon2Passwords) -> None:
        encoded = await passwords.adopt(passwords.judge(HASHES["Devise with a pepper"], NO_SECRETS))
        assert not await passwords.verify(encoded, PASSWORD)


class TestBetterAuth:
    async def test_compares_passwords_in_nfkc(self, passwords: Argon2Passwords) -> None:
        # Of a password with a ligature, a raised five and a combining accent, by npm's better-auth 1.7.
        written = (
            "f8e4a74fa41becc68d385126072bbef3:56adddd59a6f41e187a64475379ebe8453cb30d4dbc850be633acb5ea65a785b"
            "86421b7e02446285c7a0f8fb21c2bf093ec6a3cae21f98a79baf0879a3bd4264"
        )
        encoded = await passwords.adopt(passwords.judge(written, NO_SECRETS))
        assert await passwords.verify(encoded, "vio\ufb01let-\u2075harbour-e\u0301")
        assert await passwords.verify(encoded, "viofilet-5harbour-\u00e9")
        assert not await passwords.verify(encoded, "viofilet-5harbour-e")


class TestFirebase:
    async def test_takes_googles_own_example(self, passwords: Argon2Passwords) -> None:
        written = (
            "firebase_scrypt$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz"
            "+VHjoZilo78198JAdRuid5lQ=="
        )
        encoded = await passwords.adopt(passwords.judge(written, FIREBASE))
        assert await passwords.verify(encoded, "user1password")
        assert not await passwords.verify(encoded, "user2password")

    def test_names_the_parameters_where_they_are_missing(self, passwords: Argon2Passwords) -> None:
        assert "parameters of its project" in passwords.judge(HASHES["Firebase"], NO_SECRETS).reason

    async def test_stores_nothing_of_the_signing_key(self, passwords: Argon2Passwords) -> None:
        encoded = await passwords.adopt(passwords.judge(HASHES["Firebase"], FIREBASE))
        assert "jxspr8Ki0RYy" not in encoded
        assert encoded.startswith("$pre$firebase,14,8,")

    def test_reads_its_parameters_as_json_too(self) -> None:
        said = {
            "algorithm": "SCRYPT",
            "base64_signer_key": "c2lnbg==",
            "base64_salt_separator": "Bw==",
            "rounds": 8,
            "mem_cost": 14,
        }
        assert FirebaseParameters.read(json.dumps(said)) == FirebaseParameters(b"sign", b"\x07", 8, 14)
        assert FirebaseParameters.read(FIREBASE_PARAMETERS).rounds == 8

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "has no base64_signer_key"),
            ("base64_signer_key: c2lnbg==, rounds: 8", "has no mem_cost"),
            ("base64_signer_key: c2lnbg==, rounds: 8, mem_cost: many", "neither a number nor base64"),
            ("base64_signer_key: ?, rounds: 8, mem_cost: 14", "neither a number nor base64"),
        ],
    )
    def test_says_what_is_wrong_with_its_parameters(self, text: str, fault: str) -> None:
        with pytest.raises(ValueError, match=fault):
            FirebaseParameters.read(text)
