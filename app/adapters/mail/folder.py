"""Reads the folder that `FileMailer` writes to: the mail that was sent in development."""

from __future__ import annotations

import email
import re
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from pathlib import Path

from app.domain.ports import KeptMail

_NAME = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{12}", re.ASCII)


class MailFolder:
    """Each file is one mail, named by its time. A name that `FileMailer` would not give does not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self, most: int) -> Sequence[KeptMail]:
        """Return the latest mails, the newest first."""
        names = sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)
        found = (self.find(name) for name in names[:most])
        return [mail for mail in found if mail is not None]

    def find(self, name: str) -> KeptMail | None:
        """Return one mail, or None."""
        if not _NAME.fullmatch(name):
            return None
        try:
            content = (self._folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            return None
        message = email.message_from_bytes(content, policy=policy.default)
        return KeptMail(
            name=name,
            sent=str(message["Date"]),
            sender=str(message["From"]),
            recipient=str(message["To"]),
            subject=str(message["Subject"]),
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body is not None else ""
