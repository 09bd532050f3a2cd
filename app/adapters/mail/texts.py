"""The texts of the mails: one file per message and language, shown in a plain layout and an HTML layout."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.units import format_unit
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound, pass_context
from jinja2.runtime import Context

from app.domain.ports import MailText

_FALLBACK = "en"
_LINE_WIDTH = 72
# A lifetime is shown in the largest unit that divides it exactly; "24 hours" is clearer than "1 day".
_UNITS = ((86_400, 2, "duration-day"), (3_600, 1, "duration-hour"), (60, 1, "duration-minute"))


class JinjaMailTexts:
    """Reads `<message>.<language>.jinja`: blocks `subject`, `body` (paragraphs), and `action` (what the link does).

    The layouts' own words are in `layout.<language>.jinja`. In the texts, `lifetime | duration` shows a timedelta and
    `when | moment` a time.
    """

    def __init__(self, folder: Path) -> None:
        loader = FileSystemLoader(folder)
        self._texts = Environment(loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701 - plain text; the HTML layout escapes what it gets
        self._texts.filters.update(duration=_duration, moment=_moment, wrapped=_wrap)
        self._html = Environment(loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True)

    def render(self, template: str, language: str, values: Mapping[str, Any]) -> MailText:
        """Return the mail in this language (BCP 47), or in English if we have no text in this language."""
        spoken, message = self._find(template, language)
        own = {**values, "language": spoken}
        words = _render_blocks(message, ("subject", "body", "action"), own)
        frame = _render_blocks(self._texts.get_template(f"layout.{spoken}.jinja"), ("fallback", "reason"), own)
        layout = {
            **own,
            "subject": _one_line(words["subject"]),
            "paragraphs": [_one_line(part) for part in words["body"].split("\n\n") if part.strip()],
            "action": _one_line(words["action"]),
            "fallback": _one_line(frame["fallback"]),
            "reason": _one_line(frame["reason"]),
        }
        return MailText(
            subject=layout["subject"],
            text=self._texts.get_template("layout.txt.jinja").render(layout),
            html=self._html.get_template("layout.html.jinja").render(layout),
        )

    def _find(self, template: str, language: str) -> tuple[str, Template]:
        for candidate in (language.partition("-")[0].lower(), _FALLBACK):
            try:
                return candidate, self._texts.get_template(f"{template}.{candidate}.jinja")
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


@pass_context
def _duration(context: Context, length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, fewest, unit in _UNITS:
        if seconds % size == 0 and seconds >= fewest * size:
            return format_unit(seconds // size, unit, locale=context["language"])
    return format_unit(seconds, "duration-second", locale=context["language"])


@pass_context
def _moment(context: Context, moment: datetime) -> str:
    return f"{format_date(moment, 'long', locale=context['language'])}, {moment:%H:%M} UTC"
