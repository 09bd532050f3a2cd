"""Rotation of the signing keys: by a command, and noticed by processes that run."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from app.adapters.keys.sealer import RotatingSealer
from app.adapters.keys.signer import Es256Signer
from app.adapters.keys.signing_keys import KeyFile, create_keys, kid, read_keys, rotate_keys
from tests.fakes import MovableClock

CLAIMS = {"sub": "10000001"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    create_keys(path)
    return path


def kids(file: Path) -> list[str]:
    return [kid(key) for key in read_keys(file)]


def jwks_kids(signer: Es256Signer) -> list[str]:
    return [key["kid"] for key in signer.jwks()["keys"]]


class TestRotateKeys:
    def test_makes_a_file_with_a_current_and_a_next_key(self, tmp_path: Path) -> None:
        file = tmp_path / "new" / "keys.json"
        assert rotate_keys(file) == kids(file)
        assert len(kids(file)) == 2
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_first_gives_a_lonely_key_its_next_one(self, file: Path) -> None:
        (current,) = kids(file)
        assert rotate_keys(file)[0] == current
        assert len(kids(file)) == 2

    def test_moves_each_key_on_by_one_place(self, file: Path) -> None:
        first, second = rotate_keys(file)
        current, following, previous = rotate_keys(file)
        assert (current, previous) == (second, first)
        assert following not in (first, second)
        assert rotate_keys(file)[2] == second
        assert first not in kids(file)

    def test_leaves_a_file_for_its_owner_only_and_nothing_beside_it(self, file: Path) -> None:
        file.chmod(0o644)
        rotate_keys(file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]

    def test_lets_a_file_s_owner_keep_it(self, file: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root may give files away")
        os.chown(file, 10001, 10001)
        rotate_keys(file)
        assert (file.stat().st_uid, file.stat().st_gid) == (10001, 10001)

    def test_touches_no_bad_file(self, file: Path) -> None:
        file.write_text('{"keys": []}')
        with pytest.raises(ValueError, match="holds 0 keys"):
            rotate_keys(file)
        assert file.read_text() == '{"keys": []}'

    def test_says_that_it_cannot_write(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ValueError, match="cannot be written"):
            rotate_keys(tmp_path / "file" / "keys.json")


class TestKeyFile:
    def test_is_looked_at_once_a_minute(self, file: Path) -> None:
        clock = MovableClock()
        watched = KeyFile(file, clock)
        before = watched.keys
        rotate_keys(file)
        clock.advance(seconds=59)
        assert watched.keys is before
        clock.advance(seconds=1)
        assert [kid(key) for key in watched.keys] == kids(file)

    def test_is_looked_at_when_the_clock_was_set_back(self, file: Path) -> None:
        clock = MovableClock()
        watched = KeyFile(file, clock)
        rotate_keys(file)
        clock.advance(hours=-1)
        assert len(watched.keys) == 2

    def test_keeps_its_keys_and_says_so_when_it_has_become_unreadable(
        self, file: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = MovableClock()
        watched = KeyFile(file, clock)
        before = list(watched.keys)
        file.write_text("{")
        for _ in range(3):
            clock.advance(minutes=1)
            assert list(watched.keys) == before
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert "is not JSON" in record.getMessage()
        file.unlink()
        clock.advance(minutes=1)
        assert list(watched.keys) == before


class TestRotation:
    def test_keeps_what_was_signed_and_sealed_before_good(self, file: Path) -> None:
        clock = MovableClock()
        signer = Es256Signer.load(file, clock)
        sealer = RotatingSealer(signer.key_material)
        token, sealed = signer.sign(CLAIMS), sealer.seal("cg_ot_secret")
        for _ in range(2):
            rotate_keys(file)
            clock.advance(minutes=1)
            assert signer.verify(token) == CLAIMS
            assert sealer.open(sealed) == "cg_ot_secret"
        assert jwks_kids(signer) == kids(file)
        rotate_keys(file)
        clock.advance(minutes=1)
        assert signer.verify(token) is None
        with pytest.raises(ValueError, match="None of our keys"):
            sealer.open(sealed)

    def test_is_understood_by_a_process_that_has_not_looked_yet(self, file: Path) -> None:
        rotate_keys(file)
        clock = MovableClock()
        late = Es256Signer.load(file, clock)
        late_sealer = RotatingSealer(late.key_material)
        rotate_keys(file)
        early = Es256Signer.load(file, clock)
        early_sealer = RotatingSealer(early.key_material)
        assert jwks_kids(early)[0] != jwks_kids(late)[0]
        assert late.verify(early.sign(CLAIMS)) == CLAIMS
        assert early.verify(late.sign(CLAIMS)) == CLAIMS
        assert late_sealer.open(early_sealer.seal("text")) == "text"
        assert early_sealer.open(late_sealer.seal("text")) == "text"
