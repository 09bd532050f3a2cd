"""The words by which staff find a customer, folded so that nobody has to know how a name is written.

All of it happens here and none of it in the database, whose collations differ: what is stored is compared byte by byte.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

import idna

from app.domain.phones import phone_words

# The version of the folding. Who changes it makes a migration too, as `app/README.md` says: then the worker folds all
# customers anew.
FOLDING = 2

WORD_LENGTH = 64
# A search with more words than this is refused; each is looked for.
MOST_WORDS = 16
_ORDER_LENGTH = 120
ORDER_KEY_LENGTH = 2 * _ORDER_LENGTH + 1
# Latin letters that Unicode takes for letters of their own, not for a letter with a mark, and casefold leaves alone.
# The usual libraries (anyascii, unidecode) would turn Greek, Cyrillic and Chinese into Latin too, differently from
# release to release.
_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ɖ": "d",
        "þ": "th",
        "ħ": "h",
        "\u0131": "i",
        "ȷ": "j",
        "ĸ": "k",
        "ŋ": "n",
        "ŧ": "t",
        "ɓ": "b",
        "ƀ": "b",
        "ɗ": "d",
        "ƒ": "f",
        "ɠ": "g",
        "ǥ": "g",
        "ɨ": "i",
        "ƙ": "k",
        "ɲ": "n",
        "ƴ": "y",
        "ƶ": "z",
        "ə": "e",
        "ɛ": "e",
        "ɔ": "o",
        "ʉ": "u",
        "ⱥ": "a",
        "ȼ": "c",
        "ɇ": "e",
        "ɉ": "j",
        "ɍ": "r",
        "ɏ": "y",
        "ⱡ": "l",
        "ƚ": "l",
        # Kashida only stretches an Arabic word.
        "\u0640": None,
    }
)
# Germans and Scandinavians write these so where the keyboard lacks them, and in machine-readable passports.
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# Apostrophes, primes, and the letters that look like them: they are part of a word, and left out.
_APOSTROPHES = re.compile(
    "['`\u00b4\u02b9\u02bb-\u02bf\u02c8\u02ca\u02cb\u0374\u055a\u05f3\u05f4\u2018-\u201b\u2032\u2035\ua78c\uff07]"
)
# Combining classes of marks that make another letter, not an accent: none, the voice marks of Japanese, viramas.
_LETTERS_OWN = frozenset({0, 8, 9})
# They only choose the shape of the character before them.
_VARIATIONS = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Of ASCII nothing else has to be folded or left out, and most of what is folded is ASCII.
_PLAIN_APOSTROPHES = str.maketrans("", "", "'`")
_PLAIN_WORDS = re.compile("[0-9A-Za-z]+")
# Short words in front of a name are written apart, joined or with an apostrophe: O Brien, Mc Donald, Van der Berg.
_PARTICLE_LENGTH = 3
# Chinese, Japanese and Korean letters: family name and given name are often written without a blank.
_WITHOUT_BLANKS = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
    "\U00020000-\U0003ffff]+"
)
_PHONE = re.compile(r"(?:\+|00|\()[\d\s()./-]*|0[\d\s()./-]{8,}")
_FEWEST_PHONE_DIGITS = 6


def fold(text: str) -> str:
    """Return the text in lower case, without accents, apostrophes and invisible characters; separators stay.

    `Łuczak` becomes `luczak`, `Straße` `strasse`, and an i has a dot, whether or not it had one. Letters of full width
    become plain ones. Letters of other alphabets stay what they are, without their accents and vowel points.
    """
    if text.isascii():
        return text.translate(_PLAIN_APOSTROPHES).lower()
    # Compatibility forms first: only then is the dot above of İ a mark of its own.
    plain = _plain(_APOSTROPHES.sub("", _VARIATIONS.sub("", text)))
    return unicodedata.normalize("NFC", _plain(plain.casefold()).translate(_LETTERS))


def _plain(text: str) -> str:
    decomposed = _APOSTROPHES.sub("", unicodedata.normalize("NFKD", text))
    return "".join(
        each
        for each in decomposed
        if unicodedata.combining(each) in _LETTERS_OWN and unicodedata.category(each) != "Cf"
    )


def words_of_search(text: str) -> tuple[str, ...]:
    """Return the words that have to begin some word of a customer.

    What a hyphen, a dot or an @-sign separates are words of their own. A whole phone number is one word, however it is
    grouped. A word that is the beginning of another one is left out: it is found with that.
    """
    phone = _phone_of_search(text)
    return tuple(without_beginnings([phone] if phone is not None else _split(fold(text))))


def _phone_of_search(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\D", "", plain.replace("(0)", ""))
    if not _PHONE.fullmatch(plain) or len(digits) < _FEWEST_PHONE_DIGITS:
        return None
    return digits.removeprefix("00")


def words_of_texts(texts: Iterable[str | None]) -> Iterator[str]:
    """Yield the words of texts such as company and street.

    Of `Jean-Luc` that is `jean`, `luc` and `jeanluc`; of `O'Brien` `obrien` and `brien`; of `Müller` also `mueller`.
    """
    for text in texts:
        if text:
            spelled = unicodedata.normalize("NFC", text).casefold()
            for spelling in {spelled} if spelled.isascii() else {spelled, spelled.translate(_WRITTEN_OUT)}:
                for token in spelling.split():
                    yield from _words_of_token(token)


def words_of_names(names: Iterable[str | None]) -> Iterator[str]:
    """Yield the words of names: those of any text, and `obrien` of `O Brien`, `vanderberg` of `van der Berg`."""
    for name in names:
        if name:
            yield from words_of_texts([name])
            joined = ""
            for part in _split(fold(name)):
                joined += part
                if len(part) > _PARTICLE_LENGTH:
                    yield joined
                    joined = ""


def words_of_whole_name(last_name: str | None, first_name: str | None) -> Iterator[str]:
    """Yield `王小明` and `小明王` of 王 and 小明: a whole name as one word, where it is written so."""
    if not last_name or not first_name or last_name.isascii() or first_name.isascii():
        return
    last, first = ("".join(_split(fold(name))) for name in (last_name, first_name))
    if _WITHOUT_BLANKS.fullmatch(last + first) and last and first:
        yield last + first
        yield first + last


def words_of_emails(emails: Iterable[str | None]) -> Iterator[str]:
    """Yield the words of addresses, those of an international domain in both spellings."""
    for email in emails:
        if email:
            local_part, _, domain = email.rpartition("@")
            yield from words_of_texts([local_part])
            for spelling in {domain} if _is_plain(domain) else {_ascii(domain), _unicode(domain)}:
                yield from words_of_texts(spelling.split("."))


def words_of_phones(phones: Iterable[str | None]) -> Iterator[str]:
    """Yield the words of phone numbers: with the country's code, as they are dialled there, and the groups of that."""
    for phone in phones:
        if phone:
            yield from phone_words(phone)


