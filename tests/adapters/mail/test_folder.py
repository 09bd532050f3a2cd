"""What `FileMailer` has written is read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.mail.folder import MailFolder
from app.adapters.mail.mailers import FileMailer
from app.domain.ports import MailMessage
from tests.fakes import MovableClock

pytestmark = pytest.mark.anyio


async def write(folder: Path, amount: int) -> None:
    clock = MovableClock()
    mailer = FileMailer(folder, "Demo shop <shop@example.com>", clock)
    for number in range(amount):
        subject = f"Grüße {number}"
        await mailer.send(
            MailMessage(f"<{number}@x.test>", "ada@example.com", subject, f"text {number}\n", f"<p>{number}</p>\n")
        )
        clock.advance(seconds=1)


class TestList:
    async def test_has_the_newest_first_and_no_more_than_asked_for(self, tmp_path: Path) -> None:
        await write(tmp_path, 3)
        mails = MailFolder(tmp_path).list(2)
        assert [mail.subject for mail in mails] == ["Grüße 2", "Grüße 1"]
        assert (mails[0].recipient, mails[0].sender) == ("ada@example.com", "Demo shop <shop@example.com>")
        assert (mails[0].text, mails[0].html) == ("text 2\n", "<p>2</p>\n")

    def test_is_empty_before_anything_was_sent(self, tmp_path: Path) -> None:
        assert list(MailFolder(tmp_path / "nothing").list(10)) == []


class TestFind:
    async def test_returns_one_by_its_name(self, tmp_path: Path) -> None:
        await write(tmp_path, 2)
        folder = MailFolder(tmp_path)
        newest, _ = folder.list(2)
        assert folder.find(newest.name) == newest

    async def test_reads_no_other_file(self, tmp_path: Path) -> None:
        (tmp_path / "mail").mkdir()
        (tmp_path / "secret.eml").write_text("Subject: secret\n\n")
        folder = MailFolder(tmp_path / "mail")
        for name in ("../secret", "secret", "20260101T000000000000Z-0123456789ab", "", "."):
            assert folder.find(name) is None
