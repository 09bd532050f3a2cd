"""A statement that does not name its tenant is found, in whatever part of it that is."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from sqlalchemy import and_, bindparam, delete, exists, insert, literal, or_, select, text, tuple_, union, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased
from sqlmodel import col

import app.repositories
from app.domain.ports import Database
from app.domain.rows import Reading
from app.models.addresses import Address
from app.models.credentials import Credential
from app.models.customers import Customer
from tests.harness.named_tenants import faults_of
from tests.harness.watched_statements import READ_ALL_TENANTS, take_unnamed

customer, address, credential = Customer.__table__, Address.__table__, Credential.__table__
other = aliased(address)
MINE = customer.c.tenant_id == bindparam("tenant_id")
MY_ADDRESS = address.c.tenant_id == bindparam("tenant_id")
OF_CUSTOMER = address.c.customer_id == customer.c.id
SAME_TENANT = address.c.tenant_id == customer.c.tenant_id
ids = select(address.c.id)

NAMED: dict[str, Any] = {
    "one table": select(customer).where(MINE),
    "a value instead of a parameter": select(customer).where(customer.c.tenant_id == "shop"),
    "the parameter on the left": select(customer).where(literal("shop") == customer.c.tenant_id),
    "columns of a model": select(col(Customer.id)).where(col(Customer.tenant_id) == bindparam("tenant_id")),
    "an AND in an AND": select(customer).where(and_(customer.c.id == "a", and_(MINE, customer.c.version == 1))),
    "joined tables": select(customer, address).join_from(customer, address, and_(SAME_TENANT, OF_CUSTOMER)).where(MINE),
    "tables joined in the WHERE": select(customer, address).where(SAME_TENANT, MINE),
    "an outer join": select(customer).outerjoin_from(customer, address, SAME_TENANT).where(MINE),
    "an outer join that names it again": select(customer).outerjoin_from(customer, address, MY_ADDRESS).where(MINE),
    "an alias": select(other).where(other.c.tenant_id == bindparam("tenant_id")),
    "a sub-select": select(customer).where(MINE, customer.c.id.in_(select(address.c.customer_id).where(MY_ADDRESS))),
    "a sub-select of the same table": delete(address).where(
        MY_ADDRESS, address.c.id.in_(ids.where(MY_ADDRESS).with_for_update(skip_locked=True))
    ),
    "an EXISTS that is tied to the outer table": select(customer).where(MINE, exists(ids.where(SAME_TENANT))),
    "what is selected from": select(select(customer.c.id).where(MINE).limit(1).subquery()),
    "a union": union(select(customer.c.id).where(MINE), ids.where(MY_ADDRESS)),
    "a CTE": select(ids.where(MY_ADDRESS).cte()),
    "an update": update(customer).where(MINE).values(version=2),
    "an update from another table": update(customer).where(MINE, SAME_TENANT).values(last_name=address.c.city),
    "a delete": delete(customer).where(MINE),
    "an insert": insert(customer),
    "several rows": insert(address).values([{"tenant_id": "shop", "id": "a"}, {"tenant_id": "shop", "id": "b"}]),
    "a conflict within the tenant": postgresql.insert(address).on_conflict_do_nothing(
        index_elements=["tenant_id", "id"]
    ),
    "what is inserted from a SELECT": insert(address).from_select(["id"], ids.where(MY_ADDRESS)),
    "no table of tenants": text("SELECT version_num FROM alembic_version"),
}
UNNAMED: dict[str, Any] = {
    "one table": select(customer),
    "another column": select(customer).where(customer.c.id == bindparam("tenant_id")),
    "another comparison": select(customer).where(customer.c.tenant_id > bindparam("tenant_id")),
    "a list of tenants": select(customer).where(customer.c.tenant_id.in_(["shop"])),
    "a tuple with the tenant": select(customer).where(tuple_(customer.c.tenant_id, customer.c.id).in_([("shop", "a")])),
    "an OR": select(customer).where(or_(MINE, customer.c.id == "a")),
    "an OR of tenants": select(customer).where(or_(MINE, customer.c.tenant_id == "other")),
    "a NOT": select(customer).where(~and_(MINE, customer.c.version == 1)),
    "one of two joined tables": select(customer).join_from(customer, address, OF_CUSTOMER).where(MINE),
    "one of two tables side by side": select(customer, address).where(MINE, OF_CUSTOMER),
    "two tables that are tied to each other only": select(customer, address).where(SAME_TENANT),
    "an outer join": select(customer).outerjoin_from(customer, address, OF_CUSTOMER).where(MINE),
    "the ON of an outer join": select(customer).outerjoin_from(customer, address, and_(MINE, SAME_TENANT)),
    "a full join": select(customer).join_from(customer, address, SAME_TENANT, full=True).where(MINE),
    "an alias": select(address, other).where(MY_ADDRESS, address.c.id == other.c.id),
    "a sub-select": select(customer).where(MINE, customer.c.id.in_(select(address.c.customer_id))),
    "a sub-select of the same table": delete(address).where(MY_ADDRESS, address.c.id.in_(ids)),
    "the table around a sub-select": select(customer).where(customer.c.id.in_(ids.where(MY_ADDRESS))),
    "an EXISTS": select(customer).where(MINE, exists(ids.where(OF_CUSTOMER))),
    "the table around an EXISTS": select(customer).where(exists(ids.where(MY_ADDRESS, SAME_TENANT))),
    "a column that is a sub-select": select(customer.c.id, ids.limit(1).scalar_subquery()).where(MINE),
    "an order by a sub-select": select(customer.c.id).where(MINE).order_by(ids.limit(1).scalar_subquery()),
    "what is selected from": select(select(customer.c.id).limit(1).subquery()),
    "one side of a union": union(select(customer.c.id).where(MINE), ids),
    "a CTE": select(ids.cte()),
    "an update": update(customer).values(version=2),
    "an update by OR": update(customer).where(or_(MINE, customer.c.id == "a")).values(version=2),
    "an update from another table": update(customer).where(MINE, OF_CUSTOMER).values(last_name=address.c.city),
    "a value of an update": update(customer).where(MINE).values(customer_number=ids.limit(1).scalar_subquery()),
    "an update of the tenant": update(customer).where(MINE).values(tenant_id="other"),
    "a delete": delete(customer).where(customer.c.id == "a"),
    "a row": insert(address).values(id="a"),
    "rows of two tenants": insert(address).values([{"tenant_id": "shop", "id": "a"}, {"tenant_id": "b", "id": "b"}]),
    "a conflict over all tenants": postgresql.insert(address).on_conflict_do_nothing(index_elements=["id"]),
    "what is inserted from a SELECT": insert(address).from_select(["id"], ids),
    "a text": text("SELECT id FROM customer"),
    "a text in a statement": select(customer).where(MINE, text("id IN (SELECT customer_id FROM address)")),
    "two tenants": select(customer, address).where(MINE, address.c.tenant_id == "other"),
}


class TestFaultsOf:
    @pytest.mark.parametrize("form", NAMED)
    def test_finds_nothing_where_each_table_has_the_tenant(self, form: str) -> None:
        assert faults_of(NAMED[form]) == []

    @pytest.mark.parametrize("form", UNNAMED)
    def test_finds_what_is_of_any_tenant(self, form: str) -> None:
        assert faults_of(UNNAMED[form])

    def test_says_which_table_it_is(self) -> None:
        assert faults_of(UNNAMED["one of two joined tables"]) == ["address is read or written whatever its tenant"]


def _sender(name: str, statement: str) -> Any:
    """Return the method of a repository that sends this statement, as if the package of the repositories had it."""
    kind, method = name.split(".")
    source = f"class {kind}:\n    async def {method}(connection):\n        return await connection.{statement}\n"
    names: dict[str, Any] = {"Reading": Reading, "select": select, "delete": delete, "customer": customer}
    exec(compile(source, app.repositories.__file__, "exec"), names)  # noqa: S102 - the text is a few lines above
    return getattr(names[kind], method)


@pytest.mark.anyio
class TestWatching:
    @pytest.mark.parametrize(
        "statement",
        [
            "read(Reading(object, select(customer)), {})",
            "read_anew(Reading(object, select(customer)))",
            "write(delete(customer), {})",
            "write_soon(delete(customer), {})",
            "write_anew(delete(customer))",
        ],
    )
    async def test_fails_the_test_that_has_sent_a_statement_without_its_tenant(
        self, database: Database, statement: str
    ) -> None:
        connection = database.connect()
        for _ in range(2):
            await _sender("Unnamed.look", statement)(connection)
            (unnamed,) = take_unnamed()
            assert unnamed.startswith("Unnamed.look: customer is read or written whatever its tenant\n")
            assert "FROM customer" in unnamed
        await connection.close()

    async def test_lets_a_look_up_for_due_work_read_all_tenants_and_lock_none(self, database: Database) -> None:
        connection = database.connect()
        name = "OutboxQueue.has_due"
        await _sender(name, "read_anew(Reading(object, select(customer)))")(connection)
        assert take_unnamed() == []
        await _sender(name, "read_anew(Reading(object, select(customer).with_for_update()))")(connection)
        await _sender(name, "write_anew(delete(customer))")(connection)
        assert len(take_unnamed()) == 2
        await connection.close()

    @pytest.mark.parametrize("name", READ_ALL_TENANTS)
    def test_allows_nothing_that_is_not_there(self, name: str) -> None:
        kind, method = name.split(".")
        modules = [import_module(each.name) for each in iter_modules(app.repositories.__path__, "app.repositories.")]
        assert [module for module in modules if hasattr(getattr(module, kind, None), method)]
