"""The tenants file: read whole, and every fault told in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from joserfc.jwk import ECKey

from app.adapters.tenants.file import TenantsFileError, load_tenants
from app.domain.operation_lists import hash_operation
from app.domain.profile import Profile
from app.domain.scopes import ScopeWord
from app.domain.tenants import SignupMode, Tenant, TenantDirectory
from tests.harness.tenants import shop, storefront, table

SITE = "https://demo.example"
SPA = storefront("demo", "spa", origins=[SITE], redirect_uris=[f"{SITE}/callback"])
SHOP = shop("demo") + SPA
LISTED = shop("demo", operations_file="operations.json") + SPA
BACKEND = table("[[tenants.demo.clients]]", id="backend", kind="integration")
WEBHOOK_SECRET = "whsec_" + "MDEy" * 8


class Folder:
    """A folder with a tenants file in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "tenants.toml"

    def load(
        self, *texts: str, environment: Mapping[str, str] | None = None, profile: Profile = Profile.DEVELOPMENT
    ) -> TenantDirectory:
        self.file.write_text("\n".join(map(dedent, texts)), encoding="utf-8")
        return load_tenants(self.file, environment or {}, profile)

    def demo(self, *texts: str, environment: Mapping[str, str] | None = None) -> Tenant:
        return self.load(SHOP, *texts, environment=environment).tenant("demo")

    def faults(
        self, *texts: str, environment: Mapping[str, str] | None = None, profile: Profile = Profile.DEVELOPMENT
    ) -> list[str]:
        """Return the faults without the file's name, with which each must begin."""
        with pytest.raises(TenantsFileError) as error:
            self.load(*texts, environment=environment, profile=profile)
        beginning = f"{self.file}: "
        assert all(fault.startswith(beginning) and "\n" not in fault for fault in error.value.faults)
        return [fault.removeprefix(beginning) for fault in error.value.faults]

    def write(self, name: str, content: object) -> None:
        (self.path / name).write_text(json.dumps(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


class TestBuiltInDemo:
    def test_has_a_tenant_for_each_sign_up_mode(self) -> None:
        tenants = load_tenants(None, {}, Profile.DEVELOPMENT)
        assert {tenant.id: tenant.signup for tenant in tenants} == {
            "demo": SignupMode.CONFIRM_EMAIL,
            "open": SignupMode.OPEN,
            "staffed": SignupMode.EMPLOYEE_ACTIVATION,
        }

    def test_has_what_the_examples_use(self) -> None:
        demo = load_tenants(None, {}, Profile.DEVELOPMENT).tenant("demo")
        assert {site.id: site.language for site in demo.sites} == {"main": "en", "de": "de"}
        assert demo.find_client("demo-storefront") is not None
        assert demo.find_user("aqwDFvELOz") is not None
        assert list(demo.mixin_schemas) == ["loyalty", "consents"]

    def test_has_well_known_secrets_in_development(self) -> None:
        found = load_tenants(None, {}, Profile.DEVELOPMENT).find_client("demo-backend")
        assert found is not None
        assert found[1].secret is not None
        assert found[1].secret.get_secret_value() == "development-only-demo-backend-secret"

    def test_takes_a_secret_that_is_set(self) -> None:
        found = load_tenants(None, {"DEMO_BACKEND_SECRET": "mine"}, Profile.DEVELOPMENT).find_client("demo-backend")
        assert found is not None
        assert found[1].secret is not None
        assert found[1].secret.get_secret_value() == "mine"

    def test_has_no_secrets_in_production(self) -> None:
        with pytest.raises(TenantsFileError, match="names DEMO_BACKEND_SECRET, which is not set"):
            load_tenants(None, {}, Profile.PRODUCTION)


class TestLoadTenants:
    def test_reads_every_part_of_a_tenant(self, folder: Folder) -> None:
        folder.write("jwks.json", {"keys": [ECKey.generate_key("P-256").as_dict(private=False)]})
        folder.write("loyalty.json", {"type": "object"})
        demo = folder.demo(
            BACKEND,
            """
            secret_env = "BACKEND"
            jwks_file = "jwks.json"
            scopes = ["customers.read"]
            [[tenants.demo.users]]
            id = "anna"
            scopes = ["customers.anonymize"]
            [[tenants.demo.social]]
            provider = "google"
            client_id = "c"
            client_secret_env = "GOOGLE"
            trusted_email_domains = ["gmail.com"]
            [[tenants.demo.webhooks]]
            url = "https://hooks.test/customers"
            topics = ["customer.*"]
            secret_env = "HOOK"
            previous_secret_env = "OLD_HOOK"
            [tenants.demo.mixins.loyalty]
            schema_file = "loyalty.json"
            [tenants.demo.limits]
            login_per_ip_per_minute = 5
            """,
            environment={"BACKEND": "b\n", "GOOGLE": "g", "HOOK": WEBHOOK_SECRET, "OLD_HOOK": WEBHOOK_SECRET},
        )
        backend = demo.find_client("backend")
        assert backend is not None
        assert backend.secret is not None
        assert backend.secret.get_secret_value() == "b"
        assert backend.jwks is not None
        assert json.loads(backend.jwks)["keys"][0]["kty"] == "EC"
        assert backend.scopes == {ScopeWord.CUSTOMERS_READ}
        assert demo.social[0].issuer == "https://accounts.google.com"
        assert demo.social[0].name == "Google"
        assert demo.social[0].client_secret is not None
        assert demo.social[0].client_secret.get_secret_value() == "g"
        assert demo.webhooks[0].secret.get_secret_value() == WEBHOOK_SECRET
        assert demo.mixin_schemas == {"loyalty": {"type": "object"}}
        assert demo.limits.login_per_ip_per_minute == 5

    def test_reads_files_that_begin_with_the_mark_of_their_encoding(self, folder: Folder) -> None:
        (folder.path / "loyalty.json").write_text('{"type": "object"}', encoding="utf-8-sig")
        schema = '[tenants.demo.mixins.loyalty]\nschema_file = "loyalty.json"\n'
        assert folder.demo(schema).mixin_schemas == {"loyalty": {"type": "object"}}
        folder.file.write_text("\n".join((SHOP, schema)), encoding="utf-8-sig")
        assert load_tenants(folder.file, {}, Profile.DEVELOPMENT).tenant("demo").name == folder.demo().name

    def test_names_a_provider_that_has_no_preset(self, folder: Folder) -> None:
        environment = {"S": "s"}
        social = '[[tenants.demo.social]]\nprovider = "acme"\nclient_id = "c"\nclient_secret_env = "S"\n'
        assert folder.demo(social, 'issuer = "https://id.acme.test"', environment=environment).social[0].name == "Acme"
        assert folder.faults(SHOP, social, environment=environment) == [
            "tenants.demo.social[0].issuer is missing: add it"
        ]

    def test_tells_every_fault_at_once(self, folder: Folder) -> None:
        faults = folder.faults(
            """
            [tenants.demo]
            name = "Demo shop"
            signup = "maybe"
            acces_token_seconds = 5
            [tenants.demo.sites.main]
            url = "http://shop.test"
            [[tenants.demo.clients]]
            id = "backend"
            kind = "integration"
            secret_env = "BACKEND"
            scopes = ["customers.raed"]
            """
        )
        assert sorted(faults) == [
            "tenants.demo.acces_token_seconds is not known: did you mean 'access_token_seconds'?",
            (
                "tenants.demo.clients[0].scopes[0] must be "
                "'customers.read', 'customers.write', 'customers.impersonate', 'customers.credentials', "
                "'customers.privacy', 'payments.read', 'customers.manage' or 'customers.anonymize', "
                "not 'customers.raed'"
            ),
            (
                "tenants.demo.clients[0].secret_env names BACKEND, which is not set: "
                "set this environment variable to the secret"
            ),
            "tenants.demo.signup must be 'open', 'confirm_email' or 'employee_activation', not 'maybe'",
            "tenants.demo.sites.main.language is missing: add it",
            "tenants.demo.sites.main.url must begin with https:// (http is only for loopback in development)",
        ]

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("[tenants.demo.limits]\nlogin_per_ip = 5", "limits.login_per_ip is not known: did you mean"),
            ("[tenants.demo.colour]\nx = 5", "colour is not known: leave it out"),
            ("[tenants.demo.sites.main.x]", "sites.main.x is not known: leave it out"),
            (
                '[tenants.demo.sites."a/b"]\nurl = "https://x.test"\nlanguage = "en"',
                'sites."a/b" must be 1 to 64 letters',
            ),
            (
                '[tenants.demo.sites.de]\nid = "x"\nurl = "https://x.test"\nlanguage = "en"',
                "sites.de.id is not known: it",
            ),
            ('[[tenants.demo.clients]]\nid = "b"\nkind = "integration"', "clients[1] an integration needs secret_env"),
            (
                '[[tenants.demo.clients]]\nid = "b"\nkind = "integration"\nsecret = "x"',
                "clients[1].secret is not known: write secret_env and set that environment variable to the secret",
            ),
            (
                '[[tenants.demo.clients]]\nid = "b"\nkind = "integration"\nsecret_env = 5',
                "clients[1].secret_env must be the name of an environment variable",
            ),
            (
                '[[tenants.demo.clients]]\nid = "b"\nkind = "integration"\njwks_file = 5',
                "clients[1].jwks_file must be the name of a file",
            ),
            (
                '[[tenants.demo.clients]]\nid = "b"\nkind = "integration"\njwks_file = "no.json"',
                "clients[1].jwks_file names 'no.json', which cannot be read: No such file or directory",
            ),
            ('[[tenants.demo.clients]]\nid = "spa"\nkind = "storefront"', "clients 'spa' is here twice"),
            ('[[tenants.demo.webhooks]]\nurl = "https://x.test"\ntopics = []', "webhooks[0].topics must not be empty"),
            ('[[tenants.demo.webhooks]]\nurl = "https://x.test"\ntopics = "x"', "webhooks[0].topics must be a list"),
            ('[[tenants.demo.webhooks]]\nurl = "https://10.0.0.1"', "webhooks[0].url must name a public host"),
            ("[[tenants.demo.social]]\nprovider = 5", "social[0].provider must be a valid string"),
            ('[[tenants.demo.mixins]]\nname = "x"', "mixins must be tables, each with a name"),
            ("[tenants.demo.mixins]\nx = 5", "mixins.x must be a table"),
            ("[tenants.demo.mixins.x]", "mixins.x.schema_file is missing: add it"),
            ('[tenants.demo]\nusers = ["x"]', "users[0] must be a table"),
            ('[tenants.demo]\nid = "x"', "id is not known: the tenant's id is the name of its table"),
            ("[tenants.demo]\npassword_min_length = 20", "password_min_length must be less than or equal to 15"),
        ],
    )
    def test_says_where_and_what(self, folder: Folder, text: str, fault: str) -> None:
        own_keys = "[tenants.demo]\n"
        texts = (SHOP.replace(own_keys, text + "\n"),) if text.startswith(own_keys) else (SHOP, text)
        assert any(found.startswith(f"tenants.demo.{fault}") for found in folder.faults(*texts))

    def test_tells_of_a_missing_secret_only_once(self, folder: Folder) -> None:
        webhook = '[[tenants.demo.webhooks]]\nurl = "https://x.test"\ntopics = ["*"]\nsecret_env = "HOOK"'
        assert folder.faults(SHOP, webhook) == [
            (
                "tenants.demo.webhooks[0].secret_env names HOOK, which is not set: "
                "set this environment variable to the secret"
            )
        ]

    def test_never_shows_a_secret_in_a_fault(self, folder: Folder) -> None:
        webhook = '[[tenants.demo.webhooks]]\nurl = "https://x.test"\ntopics = ["*"]\nsecret_env = "HOOK"'
        faults = folder.faults(SHOP, webhook, environment={"HOOK": "hush-hush"})
        assert len(faults) == 1
        assert faults[0].startswith("tenants.demo.webhooks[0].secret_env must hold 'whsec_'")
        assert "hush" not in faults[0]

    def test_refuses_a_development_secret_in_production(self, folder: Folder) -> None:
        faults = folder.faults(
            SHOP,
            BACKEND,
            'secret_env = "BACKEND"',
            environment={"BACKEND": "development-only-demo-backend-secret"},
            profile=Profile.PRODUCTION,
        )
        assert faults == [
            (
                "tenants.demo.clients[1].secret_env names BACKEND, which holds a well-known development secret: "
                "choose one of your own"
            )
        ]

    def test_refuses_a_secret_of_fewer_than_32_characters_in_production(self, folder: Folder) -> None:
        texts, production = (SHOP, BACKEND, 'secret_env = "BACKEND"'), Profile.PRODUCTION
        assert folder.faults(*texts, environment={"BACKEND": "s" * 31}, profile=production) == [
            (
                "tenants.demo.clients[1].secret_env names BACKEND, which holds fewer than 32 characters: put there "
                "what python3 -c 'import secrets; print(secrets.token_urlsafe(32))' prints"
            )
        ]
        folder.load(*texts, environment={"BACKEND": "s" * 32}, profile=production)

    def test_takes_a_short_secret_in_development(self, folder: Folder) -> None:
        folder.load(SHOP, BACKEND, 'secret_env = "BACKEND"', environment={"BACKEND": "s"})

    def test_refuses_loopback_in_production(self, folder: Folder) -> None:
        local = SHOP.replace(SITE, "http://localhost:5173")
        assert [fault.split()[0] for fault in folder.faults(local, profile=Profile.PRODUCTION)] == [
            "tenants.demo.sites.main.url",
            "tenants.demo.clients[0].origins[0]",
            "tenants.demo.clients[0].redirect_uris[0]",
        ]

    def test_refuses_a_client_of_two_tenants(self, folder: Folder) -> None:
        faults = folder.faults(SHOP, SHOP.replace("tenants.demo", "tenants.other"))
        assert faults == ["tenants: client id 'spa' is used by 2 tenants: give each client its own"]

    def test_judges_the_clients_of_broken_tenants_too(self, folder: Folder) -> None:
        other = SHOP.replace("tenants.demo", "tenants.other").replace('signup = "open"', "")
        assert folder.faults(SHOP, other, "[tenants.third]\nclients = 5")[-1].startswith("tenants: client id 'spa'")

    @pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": [{"kty": "??"}]}, [1], {"keys": ["x"]}])
    def test_refuses_a_jwks_file_without_keys(self, folder: Folder, keys: object) -> None:
        folder.write("jwks.json", keys)
        (fault,) = folder.faults(SHOP, BACKEND, 'jwks_file = "jwks.json"')
        assert fault.startswith("tenants.demo.clients[1].jwks_file names 'jwks.json', which is wrong: ")

    def test_refuses_a_private_key_in_a_jwks_file(self, folder: Folder) -> None:
        folder.write("jwks.json", {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]})
        (fault,) = folder.faults(SHOP, BACKEND, 'jwks_file = "jwks.json"')
        assert fault.endswith("it holds a private or secret key: give the public keys only")

    @pytest.mark.parametrize("schema", [{"type": "objct"}, {"$ref": "https://x.test/s.json"}, ["object"]])
    def test_refuses_a_mixin_that_is_no_schema_of_its_own(self, folder: Folder, schema: object) -> None:
        folder.write("loyalty.json", schema)
        (fault,) = folder.faults(SHOP, '[tenants.demo.mixins.loyalty]\nschema_file = "loyalty.json"')
        assert fault.startswith("tenants.demo.mixins.loyalty.schema_file names 'loyalty.json', which is wrong: ")

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("", "tenants is missing: write at least one table [tenants.…]"),
            ("tenants = 5", "tenants is missing: write at least one table [tenants.…]"),
            ("[tenants]\ndemo = 5", "tenants.demo must be a table: write [tenants.demo]"),
            ("[tenant.demo]", "tenant is not known: put everything under [tenants.…]"),
            ("[tenants.demo", "is not TOML in UTF-8: "),
        ],
    )
    def test_says_what_a_tenants_file_is(self, folder: Folder, text: str, fault: str) -> None:
        assert folder.faults(text)[0].startswith(fault)

    def test_names_a_tenant_with_a_bad_name(self, folder: Folder) -> None:
        (fault,) = folder.faults(SHOP.replace("tenants.demo", 'tenants."My shop"'))
        assert fault == "tenants.\"My shop\" must be 1 to 63 of a to z, 0 to 9, '_' and '-'"

    def test_says_when_the_file_cannot_be_read(self, tmp_path: Path) -> None:
        missing = tmp_path / "no.toml"
        with pytest.raises(TenantsFileError) as error:
            load_tenants(missing, {}, Profile.DEVELOPMENT)
        assert error.value.faults == [f"{missing}: cannot be read: No such file or directory"]

    def test_reads_the_operations_that_storefronts_may_run(self, folder: Folder) -> None:
        text = "{ me { id } }"
        folder.write("operations.json", {hash_operation(text): text})
        tenant = folder.load(LISTED).tenant("demo")
        assert tenant.operations == {hash_operation(text): text}
        assert folder.demo().operations is None

    @pytest.mark.parametrize(
        ("content", "fault"),
        [
            ([], "write the manifest of"),
            ({}, "it lists no operation"),
            ({"x": "{ me { id } }"}, "'x' must be the SHA-256"),
        ],
    )
    def test_refuses_a_list_of_operations_that_is_none(self, folder: Folder, content: object, fault: str) -> None:
        folder.write("operations.json", content)
        (told,) = folder.faults(LISTED)
        assert told.startswith(f"tenants.demo.operations_file names 'operations.json', which is wrong: {fault}")

    def test_refuses_a_list_of_operations_that_is_missing(self, folder: Folder) -> None:
        (fault,) = folder.faults(LISTED)
        assert fault == (
            "tenants.demo.operations_file names 'operations.json', which cannot be read: No such file or directory"
        )


