"""What staff do with customers: find, list, make and change them, and help with the password."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.factories import PASSWORD, address_input, signup_input
from tests.harness import operations
from tests.harness.client import Answer, Tokens
from tests.harness.gateway import Gateway
from tests.harness.staff import CREATE, CUSTOMERS, ENVIRONMENT, RESET_TOKEN, UPDATE, Staff

pytestmark = pytest.mark.anyio

RESET = "mutation ($input: ResetPasswordInput!) { resetPassword(input: $input) { userErrors { code field message } } }"
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


@pytest.fixture
async def staff(gateway: Gateway) -> Staff:
    return await Staff.of(gateway)


async def login(gateway: Gateway, email: str, password: str = PASSWORD) -> dict[str, Any]:
    """Try to log in, in a new session, and return the payload."""
    token = (await gateway.anonymous()).access
    answer = await gateway.graphql(operations.LOGIN, {"input": {"email": email, "password": password}}, token)
    payload: dict[str, Any] = answer["login"]
    return payload


async def reset_password(gateway: Gateway, token: str, password: str = PASSWORD) -> Answer:
    access = (await gateway.anonymous()).access
    return await gateway.graphql(RESET, {"input": {"token": token, "password": password}}, access)


def ids(page: dict[str, Any]) -> list[str]:
    return [node["id"] for node in page["nodes"]]


async def audited(gateway: Gateway, action: str) -> int:
    (row,) = await gateway.rows("SELECT count(*) AS n FROM audit_event WHERE action = :action", action=action)
    count: int = row.n
    return count


class TestCustomer:
    @pytest.mark.parametrize("by", ["id", "customerNumber", "email", "shopperReference"])
    async def test_finds_a_customer_by_what_identifies_them(self, staff: Staff, by: str) -> None:
        made = await staff.create(firstName="Ada")
        assert await staff.find(**{by: made[by]}) == made

    async def test_finds_an_address_however_it_is_spelled(self, staff: Staff) -> None:
        made = await staff.create(email="Ada@Example.com")
        assert await staff.find(email="ADA@EXAMPLE.COM") == made

    @pytest.mark.parametrize(
        "arguments",
        [{"id": UNKNOWN}, {"id": "x"}, {"customerNumber": "1"}, {"email": "nobody"}, {"shopperReference": "none"}],
    )
    async def test_is_null_for_nobody(self, staff: Staff, arguments: dict[str, str]) -> None:
        assert await staff.find(**arguments) is None

    @pytest.mark.parametrize("arguments", ["", '(id: "1", email: "ada@example.com")'])
    async def test_wants_exactly_one_argument(self, staff: Staff, arguments: str) -> None:
        answer = await staff.graphql(f"{{ customer{arguments} {{ id }} }}")
        assert answer.codes == ["BAD_REQUEST"]

    @pytest.mark.parametrize("by", ["id", "customerNumber", "email", "shopperReference"])
    async def test_finds_nobody_of_another_shop(self, gateway: Gateway, staff: Staff, by: str) -> None:
        made = await staff.create()
        assert await (await Staff.of(gateway, "open-backend")).find(**{by: made[by]}) is None

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        writer = await Staff.of(gateway, scope="customers.write")
        assert (await writer.graphql('{ customer(id: "1") { id } }')).codes == ["FORBIDDEN"]
        person = await gateway.customer()
        query = f'{{ customer(id: "{person.id}") {{ id }} }}'
        assert (await gateway.graphql(query, token=person.tokens.access)).codes == ["FORBIDDEN"]
        assert (await gateway.graphql(query)).codes == ["UNAUTHENTICATED"]


class TestCustomers:
    async def test_pages_through_all_in_the_order_of_their_creation(self, staff: Staff) -> None:
        made = [(await staff.create())["id"] for _ in range(5)]
        first = await staff.list(2)
        second = await staff.list(2, first["pageInfo"]["endCursor"])
        third = await staff.list(2, second["pageInfo"]["endCursor"])
        assert [*ids(first), *ids(second), *ids(third)] == made
        assert [page["pageInfo"]["hasNextPage"] for page in (first, second, third)] == [True, True, False]
        assert [page["pageInfo"]["hasPreviousPage"] for page in (first, second, third)] == [False, True, True]

    async def test_gives_nodes_and_edges_with_their_cursors(self, staff: Staff) -> None:
        for _ in range(3):
            await staff.create()
        page = await staff.list()
        assert [edge["node"]["id"] for edge in page["edges"]] == ids(page)
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        assert page["pageInfo"]["endCursor"] == page["edges"][2]["cursor"]
        assert ids(await staff.list(after=page["edges"][1]["cursor"])) == ids(page)[2:]

    async def test_is_empty_where_there_is_nobody(self, staff: Staff) -> None:
        page = await staff.list()
        assert (page["nodes"], page["edges"]) == ([], [])
        assert page["pageInfo"] == {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        }

    async def test_neither_repeats_nor_leaves_out_anyone_while_others_come(self, staff: Staff) -> None:
        made = [(await staff.create(lastName=name))["id"] for name in ("Adams", "Clark", "Evans")]
        first = await staff.list(2, name="")
        await staff.create(lastName="Brown")
        rest = await staff.list(2, first["pageInfo"]["endCursor"], name="")
        assert [*ids(first), *ids(rest)][:3] == made

    async def test_finds_names_by_their_beginning_in_any_case_and_without_accents(self, staff: Staff) -> None:
        muller = await staff.create(firstName="Zoë", lastName="Müller")
        await staff.create(firstName="Müller", lastName="Anders")
        for name in ("müller", "MULLER", "muller, zoe", "Mü"):
            assert ids(await staff.list(name=name)) == [muller["id"]]

    async def test_orders_by_the_name_what_is_searched_by_name(self, staff: Staff) -> None:
        made = {
            name: (await staff.create(lastName="Smith", firstName=name))["id"]
            for name in ("Zoe", "Adam", "Mary", "Adam B")
        }
        expected = [made[name] for name in ("Adam", "Adam B", "Mary", "Zoe")]
        first = await staff.list(3, name="smith")
        rest = await staff.list(3, first["pageInfo"]["endCursor"], name="smith")
        assert [*ids(first), *ids(rest)] == expected

    async def test_pages_through_people_of_one_name(self, staff: Staff) -> None:
        made = [(await staff.create(lastName="Smith"))["id"] for _ in range(3)]
        first = await staff.list(2, name="smith")
        assert [*ids(first), *ids(await staff.list(2, first["pageInfo"]["endCursor"], name="smith"))] == made

    async def test_finds_a_changed_name_and_no_longer_the_old_one(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer(customerDetails={"lastName": "Byron"})
        query = 'mutation { updateMe(input: {lastName: "Lovelace"}) { userErrors { code } } }'
        assert (await gateway.graphql(query, token=person.tokens.access))["updateMe"]["userErrors"] == []
        assert ids(await staff.list(name="love")) == [person.id]
        assert ids(await staff.list(name="byron")) == []

    async def test_finds_who_has_no_name_by_the_company(self, staff: Staff) -> None:
        made = await staff.create(company="Analytical Engines Ltd")
        assert ids(await staff.list(name="analytical")) == [made["id"]]

    async def test_finds_addresses_whole_or_by_their_beginning(self, staff: Staff) -> None:
        second = await staff.create(email="ada.b@example.com")
        first = await staff.create(email="Ada.A@example.com")
        await staff.create(email="bob@example.com")
        assert ids(await staff.list(email="ada.a@EXAMPLE.com")) == [first["id"]]
        assert ids(await staff.list(email="ada")) == []
        page = await staff.list(1, emailPrefix="ADA.")
        rest = await staff.list(1, page["pageInfo"]["endCursor"], emailPrefix="ADA.")
        assert [*ids(page), *ids(rest)] == [first["id"], second["id"]]

    async def test_takes_the_letters_of_a_search_as_they_are(self, staff: Staff) -> None:
        await staff.create(email="ada@example.com", lastName="Lovelace")
        assert ids(await staff.list(emailPrefix="%")) == []
        assert ids(await staff.list(name="_ovelace")) == []

    async def test_filters_by_number_status_activity_and_hold(self, staff: Staff) -> None:
        plain = await staff.create()
        held = await staff.create(onHold=True)
        inactive = await staff.create(active=False)
        assert ids(await staff.list(customerNumber=held["customerNumber"])) == [held["id"]]
        assert ids(await staff.list(onHold=True)) == [held["id"]]
        assert ids(await staff.list(onHold=False)) == [plain["id"], inactive["id"]]
        assert ids(await staff.list(active=False)) == [inactive["id"]]
        assert ids(await staff.list(active=True, onHold=False)) == [plain["id"]]
        assert ids(await staff.list(status="PROSPECT")) == [plain["id"], held["id"], inactive["id"]]
        assert ids(await staff.list(status="REPEAT")) == []

    async def test_filters_by_group_alone_and_with_the_name(self, staff: Staff) -> None:
        group = (await staff.create_group("wholesale"))["id"]
        smith = await staff.create(lastName="Smith", groupIds=[group])
        jones = await staff.create(lastName="Jones", groupIds=[group])
        await staff.create(lastName="Smith")
        page = await staff.list(1, groupId=group)
        rest = await staff.list(1, page["pageInfo"]["endCursor"], groupId=group)
        assert [*ids(page), *ids(rest)] == [smith["id"], jones["id"]]
        assert ids(await staff.list(groupId=group, name="smith")) == [smith["id"]]
        assert ids(await staff.list(groupId=UNKNOWN)) == []

    async def test_shows_nobody_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        group = (await staff.create_group("wholesale"))["id"]
        made = await staff.create(lastName="Smith", groupIds=[group], onHold=True)
        other = await Staff.of(gateway, "open-backend")
        for terms in (
            {},
            {"name": "smith"},
            {"email": made["email"]},
            {"emailPrefix": "customer"},
            {"customerNumber": made["customerNumber"]},
            {"groupId": group},
            {"onHold": True},
            {"status": "PROSPECT"},
        ):
            assert ids(await other.list(**terms)) == []
        mine = await other.create()
        assert ids(await other.list(after=(await staff.list())["pageInfo"]["endCursor"])) == [mine["id"]]

    @pytest.mark.parametrize("first", [0, -1, 101])
    async def test_refuses_a_page_of_less_than_one_or_more_than_a_hundred(self, staff: Staff, first: int) -> None:
        assert (await staff.graphql(CUSTOMERS, {"first": first})).codes == ["BAD_REQUEST"]

    @pytest.mark.parametrize("cursor", ["", "x", "WyJpZCJd", "bnVsbA", "é", "WyJpZCIsIlx1MDAwMCIsIiJd", "W1tbW1tb"])
    async def test_refuses_what_is_no_cursor(self, staff: Staff, cursor: str) -> None:
        assert (await staff.graphql(CUSTOMERS, {"after": cursor})).codes == ["BAD_REQUEST"]

    async def test_refuses_a_cursor_of_another_order(self, staff: Staff) -> None:
        await staff.create(lastName="Smith")
        cursor = (await staff.list(name="smith"))["pageInfo"]["endCursor"]
        assert (await staff.graphql(CUSTOMERS, {"after": cursor})).codes == ["BAD_REQUEST"]

    async def test_reads_a_page_with_its_groups_in_three_statements(self, gateway: Gateway, staff: Staff) -> None:
        group = (await staff.create_group("wholesale"))["id"]
        for _ in range(3):
            await staff.create(groupIds=[group])
        with gateway.count_statements() as statements:
            answer = await staff.graphql("{ customers { nodes { id groups { code } } } }")
        assert [node["groups"] for node in answer["customers"]["nodes"]] == [[{"code": "wholesale"}]] * 3
        assert len(statements) == 3, statements

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        writer = await Staff.of(gateway, scope="customers.write")
        assert (await writer.graphql("{ customers { nodes { id } } }")).codes == ["FORBIDDEN"]


class TestCreateCustomer:
    async def test_makes_a_customer_with_everything(self, staff: Staff) -> None:
        group = await staff.create_group("wholesale", privateMarkets=["outlet"])
        made = await staff.create(
            email="ada@example.com",
            emailVerified=True,
            customerNumber="K-0815",
            shopperReference="shop-1",
            active=False,
            onHold=True,
            firstName="Ada",
            lastName="Lovelace",
            company="Engines",
            businessModel="B2B",
            companyRegistrationId="HRB 1",
            legalEntities=[{"id": "le-1", "name": "Engines Ltd"}, {"name": "Looms Ltd", "confirmed": False}],
            groupIds=[group["id"]],
            addresses=[address_input(), address_input(city="Paris", country="FR", isDefault=True)],
        )
        b2b = made.pop("b2b")
        assert made == {
            "id": made["id"],
            "customerNumber": "K-0815",
            "email": "ada@example.com",
            "emailVerified": True,
            "firstName": "Ada",
            "lastName": "Lovelace",
            "contactEmail": "ada@example.com",
            "company": "Engines",
            "active": False,
            "onHold": True,
            "status": "PROSPECT",
            "shopperReference": "shop-1",
            "groups": [group],
            "metadata": {"version": 1},
        }
        assert b2b["companyRegistrationId"] == "HRB 1"
        assert [(each["name"], each["confirmed"]) for each in b2b["legalEntities"]] == [
            ("Engines Ltd", True),
            ("Looms Ltd", False),
        ]
        answer = await staff.graphql(f'{{ customer(id: "{made["id"]}") {{ addresses {{ city isDefault }} }} }}')
        assert answer["customer"]["addresses"] == [
            {"city": "Paris", "isDefault": True},
            {"city": "Berlin", "isDefault": False},
        ]

    @pytest.mark.parametrize("email", [{}, {"email": ""}, {"email": None}])
    async def test_lets_the_contact_address_sign_in_where_no_other_is_given(
        self, staff: Staff, email: dict[str, str | None]
    ) -> None:
        answer = await staff.try_to(CREATE, contactEmail="ada@example.com", **email)
        made = answer["createCustomer"]["customer"]
        assert (made["email"], made["contactEmail"]) == ("ada@example.com", "ada@example.com")
        taken = await staff.try_to(CREATE, contactEmail="ada@example.com", **email)
        assert taken.user_errors("createCustomer") == [("EMAIL_TAKEN", "email")]
        none = await staff.try_to(CREATE, contactEmail=" ", **email)
        assert none.user_errors("createCustomer") == [("REQUIRED", "email")]

    @pytest.mark.parametrize("empty", [{}, {"customerNumber": "", "shopperReference": "", "contactPhone": ""}])
    async def test_makes_number_and_reference_where_none_are_given(self, staff: Staff, empty: dict[str, str]) -> None:
        made = await staff.create(**empty)
        assert made["customerNumber"].isdigit()
        assert len(made["customerNumber"]) == 8
        assert made["shopperReference"] == made["id"]
        assert (made["active"], made["onHold"], made["emailVerified"]) == (True, False, False)

    async def test_lets_nobody_log_in_without_a_password(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        payload = await login(gateway, made["email"])
        assert [error["code"] for error in payload["userErrors"]] == ["INVALID_CREDENTIALS"]

    async def test_calls_a_given_password_initial_until_it_is_changed(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create(password=PASSWORD)
        payload = await login(gateway, made["email"])
        assert payload["tokens"]["initialPassword"] is True
        change = """mutation ($input: ChangePasswordInput!) {
            changePassword(input: $input) { userErrors { code field } }
        }"""
        given = {"currentPassword": PASSWORD, "newPassword": "marble-lantern-77"}
        answer = await gateway.graphql(change, {"input": given}, payload["tokens"]["accessToken"])
        assert answer["changePassword"]["userErrors"] == []
        again = await login(gateway, made["email"], "marble-lantern-77")
        assert again["tokens"]["initialPassword"] is False

    async def test_tells_every_fault_at_once_and_writes_nothing(self, staff: Staff) -> None:
        answer = await staff.try_to(
            CREATE,
            email="nope",
            password="short",
            customerNumber="#1",
            shopperReference="ab",
            firstName="x" * 101,
            contactPhone="12",
            legalEntities=[{"id": "le-1"}],
            groupIds=[UNKNOWN],
            addresses=[address_input(country="zz"), address_input(isDefault=True), address_input(isDefault=True)],
        )
        assert sorted(answer.user_errors("createCustomer")) == [
            ("INVALID", "addresses"),
            ("INVALID", "customerNumber"),
            ("INVALID_COUNTRY", "addresses.0.country"),
            ("INVALID_EMAIL", "email"),
            ("INVALID_PHONE", "contactPhone"),
            ("NOT_FOUND", "groupIds"),
            ("PASSWORD_TOO_SHORT", "password"),
            ("REQUIRED", "legalEntities.0.name"),
            ("TOO_LONG", "firstName"),
            ("TOO_SHORT", "shopperReference"),
        ]
        assert ids(await staff.list()) == []

    async def test_says_openly_that_an_address_is_taken(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer()
        answer = await staff.try_to(CREATE, email=person.email.upper())
        assert answer.user_errors("createCustomer") == [("EMAIL_TAKEN", "email")]

    @pytest.mark.parametrize("field", ["customerNumber", "shopperReference"])
    async def test_refuses_what_another_customer_has(self, staff: Staff, field: str) -> None:
        await staff.create(**{field: "same-1"})
        answer = await staff.try_to(CREATE, email="second@example.com", **{field: "same-1"})
        assert answer.user_errors("createCustomer") == [("TAKEN", field)]
        assert await staff.find(email="second@example.com") is None

    async def test_takes_what_only_a_customer_of_another_shop_has(self, gateway: Gateway, staff: Staff) -> None:
        given = {"email": "ada@example.com", "customerNumber": "1", "shopperReference": "same"}
        await staff.create(**given)
        made = await (await Staff.of(gateway, "open-backend")).create(**given)
        assert made["email"] == "ada@example.com"

    async def test_knows_no_group_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        group = await (await Staff.of(gateway, "open-backend")).create_group("theirs")
        answer = await staff.try_to(CREATE, email="ada@example.com", groupIds=[group["id"]])
        assert answer.user_errors("createCustomer") == [("NOT_FOUND", "groupIds")]

    @pytest.mark.parametrize("field", ["email", "customerNumber", "shopperReference"])
    async def test_makes_one_of_sixteen_who_want_the_same(self, staff: Staff, field: str) -> None:
        def wanted(number: int) -> dict[str, str]:
            return {"email": f"racer-{number}@example.com"} | {
                field: "same@example.com" if field == "email" else "same"
            }

        answers = await asyncio.gather(*(staff.try_to(CREATE, **wanted(number)) for number in range(16)))
        errors = [answer.user_errors("createCustomer") for answer in answers]
        code = "EMAIL_TAKEN" if field == "email" else "TAKEN"
        assert errors.count([]) == 1
        assert errors.count([(code, field)]) == 15
        assert len(ids(await staff.list())) == 1

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        reader = await Staff.of(gateway, scope="customers.read")
        assert (await reader.try_to(CREATE, email="ada@example.com")).codes == ["FORBIDDEN"]


class TestUpdateCustomer:
    async def test_changes_what_is_given_and_clears_what_is_null(self, staff: Staff) -> None:
        made = await staff.create(firstName="Ada", lastName="Byron", company="Engines")
        changed = await staff.update(made["id"], lastName="Lovelace", company=None, shopperReference="new-reference")
        assert changed == made | {
            "lastName": "Lovelace",
            "company": None,
            "shopperReference": "new-reference",
            "metadata": {"version": 2},
        }

    @pytest.mark.parametrize("change", [{"active": False}, {"onHold": True}])
    async def test_ends_sessions_on_behalf_access_and_mailed_tokens_at_once(
        self, gateway: Gateway, staff: Staff, change: dict[str, bool]
    ) -> None:
        person = await gateway.customer()
        other = await gateway.login(person.email)
        on_behalf = await login_on_behalf(staff, person.id)
        reset = (await staff.try_to(RESET_TOKEN, customerId=person.id))["createPasswordResetToken"]["token"]
        await staff.update(person.id, **change)
        for token in (person.tokens.access, other.access, on_behalf):
            answer = await gateway.graphql("{ me { id } }", token=token)
            assert (answer.codes, answer.reason) == (["UNAUTHENTICATED"], "REVOKED")
        for tokens in (person.tokens, other):
            answer = await gateway.graphql(operations.REFRESH, {"input": {"refreshToken": tokens.refresh}})
            assert answer.user_errors("refresh") == [("TOKEN_INVALID", "refreshToken")]
        answer = await reset_password(gateway, reset, "marble-lantern-77")
        assert answer.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]

    async def test_does_not_bring_the_old_sessions_back_with_the_account(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer()
        await staff.update(person.id, active=False)
        await staff.update(person.id, active=True)
        assert (await gateway.graphql("{ me { id } }", token=person.tokens.access)).codes == ["UNAUTHENTICATED"]
        assert (await login(gateway, person.email))["customer"]["id"] == person.id

    async def test_writes_down_who_was_let_in_and_who_was_not(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        await staff.update(made["id"], active=True, onHold=False)
        assert await audited(gateway, "customer.activation") == 0
        await staff.update(made["id"], active=False, onHold=True)
        assert await audited(gateway, "customer.activation") == 1
        assert await audited(gateway, "customer.hold") == 1

    async def test_lets_no_login_through_that_races_with_the_hold(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.signup_confirmed()

        async def try_login() -> str | None:
            tokens = (await login(gateway, person.email))["tokens"]
            return tokens["accessToken"] if tokens else None

        tokens = await asyncio.gather(*(try_login() for _ in range(4)), staff.update(person.id, onHold=True))
        for token in tokens[:4]:
            if isinstance(token, str):
                assert (await gateway.graphql("{ me { id } }", token=token)).codes == ["UNAUTHENTICATED"]

    async def test_replaces_the_groups(self, staff: Staff) -> None:
        one, two, three = [await staff.create_group(code) for code in ("one", "two", "three")]
        made = await staff.create(groupIds=[one["id"], two["id"]])
        changed = await staff.update(made["id"], groupIds=[three["id"], two["id"], two["id"]])
        assert [group["code"] for group in changed["groups"]] == ["three", "two"]
        assert (await staff.update(made["id"], groupIds=None))["groups"] == []

    async def test_confirms_adds_and_removes_legal_entities(self, gateway: Gateway, staff: Staff) -> None:
        claimed = [{"id": "le-1", "name": "Engines Ltd"}, {"id": "le-2", "name": "Looms Ltd"}]
        person = await gateway.customer(customerDetails={"b2b": {"legalEntities": claimed}})
        wanted = [{"id": "le-1", "confirmed": True}, {"id": "le-3", "name": "Mills Ltd", "confirmed": False}]
        changed = await staff.update(person.id, legalEntities=wanted)
        assert changed["b2b"]["legalEntities"] == [
            {"id": "le-1", "name": "Engines Ltd", "confirmed": True},
            {"id": "le-3", "name": "Mills Ltd", "confirmed": False},
        ]

    async def test_keeps_or_changes_the_place_in_a_company(self, gateway: Gateway, staff: Staff) -> None:
        claimed = [{"id": "le-1", "name": "Engines Ltd", "contactAssignmentId": "91033918"}]
        person = await gateway.customer(customerDetails={"b2b": {"legalEntities": claimed}})

        async def place() -> str:
            query = f'{{ customer(id: "{person.id}") {{ b2b {{ legalEntities {{ contactAssignmentId }} }} }} }}'
            (entity,) = (await staff.graphql(query))["customer"]["b2b"]["legalEntities"]
            found: str = entity["contactAssignmentId"]
            return found

        await staff.update(person.id, legalEntities=[{"id": "le-1", "name": "", "confirmed": True}])
        assert await place() == "91033918"
        await staff.update(person.id, legalEntities=[{"id": "le-1", "contactAssignmentId": "4711"}])
        assert await place() == "4711"
        await staff.update(person.id, legalEntities=[{"id": "le-1", "contactAssignmentId": None}])
        assert len(await place()) == 36

    async def test_takes_the_company_where_customers_write_it_but_once(self, staff: Staff) -> None:
        company = {"companyRegistrationId": "HRB 1", "legalEntities": [{"id": "le-1", "name": "Engines Ltd"}]}
        made = await staff.create(b2b=company)
        kept = [{"id": "le-1", "name": "Engines Ltd", "confirmed": True}]
        assert made["b2b"] == {"companyRegistrationId": "HRB 1", "legalEntities": kept}
        changed = await staff.update(made["id"], b2b={"companyRegistrationId": "HRB 2"})
        assert changed["b2b"] == {"companyRegistrationId": "HRB 2", "legalEntities": kept}
        twice = await staff.try_to(UPDATE, id=made["id"], b2b=company, legalEntities=[])
        assert twice.user_errors("updateCustomer") == [("INVALID", "b2b")]
        faulty = await staff.try_to(UPDATE, id=made["id"], b2b={"legalEntities": [{"id": "le-2"}]})
        assert faulty.user_errors("updateCustomer") == [("REQUIRED", "b2b.legalEntities.0.name")]
        assert (await staff.update(made["id"], b2b=None))["b2b"] is None

    @pytest.mark.parametrize(
        "company",
        [
            {"companyRegistrationId": "HRB 1"},
            {"legalEntities": [{"name": "Engines Ltd"}]},
            {"b2b": {"companyRegistrationId": "HRB 1"}},
        ],
    )
    async def test_makes_a_business_customer_of_one_with_a_company(self, staff: Staff, company: dict[str, Any]) -> None:
        async def model(customer_id: str) -> str:
            answer = await staff.graphql(f'{{ customer(id: "{customer_id}") {{ businessModel }} }}')
            found: str = answer["customer"]["businessModel"]
            return found

        assert await model((await staff.create(**company))["id"]) == "B2B"
        person = await staff.create(**company, businessModel="B2C")
        assert await model(person["id"]) == "B2C"
        await staff.update(person["id"], **company)
        assert await model(person["id"]) == "B2B"
        await staff.update(person["id"], businessModel="B2C")
        await staff.update(person["id"], legalEntities=[], companyRegistrationId="")
        assert await model(person["id"]) == "B2C"

    async def test_lets_sessions_act_for_confirmed_legal_entities_only(self, gateway: Gateway, staff: Staff) -> None:
        person = await gateway.customer()
        await staff.update(person.id, legalEntities=[{"id": "le-1", "name": "Engines Ltd"}])
        given = {"refreshToken": person.tokens.refresh, "legalEntityId": "le-1"}
        answer = await gateway.graphql(operations.REFRESH, {"input": given})
        access = Tokens.of(answer["refresh"]["tokens"]).access
        info = "{ tokenInfo { legalEntityId } }"
        assert (await gateway.graphql(info, token=access))["tokenInfo"]["legalEntityId"] == "le-1"
        await staff.update(person.id, legalEntities=[{"id": "le-1", "confirmed": False}])
        assert (await gateway.graphql(info, token=access))["tokenInfo"]["legalEntityId"] is None

    async def test_tells_every_fault_at_once_and_writes_nothing(self, staff: Staff) -> None:
        made = await staff.create(firstName="Ada")
        answer = await staff.try_to(
            UPDATE,
            id=made["id"],
            active=False,
            firstName="x" * 101,
            shopperReference=None,
            groupIds=[UNKNOWN],
            legalEntities=[{"id": "le-1"}],
            preferredCurrency="XXY",
        )
        assert sorted(answer.user_errors("updateCustomer")) == [
            ("INVALID_CURRENCY", "preferredCurrency"),
            ("NOT_FOUND", "groupIds"),
            ("REQUIRED", "legalEntities.0.name"),
            ("REQUIRED", "shopperReference"),
            ("TOO_LONG", "firstName"),
        ]
        assert await staff.find(id=made["id"]) == made

    @pytest.mark.parametrize(("reference", "code"), [("ab", "TOO_SHORT"), ("x" * 129, "TOO_LONG")])
    async def test_wants_a_reference_of_3_to_128_characters(self, staff: Staff, reference: str, code: str) -> None:
        made = await staff.create()
        answer = await staff.try_to(UPDATE, id=made["id"], shopperReference=reference)
        assert answer.user_errors("updateCustomer") == [(code, "shopperReference")]
        for length in (3, 128):
            assert (await staff.update(made["id"], shopperReference="x" * length))["shopperReference"] == "x" * length

    async def test_refuses_a_taken_reference_and_keeps_all_as_it_was(self, staff: Staff) -> None:
        await staff.create(shopperReference="taken")
        made = await staff.create(firstName="Ada")
        answer = await staff.try_to(UPDATE, id=made["id"], firstName="Eve", shopperReference="taken")
        assert answer.user_errors("updateCustomer") == [("TAKEN", "shopperReference")]
        assert await staff.find(id=made["id"]) == made

    async def test_takes_a_reference_that_only_another_shop_has(self, gateway: Gateway, staff: Staff) -> None:
        await (await Staff.of(gateway, "open-backend")).create(shopperReference="theirs")
        made = await staff.create()
        assert (await staff.update(made["id"], shopperReference="theirs"))["shopperReference"] == "theirs"

    async def test_gives_a_reference_to_one_of_sixteen(self, staff: Staff) -> None:
        made = [(await staff.create())["id"] for _ in range(16)]
        answers = await asyncio.gather(*(staff.try_to(UPDATE, id=each, shopperReference="wanted") for each in made))
        errors = [answer.user_errors("updateCustomer") for answer in answers]
        assert errors.count([]) == 1
        assert errors.count([("TAKEN", "shopperReference")]) == 15

    async def test_refuses_a_stale_version(self, staff: Staff) -> None:
        made = await staff.create(firstName="Ada")
        await staff.update(made["id"], firstName="Augusta", metadata={"version": 1})
        answer = await staff.try_to(UPDATE, id=made["id"], firstName="Eve", metadata={"version": 1})
        assert answer.user_errors("updateCustomer") == [("VERSION_CONFLICT", "metadata.version")]
        found = await staff.find(id=made["id"])
        assert found is not None
        assert found["firstName"] == "Augusta"

    async def test_changes_nothing_where_nothing_is_given(self, staff: Staff) -> None:
        made = await staff.create()
        assert await staff.update(made["id"]) == made

    async def test_does_not_find_a_customer_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        other = await Staff.of(gateway, "open-backend")
        theirs = await other.create(firstName="Ada")
        for customer_id in (theirs["id"], UNKNOWN, "x"):
            answer = await staff.try_to(UPDATE, id=customer_id, firstName="Eve")
            assert answer.user_errors("updateCustomer") == [("NOT_FOUND", "id")]
        assert await other.find(id=theirs["id"]) == theirs

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        reader = await Staff.of(gateway, scope="customers.read")
        assert (await reader.try_to(UPDATE, id=made["id"], active=False)).codes == ["FORBIDDEN"]


class TestCreatePasswordResetToken:
    async def test_makes_a_token_that_sets_a_first_password(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        token = (await staff.try_to(RESET_TOKEN, customerId=made["id"]))["createPasswordResetToken"]["token"]
        answer = await reset_password(gateway, token)
        assert answer.user_errors("resetPassword") == []
        payload = await login(gateway, made["email"])
        assert payload["customer"]["id"] == made["id"]
        assert payload["tokens"]["initialPassword"] is False

    async def test_mails_nothing(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        await staff.try_to(RESET_TOKEN, customerId=made["id"])
        await gateway.deliver()
        # But for the invitation of before, which is none of its.
        assert [mail.subject for mail in gateway.mails(made["email"])] == ["Your account at Demo shop"]

    async def test_makes_the_older_token_worthless(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        older, newer = [
            (await staff.try_to(RESET_TOKEN, customerId=made["id"]))["createPasswordResetToken"]["token"]
            for _ in range(2)
        ]
        answer = await reset_password(gateway, older)
        assert answer.user_errors("resetPassword") == [("TOKEN_INVALID", "token")]
        answer = await reset_password(gateway, newer)
        assert answer.user_errors("resetPassword") == []

    async def test_lives_for_half_an_hour(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create()
        token = (await staff.try_to(RESET_TOKEN, customerId=made["id"]))["createPasswordResetToken"]["token"]
        gateway.clock.advance(minutes=30)
        answer = await reset_password(gateway, token)
        assert answer.user_errors("resetPassword") == [("TOKEN_EXPIRED", "token")]

    @pytest.mark.parametrize(
        ("state", "code"), [({"active": False}, "ACCOUNT_INACTIVE"), ({"onHold": True}, "ACCOUNT_ON_HOLD")]
    )
    async def test_is_refused_for_who_may_not_log_in(self, staff: Staff, state: dict[str, bool], code: str) -> None:
        made = await staff.create(**state)
        answer = await staff.try_to(RESET_TOKEN, customerId=made["id"])
        assert answer.user_errors("createPasswordResetToken") == [(code, "customerId")]

    async def test_does_not_find_a_customer_of_another_shop(self, gateway: Gateway, staff: Staff) -> None:
        theirs = await (await Staff.of(gateway, "open-backend")).create()
        answer = await staff.try_to(RESET_TOKEN, customerId=theirs["id"])
        assert answer.user_errors("createPasswordResetToken") == [("NOT_FOUND", "customerId")]

    async def test_is_for_integrations_with_the_scope_only(self, gateway: Gateway) -> None:
        reader = await Staff.of(gateway, scope="customers.read")
        assert (await reader.try_to(RESET_TOKEN, customerId=UNKNOWN)).codes == ["FORBIDDEN"]


async def login_on_behalf(staff: Staff, customer_id: str) -> str:
    answer = await staff.graphql(
        "mutation ($input: LoginOnBehalfInput!) { loginOnBehalf(input: $input) { tokens { accessToken } } }",
        {"input": {"customerId": customer_id, "reason": "A call"}},
    )
    token: str = answer["loginOnBehalf"]["tokens"]["accessToken"]
    return token


class TestSignup:
    async def test_cannot_take_the_address_of_a_customer_whom_staff_made(self, gateway: Gateway, staff: Staff) -> None:
        made = await staff.create(email="ada@example.com")
        token = (await gateway.anonymous()).access
        answer = await gateway.graphql(operations.SIGNUP, {"input": signup_input()}, token)
        assert answer["signup"]["customerId"] != made["id"]
        assert ids(await staff.list()) == [made["id"]]