def words_of_codes(codes: Iterable[str | None]) -> Iterator[str]:
    """Yield the words of postal codes: those of any text, and `sw1a1aa` of `SW1A 1AA`."""
    for code in codes:
        if code:
            yield from words_of_texts([code])
            yield "".join(_split(fold(code)))


def _words_of_token(token: str) -> Iterator[str]:
    parts = _split(fold(token))
    yield from parts
    if len(parts) > 1:
        yield "".join(parts)
    if _APOSTROPHES.search(token):
        yield from _split(fold(_APOSTROPHES.sub("-", token)))


def _split(folded: str) -> list[str]:
    """Return the runs of letters, digits and the marks that belong to them."""
    if folded.isascii():
        return _PLAIN_WORDS.findall(folded)
    return "".join(each if unicodedata.category(each)[0] in "LNM" else " " for each in folded).split()


def without_beginnings(words: Iterable[str]) -> list[str]:
    """Return the words in order, each once, at most 64 characters of it, without the beginnings of others."""
    ordered = sorted({word[:WORD_LENGTH] for word in words if word})
    return [
        word
        for place, word in enumerate(ordered)
        if place + 1 == len(ordered) or not ordered[place + 1].startswith(word)
    ]


def order_key(last_name: str | None, first_name: str | None) -> str:
    """Return the text by which found customers are ordered: the folded last name, and after it the first name."""
    # A tab sorts before all that a word or the space between two words is made of: Berg comes before Berg-Hansen.
    names = (" ".join(_split(fold(name or "")))[:_ORDER_LENGTH] for name in (last_name, first_name))
    return "\t".join(names).rstrip("\t")


def _is_plain(domain: str) -> bool:
    """Tell whether a domain has one spelling only, but for upper and lower case."""
    return domain.isascii() and "xn--" not in domain.lower()


def _ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def _unicode(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