CHALLENGE = '[tenants.demo.challenge]\nsite_key = "site-1"\n'
HUMAN = {"HUMAN": "a-secret"}


APP = {"id": "app", "kind": "storefront"}


class TestLinks:
    """Where a client takes what is mailed."""

    def links(self, **links: str) -> str:
        return SHOP + table("[[tenants.demo.clients]]", **APP) + table("[tenants.demo.clients.links]", **links)

    def test_are_read(self, folder: Folder) -> None:
        tenant = folder.load(self.links(reset="https://demo.example/app/reset")).tenant("demo")
        (_, app) = tenant.clients
        assert (app.links.reset, app.links.confirm) == ("https://demo.example/app/reset", None)

    def test_are_of_https_in_production(self, folder: Folder) -> None:
        text = self.links(reset="com.example.shop:/reset")
        assert folder.load(text).tenant("demo").clients[1].links.reset == "com.example.shop:/reset"
        (fault,) = folder.faults(text, profile=Profile.PRODUCTION)
        assert fault.startswith("tenants.demo.clients[1].links.reset must begin with https:// in production: another")

    def test_have_names_that_are_known(self, folder: Folder) -> None:
        (fault,) = folder.faults(self.links(resett="https://demo.example/app/reset"))
        assert fault == "tenants.demo.clients[1].links.resett is not known: did you mean 'reset'?"

    def test_are_not_for_an_integration(self, folder: Folder) -> None:
        backend = table("[[tenants.demo.clients]]", id="backend", kind="integration", secret_env="BACKEND")
        links = table("[tenants.demo.clients.links]", reset="https://demo.example/reset")
        (fault,) = folder.faults(SHOP, backend, links, environment={"BACKEND": "s" * 32})
        assert fault == "tenants.demo.clients[1] an integration opens no mailed links: leave links out"


