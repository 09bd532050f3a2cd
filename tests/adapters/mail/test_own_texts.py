"""A shop's own texts: taken in the place of ours, in further languages, and refused at the start when one is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.adapters.mail.own_texts import example_values, names, read_own_texts
from app.adapters.mail.texts import TEMPLATES, JinjaMailTexts
from app.commands.command_line import main
from app.domain.ports import MailText
from tests.harness.gateway import Gateway
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

CONFIRM = """{% block subject %}Bienvenue chez {{ shop }}{% endblock %}
{% block body %}
Confirmez votre adresse.

Le lien fonctionne une fois, pendant {{ lifetime | duration }}.
{% endblock %}
{% block action %}Confirmer{% endblock %}
"""
WORDS = """{% block fallback %}Copiez cette adresse :{% endblock %}
{% block reason %}Un message de {{ shop }}.{% endblock %}
"""


def folder_with(folder: Path, **files: str) -> Path:
    """Write files, whose names have `_dot_` for a dot."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_dot_", ".")).write_text(text)
    return folder


def render(own: str, language: str, name: str = "confirm_signup") -> MailText:
    return JinjaMailTexts(TEMPLATES).render(name, language, example_values(name), own)


class TestReadOwnTexts:
    def test_takes_a_further_language_and_leaves_the_rest_as_it_is(self, tmp_path: Path) -> None:
        own, faults = read_own_texts(folder_with(tmp_path, confirm_signup_dot_fr_dot_jinja=CONFIRM))
        assert faults == []
        mail = render(own, "fr-CA")
        assert mail.subject == "Bienvenue chez Demo shop"
        assert "pendant 30 minutes" in mail.text
        assert 'lang="fr"' in mail.html
        assert render(own, "de").subject == "Bitte bestätigen Sie Ihre E-Mail-Adresse"
        assert render(own, "fr", "password_changed").subject == "Your password was changed"

    def test_takes_the_words_of_the_layout_too(self, tmp_path: Path) -> None:
        folder = folder_with(tmp_path, confirm_signup_dot_fr_dot_jinja=CONFIRM, layout_dot_fr_dot_jinja=WORDS)
        own, faults = read_own_texts(folder)
        assert faults == []
        assert "Un message de Demo shop." in render(own, "fr").text

    def test_prefers_the_region(self, tmp_path: Path) -> None:
        text = CONFIRM.replace("Bienvenue", "Bem-vindo")
        own, faults = read_own_texts(folder_with(tmp_path, **{"confirm_signup_dot_pt-BR_dot_jinja": text}))
        assert faults == []
        assert render(own, "pt-BR").subject == "Bem-vindo chez Demo shop"
        assert 'lang="pt-BR"' in render(own, "pt-BR").html

    def test_takes_a_layout_of_the_shop(self, tmp_path: Path) -> None:
        html = "<html><head></head><body>{{ paragraphs | join(' ') }} {{ link }}</body></html>"
        own, faults = read_own_texts(folder_with(tmp_path, layout_dot_html_dot_jinja=html))
        assert faults == []
        assert render(own, "en").html.startswith("<html><head></head><body>Welcome")

    @pytest.mark.parametrize(
        ("name", "text", "fault"),
        [
            ("confirm_signup_dot_en_dot_jinja", "{% block subject %}", "is wrong: line 1: "),
            ("confirm_signup_dot_en_dot_jinja", CONFIRM.replace("shop", "shopp"), "is wrong: 'shopp' is undefined"),
            ("confirm_signup_dot_en_dot_jinja", CONFIRM.replace("shop", "provider"), "'provider' is undefined"),
            ("confirm_signup_dot_en_dot_jinja", CONFIRM.replace("action", "button"), "has no block 'action'"),
            ("confirm_signup_dot_en_dot_jinja", CONFIRM.replace("duration", "length_"), "No filter named 'length_'"),
            ("confirm_signup_dot_xx_dot_jinja", CONFIRM, "is in no language that we know: 'xx'"),
            ("confirm_sign_up_dot_en_dot_jinja", CONFIRM, "is no mail of ours: did you mean confirm_signup.en.jinja?"),
            ("advertisement_dot_en_dot_jinja", CONFIRM, "is no mail of ours"),
            ("layout_dot_html_dot_jinja", "{{ nothing }}", "is wrong: 'nothing' is undefined"),
            (
                "confirm_signup_dot_en_dot_jinja",
                CONFIRM.replace("{{ shop }}", "{{ shop.__class__.__mro__ }}"),
                "is wrong: access to attribute '__class__'",
            ),
        ],
    )
    def test_says_what_is_broken(self, tmp_path: Path, name: str, text: str, fault: str) -> None:
        _, faults = read_own_texts(folder_with(tmp_path, **{name: text}))
        assert any(each.startswith(name.replace("_dot_", ".")) and fault in each for each in faults), faults

    @pytest.mark.parametrize("name", names())
    def test_takes_a_copy_of_each_of_ours(self, tmp_path: Path, name: str) -> None:
        for path in TEMPLATES.glob(f"{name}.*.jinja"):
            (tmp_path / path.name).write_text(path.read_text())
        assert read_own_texts(tmp_path)[1] == []


