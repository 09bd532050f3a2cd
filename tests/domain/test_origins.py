"""Who wrote which field of a profile, and what is left of it without some of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.domain.origins import origins_after, pointers_of, without


@dataclass
class Profile:
    first_name: str | None = None
    last_name: str | None = None
    mixins: dict[str, Any] = field(default_factory=dict)
    shop_fields: list[str] | None = None
    unproven_fields: list[str] | None = None


class TestPointersOf:
    def test_name_each_value_that_is_not_empty(self) -> None:
        values = {"first_name": "Ada", "last_name": None, "mixins": {"a/b": {"c~d": [1], "e": {}}}, "active": True}
        assert pointers_of(values) == {"/first_name": "Ada", "/mixins/a~1b/c~0d": [1], "/mixins/a~1b/e": {}}

    def test_are_none_for_no_mixins(self) -> None:
        assert pointers_of({"mixins": {}}) == {}


class TestOriginsAfter:
    def test_take_what_the_customer_changes_from_both_lists(self) -> None:
        profile = Profile("Ada", "King", shop_fields=["/last_name"], unproven_fields=["/first_name"])
        changed = origins_after(profile, {"first_name": "Augusta", "last_name": "Byron"}, by_shop=False)
        assert changed == {"shop_fields": [], "unproven_fields": []}

    def test_leave_what_the_customer_says_as_it_was(self) -> None:
        profile = Profile("Ada", unproven_fields=["/first_name"])
        assert origins_after(profile, {"first_name": "Ada"}, by_shop=False) == {}

    def test_make_what_the_shop_says_the_shops_even_as_it_was(self) -> None:
        profile = Profile("Ada", unproven_fields=["/first_name"])
        changed = origins_after(profile, {"first_name": "Ada"}, by_shop=True)
        assert changed == {"shop_fields": ["/first_name"], "unproven_fields": []}

    def test_make_of_merged_mixins_only_what_the_shop_changed_the_shops(self) -> None:
        profile = Profile(mixins={"a": {"x": 1}})
        changed = origins_after(profile, {"mixins": {"a": {"x": 1, "y": 2}}}, by_shop=True)
        assert changed == {"shop_fields": ["/mixins/a/y"]}

    def test_forget_what_the_shop_clears(self) -> None:
        profile = Profile("Ada", shop_fields=["/first_name"])
        assert origins_after(profile, {"first_name": None}, by_shop=True) == {"shop_fields": []}


class TestWithout:
    def test_leaves_nothing_in_the_place_of_what_goes(self) -> None:
        values = {"first_name": "Ada", "last_name": "King", "mixins": {"a": {"b": {"c": 1}}, "d": {"e": 2, "f": {}}}}
        assert without(values, ["/first_name", "/mixins/a/b/c", "/mixins/d/f"]) == {
            "first_name": None,
            "last_name": "King",
            "mixins": {"d": {"e": 2}},
        }

    def test_leaves_what_was_empty_before(self) -> None:
        assert without({"mixins": {}}, ["/first_name"]) == {"mixins": {}}
