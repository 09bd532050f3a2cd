"""Sealing and opening."""

from __future__ import annotations

import pytest

from app.adapters.keys.sealer import FernetSealer

OLD, NEW = b"o" * 32, b"n" * 32


class TestSeal:
    def test_shows_nothing_of_the_text_and_is_printable(self) -> None:
        sealed = FernetSealer([NEW]).seal("cg_ot_secret ü")
        assert "secret" not in sealed
        assert sealed.isascii()
        assert sealed.isprintable()

    def test_differs_each_time(self) -> None:
        sealer = FernetSealer([NEW])
        assert sealer.seal("text") != sealer.seal("text")

    def test_needs_a_key(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            FernetSealer([])


class TestOpen:
    def test_returns_the_text(self) -> None:
        sealer = FernetSealer([NEW])
        assert sealer.open(sealer.seal("cg_ot_secret ü")) == "cg_ot_secret ü"

    def test_still_opens_what_was_sealed_before_a_rotation(self) -> None:
        assert FernetSealer([NEW, OLD]).open(FernetSealer([OLD]).seal("text")) == "text"

    def test_opens_what_a_process_that_has_rotated_already_sealed(self) -> None:
        assert FernetSealer([OLD, NEW]).open(FernetSealer([NEW, OLD]).seal("text")) == "text"

    def test_refuses_what_another_key_sealed(self) -> None:
        with pytest.raises(ValueError, match="None of our keys"):
            FernetSealer([NEW]).open(FernetSealer([OLD]).seal("text"))

    def test_refuses_what_was_changed(self) -> None:
        sealer = FernetSealer([NEW])
        sealed = sealer.seal("text")
        with pytest.raises(ValueError, match="None of our keys"):
            sealer.open(sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:])

    @pytest.mark.parametrize("text", ["", "text", "gAAAAA", "ü", "\0"])
    def test_refuses_what_was_never_a_seal(self, text: str) -> None:
        with pytest.raises(ValueError, match="None of our keys"):
            FernetSealer([NEW]).open(text)


class TestFingerprint:
    def test_is_the_same_in_every_process_with_these_keys(self) -> None:
        assert FernetSealer([b"a" * 32]).fingerprint("secret") == FernetSealer([b"a" * 32]).fingerprint("secret")

    def test_differs_by_text_and_by_key(self) -> None:
        sealer, other = FernetSealer([b"a" * 32]), FernetSealer([b"b" * 32])
        assert len({sealer.fingerprint("one"), sealer.fingerprint("two"), other.fingerprint("one")}) == 3

    def test_tells_nothing_of_the_text(self) -> None:
        assert "secret" not in FernetSealer([b"a" * 32]).fingerprint("secret")
