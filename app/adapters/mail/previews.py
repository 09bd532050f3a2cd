"""The texts of mails with example values, for the development mailbox."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.mail.own_texts import languages, names, preview
from app.adapters.mail.texts import JinjaMailTexts
from app.domain.ports import MailText
from app.domain.tenants import Tenant


class MailPreviews:
    """Each mail in each language that a shop has it in, its own texts in the place of ours."""

    def __init__(self, mail_texts: JinjaMailTexts) -> None:
        self._mail_texts = mail_texts

    def list(self, tenant: Tenant) -> Sequence[tuple[str, str]]:
        """Return the name and language of each."""
        return [(name, language) for name in names() for language in languages(name, tenant.own_texts)]

    def find(self, tenant: Tenant, name: str, language: str) -> MailText | None:
        """Return one of them, or None."""
        if (name, language) not in self.list(tenant):
            return None
        return preview(self._mail_texts, name, language, tenant.own_texts)
