"""The mails' texts: every one in every language, whole, in plain text and in HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from app.adapters.mail.texts import JinjaMailTexts
from app.domain.ports import MailText

FOLDER = Path(__file__).parents[3] / "app" / "templates"
LANGUAGES = ("de", "en")
NAMES = sorted({path.name.split(".")[0] for path in FOLDER.glob("*.jinja")} - {"layout"})
LINK = "https://shop.example/reset-password?token=cg_ot_" + "A" * 43
VALUES: dict[str, Any] = {
    "shop": "Demo shop",
    "site_url": "https://shop.example",
    "link": LINK,
    "code": "482915",
    "device": "Firefox on Windows",
    "provider": "Google",
    "customer_number": "48210937",
    "customer_email": "ada@example.com",
    "lifetime": timedelta(minutes=30),
    "when": datetime(2026, 10, 6, 14, 3, tzinfo=UTC),
}


def render(name: str, language: str = "en", **changes: Any) -> MailText:
    return JinjaMailTexts(FOLDER).render(name, language, {**VALUES, **changes})


class TestTemplates:
    def test_there_are_all_that_the_services_send(self) -> None:
        assert set(NAMES) == {
            "account_active",
            "account_merged_away",
            "account_merged_before",
            "accounts_merged",
            "address_kept",
            "already_confirmed",
            "already_registered",
            "anonymization_canceled",
            "anonymization_done",
            "anonymization_pending",
            "anonymization_requested",
            "confirm_email_change",
            "confirm_signup",
            "confirm_signup_again",
            "email_change_notice",
            "email_changed",
            "invitation",
            "invitation_to_sign_in",
            "link_confirmation",
            "login_code",
            "login_after_failures",
            "login_attacked",
            "new_device",
            "no_account_yet",
            "passkey_added",
            "passkey_removed",
            "password_added",
            "password_changed",
            "phone_added",
            "recovery_codes_renewed",
            "registration_for_staff",
            "registration_received",
            "reset_password",
            "session_reused",
            "social_linked",
            "social_unlinked",
            "totp_disabled",
            "totp_enabled",
        }

    @pytest.mark.parametrize("name", [*NAMES, "layout"])
    def test_none_lacks_a_language(self, name: str) -> None:
        assert {path.name.split(".")[1] for path in FOLDER.glob(f"{name}.*.jinja")} - {"txt", "html"} == set(LANGUAGES)

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("name", NAMES)
    def test_each_says_the_same_in_both_parts(self, name: str, language: str) -> None:
        mail = render(name, language)
        words = " ".join(mail.text.split())
        paragraphs = re.findall(r'<p class="text"[^>]*>(.*?)</p>', mail.html)
        assert mail.subject
        assert mail.subject in mail.text
        assert len(paragraphs) >= 2
        assert [paragraph for paragraph in paragraphs if paragraph not in words] == []
        assert LINK in mail.text
        assert f'href="{LINK}"' in mail.html
        assert "482915" in mail.text
        assert "482915" in mail.html

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("name", NAMES)
    def test_each_is_complete(self, name: str, language: str) -> None:
        mail = render(name, language)
        for part in (mail.subject, mail.text, mail.html):
            assert not re.search(r"\{\{|\{%|None|undefined", part)
        assert f'lang="{language}"' in mail.html

    @pytest.mark.parametrize("name", NAMES)
    def test_each_names_the_shop_and_its_site(self, name: str) -> None:
        mail = render(name)
        assert "Demo shop" in mail.text
        assert mail.text.rstrip().endswith("https://shop.example")

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("name", NAMES)
    def test_each_loads_nothing_from_elsewhere(self, name: str, language: str) -> None:
        html = render(name, language).html
        assert not re.search(r"<(img|script|link|iframe|object)|src=|url\(|@import", html)
        assert set(re.findall(r'href="([^"]*)"', html)) == {LINK, "https://shop.example"}

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("name", NAMES)
    def test_each_has_short_lines_of_plain_text_and_an_unbroken_link(self, name: str, language: str) -> None:
        lines = render(name, language).text.splitlines()
        assert LINK in lines
        assert max(len(line) for line in lines if line != LINK) <= 72

    def test_one_without_link_and_code_has_no_place_for_them(self) -> None:
        mail = render("password_changed", link=None, code=None)
        assert 'class="button" href' not in mail.html
        assert 'class="code" style' not in mail.html
        assert "browser" not in mail.html


class TestRender:
    def test_takes_the_language_of_a_region(self) -> None:
        assert render("reset_password", "de-AT").subject == "Neues Passwort festlegen"

    def test_falls_back_to_english(self) -> None:
        mail = render("reset_password", "fr")
        assert mail.subject == "Set a new password"
        assert 'lang="en"' in mail.html

    def test_refuses_a_message_that_does_not_exist(self) -> None:
        with pytest.raises(LookupError, match="advertisement"):
            render("advertisement")

    def test_refuses_to_leave_a_gap(self) -> None:
        values = {name: value for name, value in VALUES.items() if name != "provider"}
        with pytest.raises(UndefinedError):
            JinjaMailTexts(FOLDER).render("social_linked", "en", values)

    def test_escapes_what_is_no_html(self) -> None:
        mail = render("confirm_signup", shop='Tom & "Jerry" <b>')
        assert "Tom &amp; &#34;Jerry&#34; &lt;b&gt;" in mail.html
        assert "<b>" not in mail.html
        assert 'Tom & "Jerry" <b>' in mail.text

    @pytest.mark.parametrize(
        ("lifetime", "english", "german"),
        [
            (timedelta(seconds=45), "for 45 seconds", "45 Sekunden lang"),
            (timedelta(seconds=90), "for 90 seconds", "90 Sekunden lang"),
            (timedelta(minutes=1), "for 1 minute", "1 Minute lang"),
            (timedelta(minutes=30), "for 30 minutes", "30 Minuten lang"),
            (timedelta(minutes=90), "for 90 minutes", "90 Minuten lang"),
            (timedelta(hours=1), "for 1 hour", "1 Stunde lang"),
            (timedelta(hours=24), "for 24 hours", "24 Stunden lang"),
            (timedelta(hours=72), "for 3 days", "3 Tage lang"),
        ],
    )
    def test_tells_a_lifetime_in_words(self, lifetime: timedelta, english: str, german: str) -> None:
        assert english in render("confirm_signup", "en", lifetime=lifetime).text
        assert german in " ".join(render("confirm_signup", "de", lifetime=lifetime).text.split())

    def test_tells_a_moment_in_words(self) -> None:
        assert "October 6, 2026, 14:03 UTC" in " ".join(render("password_changed", "en").text.split())
        assert "6. Oktober 2026, 14:03 UTC" in " ".join(render("password_changed", "de").text.split())
