"""Hashes that other systems wrote, made with their own software: passlib, Django, bcrypt."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import bcrypt
import pytest
from argon2 import PasswordHasher, Type

from app.adapters.keys.password_hashes import kind_of, read_hash

PASSWORD = "violet-harbour-42"
HASHES = {
    "bcrypt": "$2b$04$8yIo7wO2iVO3tx3hY2zKM.NlD73XwbdkCf.27.a4CzHkBcT1CRoQy",
    "bcrypt of PHP": "$2y$04$8yIo7wO2iVO3tx3hY2zKM.NlD73XwbdkCf.27.a4CzHkBcT1CRoQy",
    "passlib's scrypt": "$scrypt$ln=10,r=8,p=1$dC5lDCGE8F7LmfNeS8mZEw$gKshsJprhgQcL0tyNXRLqpD91VDRT5REYrUJGIsp/yo",
    "passlib's PBKDF2 with SHA-256": "$pbkdf2-sha256$1000$Xutday1lLOX8n9Oa814LwQ"
    "$CBdnFtFO4YgTLNd5R2Gzc3Cx/cdDECiYST5c4uePfu0",
    "passlib's PBKDF2 with SHA-512": "$pbkdf2-sha512$1000$7V0LQYiRMqb0ntP6X8vZew"
    "$Q0BB/VoCrpNH/jrZoLgOZV94hvzpAZ0zxafIEootO586X9KfdUhHOLItSCTFz7T44kGi72SLZr52vp5eMV/Ujg",
    "passlib's PBKDF2 with SHA-1": "$pbkdf2$1000$S6m11hpDaC1lTMn5X4tRKg$8FGRzqnEy7r96vGwsujiNxDWZtw",
    "PBKDF2 as a PHC string": "$pbkdf2-sha256$i=1000,l=32$Xutday1lLOX8n9Oa814LwQ"
    "$CBdnFtFO4YgTLNd5R2Gzc3Cx/cdDECiYST5c4uePfu0",
    "Django's PBKDF2": "pbkdf2_sha256$1000$8poBBFGc1jaH5oWTYuzjMF$v73CnucJ4hFSx6OIJBIol3+qqpEEHMazvpO19FbTr3I=",
    "Django's PBKDF2 with SHA-1": "pbkdf2_sha1$1000$n6Klx4nSdQopD4Ug794K5a$N122bCOtk/GUsZ5xCMOiQprSJA0=",
    "Django's argon2": "argon2$argon2id$v=19$m=1024,t=1,p=1$SU93SUg1YUZFbldIRUc0ZUdaNnNXUQ"
    "$x11K3UTtGQo0fT0JRiCX2Qx2bHXv9ismBdW1Aa20yhg",
    "Django's bcrypt": "bcrypt$$2b$04$nPiz/Xi6ulSPrD/jp59KaO4Xisem4LVeWJ1/JHA3MlOzyOopysdgC",
    "Django's bcrypt with SHA-256": "bcrypt_sha256$$2b$04$dmYPXON1M26Y63gcenniiuGX/C.JrmBjyG5TuHGI9Srd71nTKoBou",
    "Django's scrypt": "scrypt$1024$udqDtdPC76rli0nHus6d2A$8$5"
    "$e+oCljFH3Jxj9MQpqA8JBz5mLQQ8eBqIBdRqWMio3DzcCTqjq2VaWbT0KSBBZHOSTEsbi4pigmCgx7nDfgeksA==",
}
SALT, DIGEST = "c2FsdHNhbHQ", b64encode(bytes(32)).decode().rstrip("=")


class TestReadHash:
    @pytest.mark.parametrize("encoded", HASHES.values(), ids=HASHES)
    def test_knows_the_right_password_and_no_other(self, encoded: str) -> None:
        check = read_hash(encoded)
        assert check is not None
        assert check(PASSWORD) is True
        assert check(PASSWORD + " ") is False
        assert check("") is False

    @pytest.mark.parametrize("kind", [Type.D, Type.I, Type.ID])
    def test_knows_each_kind_of_argon2(self, kind: Type) -> None:
        check = read_hash(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=kind).hash(PASSWORD))
        assert check is not None
        assert (check(PASSWORD), check("wrong")) == (True, False)

    def test_compares_with_bcrypt_no_more_than_its_72_bytes(self) -> None:
        check = read_hash(bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode())
        assert check is not None
        assert check("a" * 73) is True
        assert check("a" * 71) is False

    def test_compares_with_djangos_bcrypt_the_whole_password(self) -> None:
        prepared = hashlib.sha256(("ä" * 100).encode()).hexdigest().encode()
        check = read_hash("bcrypt_sha256$" + bcrypt.hashpw(prepared, bcrypt.gensalt(4)).decode())
        assert check is not None
        assert check("ä" * 100) is True
        assert check("ä" * 99) is False

    @pytest.mark.parametrize(
        "encoded",
        [
            "$2b$15$" + "a" * 53,
            "$argon2id$v=19$m=262144,t=1,p=1$c2FsdHNhbHQ$" + DIGEST,
            "$argon2id$v=19$m=65536,t=9,p=1$c2FsdHNhbHQ$" + DIGEST,
            "$argon2id$v=19$m=65536,t=1,p=64$c2FsdHNhbHQ$" + DIGEST,
            f"$scrypt$ln=18,r=8,p=1${SALT}${DIGEST}",
            f"$scrypt$ln=31,r=999,p=1${SALT}${DIGEST}",
            f"$scrypt$ln=14,r=8,p=17${SALT}${DIGEST}",
            f"scrypt$1048576${SALT}$8$1${DIGEST}",
            f"$pbkdf2-sha256$2000001${SALT}${DIGEST}",
            f"$pbkdf2-sha512$i=999999999${SALT}${DIGEST}",
            f"pbkdf2_sha1$1500000${SALT}${DIGEST}",
        ],
    )
    def test_refuses_a_hash_that_would_take_too_long(self, encoded: str) -> None:
        assert read_hash(encoded) is None

    @pytest.mark.parametrize(
        "encoded",
        [
            "",
            PASSWORD,
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
            "$5$rounds=5000$salt$" + "a" * 43,
            "$2b$04$short",
            "$2x$04$" + "a" * 53,
            "$argon2id$",
            "$argon2id$v=19$m=1024,t=1$c2FsdHNhbHQ$" + DIGEST,
            f"$scrypt$ln=0,r=8,p=1${SALT}${DIGEST}",
            f"$scrypt$ln=10,r=0,p=1${SALT}${DIGEST}",
            f"scrypt$1000${SALT}$8$1${DIGEST}",
            f"$pbkdf2-sha256$0${SALT}${DIGEST}",
            f"$pbkdf2-md5$1000${SALT}${DIGEST}",
            f"$pbkdf2-sha256$1000${SALT}$",
            f"$pbkdf2-sha256$1000${SALT}$YWJj",
            f"$pbkdf2-sha256$1000${SALT}$not base64",
            f"$pbkdf2-sha256$1000${SALT}$abcde",
            "pbkdf2_sha256$1000$$" + DIGEST,
            f"pbkdf2_sha256$1000${SALT}$" + b64encode(bytes(65)).decode(),
        ],
    )
    def test_refuses_what_is_no_hash_of_ours_to_compare(self, encoded: str) -> None:
        assert read_hash(encoded) is None


class TestKindOf:
    @pytest.mark.parametrize("encoded", HASHES.values(), ids=HASHES)
    def test_is_a_hash_of_no_password_that_is_verified_at_the_same_cost(self, encoded: str) -> None:
        kind = kind_of(encoded)
        check = read_hash(kind)
        assert check is not None
        assert not check(PASSWORD)
        assert not check("")
        assert len(kind) == len(encoded)
        assert kind_of(kind) == kind

    @pytest.mark.parametrize("encoded", HASHES.values(), ids=HASHES)
    def test_has_nothing_of_salt_and_digest(self, encoded: str) -> None:
        pieces = [piece for piece in encoded.split("$") if len(piece) > 20]
        assert pieces
        assert not [piece for piece in pieces if piece.rstrip("=") in kind_of(encoded)]

    def test_is_the_same_for_the_hashes_of_one_system(self) -> None:
        one, other = (bcrypt.hashpw(b"any", bcrypt.gensalt(4)).decode() for _ in range(2))
        assert kind_of(one) == kind_of(other) != kind_of(bcrypt.hashpw(b"any", bcrypt.gensalt(5)).decode())