class TestChallenge:
    def test_has_the_secret_of_its_variable(self, folder: Folder) -> None:
        text = CHALLENGE + 'provider = "hcaptcha"\nsecret_env = "HUMAN"'
        challenge = folder.demo(text, environment=HUMAN).challenge
        assert challenge is not None
        assert challenge.secret is not None
        assert challenge.secret.get_secret_value() == "a-secret"
        assert "a-secret" not in repr(challenge)

    def test_is_none_where_the_table_is_left_out(self, folder: Folder) -> None:
        assert folder.demo().challenge is None

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ('provider = "turnstile"', "needs secret_env: "),
            ('provider = "turnstile"\nsecret_env = "NONE"', "secret_env names NONE, which is not set"),
            ('provider = "turnstile"\nsecret = "x"', "secret is not known: write secret_env"),
            ('provider = "demo"\nsecret_env = "HUMAN"', "needs neither secret_env nor verify_url"),
            ('provider = "puzzle"', "provider must be "),
            ('provider = "demo"\nsitekey = "x"', "sitekey is not known: did you mean"),
            (
                'provider = "recaptcha"\nsecret_env = "HUMAN"\nverify_url = "http://recaptcha.test/verify"',
                "verify_url must",
            ),
        ],
    )
    def test_says_what_is_wrong(self, folder: Folder, text: str, fault: str) -> None:
        found = folder.faults(SHOP, CHALLENGE + text, environment=HUMAN)
        assert any(
            each.startswith(f"tenants.demo.challenge{'.' if fault[:5] != 'needs' else ' '}{fault}") for each in found
        )

    def test_of_the_demo_is_refused_in_production(self, folder: Folder) -> None:
        found = folder.faults(SHOP, CHALLENGE + 'provider = "demo"', profile=Profile.PRODUCTION)
        assert (
            "tenants.demo.challenge must name a real provider in production: turnstile, hcaptcha or recaptcha" in found
        )