class TestTemplatesDir:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path) -> dict[str, str]:
        folder_with(tmp_path / "mails", confirm_signup_dot_en_dot_jinja=CONFIRM)
        own = shop("demo", signup="confirm_email", templates_dir="mails")
        (tmp_path / "tenants.toml").write_text(own + storefront("demo", "demo-storefront"))
        return {"TENANTS_FILE": str(tmp_path / "tenants.toml")}

    async def test_decides_what_is_mailed(self, gateway: Gateway) -> None:
        await gateway.signed_up(email="ada@example.com")
        await gateway.deliver()
        (mail,) = gateway.mails("ada@example.com")
        assert mail.subject == "Bienvenue chez The shop"
        assert "https://demo.example/confirm-signup?token=" in mail.text

    async def test_is_shown_in_the_mailbox(self, gateway: Gateway) -> None:
        page = await gateway.http.get("/dev/mail/texts")
        assert "/dev/mail/texts/demo/confirm_signup/en" in page.text
        assert "/dev/mail/texts/demo/confirm_signup/de" in page.text
        text = await gateway.http.get("/dev/mail/texts/demo/confirm_signup/en")
        assert "Bienvenue chez Demo shop" in text.text
        html = await gateway.http.get("/dev/mail/texts/demo/confirm_signup/en/html")
        assert "Confirmez votre adresse." in html.text
        for missing in ("demo/confirm_signup/fr", "demo/nothing/en", "nowhere/confirm_signup/en"):
            assert (await gateway.http.get(f"/dev/mail/texts/{missing}")).status_code == 404

    def test_that_has_a_broken_text_stops_the_start_and_names_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder_with(tmp_path / "mails", reset_password_dot_en_dot_jinja="{% block")
        own = shop("demo", templates_dir="mails") + storefront("demo", "demo-storefront")
        (tmp_path / "tenants.toml").write_text(own)
        monkeypatch.setenv("TENANTS_FILE", str(tmp_path / "tenants.toml"))
        assert main(["tenants", "check"]) == 2
        lines = capsys.readouterr().err.splitlines()
        assert lines
        for line in lines:
            assert "tenants.demo.templates_dir names 'mails', whose reset_password.en.jinja" in line

    def test_has_to_be_a_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own = shop("demo", templates_dir="nowhere") + storefront("demo", "demo-storefront")
        (tmp_path / "tenants.toml").write_text(own)
        monkeypatch.setenv("TENANTS_FILE", str(tmp_path / "tenants.toml"))
        assert main(["tenants", "check"]) == 2
        assert "tenants.demo.templates_dir names 'nowhere', which cannot be read" in capsys.readouterr().err
