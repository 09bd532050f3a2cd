"""The texts of the mails: one file per message and language, shown in a plain layout and an HTML layout."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.units import format_unit
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    DictLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    pass_context,
)
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from app.domain.ports import MailText

# The folder of our own texts.
TEMPLATES = Path(__file__).parents[2] / "templates"
_FALLBACK = "en"
_LINE_WIDTH = 72
# A lifetime is shown in the largest unit that divides it exactly; "24 hours" is clearer than "1 day".
_UNITS = ((86_400, 2, "duration-day"), (3_600, 1, "duration-hour"), (60, 1, "duration-minute"))


class JinjaMailTexts:
    """Reads `<message>.<language>.jinja`: blocks `subject`, `body` (paragraphs), and `action` (what the link does).

    The layouts' own words are in `layout.<language>.jinja`. In the texts, `lifetime | duration` shows a timedelta and
    `when | moment` a time. A shop may have files of its own in the place of some, and in further languages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Kept for those shops whose mails were written last.
        self._environments = lru_cache(64)(self._make_environments)

    def render(self, template: str, language: str, values: Mapping[str, Any], own: str | None = None) -> MailText:
        """Return the mail in this language (BCP 47), or in English if there is no text in this language.

        `own` has the files of the shop, an object in JSON.
        """
        texts, html = self._environments(own)
        spoken, message = _find(texts, template, language)
        given = {**values, "language": spoken}
        words = _render_blocks(message, ("subject", "body", "action"), given)
        _, layout_words = _find(texts, "layout", spoken)
        frame = _render_blocks(layout_words, ("fallback", "reason"), given)
        layout = {
            **given,
            "subject": _one_line(words["subject"]),
            "paragraphs": [_one_line(part) for part in words["body"].split("\n\n") if part.strip()],
            "action": _one_line(words["action"]),
            "fallback": _one_line(frame["fallback"]),
            "reason": _one_line(frame["reason"]),
        }
        return MailText(
            subject=layout["subject"],
            text=texts.get_template("layout.txt.jinja").render(layout),
            html=html.get_template("layout.html.jinja").render(layout),
        )

    def _make_environments(self, own: str | None) -> tuple[Environment, Environment]:
        """Return what renders plain text, and what renders the HTML layout."""
        loader: BaseLoader = FileSystemLoader(self._folder)
        kind: type[Environment] = Environment
        if own is not None:
            loader = ChoiceLoader([DictLoader(json.loads(own)), loader])
            kind = SandboxedEnvironment
        texts = kind(loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True)
        texts.filters.update(FILTERS)
        html = kind(loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True)
        return texts, html


def _find(texts: Environment, template: str, language: str) -> tuple[str, Template]:
    """Return the text in the language with its region, in the language, or in English."""
    for candidate in (language, language.partition("-")[0].lower(), _FALLBACK):
        try:
            return candidate, texts.get_template(f"{template}.{candidate}.jinja")
        except TemplateNotFound:
            continue
    raise LookupError(f"There is no mail text '{template}'.")


def _render_blocks(message: Template, names: Iterable[str], values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _render_block(message, name, values) for name in names}


def _render_block(message: Template, name: str, values: Mapping[str, Any]) -> str:
    if name not in message.blocks:
        return ""
    return "".join(message.blocks[name](message.new_context(dict(values))))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _wrap(paragraph: str) -> str:
    # A link or an address must not be broken over lines, or nobody can click it.
    return textwrap.fill(paragraph, _LINE_WIDTH, break_long_words=False, break_on_hyphens=False)


def _locale(context: Context) -> Locale:
    return Locale.parse(context["language"], sep="-")


@pass_context
def _duration(context: Context, length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, fewest, unit in _UNITS:
        if seconds % size == 0 and seconds >= fewest * size:
            return format_unit(seconds // size, unit, locale=_locale(context))
    return format_unit(seconds, "duration-second", locale=_locale(context))


@pass_context
def _moment(context: Context, moment: datetime) -> str:
    return f"{format_date(moment, 'long', locale=_locale(context))}, {moment:%H:%M} UTC"


FILTERS: Mapping[str, Callable[..., str]] = {"duration": _duration, "moment": _moment, "wrapped": _wrap}
