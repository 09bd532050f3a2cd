"""The mails that were written as files, read as a customer reads them."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email import policy
from pathlib import Path

_TOKEN = re.compile(r"token=([\w%-]+)")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail; `token` is that of its link, if it has one."""

    message_id: str
    recipient: str
    subject: str
    text: str
    html: str

    @property
    def has_token(self) -> bool:
        """Whether there is a link with a one-time token in it."""
        return _TOKEN.search(self.text) is not None

    @property
    def token(self) -> str:
        """The one-time token of the link."""
        found = _TOKEN.search(self.text)
        assert found, f"No link with a token in '{self.subject}':\n{self.text}"
        return found[1]


def read_mails(folder: Path, to: str | None = None) -> list[Mail]:
    """Return the mails of a folder, those to one address if it is given, the oldest first."""
    mails = [_read(path) for path in folder.glob("*.eml")]
    # The message id is a UUIDv7, so it sorts by the time when the mail was caused.
    return sorted((mail for mail in mails if to in (None, mail.recipient)), key=lambda mail: mail.message_id)


def _read(path: Path) -> Mail:
    message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, email.message.EmailMessage)
    bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (body.get_content() if body else "" for body in bodies)
    return Mail(message["Message-ID"], message["To"], message["Subject"], text, html)
