"""Providers of social login in the tenants file: presets, secrets that are signed, and what cannot be right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from app.adapters.social.presets import PRESETS
from app.adapters.tenants.file import TenantsFileError, load_tenants
from app.domain.profile import Profile
from app.domain.tenants import SocialProvider
from tests.harness.tenants import shop, storefront, table

SHOP = shop("demo") + storefront("demo", "spa") + table("[[tenants.demo.social]]", client_id="c")
SECRET = 'client_secret_env = "SECRET"\n'
DIRECTORY = "2b1e4b3c-5d6f-4a7b-8c9d-0e1f2a3b4c5d"
ASSERTION = 'token_endpoint_auth_method = "private_key_jwt"\n'
APPLE = """
provider = "apple"
signing = { team_id = "TEAM", key_id = "KEY", private_key_env = "KEY" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tenants.toml"


def load(file: Path, entry: str, environment: Mapping[str, str] | None = None) -> SocialProvider:
    file.write_text(SHOP + entry)
    directory = load_tenants(file, {"SECRET": "s", **(environment or {})}, Profile.PRODUCTION)
    return directory.tenant("demo").social[0]


def faults(file: Path, entry: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the faults, without the path of the file and of the entry."""
    with pytest.raises(TenantsFileError) as caught:
        load(file, entry, environment)
    return [fault.removeprefix(f"{file}: tenants.demo.social[0]").lstrip(". ") for fault in caught.value.faults]


class TestPresets:
    def test_know_google(self, file: Path) -> None:
        google = load(file, 'provider = "google"\n' + SECRET)
        assert (google.name, google.issuer) == ("Google", "https://accounts.google.com")
        assert google.is_openid
        assert google.scopes == ("openid", "email", "profile")

    def test_know_facebook_as_a_provider_without_openid(self, file: Path) -> None:
        facebook = load(file, 'provider = "facebook"\n' + SECRET)
        assert not facebook.is_openid
        assert (facebook.userinfo_endpoint or "").startswith("https://graph.facebook.com/")
        assert (facebook.claim_names.subject, facebook.claim_names.email) == ("id", "email")
        assert "openid" not in facebook.scopes

    def test_know_apple_which_posts_and_wants_a_signed_secret(self, file: Path) -> None:
        key = ECKey.generate_key("P-256").as_pem(private=True).decode()
        apple = load(file, APPLE, {"KEY": key})
        assert (apple.issuer, apple.response_mode) == ("https://appleid.apple.com", "form_post")
        assert apple.client_secret is None
        assert apple.signing is not None
        assert apple.signing.private_key.get_secret_value() == key.strip()

    def test_know_auth0_but_for_its_issuer(self, file: Path) -> None:
        entry = 'provider = "auth0"\n' + SECRET
        assert load(file, entry + 'issuer = "https://shop.eu.auth0.com/"').issuer == "https://shop.eu.auth0.com/"
        assert faults(file, entry) == ["issuer is missing: add it"]

    @pytest.mark.parametrize("name", ["microsoft", "github", "line", "kakao", "tiktok", "discord", "x", "linkedin"])
    def test_know_by_its_name_alone(self, file: Path, name: str) -> None:
        provider = load(file, f'provider = "{name}"\n' + SECRET)
        assert (provider.preset, provider.issuer) == (name, PRESETS[name]["issuer"])

    def test_may_be_named_beside_the_id(self, file: Path) -> None:
        provider = load(file, 'provider = "work"\npreset = "microsoft"\n' + SECRET)
        assert (provider.provider, provider.preset, provider.name) == ("work", "microsoft", "Microsoft")

    def test_keep_their_rules_beside_other_endpoints(self, file: Path) -> None:
        entry = 'provider = "google"\nissuer = "https://g.test"\ntoken_endpoint = "https://g.test/token"\n'
        google = load(file, entry + SECRET)
        assert (google.preset, google.is_openid) == ("google", True)

    def test_keep_the_claims_that_the_file_does_not_name(self, file: Path) -> None:
        kakao = load(file, 'provider = "kakao"\nclaim_names = { name = "nick" }\n' + SECRET)
        assert (kakao.claim_names.name, kakao.claim_names.email) == ("nick", "kakao_account.email")

    def test_give_way_to_what_the_file_says(self, file: Path) -> None:
        google = load(file, 'provider = "google"\nname = "G"\nscopes = ["openid"]\n' + SECRET)
        assert (google.name, google.scopes) == ("G", ("openid",))


class TestAuthentication:
    def test_by_nothing_needs_no_secret(self, file: Path) -> None:
        assert load(file, 'provider = "google"\ntoken_endpoint_auth_method = "none"').client_secret is None

    def test_by_an_assertion_takes_a_key_of_its_algorithm(self, file: Path) -> None:
        key = RSAKey.generate_key(2048).as_pem(private=True).decode()
        entry = 'signing = { key_id = "K", private_key_env = "KEY", algorithm = "PS256" }'
        signing = load(file, f'provider = "google"\n{ASSERTION}{entry}', {"KEY": key}).signing
        assert signing is not None
        assert (signing.algorithm, signing.team_id) == ("PS256", None)


class TestFaults:
    @pytest.mark.parametrize(
        ("entry", "fault"),
        [
            (
                'token_endpoint_auth_method = "none"\n' + SECRET,
                "must have no secret with token_endpoint_auth_method = 'none': leave it out",
            ),
            (ASSERTION + SECRET, "needs signing with token_endpoint_auth_method = 'private_key_jwt'"),
            (
                f'trusted_tenants = ["{DIRECTORY}"]\n' + SECRET,
                "has trusted_tenants, which are for the preset 'microsoft' alone: leave them out",
            ),
            (
                'preset = "microsoft"\ntrusted_tenants = ["contoso"]\n' + SECRET,
                "trusted_tenants[0] must be the directory's id, a UUID in small letters",
            ),
            (
                'allowed_parameters = ["redirect_uri"]\n' + SECRET,
                "allowed_parameters[0] must not be 'redirect_uri', which we send ourselves",
            ),
            (
                'authorization_parameters = { state = "x" }\n' + SECRET,
                "authorization_parameters.state must not be 'state', which we send ourselves",
            ),
            (
                'authorization_parameters = { max_age = "an hour" }\n' + SECRET,
                "authorization_parameters has a max_age that is no number of seconds: write 'max_age = \"3600\"'",
            ),
        ],
        ids=["none-with-secret", "assertion-without-key", "tenants", "tenant", "own-parameter", "own-fixed", "age"],
    )
    def test_names_what_does_not_go_together(self, file: Path, entry: str, fault: str) -> None:
        assert faults(file, 'provider = "google"\n' + entry) == [fault]

    def test_a_preset_that_nobody_knows(self, file: Path) -> None:
        (fault, *_) = faults(file, 'provider = "google"\npreset = "myspace"\n' + SECRET)
        assert fault.startswith("preset must be 'apple', ") or "issuer" in fault

    def test_a_provider_without_any_secret(self, file: Path) -> None:
        assert faults(file, 'provider = "google"') == [
            "needs client_secret_env, or signing if the provider asks for signed secrets"
        ]

    def test_a_provider_with_two_secrets(self, file: Path) -> None:
        key = ECKey.generate_key("P-256").as_pem(private=True).decode()
        assert faults(file, SECRET + APPLE, {"KEY": key}) == [
            "needs client_secret_env, or signing if the provider asks for signed secrets"
        ]

    @pytest.mark.parametrize(
        "key",
        [
            "not a key",
            ECKey.generate_key("P-384").as_pem(private=True).decode(),
            ECKey.generate_key("P-256").as_pem(private=False).decode(),
            RSAKey.generate_key(2048).as_pem(private=True).decode(),
        ],
        ids=["text", "P-384", "public", "RSA"],
    )
    def test_a_signing_key_that_is_none_and_is_not_shown(self, file: Path, key: str) -> None:
        (fault,) = faults(file, APPLE, {"KEY": key})
        assert fault.startswith("signing.private_key_env must hold a private key")
        assert key.splitlines()[-1] not in fault

    def test_a_signing_key_whose_variable_is_not_set(self, file: Path) -> None:
        (fault,) = faults(file, APPLE)
        assert fault.startswith("signing.private_key_env names KEY, which is not set")

    def test_a_signing_key_in_the_file_itself(self, file: Path) -> None:
        entry = 'provider = "apple"\nsigning = { team_id = "T", key_id = "K", private_key = "…" }'
        (fault, *_) = faults(file, entry)
        assert fault.startswith("signing.private_key is not known: write private_key_env")

    def test_signing_that_is_no_table(self, file: Path) -> None:
        assert faults(file, 'provider = "apple"\nsigning = "KEY"') == ["signing must be a table"]

    def test_client_ids_that_are_no_list(self, file: Path) -> None:
        assert faults(file, 'provider = "google"\nclient_ids = "shop-app"\n' + SECRET) == [
            "client_ids must be a list: write […]"
        ]

    def test_some_endpoints_but_not_all(self, file: Path) -> None:
        entry = 'provider = "own"\nissuer = "https://x.test"\ntoken_endpoint = "https://x.test/token"\n'
        assert faults(file, entry + SECRET) == [
            "needs authorization_endpoint, token_endpoint and userinfo_endpoint, or none of them with OpenID"
        ]

    def test_an_endpoint_without_tls(self, file: Path) -> None:
        entry = 'provider = "facebook"\ntoken_endpoint = "http://x.test/token"\n'
        (fault,) = faults(file, entry + SECRET)
        assert fault.startswith("token_endpoint must begin with https://")

    def test_openid_without_its_scope(self, file: Path) -> None:
        assert faults(file, 'provider = "google"\nscopes = ["email"]\n' + SECRET) == [
            "must ask for the scope 'openid', or name the endpoints of OAuth 2 without OpenID"
        ]

    def test_a_response_mode_that_nobody_knows(self, file: Path) -> None:
        (fault,) = faults(file, 'provider = "google"\nresponse_mode = "fragment"\n' + SECRET)
        assert fault.startswith("response_mode must be 'query' or 'form_post'")
