"""An address as it stands on an envelope: the lines in the order and the capitals of its country, the country last."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from babel.core import Locale

from app.domain.address_rules import AddressRules, address_rules, fill, is_latin, spelling

# The columns that a formatted address is made of, and those of them that are lines below the street.
_BELOW_THE_STREET = ("street_appendix", "extra_line1", "extra_line2", "extra_line3", "extra_line4")
FORMATTED = (
    *("contact_name", "company_name", "street", "street_number"),
    *_BELOW_THE_STREET,
    *("zip_code", "city", "state", "country"),
)


def _codes(*groups: str) -> frozenset[str]:
    return frozenset(code for group in groups for code in group.split())


# Where the house number stands before the street; elsewhere it stands behind it.
_NUMBER_FIRST = _codes(
    "FR BL GF GP MF MQ NC PF PM RE TF WF YT MC LU AD DZ TN BF BJ CD CI TG",
    "GB GG JE IM IE FK GS IO SH AC TA TC GI PN AI MS VG KY BM MT",
    "US PR AS GU MP VI UM FM MH PW CA AU CC CX HM NF NZ CK FJ PG SB WS TO VU",
    "AG BB BS BZ DM GD GY JM KN LC TT VC",
    "EG GH KE LS MW NA NG RW SZ TZ UG ZA ZM ZW AE IL SA BD BN HK IN LK MY PH PK SG TH VN",
)
# Where there is a comma before it.
_COMMA = _codes("BR ES IT SM VA PT MD MZ RU UA BY KZ KG")
_TURKIC = frozenset({"TR", "AZ"})
_TURKIC_CAPITALS = str.maketrans("i\u0131", "\u0130I")
# Capitals of Greek have no accent.
_GREEK_ACCENT = re.compile("(?<=[\u0391-\u03a9])\u0301")
_ENGLISH = "en"


def format_address(address: Mapping[str, str | None], *, latin: bool, home: str | None, language: str) -> str:
    """Return the lines, divided by line breaks; `address` has the columns `FORMATTED`.

    The country's name is in `language`, and is left out at `home`. With `latin`, the order is that of an address in
    Latin letters, and states and cities whose Latin names are known have those.
    """
    country = address["country"] or ""
    rules = address_rules(country)
    values = {
        "contactName": address["contact_name"] or "",
        "companyName": address["company_name"] or "",
        "street": "\n".join(_street_lines(country, address)),
        "zipCode": _without_prefix(rules, address["zip_code"] or ""),
        "city": _city(rules, address["city"] or "", latin=latin),
        "state": _state(rules, address["state"] or "", latin=latin),
    }
    if not rules.has("city"):
        _put_city_to_street(rules, values, latin=latin)
    values = {name: _capitals(text, country) if name in rules.capitals else text for name, text in values.items()}
    lines = [*fill(rules.latin_lines if latin else rules.lines, values)]
    if country != home:
        lines.append(_capitals(_name_of(country, language, latin=latin), language.partition("-")[0].upper()))
    return "\n".join(lines)


def _without_prefix(rules: AddressRules, zip_code: str) -> str:
    """Return the postal code without what the format writes before it, as in `L-1234`."""
    prefix = rules.zip_code_prefix
    return zip_code[len(prefix) :].strip() if zip_code.upper().startswith(prefix.upper()) else zip_code


def _city(rules: AddressRules, text: str, *, latin: bool) -> str:
    return rules.latin_cities.get(spelling(text), text) if latin and not is_latin(text) else text


def _state(rules: AddressRules, text: str, *, latin: bool) -> str:
    """Return the state as it is typed, but in the place of a code that the post does not know, its name."""
    state = rules.find_state(text)
    if state is None:
        return text
    if latin and not is_latin(text):
        return state.latin_name
    if spelling(text) == spelling(state.code) != spelling(state.on_envelopes):
        return state.latin_name if latin else state.on_envelopes
    return text


def _street_lines(country: str, address: Mapping[str, str | None]) -> Iterator[str]:
    yield _with_number(country, address["street"] or "", address["street_number"] or "")
    yield from filter(None, (address[name] for name in _BELOW_THE_STREET))


def _with_number(country: str, street: str, number: str) -> str:
    if not number:
        return street
    is_first = country in _NUMBER_FIRST and is_latin(street)
    if re.search(rf"^{re.escape(number)}\b" if is_first else rf"(?<!\w){re.escape(number)}$", street):
        # It was typed twice.
        return street
    if is_first:
        return f"{number} {street}"
    if any(unicodedata.name(each, "").startswith("CJK") for each in street[-1:]):
        return f"{street}{number}"
    return f"{street}, {number}" if country in _COMMA else f"{street} {number}"


def _put_city_to_street(rules: AddressRules, values: dict[str, str], *, latin: bool) -> None:
    """Write a city where the country's format has none, unless the format or the state says it already."""
    city = values["city"]
    said = {spelling(each) for line in rules.lines for each in line if not each.startswith("%")}
    said |= {spelling(values["state"]), spelling(_name_of(rules.country, _ENGLISH, latin=True))}
    state = rules.find_state(values["state"])
    if not city or spelling(city) in said or (state is not None and rules.find_state(city) == state):
        return
    is_from_large_to_small = not latin and "%N" in rules.lines[-1]
    values["street"] = "\n".join([city, values["street"]] if is_from_large_to_small else [values["street"], city])


def _name_of(country: str, language: str, *, latin: bool) -> str:
    name = str(Locale.parse(language, sep="-").territories.get(country, country))
    return name if not latin or is_latin(name) else _name_of(country, _ENGLISH, latin=False)


def _capitals(text: str, country: str) -> str:
    """Return the text in capitals as they are written in the country, or in the language of this code."""
    if country in _TURKIC:
        text = text.translate(_TURKIC_CAPITALS)
    # The capitals of Georgian are for headlines, and few fonts have them.
    upper = "".join(each if "\u10d0" <= each <= "\u10ff" else each.upper() for each in text)
    return unicodedata.normalize("NFC", _GREEK_ACCENT.sub("", unicodedata.normalize("NFD", upper)))
