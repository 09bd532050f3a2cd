"""Tables: separators, quoted cells, and rows that are broken."""

from __future__ import annotations

from io import StringIO

import pytest

from app.domain.moving.csv_records import Table, escape_cell, plain_cell
from app.domain.moving.records import MAXIMUM_LENGTH, Record, UnreadableError


def read(text: str) -> list[Record]:
    return list(Table(StringIO(text, newline="")).records())


class TestTable:
    @pytest.mark.parametrize(
        "text",
        [
            "email,name\nada@example.com,Ada\n",
            "email;name\r\nada@example.com;Ada\r\n",
            "email\tname\nada@example.com\tAda",
            '"email"|"name"\n"ada@example.com"|"Ada"\n',
            "sep=;\nemail;name\nada@example.com;Ada\n",
            "\ufeffemail;name, all of it\nada@example.com;x\n".replace("name, all of it", "name").replace(";x", ";Ada"),
            "\n\nemail,name\n\n,\nada@example.com, Ada \n",
        ],
    )
    def test_finds_separator_and_header(self, text: str) -> None:
        assert [record.content for record in read(text)] == [{"email": "ada@example.com", "name": "Ada"}]

    def test_takes_no_comma_in_a_name_for_the_separator(self) -> None:
        (record,) = read("email;name, first\nada@example.com;Lovelace, Ada\n")
        assert record.content == {"email": "ada@example.com", "name, first": "Lovelace, Ada"}

    def test_takes_line_ends_and_quotation_marks_in_cells_and_tells_where_a_row_begins(self) -> None:
        records = read('email,note\na@example.com,"one\r\ntwo, ""three"""\nb@example.com,x\n')
        assert [(record.line, record.content) for record in records] == [
            (2, {"email": "a@example.com", "note": 'one\r\ntwo, "three"'}),
            (4, {"email": "b@example.com", "note": "x"}),
        ]

    def test_takes_a_row_that_is_too_short_with_a_remark(self) -> None:
        (record,) = read("email,name,note\na@example.com\n")
        assert record.content == {"email": "a@example.com"}
        assert [remark.message for remark in record.remarks] == ["This row has fewer cells than the header."]

    def test_refuses_a_row_that_is_too_long_and_goes_on(self) -> None:
        first, second = read("email,name\na@example.com,A,B\nb@example.com,B,,\n")
        assert (first.content, first.faults[0].message) == (None, "This row has more cells than the header.")
        assert second.content == {"email": "b@example.com", "name": "B"}

    def test_takes_a_quotation_mark_that_is_not_closed_for_that_row_s_fault(self) -> None:
        records = read('email,name\na@example.com,"A\nb@example.com,B\nc@example.com,"C"\nd@example.com,"D')
        assert [(record.line, record.content is None) for record in records] == [
            (2, True),
            (3, False),
            (4, False),
            (5, True),
        ]

    def test_holds_no_huge_cell(self) -> None:
        huge = "x" * (MAXIMUM_LENGTH * 3)
        records = read(f'email,name\na@example.com,{huge}\nb@example.com,"{huge}"\nc@example.com,C\n')
        assert [record.content for record in records] == [None, None, {"email": "c@example.com", "name": "C"}]
        assert records[0].faults[0].code == "TOO_LONG"

    def test_knows_a_header_with_the_same_name_twice(self) -> None:
        assert Table(StringIO("email,name,name,,\n")).repeated == {"name"}

    @pytest.mark.parametrize("text", ["", "\n\n", '"email,name\n'])
    def test_refuses_what_has_no_header(self, text: str) -> None:
        with pytest.raises(UnreadableError):
            Table(StringIO(text))


class TestEscapeCell:
    @pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5", "@x", "'=1", "''@", "Ada", "'s-Gravenhage", "", "'"])
    def test_is_undone_by_plain_cell(self, text: str) -> None:
        escaped = escape_cell(text)
        assert plain_cell(escaped) == text
        assert not escaped.startswith(("=", "+", "-", "@"))
