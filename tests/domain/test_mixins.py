"""Mixins: limits, schemas, and merge patches."""

from __future__ import annotations

from typing import Any

import pytest
from referencing.exceptions import Unresolvable

from app.domain.errors import UserErrorCode
from app.domain.mixin_schemas import check_schema
from app.domain.mixins import check_mixins, merge_patch

LOYALTY: dict[str, Any] = {
    "type": "object",
    "required": ["level", "since"],
    "properties": {
        "level": {"enum": ["gold", "silver"]},
        "since": {"type": "string", "format": "date-time"},
        "card": {"type": "string", "maxLength": 3},
        "points": {"$ref": "#/$defs/points"},
        "stores": {"type": "array", "items": {"type": "string", "minLength": 2}},
    },
    "additionalProperties": False,
    "$defs": {"points": {"type": "integer", "minimum": 0}},
}
SCHEMAS = {"loyalty": LOYALTY}


def faults_of(mixins: object, schemas: dict[str, dict[str, Any]] | None = None) -> set[tuple[UserErrorCode, str]]:
    return {(fault.code, ".".join(fault.field)) for fault in check_mixins(mixins, schemas or {})}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


class TestCheckMixins:
    def test_takes_free_data_where_the_shop_has_no_schemas(self) -> None:
        assert check_mixins({"a": {"b": [1, 2.5, None, True, "x"]}, "c": {}}, {}) == ()

    @pytest.mark.parametrize("mixins", [None, [], "text", 1])
    def test_wants_an_object(self, mixins: object) -> None:
        assert faults_of(mixins) == {(UserErrorCode.INVALID, "")}

    def test_wants_an_object_for_each_mixin(self) -> None:
        assert faults_of({"a": 1, "b": {}, "c": []}) == {(UserErrorCode.INVALID, "a"), (UserErrorCode.INVALID, "c")}

    def test_accepts_8_levels(self) -> None:
        assert check_mixins(nested(8), {}) == ()

    @pytest.mark.parametrize("levels", [9, 900])
    def test_refuses_deeper_levels(self, levels: int) -> None:
        assert faults_of(nested(levels)) == {(UserErrorCode.INVALID, "a.a.a.a.a.a.a.a")}

    def test_accepts_16384_bytes(self) -> None:
        assert check_mixins({"a": {"b": "ä" * 8_185}}, {}) == ()

    def test_refuses_more_bytes(self) -> None:
        assert faults_of({"a": {"b": "ä" * 8_186}}) == {(UserErrorCode.TOO_LONG, "")}

    @pytest.mark.parametrize("value", ["\0", "\ud800", float("nan"), float("inf"), 2**53, -(2**53), object(), ("a",)])
    def test_refuses_what_is_no_portable_json(self, value: object) -> None:
        assert faults_of({"a": {"b": ["x", value]}}) == {(UserErrorCode.INVALID, "a.b.1")}

    def test_refuses_names_with_hidden_characters(self) -> None:
        assert faults_of({"a": {"b\0": 1}}) == {(UserErrorCode.INVALID, "a")}

    def test_accepts_what_matches_its_schema(self) -> None:
        mixin = {"level": "gold", "since": "2031-01-02T03:04:05Z", "points": 3, "stores": ["Berlin"]}
        assert check_mixins({"loyalty": mixin}, SCHEMAS) == ()

    def test_refuses_a_mixin_that_the_shop_has_not(self) -> None:
        assert faults_of({"other": {}}, SCHEMAS) == {(UserErrorCode.INVALID, "other")}

    def test_answers_every_fault_with_its_path(self) -> None:
        mixin = {"level": "iron", "card": "1234", "points": -1, "stores": ["Berlin", "x"], "spare": 1}
        assert faults_of({"loyalty": mixin}, SCHEMAS) == {
            (UserErrorCode.REQUIRED, "loyalty.since"),
            (UserErrorCode.INVALID, "loyalty.level"),
            (UserErrorCode.TOO_LONG, "loyalty.card"),
            (UserErrorCode.INVALID, "loyalty.points"),
            (UserErrorCode.TOO_SHORT, "loyalty.stores.1"),
            (UserErrorCode.INVALID, "loyalty"),
        }

    def test_answers_each_missing_field_once(self) -> None:
        assert [fault.field for fault in check_mixins({"loyalty": {}}, SCHEMAS)] == [
            ("loyalty", "level"),
            ("loyalty", "since"),
        ]

    def test_says_what_is_expected(self) -> None:
        (fault,) = check_mixins({"loyalty": {"level": "iron", "since": "2031-01-02T03:04:05Z"}}, SCHEMAS)
        assert fault.message == "This must be one of gold, silver."

    @pytest.mark.parametrize(
        ("name", "good", "bad"),
        [
            ("date", "2031-02-28", "2031-02-30"),
            ("date-time", "2031-02-28T10:00:00+01:00", "2031-02-28 10:00"),
            ("time", "10:00:00Z", "25:00:00Z"),
            ("email", "a@shop.example", "a"),
            ("hostname", "shop.example", "-shop"),
            ("ipv4", "127.0.0.1", "127.0.0.256"),
            ("uri", "https://shop.example/a", "shop"),
            ("uuid", "0190a0b4-4b0c-7c1e-8a5f-1d2c3b4a5e6f", "0190a0b4"),
        ],
    )
    def test_checks_formats(self, name: str, good: str, bad: str) -> None:
        schemas = {"a": {"properties": {"b": {"format": name}}}}
        assert faults_of({"a": {"b": good}}, schemas) == set()
        assert faults_of({"a": {"b": bad}}, schemas) == {(UserErrorCode.INVALID, "a.b")}

    def test_never_fetches_a_remote_schema(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fetched: list[object] = []
        monkeypatch.setattr("urllib.request.urlopen", lambda *arguments, **_: fetched.append(arguments))
        with pytest.raises(Unresolvable, match=r"shop\.example"):
            check_mixins({"a": {}}, {"a": {"$ref": "https://shop.example/schema.json"}})
        assert fetched == []


class TestCheckSchema:
    def test_accepts_a_schema_that_refers_to_itself(self) -> None:
        check_schema(LOYALTY)

    @pytest.mark.parametrize(
        ("schema", "message"),
        [
            ({"type": "thing"}, "not a JSON Schema"),
            ({"$ref": "https://shop.example/schema.json"}, "must point into this schema"),
            ({"allOf": [{"$ref": "#/$defs/missing"}]}, "points to nothing"),
        ],
    )
    def test_refuses_others(self, schema: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            check_schema(schema)


class TestMergePatch:
    @pytest.mark.parametrize(
        ("target", "patch", "result"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            (["a", "b"], ["c", "d"], ["c", "d"]),
            ({"a": "b"}, ["c"], ["c"]),
            ({"a": "foo"}, None, None),
            ({"a": "foo"}, "bar", "bar"),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ],
    )
    def test_does_as_the_examples_of_the_standard(self, target: object, patch: object, result: object) -> None:
        assert merge_patch(target, patch) == result

    def test_leaves_the_target_as_it_was(self) -> None:
        target = {"a": {"b": 1}}
        merge_patch(target, {"a": {"b": None, "c": 2}})
        assert target == {"a": {"b": 1}}

    def test_follows_a_patch_deeper_than_the_stack(self) -> None:
        merged: Any = merge_patch({}, nested(5_000))
        depth = 1
        while merged:
            merged, depth = merged["a"], depth + 1
        assert depth == 5_000
