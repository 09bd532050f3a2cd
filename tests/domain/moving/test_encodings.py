"""The encoding of a file."""

from __future__ import annotations

import codecs

import pytest

from app.domain.moving.encodings import BROKEN, find_encoding, shown_encoding

TEXT = "email,name\nada@example.com,Jürgen Weiß\n"


class TestFindEncoding:
    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (TEXT.encode(), "UTF-8"),
            (codecs.BOM_UTF8 + TEXT.encode(), "UTF-8"),
            (TEXT.encode("utf-16"), "UTF-16"),
            (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16"),
            ("email,name\n".encode("utf-16-le"), "UTF-16"),
            ("email,name\n".encode("utf-16-be"), "UTF-16"),
            (TEXT.encode("utf-32"), "UTF-32"),
            (TEXT.encode("cp1252"), "Windows-1252"),
            (b"email,name\n", "UTF-8"),
            # The file ends in a character, and one character is broken.
            (TEXT.encode()[:-3], "UTF-8"),
            ("Jürgen".encode()[:2], "UTF-8"),
            (TEXT.encode() + b"\xff\n", "UTF-8"),
        ],
    )
    def test_sees_it(self, content: bytes, name: str) -> None:
        pieces = [content[:4], content[4:]]
        assert shown_encoding(find_encoding(pieces)) == name
        assert content.decode(find_encoding(pieces), BROKEN).lstrip("\ufeff").startswith(("email", "J"))

    def test_believes_what_it_is_told(self) -> None:
        assert find_encoding([TEXT.encode()], "latin1") == "iso8859-1"

    @pytest.mark.parametrize("name", ["klingon", "hex", "rot13", ""])
    def test_refuses_what_there_is_not(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"--encoding {name}: there is no such encoding"):
            find_encoding([], name)
