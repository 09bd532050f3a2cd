"""Fills in the variables of GraphiQL by the rules of journey.json, as app/http/graphiql/src/fill.js does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any


class Known:
    """What the rules have been told so far, by their names; of several rules the one told last counts."""

    def __init__(self, journey: Mapping[str, Any]) -> None:
        self._pages: Mapping[str, str] = journey["pages"]
        rules = [rule for step in journey["steps"] for rule in step.get("fill", {}).values()]
        self._sources = {source.removeprefix("totp.") for rule in rules for source in sources_of(rule)}
        self._values: dict[str, Any] = {}

    def tell(self, values: Mapping[str, Any]) -> None:
        """Take from an answer what a rule names."""
        for source in self._sources:
            value = find(values, source)
            if value is not None:
                self._values.pop(source, None)
                self._values[source] = value

    def tell_mails(self, links: Sequence[Mapping[str, Any]]) -> None:
        """Take what was mailed: the newest link to each page."""
        for name, path in self._pages.items():
            link = next((link for link in links if link["page"].endswith(path)), None)
            if link is not None:
                self.tell({"mail": {name: link}})

    def fill(self, step: Mapping[str, Any], totp: Any) -> dict[str, Any]:
        """Return the variables of an operation; `totp` makes the six digits of a secret."""
        variables: dict[str, Any] = deepcopy(step["variables"])
        for path, rule in step.get("fill", {}).items():
            told = list(self._values)
            found = [source for source in sources_of(rule) if source.removeprefix("totp.") in self._values]
            if found:
                last = max(found, key=lambda source: told.index(source.removeprefix("totp.")))
                value = self._values[last.removeprefix("totp.")]
                put(variables, path, totp(value) if last.startswith("totp.") else value)
        return variables


def sources_of(rule: str | list[str]) -> list[str]:
    """Return the names of a rule, which are one or several."""
    return [rule] if isinstance(rule, str) else rule


def find(values: Any, path: str) -> Any:
    """Return what is at a path, None if there is nothing."""
    for name in path.split("."):
        if isinstance(values, list):
            values = values[int(name)] if int(name) < len(values) else None
        else:
            values = values.get(name) if isinstance(values, dict) else None
    return values


def put(values: Any, path: str, value: Any) -> None:
    """Put a value at a path that is there."""
    *way, last = path.split(".")
    for name in way:
        values = values[name]
    values[int(last) if isinstance(values, list) else last] = value
