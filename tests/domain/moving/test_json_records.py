"""JSON: lines, documents, and where they break."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from app.domain.moving.json_records import read_json_document, read_json_lines
from app.domain.moving.records import MAXIMUM_LENGTH, Record, UnreadableError

PATHS = ("item", "users.item", "data.users.edges.item")


def document(text: str, *paths: str) -> list[Record]:
    return list(read_json_document(StringIO(text), paths or PATHS))


def shown(records: list[Record]) -> list[tuple[int, Any]]:
    return [(record.line, record.content) for record in records]


class TestReadJsonDocument:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ('[{"a": 1},\n {"a": [1.5, null, {"b": "c"}]}]', [(1, {"a": 1}), (2, {"a": [1.5, None, {"b": "c"}]})]),
            ('{"realm": "x", "users":\n[{"a": 1}], "roles": [{"a": 2}]}', [(2, {"a": 1})]),
            ('{"data": {"users": {"edges": [{"node": {}}]}}}', [(1, {"node": {}})]),
            ("[]", []),
            ('{"users": []}', []),
            ("\n\n[\n{\n}\n]\n", [(4, {})]),
        ],
    )
    def test_finds_the_objects_and_where_they_begin(self, text: str, found: list[tuple[int, Any]]) -> None:
        assert shown(document(text)) == found

    def test_takes_the_document_itself_unless_it_holds_others(self) -> None:
        text = '{"email": "a",\n "addresses": [{"users": []}]}\n{"email": "b"}'
        paths = ("item", "users.item", "")
        assert shown(document(text, *paths)) == [
            (1, {"email": "a", "addresses": [{"users": []}]}),
            (3, {"email": "b"}),
        ]
        assert shown(document('{"users": [{"email": "a"}]}', *paths)) == [(1, {"email": "a"})]

    @pytest.mark.parametrize(
        ("text", "line", "says"),
        [
            ('[{"a": 1},\n{"a": 2,\n oops}]', 2, "From line 3 on"),
            ('[{"a": 1},\n{"a": 2', 2, "From line 2 on the file is no JSON: it ends in the middle"),
            ('[{"a": 1}\n', 2, "it ends in the middle"),
            ('[{"a": 1}]]', 1, "From line 1 on"),
        ],
    )
    def test_tells_where_it_stops_to_be_json(self, text: str, line: int, says: str) -> None:
        *before, last = document(text)
        assert [record.content for record in before] == [{"a": 1}]
        assert (last.line, last.content) == (line, None)
        assert says in last.faults[0].message
        assert "oops" not in last.faults[0].message

    def test_refuses_what_is_no_object_and_what_is_too_long_and_goes_on(self) -> None:
        records = document(f'[1, "x", {{"a": "{"x" * MAXIMUM_LENGTH}y"}}, {{"a": 2}}]')
        assert [record.content for record in records] == [None, None, None, {"a": 2}]
        assert [record.faults[0].code for record in records[:3]] == ["INVALID", "INVALID", "TOO_LONG"]

    def test_refuses_a_document_without_customers(self) -> None:
        with pytest.raises(UnreadableError, match="users or data"):
            document('{"groups": []}')

    def test_marks_what_was_no_text(self) -> None:
        assert document('[{"a": "\udcff"}]')[0].content == {"a": "\0"}


class TestReadJsonLines:
    def test_takes_each_line_by_itself(self) -> None:
        text = (
            '{"a": 1}\n\n{"a": \n[]\n"x"\n{"a": 2},\r\n{"a": "\udcff"}\n' + '{"a": "' + "x" * MAXIMUM_LENGTH + '"}\n{}'
        )
        records = list(read_json_lines(StringIO(text, newline="")))
        assert shown(records) == [
            (1, {"a": 1}),
            (3, None),
            (4, None),
            (5, None),
            (6, {"a": 2}),
            (7, {"a": "\0"}),
            (8, None),
            (9, {}),
        ]
        assert records[6].faults[0].code == "TOO_LONG"
