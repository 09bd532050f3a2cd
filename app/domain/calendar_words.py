"""Seasons, months and days of the week: what passwords that must be changed every few months are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from babel.core import Locale, UnknownLocaleError

_SHORTEST = 3
# The CLDR has no seasons; each with the spellings that keyboards without accents make of it.
_SEASONS: dict[str, str] = {
    "bg": "пролет лято есен зима",
    "ca": "primavera estiu tardor hivern",
    "cs": "jaro léto podzim zima",
    "da": "forår sommer efterår vinter",
    "de": "frühling frühjahr sommer herbst winter",
    "el": "άνοιξη καλοκαίρι φθινόπωρο χειμώνας",
    "en": "spring summer autumn fall winter",
    "es": "primavera verano otoño invierno",
    "et": "kevad suvi sügis talv",
    "fi": "kevät kesä syksy talvi",
    "fr": "printemps été automne hiver",
    "hr": "proljeće ljeto jesen zima",
    "hu": "tavasz nyár ősz tél",
    "it": "primavera estate autunno inverno",
    "lt": "pavasaris vasara ruduo žiema",
    "lv": "pavasaris vasara rudens ziema",
    "nb": "vår sommer høst vinter",
    "nl": "lente voorjaar zomer herfst najaar winter",
    "nn": "vår sommar haust vinter",
    "no": "vår sommer høst vinter",
    "pl": "wiosna lato jesień zima",
    "pt": "primavera verão outono inverno",
    "ro": "primăvară vară toamnă iarnă",
    "ru": "весна лето осень зима",
    "sk": "jar leto jeseň zima",
    "sl": "pomlad poletje jesen zima",
    "sr": "пролеће лето јесен зима proleće leto jesen zima",
    "sv": "vår sommar höst vinter",
    "tr": "ilkbahar bahar yaz sonbahar güz kış",  # noqa: RUF001 - this is how it is written
    "uk": "весна літо осінь зима",
}
# How German and Scandinavian letters are written without them.
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})


def calendar_words(languages: Iterable[str]) -> frozenset[str]:
    """Return the words in these languages (BCP 47), in lower case, of three letters and more; English is among them."""
    words = {word.casefold() for language in {"en", *languages} for word in _words(language)}
    spelled = words | {word.translate(UMLAUTS) for word in words}
    return frozenset(word for word in spelled if len(word) >= _SHORTEST and word.isalpha())


def _words(language: str) -> Iterator[str]:
    yield from _SEASONS.get(language.partition("-")[0].lower(), "").split()
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return
    for names in (locale.months, locale.days):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                yield from (name.strip(".") for name in names[context][width].values())
