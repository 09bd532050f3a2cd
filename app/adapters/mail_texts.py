"""The mails' texts: one file per message and language, poured into one plain and one HTML layout."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound

from app.domain.ports import MailText

_FALLBACK = "en"


class JinjaMailTexts:
    """Reads `<message>.<language>.jinja` with the blocks `subject`, `body` (paragraphs), `action` (the link's name)."""

    def __init__(self, folder: Path) -> None:
        loader = FileSystemLoader(folder)
        self._texts = Environment(loader=loader, undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701 - plain text; the HTML layout escapes what it gets
        self._html = Environment(loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True)

    def render(self, template: str, language: str, values: Mapping[str, Any]) -> MailText:
        """Return the mail in this language (BCP 47), or in English where we have no text in it."""
        message = self._find(template, language)
        blocks = {name: _render_block(message, name, values) for name in ("subject", "body", "action")}
        layout = {
            **values,
            "subject": " ".join(blocks["subject"].split()),
            "paragraphs": [" ".join(part.split()) for part in blocks["body"].split("\n\n") if part.strip()],
            "action": blocks["action"].strip(),
            "language": message.name.split(".")[1] if message.name else _FALLBACK,
        }
        return MailText(
            subject=layout["subject"],
            text=self._texts.get_template("layout.txt.jinja").render(layout),
            html=self._html.get_template("layout.html.jinja").render(layout),
        )

    def _find(self, template: str, language: str) -> Template:
        for candidate in (language.partition("-")[0].lower(), _FALLBACK):
            try:
                return self._texts.get_template(f"{template}.{candidate}.jinja")
            except TemplateNotFound:
                continue
        raise TemplateNotFound(template)


def _render_block(message: Template, name: str, values: Mapping[str, Any]) -> str:
    if name not in message.blocks:
        return ""
    return "".join(message.blocks[name](message.new_context(dict(values))))
