"""The schema: every noun's root fields under one query and one mutation type."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition
from strawberry.types.scalar import ScalarDefinition

from app.graphql.address_rules import AddressRulesQueries
from app.graphql.addresses import AddressMutations, AddressQueries
from app.graphql.anonymizations import AnonymizationMutations
from app.graphql.credentials import CredentialMutations
from app.graphql.customers import CustomerMutations, CustomerQueries
from app.graphql.documents import Documents
from app.graphql.federation import FederationQueries, SubgraphSchema
from app.graphql.fields import credential_fields
from app.graphql.groups import CustomerGroupMutations, CustomerGroupQueries
from app.graphql.limits import Limits
from app.graphql.merges import MergeMutations
from app.graphql.on_behalf import StaffAccessMutations
from app.graphql.orders import OrderMutations
from app.graphql.passkeys import PasskeyMutations
from app.graphql.payment_instruments import PaymentInstrumentMutations
from app.graphql.product_lists import ProductListMutations, ProductListQueries
from app.graphql.proofs import ProofMutations
from app.graphql.sessions import SessionMutations, SessionQueries
from app.graphql.sign_in import SignInMutations
from app.graphql.sign_in_methods import SignInMethodMutations
from app.graphql.signup import SignupMutations
from app.graphql.social import SocialMutations
from app.graphql.staff_customers import StaffCustomerMutations, StaffCustomerQueries
from app.graphql.storefront import StorefrontQueries
from app.graphql.totp import TotpMutations

_ERRORS = """
What the program must handle comes as `errors`, each with one of these `extensions.code`:

* `UNAUTHENTICATED`: the access token is missing or no longer good; `reason` says which. Refresh it, or begin again.
* `FORBIDDEN`: this kind of token, or a token without this scope, may not call the field.
* `REAUTHENTICATION_REQUIRED`: have the customer prove once more who they are by one of `methods`, with
  `reauthenticate`, or log in again. The password may come with the call, unless `methods` lacks it.
* `RATE_LIMITED`: too many calls; wait `retryAfter` seconds.
* `CHALLENGE_REQUIRED`: let the person solve the challenge of `provider` with `siteKey`, and send the call again with
  the answer in the header `Challenge-Response`.
* `SERVICE_BUSY`: the service is overloaded; wait `retryAfter` seconds. `outcome` is `NOT_DONE`: nothing was changed,
  send the call again; or `UNKNOWN`: look first whether it was done, or send it again with the same `Idempotency-Key`.
* `IDEMPOTENCY_KEY_REUSED`: the header `Idempotency-Key` came with another operation or other variables before. Take a
  new key for a new call.
* `BAD_REQUEST`: the document, a variable or an argument is wrong; `message` says what. Correct the program.
* `QUERY_TOO_COMPLEX`: the document is too long, too deep or selects too much. Split it.
* `PERSISTED_QUERY_NOT_FOUND`: the hash is not known yet. Send it again with the text of the document.
* `OPERATION_NOT_ALLOWED`: the shop runs only the operations on its list, and this is not one of them.
* `INTERNAL`: a fault of the service. Report it with the request id.
"""
_SCALARS: dict[object, ScalarDefinition] = {
    datetime: replace(DateTimeDefinition, description="A moment, by RFC 3339 and in UTC: `2026-11-30T09:30:00+00:00`."),
    date: replace(DateDefinition, description="A day, by RFC 3339: `2027-06-12`."),
}


@strawberry.type(description=f"What can be read. A query never writes.\n{_ERRORS}".rstrip())
class Query(
    CustomerQueries,
    AddressQueries,
    AddressRulesQueries,
    SessionQueries,
    StorefrontQueries,
    ProductListQueries,
    StaffCustomerQueries,
    CustomerGroupQueries,
    FederationQueries,
):
    """All root query fields."""


@strawberry.type(
    description="What can be changed. If a person can correct the input, the payload has `userErrors`, and nothing was "
    f"written.\n{_ERRORS}".rstrip()
)
class Mutation(
    SessionMutations,
    SignInMutations,
    PasskeyMutations,
    SignInMethodMutations,
    TotpMutations,
    SignupMutations,
    SocialMutations,
    MergeMutations,
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
    return SubgraphSchema(query=Query, mutation=Mutation, config=StrawberryConfig(scalar_map=_SCALARS))


def build_documents(*, production: bool) -> Documents:
    """Return what reads and executes documents of the schema, within the limits."""
    schema = build_schema()
    return Documents(schema, Limits(credential_fields=credential_fields(schema)), production=production)
