"""No field may vanish: inputs, import lines, rules, columns and the registry of personal data know the same fields.

Whoever adds a field is told by these tests what is missing still, place by place.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator, Mapping
from importlib import import_module

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine, inspect
from strawberry.types.base import StrawberryContainer, get_object_definition

from app.adapters.database.migrator import migrate
from app.domain.customer_lines import AddressLine, CustomerLine, LegalEntityLine
from app.domain.origins import PROFILE_FIELDS
from app.domain.patches import Rules
from app.graphql import addresses, customers, groups, payment_instruments, product_lists, staff_customers
from app.graphql.schema import build_schema
from app.models.addresses import PURPOSES, Address
from app.models.base import TenantRow
from app.models.customers import Customer
from app.models.groups import CustomerGroup
from app.models.legal_entities import LegalEntityAssignment
from app.models.payment_instruments import PaymentInstrument
from app.models.personal_data import PERSONAL_TABLES
from app.models.product_lists import ProductList, ProductListItem
from app.services.accounts.addresses import ADDRESS
from app.services.accounts.legal_entities import ASSIGNMENT, CLAIM, assignments_to, check_claims
from app.services.accounts.payment_instruments import PAYMENT_INSTRUMENT
from app.services.accounts.product_lists import PRODUCT_LIST, PRODUCT_LIST_ITEM
from app.services.accounts.profiles import PROFILE, company_rules
from app.services.staff.customers import STAFF
from app.services.staff.groups import GROUP
from app.services.staff.new_customers import NewCustomer
from app.services.staff.search import TERMS
from tests.harness.source import read_modules

# What no client gives of any row: it is ours, or says whose the row is.
OURS = frozenset({"tenant_id", "id", "customer_id", "list_id", "created_at", "updated_at", "origin"})
COMPANY = company_rules(check_claims)
NEW_CUSTOMER = frozenset(each.name for each in dataclasses.fields(NewCustomer))
DECIDED_BY_STAFF = frozenset(STAFF) - frozenset(PROFILE)
KEPT_BY_US = frozenset({"customer_number", "status", "order_count", "version", "last_login_at"}) | {
    "search_name",
    "search_key",
    "search_text",
    "search_folding",
    "search_of",
    "anonymization_status",
    "merged_into",
    "shop_fields",
    "unproven_fields",
    "unproven_until",
}


@dataclasses.dataclass(frozen=True)
class Noun:
    """One kind of thing that clients write, and each place that has to know its fields.

    `others` are fields in those places that some other rule is for; `columns` has the columns that are named otherwise
    than their field, None for what is no column; `hidden` is not shown under its name.
    """

    name: str
    rules: Rules
    ruled_in: str
    inputs: tuple[type, ...]
    model: type[TenantRow] | None = None
    shown: type | None = None
    line: type[BaseModel] | None = None
    others: frozenset[str] = frozenset()
    columns: Mapping[str, str | None] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


NOUNS = (
    Noun(
        "profile",
        PROFILE,
        "PROFILE in services/accounts/profiles.py",
        inputs=(
            customers.CustomerDetailsInput,
            customers.UpdateMeInput,
            staff_customers.CreateCustomerInput,
            staff_customers.UpdateCustomerInput,
        ),
        model=Customer,
        shown=customers.Customer,
        line=CustomerLine,
        others=frozenset(
            {
                "b2b",
                "metadata",
                "password",
                "password_hash",
                "social_identities",
                "groups",
                "phone_verified",
                "email_verified",
                "email_bounced",
            }
        )
        | frozenset(
            {"phone_verified", "accounts", "passkeys", "product_lists", "payment_instruments", "anonymization_info"}
        )
        | frozenset({"sign_in_methods", "second_factor"})
        | frozenset(COMPANY)
        | NEW_CUSTOMER
        | DECIDED_BY_STAFF
        | KEPT_BY_US,
    ),
    Noun(
        "company",
        COMPANY,
        "company_rules in services/accounts/profiles.py",
        inputs=(customers.B2BInput, staff_customers.B2BAssignmentInput),
        shown=customers.B2BDetails,
        columns={"legal_entities": None},
    ),
    Noun(
        "company, said by staff",
        {**STAFF, **company_rules(assignments_to(()))},
        "STAFF in services/staff/customers.py",
        inputs=(staff_customers.UpdateCustomerInput,),
        model=Customer,
        others=frozenset({"b2b", "metadata"}) | KEPT_BY_US,
        columns={"legal_entities": None, "group_ids": None},
    ),
    Noun(
        "legal entity",
        CLAIM,
        "CLAIM in services/accounts/legal_entities.py",
        inputs=(customers.LegalEntityInput,),
        model=LegalEntityAssignment,
        others=frozenset({"confirmed"}),
        columns={"id": "legal_entity_id"},
    ),
    Noun(
        "legal entity, said by staff",
        ASSIGNMENT,
        "ASSIGNMENT in services/accounts/legal_entities.py",
        inputs=(staff_customers.LegalEntityAssignmentInput,),
        model=LegalEntityAssignment,
        shown=customers.LegalEntity,
        line=LegalEntityLine,
        columns={"id": "legal_entity_id"},
    ),
    Noun(
        "address",
        ADDRESS,
        "ADDRESS in services/accounts/addresses.py",
        inputs=(addresses.AddressInput, addresses.UpdateAddressInput),
        model=Address,
        shown=addresses.Address,
        line=AddressLine,
        others=frozenset({"formatted", "formatted_latin", *PURPOSES.values()}),
        columns={"default_for": None},
    ),
    Noun(
        "payment instrument",
        PAYMENT_INSTRUMENT,
        "PAYMENT_INSTRUMENT in services/accounts/payment_instruments.py",
        inputs=(payment_instruments.AddPaymentInstrumentInput, payment_instruments.UpdatePaymentInstrumentInput),
        model=PaymentInstrument,
        shown=payment_instruments.PaymentInstrument,
    ),
    Noun(
        "product list",
        PRODUCT_LIST,
        "PRODUCT_LIST in services/accounts/product_lists.py",
        inputs=(product_lists.CreateProductListInput, product_lists.UpdateProductListInput),
        model=ProductList,
        shown=product_lists.ProductList,
        others=frozenset({"type", "items", "items_by_list"}),
    ),
    Noun(
        "product list item",
        PRODUCT_LIST_ITEM,
        "PRODUCT_LIST_ITEM in services/accounts/product_lists.py",
        inputs=(product_lists.AddProductListItemInput, product_lists.UpdateProductListItemInput),
        model=ProductListItem,
        shown=product_lists.ProductListItem,
    ),
    Noun(
        "customer group",
        GROUP,
        "GROUP in services/staff/groups.py",
        inputs=(groups.CreateCustomerGroupInput, groups.UpdateCustomerGroupInput),
        model=CustomerGroup,
        shown=customers.CustomerGroup,
    ),
    Noun("search", TERMS, "TERMS in services/staff/search.py", inputs=(staff_customers.CustomerFilter,)),
)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the columns of each table as the migrations make them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('migrated')}/gateway.db"
    migrate(url)
    engine = create_engine(url)
    tables = inspect(engine)
    columns = {name: {column["name"] for column in tables.get_columns(name)} for name in tables.get_table_names()}
    engine.dispose()
    return columns


def classes_of(folder: str) -> Iterator[type]:
    """Yield the classes that the modules of a folder define."""
    for module in read_modules(folder):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name:
                yield value


def fields_of(type_: type) -> set[str]:
    return {each.python_name for each in get_object_definition(type_, strict=True).fields}


def places(noun: Noun, migrated: Mapping[str, set[str]]) -> Iterator[tuple[str, set[str]]]:
    """Yield each place that has to know the noun's fields, and those that it knows."""
    yield f"a rule ({noun.ruled_in})", set(noun.rules)
    for each in noun.inputs:
        yield f"a field of {each.__name__} ({each.__module__})", fields_of(each)
    if noun.line is not None:
        yield f"a member of {noun.line.__name__} ({noun.line.__module__})", set(noun.line.model_fields)
    if noun.shown is not None:
        yield f"a field of the type {noun.shown.__name__} ({noun.shown.__module__})", fields_of(noun.shown)
    if noun.model is None:
        return
    names = {column: field for field, column in noun.columns.items() if column is not None}
    no_columns = {field for field, column in noun.columns.items() if column is None}

    def named(columns: set[str]) -> set[str]:
        return {names.get(column, column) for column in columns - (OURS - set(names))} | no_columns

    table = noun.model.__table__
    yield f"a column of {noun.model.__name__} ({noun.model.__module__})", named(set(table.c.keys()))
    yield "a migration (app/migrations/versions)", named(migrated[table.name])
    personal = next((each for each in PERSONAL_TABLES if each.model is noun.model), None)
    if personal is not None:
        known = {*personal.shown, *personal.withheld}
        ends = {*personal.cleared, *personal.kept} if personal.rows_stay else known
        yield "a place in what the customer is shown (app/models/personal_data.py)", named(known)
        yield "a decision what becomes of it at the erasure (app/models/personal_data.py)", named(ends)


