"""Lists of operations: Apollo's manifest or a plain object, each text under its own hash."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from app.domain.operation_lists import hash_operation, read_operations

TEXT = "query Me { me { id } }"
HASH = sha256(TEXT.encode()).hexdigest()


def manifest(**changes: Any) -> dict[str, Any]:
    operation = {"id": HASH, "name": "Me", "type": "query", "body": TEXT}
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": [operation], **changes}


class TestHashOperation:
    def test_is_the_sha_256_in_hexadecimal(self) -> None:
        assert hash_operation(TEXT) == HASH


class TestReadOperations:
    def test_reads_the_manifest_of_apollo(self) -> None:
        assert read_operations(manifest()) == {HASH: TEXT}

    def test_reads_a_plain_object(self) -> None:
        assert read_operations({HASH: TEXT}) == {HASH: TEXT}

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            ([], "manifest"),
            ({}, "no operation"),
            (manifest(operations=[]), "no operation"),
            (manifest(format="relay"), "format"),
            (manifest(version=2), "version 1"),
            (manifest(operations={HASH: TEXT}), "with its operations"),
            (manifest(operations=["me"]), "id and its body"),
            (manifest(operations=[{"body": TEXT}]), "id and its body"),
            (manifest(operations=[{"id": HASH}]), "must be the SHA-256"),
            ({HASH: TEXT + " "}, "must be the SHA-256"),
            ({HASH.upper(): TEXT}, "must be the SHA-256"),
        ],
    )
    def test_says_what_is_wrong(self, content: Any, fault: str) -> None:
        with pytest.raises(ValueError, match=fault):
            read_operations(content)
