"""Languages, currencies and countries by their international codes, read from the CLDR data of Babel."""

from __future__ import annotations

from typing import Any

from babel.core import Locale, get_global, parse_locale

from app.domain.device_locales import plain_locale
from app.domain.errors import Refused, UserErrorCode

# CLDR has a few territories that ISO 3166-1 does not assign: exceptionally reserved and private codes. Of these the
# post delivers to Ascension (AC) and Tristan da Cunha (TA), for which they are reserved, and to Kosovo (XK).
_NO_COUNTRIES = frozenset({"CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "UN", "XA", "XB", "ZZ"})
_NO_LANGUAGE = frozenset({"mul", "und", "zxx"})
_NO_SCRIPT = frozenset({"Zinh", "Zmth", "Zsye", "Zsym", "Zxxx", "Zyyy", "Zzzz"})

_ENGLISH = Locale("en")
_TERRITORIES = frozenset(map(str, _ENGLISH.territories))
_LANGUAGES = frozenset(_ENGLISH.languages) - _NO_LANGUAGE
_SCRIPTS = frozenset(_ENGLISH.scripts) - _NO_SCRIPT
_COUNTRIES = frozenset(code for code in _TERRITORIES if len(code) == 2) - _NO_COUNTRIES
_REGIONS = _COUNTRIES | frozenset(code for code in _TERRITORIES if code.isdigit())
_CURRENCIES = frozenset(
    currency
    for history in get_global("territory_currencies").values()
    for currency, _since, until, is_legal_tender in history
    if until is None and is_legal_tender
)
_LANGUAGE_ALIASES: Any = get_global("language_aliases")
_TERRITORY_ALIASES: Any = get_global("territory_aliases")


def parse_language(text: str) -> str:
    """Return the canonical tag (BCP 47) of a language, with script and region where they are given.

    Reads `en_US` like `en-US`, any case, three-letter codes (`eng`) and superseded ones (`iw`, `UK`). Regions are
    countries or UN M.49 areas (`es-419`). What else the locale of a device says is dropped: extensions
    (`en-US-u-fw-mon`), keywords (`de_DE@calendar=gregorian`), an encoding (`en_US.UTF-8`), variants. Raises `Refused`
    with INVALID_LANGUAGE for what is unknown, and for what has not the form of a locale.
    """
    try:
        language, script, region = _read_tag(text.strip())
    except ValueError as error:
        raise Refused(UserErrorCode.INVALID_LANGUAGE, "Please choose a language, such as en or en-US.") from error
    return "-".join(part for part in (language, script, region) if part is not None)


def parse_currency(text: str) -> str:
    """Return the ISO 4217 code, in upper case, of a currency in circulation; else raises INVALID_CURRENCY."""
    code = _ascii_upper(text)
    if code not in _CURRENCIES:
        raise Refused(UserErrorCode.INVALID_CURRENCY, "Please choose a currency by its three letters, such as EUR.")
    return code


def parse_country(text: str) -> str:
    """Return the ISO 3166-1 alpha-2 code, in upper case; else raises INVALID_COUNTRY. AC, TA and XK are taken too."""
    code = _ascii_upper(text)
    if code not in _COUNTRIES:
        raise Refused(UserErrorCode.INVALID_COUNTRY, "Please choose a country by its two letters, such as DE.")
    return code


def _read_tag(tag: str) -> tuple[str, str | None, str | None]:
    plain = "_".join(part for part in plain_locale(tag) if part is not None)
    language, region, script = parse_locale(plain)[:3]
    # An alias may stand for more than a language: `sh` is Serbian in Latin script.
    language, alias_region, alias_script, _ = parse_locale(_LANGUAGE_ALIASES.get(language, language))[:4]
    script = script or alias_script
    region = _current_region(region or alias_region)
    known = language in _LANGUAGES and (script is None or script in _SCRIPTS) and (region is None or region in _REGIONS)
    if not known:
        raise ValueError(tag)
    return language, script, region


def _current_region(region: str | None) -> str | None:
    successors = _TERRITORY_ALIASES.get(region, ())
    return successors[0] if len(successors) == 1 else region


def _ascii_upper(text: str) -> str:
    trimmed = text.strip()
    return trimmed.upper() if trimmed.isascii() else trimmed
