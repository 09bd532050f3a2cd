"""What a storefront needs to know about its shop."""

from __future__ import annotations

import strawberry

from app.domain.scopes import SessionScope
from app.domain.tenants import SignupMode
from app.graphql.context import Info
from app.graphql.fields import query
from app.graphql.sessions import EVERY_KIND

strawberry.enum(
    SignupMode,
    description="What stands between sign-up and the first login: nothing, a mailed link, or a person at the shop.",
)


@strawberry.type(description="What a password must be like.")
class PasswordRules:
    """The policy, for the sign-up form."""

    min_length: int = strawberry.field(description="Characters (code points) at least: `8`.")
    max_length: int = strawberry.field(description="Characters (code points) at most: `256`.")
    refuses_common: bool = strawberry.field(description="Passwords that many people use are refused.")
    refuses_personal: bool = strawberry.field(
        description="Passwords made of the customer's name, the address or the shop's name are refused."
    )


@strawberry.type(description="A provider of social login.")
class SocialProvider:
    """Id and name."""

    id: str = strawberry.field(description="For `beginSocialLogin`: `google`.")
    name: str = strawberry.field(description="For the button: `Google`.")


@strawberry.type(description="One of the shop's web sites.")
class Site:
    """Where the shop sells."""

    id: str = strawberry.field(description="For `anonymousLogin`: `main`.")
    url: str = strawberry.field(description="`https://shop.example`")
    language: str = strawberry.field(description="BCP 47: `en`.")
    currency: str | None = strawberry.field(description="ISO 4217: `EUR`.")
    country: str | None = strawberry.field(description="ISO 3166-1 alpha-2: `DE`.")


@strawberry.type(description="The shop as its storefronts need to know it.")
class Storefront:
    """Sign-up mode, password rules, social providers and sites."""

    name: str = strawberry.field(description="The shop's name: `Demo shop`.")
    signup_mode: SignupMode
    password_rules: PasswordRules
    social_providers: list[SocialProvider]
    sites: list[Site]


@strawberry.type
class StorefrontQueries:
    """Root query fields about the shop."""

    @query(kinds=EVERY_KIND, session_scope=SessionScope.STOREFRONT_READ)
    def storefront(self, info: Info) -> Storefront:
        """The shop: how one signs up, what a password must be like, social providers and sites.

        Who: the bearer of any access token.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`.
        """
        tenant = info.context.uow.tenant
        return Storefront(
            name=tenant.name,
            signup_mode=tenant.signup,
            password_rules=PasswordRules(
                min_length=tenant.password_min_length,
                max_length=tenant.limits.password_max_length,
                refuses_common=True,
                refuses_personal=True,
            ),
            social_providers=[SocialProvider(id=each.provider, name=each.name) for each in tenant.social],
            sites=[
                Site(id=site.id, url=site.url, language=site.language, currency=site.currency, country=site.country)
                for site in tenant.sites
            ],
        )
