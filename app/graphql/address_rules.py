"""How addresses of a country are written, in GraphQL: what the form of a storefront is made from."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.domain import address_rules as domain
from app.domain.scopes import SessionScope
from app.graphql.context import Info
from app.graphql.fields import query
from app.graphql.presenting import Presenter
from app.graphql.sessions import EVERY_KIND
from app.services.accounts import address_rules as service

CountryArgument = Annotated[
    str, strawberry.argument(description="The country by ISO 3166-1 alpha-2, in upper or lower case: `DE`.")
]


@strawberry.type(
    description="A state, province, prefecture, county or emirate. `Address.state` takes each of its names."
)
class AddressState:
    """Code and names."""

    code: str = strawberry.field(
        description="The code: that of ISO 3166-2 without the country, else the one of the post: `CA`."
    )
    name: str = strawberry.field(description="The name as it is written there: `California`, `東京都`.")
    latin_name: str = strawberry.field(
        description="The name in Latin letters: `Tokyo`. Where `name` is in Latin letters, just that."
    )


@strawberry.type(
    description="How addresses of a country are written. Make the form from it: the fields in the order of `format`, "
    "marked by `requiredFields`, and a list of `states` if there are any."
)
class AddressRules:
    """The rules of one country."""

    required_fields: list[str] = strawberry.field(
        description="The fields of `AddressInput` that an address needs there, in the order of `format`: "
        '`["contactName", "street", "zipCode", "city"]`. `country` is needed everywhere. Without the city where it is '
        "listed, an address is refused; what else is missing is a remark or refused, as the shop has set it."
    )
    format: str = strawberry.field(
        description="The order of the fields on an envelope, their names in braces and the lines divided by `\\n`: "
        "`{contactName}\\n{companyName}\\n{street}\\n{zipCode} {city}`. A field that is not in it is not used there. "
        "`{street}` stands for the street with its number and the lines below it."
    )
    format_latin: str | None = strawberry.field(
        description="The same for an address that is written in Latin letters: "
        "`{contactName}\\n{companyName}\\n{street}, {state}\\n{zipCode}`. Null where `format` is for Latin letters too."
    )
    zip_code_pattern: str | None = strawberry.field(
        description="The regular expression that a whole postal code fits, for the attribute `pattern` of an input "
        "field: `\\d{5}`. The gateway takes lower case, and digits and hyphens of any script, as well. Null where "
        "there are no postal codes, or any will do."
    )
    zip_code_examples: list[str] = strawberry.field(description='Examples of postal codes: `["10117", "53225"]`.')
    states: list[AddressState] = strawberry.field(
        description='The states to choose from: `[{code: "CA", name: "California"}]`. Empty where addresses have '
        "none, or any text will do: see `format`."
    )


present_address_rules = Presenter(domain.AddressRules, AddressRules)


@strawberry.type
class AddressRulesQueries:
    """Root query fields about the ways of writing addresses."""

    @query(kinds=EVERY_KIND, session_scope=SessionScope.STOREFRONT_READ)
    def address_rules(self, info: Info, country: CountryArgument) -> AddressRules | None:
        """How addresses of a country are written, for the form of an address. Null if there is no such country.

        The same for every shop, and until the gateway is updated: keep it as long as you like.
        Who: the bearer of any access token.
        Errors: `UNAUTHENTICATED`: begin with `anonymousLogin`.
        """
        return present_address_rules.or_none(service.address_rules(country))
