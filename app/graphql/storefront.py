"""What a storefront needs to know about its shop, in GraphQL."""

from __future__ import annotations

import strawberry

from app.domain.scopes import SessionScope
from app.domain.sign_in import SignInMethod
from app.domain.tenants import SignupMode
from app.graphql.context import Info
from app.graphql.enums import describe_enum
from app.graphql.fields import query
from app.graphql.sessions import EVERY_KIND

describe_enum(
    SignupMode,
    "What has to happen between the sign-up and the first login.",
    {
        SignupMode.OPEN: "Nothing: new customers can log in at once.",
        SignupMode.CONFIRM_EMAIL: "New customers have to open a mailed link.",
        SignupMode.EMPLOYEE_ACTIVATION: "Somebody at the shop has to activate the account.",
    },
)


@strawberry.type(description="The rules for passwords.")
class PasswordRules:
    """The policy, for the sign-up form."""

    min_length: int = strawberry.field(description="The least number of characters (code points): `8`.")
    max_length: int = strawberry.field(description="The greatest number of characters (code points): `256`.")
    refuses_common: bool = strawberry.field(description="Whether passwords that many people use are refused.")
    refuses_personal: bool = strawberry.field(
        description="Whether passwords made of the customer's name, the e-mail address or the shop's name are refused."
    )


@strawberry.type(description="A provider of social login.")
class SocialProvider:
    """Id and name."""

    id: str = strawberry.field(description="The id, for `beginSocialLogin`: `google`.")
    name: str = strawberry.field(description="The name, for the button: `Google`.")


@strawberry.type(description="A web site of the shop.")
class Site:
    """Where the shop sells."""

    id: str = strawberry.field(description="The id, for `anonymousLogin`: `main`.")
    url: str = strawberry.field(description="The address of the site: `https://shop.example`.")
    language: str = strawberry.field(description="The language of the site, by BCP 47: `en`.")
    currency: str | None = strawberry.field(
        description="The currency of the site, by ISO 4217: `EUR`. Null if the shop has not set it."
    )
    country: str | None = strawberry.field(
        description="The country of the site, by ISO 3166-1 alpha-2: `DE`. Null if the shop has not set it."
    )


@strawberry.type(description="What a storefront needs to know about the shop.")
class Storefront:
    """Sign-up mode, password rules, social providers and sites."""

    id: strawberry.ID = strawberry.field(description="The id of the shop: `demo`. It never changes.")
    name: str = strawberry.field(description="The shop's name: `Demo shop`.")
    signup_mode: SignupMode = strawberry.field(
        description="What has to happen between the sign-up and the first login."
    )
    password_rules: PasswordRules = strawberry.field(description="The rules for passwords, for the sign-up form.")
    social_providers: list[SocialProvider] = strawberry.field(
        description="The providers of social login, for the login form."
    )
    sites: list[Site] = strawberry.field(description="The web sites of the shop.")
    sign_in_methods: list[SignInMethod] = strawberry.field(
        description="The ways to sign in that the shop has on, for the login form: `[PASSWORD, EMAIL_CODE, PASSKEY]`."
    )


@strawberry.type
class StorefrontQueries:
    """Root query fields about the shop."""

    @query(kinds=EVERY_KIND, session_scope=SessionScope.STOREFRONT_READ)
    def storefront(self, info: Info) -> Storefront:
        """What a storefront needs to know about the shop: how to sign up, password rules, social providers, sites.

        Who: the bearer of any access token.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`.
        """
        tenant = info.context.uow.tenant
        return Storefront(
            id=strawberry.ID(tenant.id),
            name=tenant.name,
            signup_mode=tenant.signup,
            password_rules=PasswordRules(
                min_length=tenant.password_min_length,
                max_length=tenant.limits.password_max_length,
                refuses_common=True,
                refuses_personal=True,
            ),
            sign_in_methods=list(tenant.sign_in_methods),
            social_providers=[SocialProvider(id=each.provider, name=each.name) for each in tenant.social],
            sites=[
                Site(id=site.id, url=site.url, language=site.language, currency=site.currency, country=site.country)
                for site in tenant.sites
            ],
        )
