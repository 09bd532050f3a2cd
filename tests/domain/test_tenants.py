"""What a tenant says about itself, and what it refuses to be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.domain.profile import Profile
from app.domain.scopes import ScopeWord
from app.domain.tenants import (
    AnonymizationRequester,
    Client,
    ClientKind,
    OrganisationUser,
    SignupMode,
    Site,
    SocialLinking,
    SocialProvider,
    Tenant,
    TenantDirectory,
    WebhookEndpoint,
)
from app.domain.tokens import OpaqueToken, TokenPrefix
from app.domain.topics import Topic

WEBHOOK_SECRET = "whsec_" + "MDEy" * 8


def tenant_of(tenant_id: str = "demo", **content: Any) -> Tenant:
    return Tenant.model_validate(
        {
            "id": tenant_id,
            "name": "Demo shop",
            "signup": "open",
            "sites": [{"id": "main", "url": "https://shop.test", "language": "en"}],
            "clients": [{"id": f"{tenant_id}-storefront", "kind": "storefront"}],
            **content,
        }
    )


def faults_of(error: pytest.ExceptionInfo[ValidationError]) -> dict[tuple[int | str, ...], str]:
    return {details["loc"]: details["msg"].removeprefix("Value error, ") for details in error.value.errors()}


class TestSite:
    def test_builds_a_link_from_its_url_a_path_and_a_token(self) -> None:
        site = Site(id="main", url="https://shop.test/de/", language="de")
        assert site.link(site.reset_path, "cg_ot_a-b_c") == "https://shop.test/de/reset-password?token=cg_ot_a-b_c"

    def test_quotes_a_token_that_is_not_plain(self) -> None:
        site = Site(id="main", url="https://shop.test", language="de")
        assert site.link("/x", "a&b=c/d") == "https://shop.test/x?token=a%26b%3Dc%2Fd"

    def test_writes_language_currency_and_country_in_their_canonical_form(self) -> None:
        site = Site(id="main", url="https://shop.test", language="en_us", currency="eur", country="de")
        assert (site.language, site.currency, site.country) == ("en-US", "EUR", "DE")

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("language", "klingonisch"),
            ("currency", "XXQ"),
            ("country", "ZZ"),
            ("reset_path", "reset"),
            ("confirm_path", "/confirm?x=1"),
            ("email_change_path", "/a b"),
            ("id", "a/b"),
            ("url", "shop.test"),
        ],
    )
    def test_refuses_a_value_that_is_not_one(self, key: str, value: str) -> None:
        with pytest.raises(ValidationError) as error:
            Site.model_validate({"id": "main", "url": "https://shop.test", "language": "en", key: value})
        assert list(faults_of(error)) == [(key,)]

    @pytest.mark.parametrize(
        ("url", "rp_id"),
        [
            ("https://www.shop.example", "www.shop.example"),
            ("https://www.shop.example/de", "shop.example"),
            ("https://de.www.shop.example:8443", "www.shop.example"),
            ("https://www.shop.co.uk", "shop.co.uk"),
            ("https://shop.vercel.app", "shop.vercel.app"),
            ("http://localhost:5173", "localhost"),
        ],
    )
    def test_takes_its_host_or_a_domain_of_its_own_above_it_as_relying_party(self, url: str, rp_id: str) -> None:
        site = Site.model_validate({"id": "main", "url": url, "language": "en", "rp_id": rp_id})
        assert site.relying_party_id == rp_id

    @pytest.mark.parametrize(
        ("url", "rp_id"),
        [
            ("https://www.shop.example", "other.example"),
            ("https://www.shop.example", "de.www.shop.example"),
            ("https://www.shop.example", "op.example"),
            ("https://www.shop.example", "example"),
            ("https://www.shop.co.uk", "co.uk"),
            ("https://shop.vercel.app", "vercel.app"),
            ("https://x.eu-central-1.compute.amazonaws.com", "amazonaws.com"),
            ("http://localhost:5173", "shop.example"),
            ("http://127.0.0.1:5173", "0.0.1"),
            ("http://127.0.0.1:5173", "127.0.0.1"),
        ],
    )
    def test_refuses_a_relying_party_that_no_browser_would_take_from_it(self, url: str, rp_id: str) -> None:
        with pytest.raises(ValidationError) as error:
            Site.model_validate({"id": "main", "url": url, "language": "en", "rp_id": rp_id})
        assert list(faults_of(error)) == [("rp_id",)]

    def test_takes_the_path_of_a_hash_router(self) -> None:
        site = Site(id="main", url="https://shop.test", language="en", reset_path="/#/reset")
        assert site.link(site.reset_path, "t") == "https://shop.test/#/reset?token=t"


class TestClient:
    @pytest.mark.parametrize("extra", [{"jwks": "{}"}, {"scopes": ["customers.read"]}])
    def test_refuses_a_storefront_with_what_only_an_integration_has(self, extra: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="a storefront is public"):
            Client.model_validate({"id": "spa", "kind": "storefront", **extra})

    def test_refuses_an_integration_that_cannot_prove_itself(self) -> None:
        with pytest.raises(ValidationError, match="needs secret_env or jwks_file"):
            Client(id="backend", kind=ClientKind.INTEGRATION)

    @pytest.mark.parametrize("extra", [{"origins": ["https://a.test"]}, {"redirect_uris": ["https://a.test/c"]}])
    def test_refuses_an_integration_in_a_browser(self, extra: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="does not run in a browser"):
            Client.model_validate({"id": "backend", "kind": "integration", "secret": "s", **extra})

    def test_does_not_show_its_secret(self) -> None:
        client = Client(id="backend", kind=ClientKind.INTEGRATION, secret=SecretStr("very-secret"), jwks='{"keys": []}')
        assert "very-secret" not in f"{client!r} {client}"
        assert "keys" not in repr(client)

    def test_allows_http_on_loopback_until_the_context_names_production(self) -> None:
        content = {"id": "spa", "kind": "storefront", "origins": ["http://localhost:5173"]}
        assert Client.model_validate(content, context={"profile": Profile.DEVELOPMENT}).origins
        with pytest.raises(ValidationError, match="must begin with https:// in production"):
            Client.model_validate(content, context={"profile": Profile.PRODUCTION})


class TestSocialProvider:
    def test_keeps_the_issuer_letter_for_letter(self) -> None:
        provider = SocialProvider(
            provider="auth0", name="Auth0", issuer="https://x.auth0.test/", client_id="c", client_secret=SecretStr("s")
        )
        assert provider.issuer == "https://x.auth0.test/"

    @pytest.mark.parametrize("domain", ["*", "@gmail.com", "gmail", "Gmail.com", "gmail.com."])
    def test_refuses_a_trusted_domain_that_is_none(self, domain: str) -> None:
        with pytest.raises(ValidationError, match="after '@'"):
            SocialProvider(
                provider="x",
                name="X",
                issuer="https://x.test",
                client_id="c",
                client_secret=SecretStr("s"),
                trusted_email_domains=frozenset({domain}),
            )


class TestWebhookEndpoint:
    @pytest.mark.parametrize("secret", ["short", "whsec_MDEy", "whsec_" + "MDEy" * 22, "whsec_" + "!" * 32])
    def test_refuses_a_secret_that_no_receiver_could_use(self, secret: str) -> None:
        with pytest.raises(ValidationError, match="24 to 64 random bytes"):
            WebhookEndpoint(url="https://hooks.test", topics=("customer.*",), secret=SecretStr(secret))

    def test_takes_a_second_secret_for_the_change_over(self) -> None:
        secrets = {"secret": WEBHOOK_SECRET, "previous_secret": WEBHOOK_SECRET.removeprefix("whsec_")}
        endpoint = WebhookEndpoint.model_validate({"url": "https://hooks.test/in?key=1", "topics": ["*"], **secrets})
        assert endpoint.previous_secret is not None

    @pytest.mark.parametrize("topic", ["customer", "customer.bought", "Customer.*", ""])
    def test_refuses_a_topic_that_never_happens(self, topic: str) -> None:
        with pytest.raises(ValidationError, match="matches no event"):
            WebhookEndpoint(url="https://hooks.test", topics=(topic,), secret=SecretStr(WEBHOOK_SECRET))

    @pytest.mark.parametrize("topics", [("customer.*",), ("*",), ("session.upgraded", "customer.created")])
    def test_wants_what_its_topics_match(self, topics: tuple[str, ...]) -> None:
        endpoint = WebhookEndpoint(url="https://hooks.test", topics=topics, secret=SecretStr(WEBHOOK_SECRET))
        assert endpoint.wants(Topic.CUSTOMER_CREATED)

    def test_does_not_want_other_topics(self) -> None:
        endpoint = WebhookEndpoint(url="https://hooks.test", topics=("session.*",), secret=SecretStr(WEBHOOK_SECRET))
        assert not endpoint.wants(Topic.CUSTOMER_CREATED)

    def test_refuses_no_topics_at_all(self) -> None:
        with pytest.raises(ValidationError, match="must not be empty"):
            WebhookEndpoint(url="https://hooks.test", topics=(), secret=SecretStr(WEBHOOK_SECRET))


class TestTenant:
    def test_has_the_documented_defaults(self) -> None:
        tenant = tenant_of()
        assert tenant.signup is SignupMode.OPEN
        assert (tenant.access_token_seconds, tenant.saas_token_seconds) == (900, 300)
        assert (tenant.anonymous_access_token_seconds, tenant.anonymous_refresh_token_seconds) == (3_600, 86_400)
        assert (tenant.refresh_token_idle_seconds, tenant.refresh_token_absolute_seconds) == (1_209_600, 2_592_000)
        assert (tenant.signup_token_seconds, tenant.reset_token_seconds) == (86_400, 1_800)
        assert tenant.limits.login_per_ip_per_minute == 30
        assert tenant.limits.sessions_per_customer == 50
        assert (tenant.password_min_length, tenant.login_tells_status) == (8, True)
        assert (tenant.social_linking, tenant.social_tokens) == (SocialLinking.CONFIRM, False)
        assert tenant.anonymization_by == {AnonymizationRequester.INTEGRATION}

    def test_takes_a_lifetime_and_a_limit_of_its_own(self) -> None:
        tenant = tenant_of(access_token_seconds=2_592_000, limits={"login_per_ip_per_minute": 5})
        assert tenant.access_token_seconds == 2_592_000
        assert tenant.limits.login_per_ip_per_minute == 5
        assert tenant.limits.refresh_per_ip_per_minute == 60

    @pytest.mark.parametrize(
        "content",
        [
            {"access_token_seconds": 0},
            {"access_token_seconds": "900"},
            {"access_token_seconds": 900.0},
            {"access_token_seconds": True},
            {"password_min_length": 7},
            {"password_min_length": 16},
            {"social_tokens": "no"},
            {"clients": []},
            {"sites": []},
            {"id": "Demo"},
            {"name": ""},
            {"colour": "red"},
        ],
    )
    def test_refuses_a_value_that_is_out_of_bounds(self, content: dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as error:
            tenant_of(**content)
        assert list(faults_of(error)) == [(next(iter(content)),)]

    def test_refuses_an_idle_life_longer_than_the_absolute_one(self) -> None:
        with pytest.raises(ValidationError, match="must not be more than refresh_token_absolute_seconds"):
            tenant_of(refresh_token_idle_seconds=100, refresh_token_absolute_seconds=99)

    @pytest.mark.parametrize(
        ("noun", "entry"),
        [
            ("clients", {"id": "spa", "kind": "storefront"}),
            ("users", {"id": "anna"}),
            (
                "social",
                {"provider": "x", "name": "X", "issuer": "https://x.test", "client_id": "c", "client_secret": "s"},
            ),
            ("webhooks", {"url": "https://x.test", "topics": ["*"], "secret": "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"}),
        ],
    )
    def test_refuses_an_id_that_stands_there_twice(self, noun: str, entry: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="is here twice"):
            tenant_of("demo", **{noun: [entry, entry]})

    def test_finds_a_site_whatever_its_case_unless_that_leaves_a_choice(self) -> None:
        sites = [{"id": name, "url": "https://x.test", "language": "en"} for name in ("main", "DE", "at", "AT")]
        tenant = tenant_of(sites=sites)
        assert [tenant.find_site(text) for text in ("MAIN", "de", " DE ")] == [
            tenant.sites[index] for index in (0, 1, 1)
        ]
        assert [tenant.find_site(text) for text in ("at", "AT", "At")] == [*tenant.sites[2:], None]

    def test_finds_what_it_has_and_nothing_else(self) -> None:
        provider = {"provider": "x", "name": "X", "issuer": "https://x.test", "client_id": "c", "client_secret": "s"}
        tenant = tenant_of(users=[{"id": "anna", "scopes": ["customers.anonymize"]}], social=[provider])
        assert tenant.find_site("main") is tenant.default_site
        assert tenant.find_site("other") is None
        assert tenant.find_client("demo-storefront") is tenant.clients[0]
        assert tenant.find_client("other") is None
        assert tenant.find_user("anna") == OrganisationUser(
            id="anna", scopes=frozenset({ScopeWord.CUSTOMERS_ANONYMIZE})
        )
        assert tenant.find_user("bert") is None
        assert tenant.find_social_provider("x") is tenant.social[0]
        assert tenant.find_social_provider("y") is None

    def test_reads_the_schemas_of_its_mixins(self) -> None:
        tenant = tenant_of(mixins=[{"name": "loyalty", "json_schema": '{"type": "object"}'}])
        assert tenant.mixin_schemas == {"loyalty": {"type": "object"}}

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            tenant_of().name = "Another"  # type: ignore[misc]


class TestTenantDirectory:
    def test_finds_a_client_with_its_tenant(self) -> None:
        first, second = tenant_of("first"), tenant_of("second")
        directory = TenantDirectory([first, second])
        assert directory.find_client("second-storefront") == (second, second.clients[0])
        assert directory.find_client("third-storefront") is None

    def test_gives_its_tenants_in_their_order(self) -> None:
        first, second = tenant_of("first"), tenant_of("second")
        assert list(TenantDirectory([first, second])) == [first, second]

    def test_knows_a_tenant_by_its_id(self) -> None:
        first = tenant_of("first")
        directory = TenantDirectory([first])
        assert directory.tenant("first") is first
        assert directory.find_tenant("first") is first

    def test_does_not_know_a_tenant_that_is_gone(self) -> None:
        directory = TenantDirectory([tenant_of("first")])
        assert directory.find_tenant("second") is None
        with pytest.raises(LookupError):
            directory.tenant("second")

    def test_refuses_a_client_of_two_tenants(self) -> None:
        client = {"id": "spa", "kind": "storefront"}
        with pytest.raises(ValueError, match="'spa' is here twice"):
            TenantDirectory([tenant_of("first", clients=[client]), tenant_of("second", clients=[client])])

    def test_knows_whose_a_token_may_be_as_long_as_the_tenant_is_there(self) -> None:
        first, second = tenant_of("first"), tenant_of("second")
        directory = TenantDirectory([first])
        assert directory.hinted(_token("first")) == ("first",)
        assert directory.hinted(_token("second")) == ()
        later = directory.with_changes([second, first]).with_changes([second])
        assert [later.hinted(_token(each)) for each in ("first", "second")] == [("first",), ("second",)]
        without = later.with_changes([], ["first", "third"])
        assert [without.hinted(_token(each)) for each in ("first", "second")] == [(), ("second",)]
        assert directory.hinted(_token("second")) == ()

    def test_knows_all_whose_a_token_may_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.domain.tokens._hint_bytes", lambda _: bytes(6))
        directory = TenantDirectory([tenant_of("first"), tenant_of("second")])
        assert directory.hinted(_token("third")) == ("first", "second")
        assert directory.with_changes([], ["first"]).hinted(_token("third")) == ("second",)


def _token(tenant_id: str) -> str:
    return OpaqueToken.of_tenant(TokenPrefix.CUSTOMER_ACCESS, tenant_id, bytes(32)).text