def gaps(noun: Noun, migrated: Mapping[str, set[str]]) -> list[str]:
    """Return a sentence for each field that some place knows, and each place that does not know it."""
    left_out = noun.others | (OURS - set(noun.columns))
    found = [(place, known - left_out) for place, known in places(noun, migrated)]
    every = set[str]().union(*(known for _, known in found))
    return [f"{field}: give it {place}" for field in sorted(every) for place, known in found if field not in known]


class TestFields:
    @pytest.mark.parametrize("noun", NOUNS, ids=str)
    def test_are_known_wherever_they_have_to_be(self, noun: Noun, migrated: dict[str, set[str]]) -> None:
        if missing := gaps(noun, migrated):
            pytest.fail("\n".join(missing), pytrace=False)

    def test_of_the_profile_are_told_by_who_wrote_them(self) -> None:
        ruled = {*PROFILE, *COMPANY} - {"legal_entities"}
        assert set(PROFILE_FIELDS) == ruled, "PROFILE_FIELDS of app/domain/origins.py says which fields have a writer"


SCHEMA = build_schema()
INPUTS = [
    definition.origin
    for definition in (get_object_definition(each) for each in classes_of("app/graphql"))
    if definition is not None and definition.is_input and SCHEMA.get_type_by_name(definition.name) is definition
]
# What `check_profile` and `NewCustomer.of` take apart before the rules see it: they refuse what they do not know.
TAKEN_APART: Mapping[type, frozenset[str]] = {
    customers.CustomerDetailsInput: frozenset({"b2b"}),
    customers.UpdateMeInput: frozenset({"b2b"}),
    staff_customers.CreateCustomerInput: NEW_CUSTOMER | {"b2b", *COMPANY},
    staff_customers.UpdateCustomerInput: frozenset({"b2b"}),
}


