"""Signing and verifying with the keys of a file."""

from __future__ import annotations

import hmac
import json
import multiprocessing
import stat
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from app.adapters.keys.signer import Es256Signer

CLAIMS = {"sub": "10000001", "aud": "demo", "nested": {"list": [1, "ü"]}}


def new_key() -> dict[str, Any]:
    return dict(ECKey.generate_key("P-256").as_dict(private=True))


def write(folder: Path, content: object) -> Path:
    path = folder / "keys.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def load(folder: Path, *keys: dict[str, Any]) -> Es256Signer:
    return Es256Signer.load(write(folder, {"keys": list(keys)}))


def header(token: str) -> dict[str, Any]:
    head = token.split(".")[0]
    return dict(json.loads(urlsafe_b64decode(head + "==")))


def encode(part: bytes | dict[str, Any]) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def load_or_create_kid(path: str) -> str:
    return str(Es256Signer.load_or_create(Path(path)).jwks()["keys"][0]["kid"])


@pytest.fixture
def signer(tmp_path: Path) -> Es256Signer:
    return load(tmp_path, new_key())


class TestLoad:
    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            ("{", "is not JSON"),
            ("[" * 100_000, "is not JSON"),
            ([], "is not a JWK set"),
            ({"keys": {}}, "is not a JWK set"),
            ({"keys": []}, "holds 0 keys"),
            ({"keys": [new_key(), new_key(), new_key(), new_key()]}, "holds 4 keys"),
            ({"keys": ["text"]}, "key 1 is not an EC key on the curve P-256"),
            ({"keys": [new_key(), {"kty": "oct", "k": "c2VjcmV0"}]}, "key 2 is not an EC key on the curve P-256"),
            ({"keys": [{**new_key(), "crv": "P-384"}]}, "key 1 is not an EC key on the curve P-256"),
            ({"keys": [{**new_key(), "d": None}]}, "key 1 is not a private key"),
            ({"keys": [{**new_key(), "use": "enc"}]}, "key 1 is not for signing with ES256"),
            ({"keys": [{**new_key(), "alg": "ES384"}]}, "key 1 is not for signing with ES256"),
            ({"keys": [{**new_key(), "x": "AAAA"}]}, "key 1 is damaged"),
            ({"keys": [{**new_key(), "d": "secret-value"}]}, "key 1 is damaged"),
            ({"keys": [{**new_key(), "d": new_key()["d"]}]}, "key 1 is damaged"),
            ({"keys": [{**new_key(), "kid": 7}]}, "key 1 is damaged"),
            ({"keys": [{**new_key(), "kid": "a"}, {**new_key(), "kid": "a"}]}, "two keys with the same kid"),
        ],
    )
    def test_says_in_one_line_what_is_wrong_with_the_file(
        self, tmp_path: Path, content: object, complaint: str
    ) -> None:
        path = write(tmp_path, content)
        with pytest.raises(ValueError, match=complaint) as error:
            Es256Signer.load(path)
        assert str(error.value).startswith(f"{path}: ")
        assert "\n" not in str(error.value)
        assert "secret-value" not in str(error.value)

    def test_says_that_there_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="cannot be read: No such file"):
            Es256Signer.load(tmp_path / "keys.json")

    def test_says_that_the_file_is_not_text(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.json"
        path.write_bytes(b"\xff\xfe\x00\xd8")
        with pytest.raises(ValueError, match="is not JSON"):
            Es256Signer.load(path)


class TestLoadOrCreate:
    def test_makes_a_file_for_its_owner_only(self, tmp_path: Path) -> None:
        path = tmp_path / "var" / "keys.json"
        Es256Signer.load_or_create(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert list(path.parent.iterdir()) == [path]

    def test_keeps_the_key_that_is_there(self, tmp_path: Path) -> None:
        path = tmp_path / "keys.json"
        token = Es256Signer.load_or_create(path).sign(CLAIMS)
        assert Es256Signer.load_or_create(path).verify(token) == CLAIMS

    def test_does_not_replace_a_bad_file(self, tmp_path: Path) -> None:
        path = write(tmp_path, "{")
        with pytest.raises(ValueError, match="is not JSON"):
            Es256Signer.load_or_create(path)
        assert path.read_text() == "{"

    def test_gives_processes_that_start_together_the_same_key(self, tmp_path: Path) -> None:
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            for attempt in range(20):
                path = str(tmp_path / f"{attempt}.json")
                assert len(set(pool.map(load_or_create_kid, [path] * 4, chunksize=1))) == 1


class TestSign:
    def test_names_type_algorithm_and_key(self, signer: Es256Signer) -> None:
        assert header(signer.sign(CLAIMS)) == {"typ": "JWT", "alg": "ES256", "kid": signer.jwks()["keys"][0]["kid"]}

    def test_uses_the_first_key(self, tmp_path: Path) -> None:
        signer = load(tmp_path, {**new_key(), "kid": "current"}, {**new_key(), "kid": "next"})
        assert header(signer.sign(CLAIMS))["kid"] == "current"

    def test_is_verified_by_another_library_with_the_published_keys(self, tmp_path: Path) -> None:
        signer = load(tmp_path, new_key(), new_key())
        token = signer.sign(CLAIMS)
        published = pyjwt.PyJWKSet.from_json(json.dumps(signer.jwks()))
        key = published[pyjwt.get_unverified_header(token)["kid"]]
        assert pyjwt.decode(token, key, algorithms=["ES256"], audience="demo") == CLAIMS


class TestVerify:
    def test_returns_the_claims_of_a_token_of_ours(self, signer: Es256Signer) -> None:
        assert signer.verify(signer.sign(CLAIMS)) == CLAIMS

    def test_goes_on_accepting_the_previous_key(self, tmp_path: Path) -> None:
        old, new = new_key(), new_key()
        token = load(tmp_path, old).sign(CLAIMS)
        assert load(tmp_path, new, old).verify(token) == CLAIMS

    def test_refuses_another_gateway_s_token(self, signer: Es256Signer, tmp_path: Path) -> None:
        assert signer.verify(load(tmp_path, new_key()).sign(CLAIMS)) is None

    def test_refuses_another_key_under_our_kid(self, signer: Es256Signer, tmp_path: Path) -> None:
        forger = load(tmp_path, {**new_key(), "kid": signer.jwks()["keys"][0]["kid"]})
        assert signer.verify(forger.sign(CLAIMS)) is None

    def test_refuses_a_token_without_kid(self, tmp_path: Path) -> None:
        key = new_key()
        token = jwt.encode({"alg": "ES256"}, CLAIMS, ECKey.import_key(key))
        assert load(tmp_path, key).verify(token) is None

    def test_refuses_the_public_key_used_as_a_shared_secret(self, signer: Es256Signer) -> None:
        public = signer.jwks()["keys"][0]
        signed = f"{encode({'alg': 'HS256', 'kid': public['kid']})}.{encode(CLAIMS)}"
        # By hand: no library signs with a public key any more.
        signature = hmac.digest(ECKey.import_key(public).as_pem(), signed.encode(), "sha256")
        assert signer.verify(f"{signed}.{encode(signature)}") is None

    def test_refuses_the_algorithm_none(self, signer: Es256Signer) -> None:
        _, claims, _ = signer.sign(CLAIMS).split(".")
        head = {"typ": "JWT", "alg": "none", "kid": signer.jwks()["keys"][0]["kid"]}
        assert signer.verify(f"{encode(head)}.{claims}.") is None

    def test_refuses_a_changed_claim(self, signer: Es256Signer) -> None:
        head, _, signature = signer.sign(CLAIMS).split(".")
        assert signer.verify(f"{head}.{encode({**CLAIMS, 'sub': '10000002'})}.{signature}") is None

    @pytest.mark.parametrize(
        "head",
        [
            b"{}",
            b"[]",
            b"null",
            b"\xff",
            b"[" * 5_000,
            b'{"alg":"ES256","kid":[]}',
            b'{"alg":"ES256","kid":{}}',
            b'{"alg":["ES256"]}',
            b'{"alg":7,"kid":7}',
            b'{"alg":"ES256","kid":"x","crit":["y"]}',
        ],
    )
    def test_refuses_every_malformed_header(self, signer: Es256Signer, head: bytes) -> None:
        assert signer.verify(f"{encode(head)}.e30.AAAA") is None

    @pytest.mark.parametrize("token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d.e", "ü.ü.ü", "\ud800", "x" * 1_000_000])
    def test_refuses_what_is_no_token(self, signer: Es256Signer, token: str) -> None:
        assert signer.verify(token) is None


class TestJwks:
    def test_publishes_only_the_public_parts_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        signer = load(tmp_path, *({**new_key(), "kid": kid, "secret": "x"} for kid in ("current", "next", "previous")))
        keys = signer.jwks()["keys"]
        assert [key["kid"] for key in keys] == ["current", "next", "previous"]
        for key in keys:
            assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
            assert (key["use"], key["alg"]) == ("sig", "ES256")

    def test_names_a_key_without_kid_by_its_thumbprint(self, tmp_path: Path) -> None:
        key = new_key()
        assert load(tmp_path, key).jwks()["keys"][0]["kid"] == ECKey.import_key(key).thumbprint()


class TestKeyMaterial:
    def test_holds_the_private_values_in_the_order_of_the_file(self, tmp_path: Path) -> None:
        keys = new_key(), new_key()
        expected = [urlsafe_b64decode(key["d"] + "==") for key in keys]
        assert load(tmp_path, *keys).key_material() == expected
