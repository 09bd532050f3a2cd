"""What makes the schema an Apollo Federation 2 subgraph: other services of the shop refer to our customers."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any

import strawberry
import strawberry.federation
from graphql import GraphQLUnionType
from strawberry.federation.schema import FederationAny
from strawberry.printer import print_schema

from app.domain.errors import AccessCode, AccessError
from app.domain.principal import TokenKind
from app.domain.scopes import Scope, SessionScope
from app.graphql.context import Info
from app.graphql.customers import Customer, present_customer
from app.graphql.fields import ALLOW_ARGUMENTS, query
from app.services.staff import federation as service

# The link to the specification, and the directives behind the name of a type.
_FEDERATION = re.compile(
    r"^schema @link[^{]*\{[^}]*\}\n\n|(?<=\w) @(?:key\([^)]*\)|shareable)(?=[^\"\n]*\{$)", re.MULTILINE
)


Entity = Annotated[Customer, strawberry.union("_Entity", description="What other services can refer to by its key.")]


class SubgraphSchema(strawberry.federation.Schema):
    """A schema with two forms: one for clients, one for the composition with other subgraphs."""

    def __init__(self, **kwargs: Any) -> None:
        # The lowest version that has all that is used here, so that every composition can read it. A directive that
        # came later is refused at the start.
        super().__init__(federation_version="2.0", **kwargs)
        entity = self._schema.get_type("_Entity")
        if isinstance(entity, GraphQLUnionType):
            # Customers are rows, which do not know what they are called here.
            entity.resolve_type = _resolve_entity
        self._describe()

    def _describe(self) -> None:
        """Describe what Strawberry itself puts into the schema without a description."""
        for directive in self._schema.directives:
            if directive.name == "allow":
                for name, argument in directive.args.items():
                    argument.description = ALLOW_ARGUMENTS[name]
        self._schema.type_map["_Any"].description = 'A reference to an entity: `{"__typename": "Customer", "id": "…"}`.'

    def as_str(self) -> str:
        """Return the SDL for clients. Every tool can read it, also one that does not know federation."""
        return _FEDERATION.sub("", self.subgraph_sdl)

    @cached_property
    def subgraph_sdl(self) -> str:
        """The SDL with the directives of Apollo Federation 2."""
        return print_schema(self)


References = Annotated[
    list[FederationAny],
    strawberry.argument(description='The customers: `[{__typename: "Customer", id: "…"}]`. At most 100.'),
]


def _sdl(info: Info) -> str:
    if not isinstance(info.schema, SubgraphSchema):
        raise TypeError("Only the schema of a subgraph has its SDL.")
    return info.schema.subgraph_sdl


@strawberry.type(name="_Service", description="What this service contributes to the whole schema of the shop.")
class Service:
    """The subgraph's SDL."""

    sdl: str = strawberry.field(resolver=_sdl, description="The schema with its keys, in SDL for Apollo Federation 2.")


@strawberry.type
class FederationQueries:
    """Root query fields that the shop's router calls."""

    @query(
        name="_entities",
        kinds=(TokenKind.ANONYMOUS, TokenKind.CUSTOMER, TokenKind.ON_BEHALF, TokenKind.INTEGRATION),
        scope=Scope.CUSTOMERS_READ,
        session_scope=SessionScope.PROFILE_READ,
        null_for_guests=True,
    )
    async def entities(self, info: Info, representations: References) -> list[Entity | None]:
        """The customers that another service refers to by `{__typename: "Customer", id: …}`, in the same order.

        A customer who does not exist, or whom the caller may not see, is null. At most 100 at once.
        Who: an integration with the scope `customers.read` sees every customer of the shop; a customer, or staff on
        their behalf, sees that customer only, and accounts that were joined with theirs; an anonymous session sees
        nobody.
        Errors: `BAD_REQUEST`: give up to 100 representations of customers; `UNAUTHENTICATED`: get a new token;
        `FORBIDDEN`: the integration's token lacks the scope.
        """
        found = await service.customers_by_id(info.context.uow, [_customer_id(each) for each in representations])
        return [present_customer.or_none(each) for each in found]

    @query(name="_service", kinds=(TokenKind.INTEGRATION,))
    def service(self) -> Service:
        """The SDL of this service, to compose the shop's schema. `python -m app schema --federation` prints it too.

        Who: an integration.
        Errors: `UNAUTHENTICATED`: get a new token at `/oauth/token`; `FORBIDDEN` for every other kind of token.
        """
        return Service()


def _resolve_entity(*_args: object) -> str:
    return "Customer"


def _customer_id(representation: object) -> str:
    if isinstance(representation, dict) and representation.get("__typename") == "Customer":
        customer_id = representation.get("id")
        if isinstance(customer_id, str):
            return customer_id
    raise AccessError(AccessCode.BAD_REQUEST, 'A representation is {__typename: "Customer", id: "…"}.')
