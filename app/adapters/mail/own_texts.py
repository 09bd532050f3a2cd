"""A shop's own texts: read from its folder and tried with example values, so that the start finds a broken one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from jinja2 import Environment, TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from app.adapters.mail.texts import FILTERS, TEMPLATES, JinjaMailTexts
from app.domain.ports import MailText

_FILE = re.compile(r"(?P<name>\w+)\.(?P<language>[A-Za-z-]+)\.jinja", re.ASCII)
_LAYOUTS = frozenset({"layout.txt.jinja", "layout.html.jinja"})
_WORDS = "layout"
_BLOCK = re.compile(r"{%-?\s*block\s+(\w+)")
# With a link and a lifetime: what every layout has to do with.
_EXAMPLE = "reset_password"
# What every mail may name, and what the texts of some name beside it.
_ALWAYS: Mapping[str, Any] = {
    "shop": "Demo shop",
    "site_url": "https://shop.example",
    "link": "https://shop.example/page?token=an-example",
    "code": None,
    "when": datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
}
_SOMETIMES: Mapping[str, Any] = {
    "device": "Firefox on Windows",
    "provider": "Google",
    "lifetime": timedelta(minutes=30),
    "customer_number": "48210937",
    "customer_email": "ada@example.com",
}


@cache
def names() -> tuple[str, ...]:
    """Return the names of all mails."""
    return tuple(sorted({path.name.partition(".")[0] for path in TEMPLATES.glob("*.*.jinja")} - {_WORDS}))


@cache
def example_values(name: str) -> Mapping[str, Any]:
    """Return a value for each variable that a text of this mail may have."""
    environment = Environment()  # noqa: S701 - it only reads
    environment.filters.update(FILTERS)
    sources = (path.read_text(encoding="utf-8") for path in TEMPLATES.glob(f"{name}.*.jinja"))
    wanted = {variable for source in sources for variable in find_undeclared_variables(environment.parse(source))}
    sometimes = {variable: _SOMETIMES.get(variable, variable) for variable in wanted - _ALWAYS.keys()}
    has_link = "action" in _blocks(name)
    return {**_ALWAYS, **sometimes, "link": _ALWAYS["link"] if has_link else None}


@cache
def _blocks(name: str) -> frozenset[str]:
    return frozenset(_BLOCK.findall((TEMPLATES / f"{name}.en.jinja").read_text(encoding="utf-8")))


def read_own_texts(folder: Path) -> tuple[str, list[str]]:
    """Return the texts of a folder, an object in JSON by the names of the files, and a sentence for each broken one.

    Files that do not end in `.jinja` are left alone. Raises `OSError` when the folder cannot be read.
    """
    texts: dict[str, str] = {}
    faults: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.suffix != ".jinja":
            continue
        try:
            texts[path.name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            faults.append(f"{path.name} cannot be read as UTF-8")
    own = json.dumps(texts)
    for name in texts:
        faults += [f"{name} {fault}" for fault in _faults(name, texts[name], own)]
    return own, faults


def preview(mail_texts: JinjaMailTexts, name: str, language: str, own: str | None) -> MailText:
    """Return a mail with example values; raises `LookupError` for one that there is not."""
    if name not in names():
        raise LookupError(f"There is no mail text '{name}'.")
    return mail_texts.render(name, language, example_values(name), own)


def languages(name: str, own: str | None) -> Sequence[str]:
    """Return the languages that a mail is there in, ours and the shop's."""
    files = [path.name for path in TEMPLATES.glob(f"{name}.*.jinja")] + (list(json.loads(own)) if own else [])
    found = (_FILE.fullmatch(file) for file in files)
    return sorted({match["language"] for match in found if match is not None and match["name"] == name})


def _faults(file: str, source: str, own: str) -> Iterator[str]:
    if file in _LAYOUTS:
        yield from _render_faults(_EXAMPLE, "en", own)
        return
    match = _FILE.fullmatch(file)
    if match is None or match["name"] not in {*names(), _WORDS}:
        close = get_close_matches(file.partition(".")[0], names(), n=1)
        yield f"is no mail of ours: {f'did you mean {close[0]}.en.jinja?' if close else 'name it as in app/templates'}"
        return
    name, language = match["name"], match["language"]
    try:
        Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        yield f"is in no language that we know: '{language}'"
        return
    for block in sorted(_blocks(name) - frozenset(_BLOCK.findall(source))):
        yield f"has no block '{block}'"
    if name == _WORDS:
        yield from _render_faults(_EXAMPLE, language, own)
    else:
        yield from _render_faults(name, language, own)


def _render_faults(name: str, language: str, own: str) -> Iterator[str]:
    try:
        mail = JinjaMailTexts(TEMPLATES).render(name, language, example_values(name), own)
    except TemplateSyntaxError as error:
        yield f"is wrong: line {error.lineno}: {error.message}"
    except (TemplateError, LookupError, TypeError, ValueError, AttributeError) as error:
        yield f"is wrong: {' '.join(str(error).split()) or type(error).__name__}"
    else:
        if not mail.subject:
            yield "has an empty subject"