def attributes_where_taken() -> dict[str, set[str]]:
    """Return by the name of an input type which attributes are read in the functions that take one."""
    read: dict[str, set[str]] = {}
    for module in read_modules("app/graphql"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
                for argument in node.args.args:
                    for name in re.findall(r"\w+Input\b", ast.unparse(argument.annotation or ast.Constant(None))):
                        read.setdefault(name, set()).update(attributes)
    return read


READ = attributes_where_taken()


def holders_of(input: type) -> Iterator[type]:
    """Yield the input type, and those that it is a part of."""
    yield input
    for each in INPUTS:
        definition = get_object_definition(each, strict=True)
        if any(bare(field.type) is input for field in definition.fields):
            yield each


def bare(type_: object) -> object:
    """Return the type in a list, or in what may be null."""
    return bare(type_.of_type) if isinstance(type_, StrawberryContainer) else type_


class TestInputs:
    @pytest.mark.parametrize("input", INPUTS, ids=lambda each: each.__name__)
    def test_have_no_field_that_nobody_reads(self, input: type) -> None:
        read = {name for each in holders_of(input) for name in READ.get(each.__name__, ())}
        ruled = {name for noun in NOUNS if input in noun.inputs for name in noun.rules}
        unread = fields_of(input) - read - ruled - TAKEN_APART.get(input, frozenset())
        assert not unread, f"{input.__name__} takes {', '.join(sorted(unread))}, and no resolver and no rule reads it"
