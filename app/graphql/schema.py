"""The schema: every noun's root fields under one query and one mutation type."""

from __future__ import annotations

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.graphql.addresses import AddressMutations, AddressQueries
from app.graphql.anonymizations import AnonymizationMutations
from app.graphql.credentials import CredentialMutations
from app.graphql.customers import CustomerMutations, CustomerQueries
from app.graphql.documents import Documents
from app.graphql.federation import FederationQueries, SubgraphSchema
from app.graphql.fields import credential_fields
from app.graphql.groups import CustomerGroupMutations, CustomerGroupQueries
from app.graphql.limits import Limits
from app.graphql.on_behalf import StaffAccessMutations
from app.graphql.orders import OrderMutations
from app.graphql.payment_instruments import PaymentInstrumentMutations
from app.graphql.product_lists import ProductListMutations, ProductListQueries
from app.graphql.proofs import ProofMutations
from app.graphql.sessions import SessionMutations, SessionQueries
from app.graphql.signup import SignupMutations
from app.graphql.social import SocialMutations
from app.graphql.staff_customers import StaffCustomerMutations, StaffCustomerQueries
from app.graphql.storefront import StorefrontQueries


@strawberry.type(description="What can be read. A query never writes.")
class Query(
    CustomerQueries,
    AddressQueries,
    SessionQueries,
    StorefrontQueries,
    ProductListQueries,
    StaffCustomerQueries,
    CustomerGroupQueries,
    FederationQueries,
):
    """All root query fields."""


@strawberry.type(
    description="What can be done. What a person can put right comes as `userErrors` of the payload, and then nothing "
    "was written; what the program must handle comes as `errors` with `extensions.code`."
)
class Mutation(
    SessionMutations,
    SignupMutations,
    SocialMutations,
    CredentialMutations,
    ProofMutations,
    CustomerMutations,
    AddressMutations,
    PaymentInstrumentMutations,
    ProductListMutations,
    AnonymizationMutations,
    StaffAccessMutations,
    StaffCustomerMutations,
    CustomerGroupMutations,
    OrderMutations,
):
    """All root mutation fields."""


@cache
def build_schema() -> SubgraphSchema:
    """Return the schema, made once; it is the same whatever the settings."""
    return SubgraphSchema(query=Query, mutation=Mutation, config=StrawberryConfig())


def build_documents(*, production: bool) -> Documents:
    """Return what reads and executes documents of the schema, within the limits."""
    schema = build_schema()
    return Documents(schema, Limits(credential_fields=credential_fields(schema)), production=production)
