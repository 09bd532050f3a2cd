"""The import of customers: what a line may hold, what is refused, and that each customer comes in once."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import tracemalloc
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.commands.command_line import main
from app.domain.import_form import WANTED, Form
from app.services.staff.import_files import import_file, read_secrets, report_path
from app.services.staff.import_sources import open_source
from app.services.staff.imports import Options, Outcome
from tests.adapters.keys.foreign_hashes import FIREBASE_PARAMETERS, HASHES, PEPPER
from tests.factories import PASSWORD, address_input
from tests.harness import operations
from tests.harness.gateway import Gateway
from tests.harness.server import PATIENCE, ROOT
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

BCRYPT = "$2b$04$8yIo7wO2iVO3tx3hY2zKM.NlD73XwbdkCf.27.a4CzHkBcT1CRoQy"


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "customers.jsonl"


def write(file: Path, *lines: dict[str, Any] | bytes) -> None:
    """Write the lines, each as JSON or as the bytes that it is."""
    file.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )


async def run(
    gateway: Gateway, file: Path, *lines: dict[str, Any] | bytes, strict: bool = True, **options: Any
) -> list[dict[str, Any]]:
    """Import the lines into the demo shop, strictly unless it is said, and return the report."""
    write(file, *lines)
    return await run_file(gateway, file, Options(strict=strict, **options), form=Form.JSONL, encoding="utf-8")


async def run_file(gateway: Gateway, file: Path, options: Options | None = None, **how: Any) -> list[dict[str, Any]]:
    """Import a file into the demo shop and return the report."""
    source = open_source(file, **how)
    summary = await import_file(gateway.tools, gateway.tools.tenants.tenant("demo"), source, options)
    report = read_report(file)
    assert summary.outcomes == Counter(Outcome(line["outcome"]) for line in report)
    return report


def read_report(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report_path(file).read_bytes().splitlines()]


def faults(line: dict[str, Any]) -> list[tuple[str, str]]:
    assert line["outcome"] == "faulty"
    assert line["customerId"] is None
    return sorted((error["code"], ".".join(error["field"])) for error in line["errors"])


async def password_hash(gateway: Gateway, customer_id: str) -> str | None:
    (row,) = await gateway.rows("SELECT password_hash FROM credential WHERE customer_id = :id", id=customer_id)
    encoded: str | None = row.password_hash
    return encoded


class TestImportFile:
    async def test_keeps_everything_that_a_line_tells(self, gateway: Gateway, file: Path) -> None:
        staff = await Staff.of(gateway)
        group = await staff.create_group("wholesale")
        (line,) = await run(
            gateway,
            file,
            {
                "email": "Ada@example.com",
                "emailVerified": True,
                "shopperReference": "old-shop-17",
                "customerNumber": "K-17",
                "active": True,
                "onHold": True,
                "status": "REPEAT",
                "orderCount": 7,
                "createdAt": "2019-05-04T12:00:00+02:00",
                "firstName": "Ada",
                "lastName": "Lovelace",
                "company": "Engines",
                "companyRegistrationId": "HRB 1",
                "preferredLanguage": "de_DE",
                "businessModel": "B2B",
                "mixins": {"loyalty": {"level": "gold"}},
                "groups": ["wholesale"],
                "legalEntities": [{"id": "le-1", "name": "Engines Ltd", "contactAssignmentId": "91033918"}],
                "addresses": [
                    {**address_input(), "tags": ["billing"], "extraLine1": "c/o Byron", "defaultFor": ["BILLING"]}
                ],
            },
        )
        assert line == {
            "line": 1,
            "outcome": "imported",
            "customerId": line["customerId"],
            "remarks": [],
            "errors": [],
        }
        query = f"""{{ customer(id: "{line["customerId"]}") {{
            email emailVerified shopperReference customerNumber active onHold status firstName lastName company
            contactEmail preferredLanguage businessModel mixins groups {{ id }} metadata {{ createdAt version }}
            b2b {{ companyRegistrationId legalEntities {{ id name contactAssignmentId confirmed }} }}
            addresses {{ city tags isDefault defaultFor extraLine1 }} accounts {{ provider }}
        }} }}"""
        assert (await staff.graphql(query))["customer"] == {
            "email": "Ada@example.com",
            "emailVerified": True,
            "shopperReference": "old-shop-17",
            "customerNumber": "K-17",
            "active": True,
            "onHold": True,
            "status": "REPEAT",
            "firstName": "Ada",
            "lastName": "Lovelace",
            "company": "Engines",
            "contactEmail": "Ada@example.com",
            "preferredLanguage": "de-DE",
            "businessModel": "B2B",
            "mixins": {"loyalty": {"level": "gold"}},
            "groups": [{"id": group["id"]}],
            "metadata": {"createdAt": "2019-05-04T10:00:00+00:00", "version": 1},
            "b2b": {
                "companyRegistrationId": "HRB 1",
                "legalEntities": [
                    {"id": "le-1", "name": "Engines Ltd", "contactAssignmentId": "91033918", "confirmed": True}
                ],
            },
            "addresses": [
                {
                    "city": "Berlin",
                    "tags": ["BILLING"],
                    "isDefault": True,
                    "defaultFor": ["BILLING"],
                    "extraLine1": "c/o Byron",
                }
            ],
            "accounts": [],
        }

    async def test_lets_staff_find_the_customer_at_once(self, gateway: Gateway, file: Path) -> None:
        staff = await Staff.of(gateway)
        address = address_input(contactName="Annabella Byron", street="Rue Lepic", city="Łódź")
        ada = {"email": "ada@example.com", "firstName": "Ada", "lastName": "Øst", "contactPhone": "+49301234567"}
        line, _ = await run(gateway, file, {**ada, "addresses": [address]}, {"email": "bob@example.com"})
        for search in ("ost ada", "lodz", "lepic annabella", "030 1234567", "ada@example.com", "ost lodz"):
            found = (await staff.list(search=search))["nodes"]
            assert [customer["id"] for customer in found] == [line["customerId"]], search
        assert (await staff.list(search="ada bob"))["nodes"] == []

    async def test_takes_empty_texts_as_nothing_and_reads_phones_by_the_address(
        self, gateway: Gateway, file: Path
    ) -> None:
        staff = await Staff.of(gateway)
        names = ("title", "firstName", "contactEmail", "contactPhone", "preferredLanguage", "preferredCurrency")
        empty = dict.fromkeys((*names, "preferredSite", "customerNumber", "shopperReference", "passwordHash"), "")
        (first, second) = await run(
            gateway,
            file,
            {"email": "ada@example.com", **empty, "companyRegistrationId": "HRB 1"},
            {
                "email": "grace@example.com",
                "contactPhone": "123456789",
                "companyRegistrationId": "HRB 2",
                "businessModel": "B2C",
                "addresses": [address_input(contactPhone="123456789")],
            },
        )
        fields = "shopperReference contactPhone contactEmail preferredLanguage businessModel addresses { contactPhone }"
        one, two = [
            (await staff.graphql(f'{{ customer(id: "{line["customerId"]}") {{ {fields} }} }}'))["customer"]
            for line in (first, second)
        ]
        assert one == {
            "shopperReference": first["customerId"],
            "contactPhone": None,
            "contactEmail": "ada@example.com",
            "preferredLanguage": "en",
            "businessModel": "B2B",
            "addresses": [],
        }
        assert (two["contactPhone"], two["businessModel"]) == ("+49123456789", "B2C")
        assert two["addresses"] == [{"contactPhone": "+49123456789"}]

    async def test_imports_the_example_of_the_readme(self, gateway: Gateway, file: Path) -> None:
        readme = (ROOT / "app/services/staff/README.md").read_text()
        (line,) = await run(gateway, file, json.loads(readme.split("```json")[1].split("```")[0]))
        assert line["outcome"] == "imported"
        assert (await gateway.login("mary@example.com", PASSWORD)).session_id

    async def test_makes_what_a_line_leaves_out(self, gateway: Gateway, file: Path) -> None:
        (line,) = await run(gateway, file, {"email": "ada@example.com"})
        found = await (await Staff.of(gateway)).find(email="ada@example.com")
        assert found is not None
        assert (found["id"], found["shopperReference"]) == (line["customerId"], line["customerId"])
        assert (found["active"], found["onHold"], found["status"]) == (True, False, "PROSPECT")
        assert len(found["customerNumber"]) == 8

    @pytest.mark.usefixtures("costly_passwords")
    async def test_lets_people_log_in_with_their_old_password_and_hashes_it_anew(
        self, gateway: Gateway, file: Path
    ) -> None:
        (line,) = await run(gateway, file, {"email": "ada@example.com", "passwordHash": BCRYPT})
        token = (await gateway.anonymous()).access
        wrong = {"email": "ada@example.com", "password": "violet-harbour-43"}
        answer = await gateway.graphql(operations.LOGIN, {"input": wrong}, token)
        assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        # It is too easy to guess to be stored as it came.
        wrapped = await password_hash(gateway, line["customerId"])
        assert (wrapped or "").startswith("$pre$bcrypt,2b,4,")
        assert BCRYPT[-31:] not in (wrapped or "")
        tokens = await gateway.login("ada@example.com", PASSWORD)
        assert tokens.all["initialPassword"] is False
        encoded = await password_hash(gateway, line["customerId"])
        assert (encoded or "").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        await gateway.login("ada@example.com", PASSWORD)
        assert await password_hash(gateway, line["customerId"]) == encoded

    async def test_lets_people_in_by_the_hashes_of_many_systems(self, gateway: Gateway, file: Path) -> None:
        strong = "WordPress from 6.8"
        names = (strong, "Magento 2, MD5 upgraded", "Drupal 7", "ASP.NET Identity 2", "Keycloak, PBKDF2 with SHA-256")
        lines: list[dict[str, Any]] = [
            {"email": f"{place}@example.com", "passwordHash": HASHES[name]} for place, name in enumerate(names)
        ]
        # Systems that write JSON have it in JSON as an object as well.
        lines.append({"email": "5@example.com", "passwordHash": json.loads(HASHES["Auth0, salted SHA-256"])})
        report = await run(gateway, file, *lines)
        assert [line["outcome"] for line in report] == ["imported"] * 6
        stored = [await password_hash(gateway, line["customerId"]) or "" for line in report]
        assert [encoded.startswith("$pre$") for encoded in stored] == [False] + [True] * 5
        assert stored[0] == HASHES[strong]
        for line in lines:
            await gateway.login(line["email"], PASSWORD)
        for line in report:
            assert (await password_hash(gateway, line["customerId"]) or "").startswith("$argon2id$")

    async def test_takes_what_the_old_system_kept_apart_from_its_hashes(self, gateway: Gateway, file: Path) -> None:
        pepper, parameters = file.with_name("pepper"), file.with_name("firebase.txt")
        pepper.write_text(f"{PEPPER}\n")
        parameters.write_text(FIREBASE_PARAMETERS)
        names = {"ada@example.com": "Devise with a pepper, at the cost of tests", "bob@example.com": "Firebase"}
        write(file, *({"email": email, "passwordHash": HASHES[name]} for email, name in names.items()))
        report = await run_file(gateway, file, Options(secrets=read_secrets(pepper, parameters)))
        assert [line["outcome"] for line in report] == ["imported", "imported"]
        for email in names:
            await gateway.login(email, PASSWORD)

    async def test_says_why_a_hash_is_left_out_and_nothing_of_it(self, gateway: Gateway, file: Path) -> None:
        hashes = ["$2y$15$" + "a" * 53, "$argon2id$v=19$m=4194304,t=9,p=1$c2FsdHNhbHQ$" + "A" * 43, "nothing", "{"]
        report = await run(
            gateway,
            file,
            *({"email": f"{place}@example.com", "passwordHash": each} for place, each in enumerate(hashes)),
        )
        assert [faults(line) for line in report] == [[("INVALID", "passwordHash")]] * 4
        assert "takes too long" in report[0]["errors"][0]["message"]
        assert "no hash of a form that we know" in report[2]["errors"][0]["message"]
        assert not [each for each in hashes if len(each) > 1 and each in report_path(file).read_text()]

    async def test_skips_who_is_in_already(self, gateway: Gateway, file: Path) -> None:
        lines = [{"email": "ada@example.com", "shopperReference": "ref-1"}, {"email": "bob@example.com"}]
        first = await run(gateway, file, *lines)
        again = await run(gateway, file, *lines, {"email": "eve@example.com"})
        assert [line["outcome"] for line in first] == ["imported", "imported"]
        assert [line["outcome"] for line in again] == ["skipped", "skipped", "imported"]
        assert [line["customerId"] for line in again[:2]] == [line["customerId"] for line in first]

    async def test_refuses_whom_another_customer_stands_in_the_way_of(self, gateway: Gateway, file: Path) -> None:
        person = await gateway.customer()
        taken = {"email": "ada@example.com", "shopperReference": "ref-1", "customerNumber": "1"}
        report = await run(
            gateway,
            file,
            {"email": person.email, "shopperReference": "ref-0"},
            taken,
            {"email": "ADA@example.com", "shopperReference": "ref-2"},
            {"email": "bob@example.com", "shopperReference": "ref-1"},
            {"email": "bob@example.com", "customerNumber": "1"},
            {"email": "bob@example.com"},
        )
        assert report[1]["outcome"] == "imported"
        assert faults(report[0]) == [("EMAIL_TAKEN", "email")]
        # The file has these two already.
        assert [line["outcome"] for line in report[2:4]] == ["skipped", "skipped"]
        assert {line["customerId"] for line in report[1:4]} == {report[1]["customerId"]}
        assert faults(report[4]) == [("TAKEN", "customerNumber")]
        assert report[5]["outcome"] == "imported"

    async def test_reports_every_fault_of_a_line_and_goes_on(self, gateway: Gateway, file: Path) -> None:
        report = await run(
            gateway,
            file,
            {
                "email": "nope",
                "shopperReference": "ab",
                "customerNumber": "#",
                "passwordHash": "5f4dcc3b5aa765d61d8327deb882cf9",
                "createdAt": "2999-01-01T00:00:00Z",
                "firstName": "x" * 101,
                "groups": ["unknown"],
                "addresses": [{**address_input(), "country": "zz"}],
            },
            b"",
            {"email": "ada@example.com"},
        )
        assert faults(report[0]) == [
            ("INVALID", "createdAt"),
            ("INVALID", "customerNumber"),
            ("INVALID", "passwordHash"),
            ("INVALID_COUNTRY", "addresses.0.country"),
            ("INVALID_EMAIL", "email"),
            ("NOT_FOUND", "groups.0"),
            ("TOO_LONG", "firstName"),
            ("TOO_SHORT", "shopperReference"),
        ]
        assert (report[1]["line"], report[1]["outcome"]) == (3, "imported")

    @pytest.mark.parametrize(
        ("line", "field"),
        [
            (b"{", ""),
            (b"[]", ""),
            (b'"ada@example.com"', ""),
            (b"\xff\xfe", ""),
            (b"[" * 20_000, ""),
            ({}, "email"),
            ({"email": 1}, "email"),
            ({"email": "ada@example.com", "password": "secret"}, "password"),
            ({"email": "ada@example.com", "active": "yes"}, "active"),
            ({"email": "ada@example.com", "status": "GONE"}, "status"),
            ({"email": "ada@example.com", "orderCount": -1}, "orderCount"),
            ({"email": "ada@example.com", "createdAt": "2019-05-04T12:00:00"}, "createdAt"),
            ({"email": "ada@example.com", "groups": ["a\0b"]}, "groups.0"),
            ({"email": "ada@example.com", "addresses": [{"city": "Berlin", "street": 1}]}, "addresses.0.street"),
        ],
    )
    async def test_refuses_what_has_not_the_form_of_a_customer(
        self, gateway: Gateway, file: Path, line: dict[str, Any] | bytes, field: str
    ) -> None:
        (reported,) = await run(gateway, file, line)
        assert ("INVALID", field) in faults(reported)

    async def test_refuses_a_line_and_a_hash_that_are_too_long(self, gateway: Gateway, file: Path) -> None:
        report = await run(
            gateway,
            file,
            {"email": "ada@example.com", "firstName": "x" * 200_000},
            {"email": "ada@example.com", "passwordHash": "$pbkdf2-sha256$1$" + "x" * 240},
        )
        assert faults(report[0]) == [("TOO_LONG", "")]
        assert faults(report[1]) == [("TOO_LONG", "passwordHash")]

    async def test_tells_nothing_of_a_person_in_the_report(self, gateway: Gateway, file: Path) -> None:
        await run(gateway, file, {"email": "ada@", "firstName": "Augusta" * 20, "status": "Secretive"})
        report = report_path(file).read_text()
        assert "ada@" not in report
        assert "Augusta" not in report
        assert "Secretive" not in report

    async def test_goes_on_after_lines_of_more_than_one_batch(self, gateway: Gateway, file: Path) -> None:
        lines = [{"email": f"person-{number}@example.com"} for number in range(250)]
        report = await run(gateway, file, *lines)
        assert [line["line"] for line in report] == list(range(1, 251))
        assert {line["outcome"] for line in report} == {"imported"}

    async def test_knows_nothing_of_another_shop(self, gateway: Gateway, file: Path) -> None:
        other = await Staff.of(gateway, "open-backend")
        await other.create_group("theirs")
        await other.create(email="ada@example.com", shopperReference="same", customerNumber="1")
        report = await run(
            gateway,
            file,
            {"email": "ada@example.com", "shopperReference": "same", "customerNumber": "1"},
            {"email": "bob@example.com", "groups": ["theirs"]},
        )
        assert report[0]["outcome"] == "imported"
        assert faults(report[1]) == [("NOT_FOUND", "groups.0")]

    async def test_writes_each_customer_into_the_audit(self, gateway: Gateway, file: Path) -> None:
        (line,) = await run(gateway, file, {"email": "ada@example.com"})
        (row,) = await gateway.rows("SELECT action FROM audit_event WHERE customer_id = :id", id=line["customerId"])
        assert row.action == "customer.created"


def remarks(line: dict[str, Any]) -> list[tuple[str, str]]:
    return [(remark["code"], ".".join(remark["field"])) for remark in line["remarks"]]


class TestLenience:
    async def test_leaves_out_what_is_wrong_and_says_so(self, gateway: Gateway, file: Path) -> None:
        staff = await Staff.of(gateway)
        await staff.create_group("gold")
        wrong = address_input(country="Atlantis", contactPhone="x")
        (line,) = await run(
            gateway,
            file,
            {
                "email": "ada@example.com",
                "password": "secret",
                "firstName": "x" * 101,
                "lastName": "Lovelace",
                "contactPhone": "call me",
                "shopperReference": "ab",
                "passwordHash": "5f4dcc3b5aa765d61d8327deb882cf9",
                "createdAt": "yesterday",
                "groups": ["silver", "gold"],
                "mixins": {"loyalty": {"level": 7}, "shopify": {"tags": ["vip"]}},
                "addresses": [
                    wrong,
                    address_input(city="Potsdam", isDefault=True, contactPhone="x"),
                    address_input(city="Bonn", isDefault=True, state="x" * 101, nothing=1),
                    {"city": "Köln"},
                    "Berlin",
                ],
                "legalEntities": [{"id": "le-1"}, {"name": "Engines Ltd"}],
            },
            strict=False,
        )
        assert (line["outcome"], line["errors"]) == ("imported", [])
        assert sorted(remarks(line)) == [
            ("INVALID", "addresses"),
            ("INVALID", "addresses.2.nothing"),
            ("INVALID", "addresses.4"),
            ("INVALID", "createdAt"),
            ("INVALID", "legalEntities.0.name"),
            ("INVALID", "mixins.loyalty.level"),
            ("INVALID", "password"),
            ("INVALID", "passwordHash"),
            ("INVALID_COUNTRY", "addresses.0.country"),
            ("INVALID_COUNTRY", "addresses.3.country"),
            ("INVALID_PHONE", "addresses.0.contactPhone"),
            ("INVALID_PHONE", "addresses.1.contactPhone"),
            ("INVALID_PHONE", "contactPhone"),
            ("NOT_FOUND", "groups.0"),
            ("REQUIRED", "addresses.3.contactName"),
            ("REQUIRED", "addresses.3.street"),
            ("TOO_LONG", "addresses.2.state"),
            ("TOO_LONG", "firstName"),
            ("TOO_SHORT", "shopperReference"),
        ]
        query = f"""{{ customer(id: "{line["customerId"]}") {{
            firstName lastName contactPhone groups {{ code }} mixins addresses {{ city isDefault contactPhone }}
            b2b {{ legalEntities {{ name }} }}
        }} }}"""
        assert (await staff.graphql(query))["customer"] == {
            "firstName": None,
            "lastName": "Lovelace",
            "contactPhone": None,
            "groups": [{"code": "gold"}],
            "mixins": {"shopify": {"tags": ["vip"]}},
            "addresses": [
                {"city": "Potsdam", "isDefault": True, "contactPhone": None},
                {"city": "Bonn", "isDefault": False, "contactPhone": None},
            ],
            "b2b": {"legalEntities": [{"name": "Engines Ltd"}]},
        }

    async def test_refuses_whoever_has_no_right_address_and_makes_a_number_that_is_taken(
        self, gateway: Gateway, file: Path
    ) -> None:
        report = await run(
            gateway,
            file,
            {"email": "ada@", "contactPhone": "x"},
            {"firstName": "Nobody"},
            {"email": "ada@example.com", "customerNumber": "1"},
            {"email": "bob@example.com", "customerNumber": "1"},
            strict=False,
        )
        assert [line["outcome"] for line in report] == ["faulty", "faulty", "imported", "imported"]
        assert (faults(report[0]), remarks(report[0])) == (
            [("INVALID_EMAIL", "email")],
            [("INVALID_PHONE", "contactPhone")],
        )
        assert faults(report[1]) == [("INVALID", "email")]
        assert remarks(report[3]) == [("TAKEN", "customerNumber")]

    async def test_keeps_an_address_that_is_the_default_for_what_there_is_not(
        self, gateway: Gateway, file: Path
    ) -> None:
        addresses = [address_input(defaultFor=["OFFICE", "BILLING", "HOLIDAYS"]), address_input(defaultFor=["BILLING"])]
        (line,) = await run(gateway, file, {"email": "ada@example.com", "addresses": addresses}, strict=False)
        assert remarks(line) == [("INVALID", "addresses.0.defaultFor.0"), ("INVALID", "addresses.0.defaultFor.2")]
        rows = await gateway.rows("SELECT is_billing_default AS it FROM address ORDER BY is_default DESC")
        assert [bool(row.it) for row in rows] == [False, True]

    async def test_keeps_as_many_addresses_as_the_shop_allows(self, gateway: Gateway, file: Path) -> None:
        most = gateway.tools.tenants.tenant("demo").limits.addresses_per_customer
        every = [address_input(city=f"City {number}") for number in range(most + 2)]
        (line,) = await run(gateway, file, {"email": "ada@example.com", "addresses": every}, strict=False)
        assert remarks(line) == [("LIMIT_REACHED", "addresses")]
        (rows,) = await gateway.rows("SELECT count(*) AS n FROM address")
        assert rows.n == most

    async def test_keeps_the_first_default_of_each_kind_that_several_addresses_claim(
        self, gateway: Gateway, file: Path
    ) -> None:
        most = gateway.tools.tenants.tenant("demo").limits.addresses_per_customer
        everything: dict[str, Any] = {"isDefault": True, "defaultFor": ["BILLING", "SHIPPING"]}
        twice = [address_input(**everything), address_input(**everything)]
        at_the_end = [*(address_input() for _ in range(most - 1)), *twice]
        report = await run(
            gateway,
            file,
            {"email": "ada@example.com", "addresses": twice},
            {"email": "bob@example.com", "addresses": at_the_end},
            strict=False,
        )
        assert [remarks(line) for line in report] == [
            [("INVALID", "addresses")] * 3,
            [("LIMIT_REACHED", "addresses"), *[("INVALID", "addresses")] * 3],
        ]
        for line, count in zip(report, (2, most), strict=True):
            addresses = await gateway.rows(
                "SELECT is_default, is_billing_default, is_shipping_default FROM address WHERE customer_id = :id",
                id=line["customerId"],
            )
            assert len(addresses) == count
            assert [sum(map(bool, column)) for column in zip(*addresses, strict=True)] == [1, 1, 1]

    async def test_lets_a_customer_change_other_mixins_than_those_of_the_old_system(
        self, gateway: Gateway, file: Path
    ) -> None:
        kept = {"magento": {"note": "likes tea"}}
        await run(gateway, file, {"email": "ada@example.com", "passwordHash": BCRYPT, "mixins": kept}, strict=False)
        token = (await gateway.login("ada@example.com", PASSWORD)).access
        change = f"""mutation ($input: UpdateMeInput!) {{
            updateMe(input: $input) {{ customer {{ mixins }} {operations.USER_ERRORS} }}
        }}"""
        given: dict[str, Any] = {"mixins": {"loyalty": {"level": "gold"}}}
        changed = (await gateway.graphql(change, {"input": given}, token))["updateMe"]
        assert changed == {"customer": {"mixins": {**kept, "loyalty": {"level": "gold"}}}, "userErrors": []}
        given = {"mixins": {"magento": {"note": "is the admin"}}}
        assert (await gateway.graphql(change, {"input": given}, token)).user_errors("updateMe") == [
            ("INVALID", "mixins.magento")
        ]


class TestTwins:
    async def test_are_skipped_wherever_they_stand(self, gateway: Gateway, file: Path) -> None:
        between = [{"email": f"person-{number}@example.com"} for number in range(120)]
        ada = {"email": "ada@example.com", "shopperReference": "ref-1"}
        others = [{"email": "ADA@example.com", "shopperReference": "ref-2"}, {"email": "ada@example.com"}, ada]
        for _ in range(2):
            report = await run(gateway, file, ada, *others, *between, *others)
            (first, *twins) = [report[0], *report[1:4], *report[-3:]]
            assert {line["outcome"] for line in twins} == {"skipped"}
            assert {line["customerId"] for line in twins} == {first["customerId"]}
            assert {code for line in twins for code, _ in remarks(line)} == {"TAKEN"}
        (rows,) = await gateway.rows("SELECT count(*) AS n FROM customer")
        assert rows.n == 121


class TestGroups:
    async def test_are_found_by_code_or_name_and_made_on_demand(self, gateway: Gateway, file: Path) -> None:
        staff = await Staff.of(gateway)
        await staff.create_group("wholesale")
        names = ["wholesale", "Großkunden & Co", "großkunden & CO", "東京"]
        lines = [{"email": "ada@example.com", "groups": names}, {"email": "bob@example.com", "groups": names[1:2]}]
        dry = await run(gateway, file, *lines, create_groups=True, dry_run=True, strict=False)
        assert [remarks(line) for line in dry] == [[], []]
        (rows,) = await gateway.rows("SELECT count(*) AS n FROM customer_group")
        assert rows.n == 1
        report = await run(gateway, file, *lines, create_groups=True, strict=False)
        assert [remarks(line) for line in report] == [[], []]
        groups = (await staff.graphql("{ customerGroups { code name } }"))["customerGroups"]
        assert groups[0] == {"code": "Grosskunden-Co", "name": "Großkunden & Co"}
        assert [group["name"] for group in groups[1:]] == ["東京", "Wholesale"]


class TestIdentities:
    async def test_are_linked_where_the_shop_has_the_provider(self, gateway: Gateway, file: Path) -> None:
        known = {"provider": "demo", "subject": "ada-1", "email": "ada@example.com"}
        first, second = await run(
            gateway,
            file,
            {"email": "ada@example.com", "socialIdentities": [known, {"provider": "google", "subject": "1"}]},
            {"email": "bob@example.com", "socialIdentities": [known]},
            strict=False,
        )
        assert remarks(first) == [("NOT_FOUND", "socialIdentities.1.provider")]
        assert remarks(second) == [("SOCIAL_ACCOUNT_TAKEN", "socialIdentities.0")]
        (row,) = await gateway.rows("SELECT customer_id, issuer, subject, email FROM social_identity")
        assert tuple(row) == (first["customerId"], "http://127.0.0.1:9400", "ada-1", "ada@example.com")


class TestDryRun:
    async def test_reports_and_writes_nothing(self, gateway: Gateway, file: Path) -> None:
        lines: list[dict[str, Any]] = [{"email": f"person-{number}@example.com"} for number in range(120)]
        lines[119]["customerNumber"] = lines[0]["customerNumber"] = "7"
        again = {"email": "person-0@example.com"}
        report = await run(gateway, file, *lines, again, {"email": "x"}, dry_run=True, strict=False)
        assert {line["customerId"] for line in report} == {None}
        assert Counter(line["outcome"] for line in report) == {"imported": 120, "skipped": 1, "faulty": 1}
        assert remarks(report[119]) == [("TAKEN", "customerNumber")]
        for counting in (
            "SELECT count(*) AS n FROM customer",
            "SELECT count(*) AS n FROM credential",
            "SELECT count(*) AS n FROM audit_event",
        ):
            (rows,) = await gateway.rows(counting)
            assert rows.n == 0


class TestForms:
    @pytest.mark.parametrize(
        "content",
        [
            b"email;name\r\n",
            b'\n[\n{"email": "ada@example.com"},\n{"email": "bob@example.com"}\n]\n',
            b'{"email": "ada@example.com"},\n{"email": "bob@example.com"}\n',
            b'{\n  "email": "ada@example.com"\n}\n{\n"email": "bob@example.com"}',
            b'{"customers": [\n{"email": \n"ada@example.com"}, {"email": "bob@example.com"}\n]}\n',
            b'\xef\xbb\xbf{"email": "ada@example.com"}\n{"email": "bob@example.com"}\n',
            b"email;firstName\nada@example.com;\nbob@example.com;Bob\n",
            b'x\tEMAIL\temail\n\t\tada@example.com\n1\t2\t"bob@example.com"\n',
            *(
                '{"email": "ada@example.com"}\n{"email": "bob@example.com"}\n'.encode(encoding)
                for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
            ),
        ],
    )
    def test_are_seen(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        found = [(record.content or {})["email"] for record in open_source(file).records()]
        assert found == ([] if content.endswith(b"name\r\n") else ["ada@example.com", "bob@example.com"])

    @pytest.mark.parametrize(
        ("content", "form"),
        [
            (b'{"email": \n{"email": "ada@example.com"}\n{"email": "b@example.com"}\n', Form.JSONL),
            (b"ada@example.com;Ada\n" + b'{"email": "ada@example.com"}\n' * 3, Form.JSONL),
            (b'[{"email": "ada@exam', Form.JSON),
            (b'{"users": [{"email": "ada@example.com"}, {"em', Form.JSON),
            (b'email,mixins\nada@example.com,"{""a"": {}}"\n', Form.CSV),
        ],
    )
    def test_are_seen_where_the_file_is_broken(self, file: Path, content: bytes, form: Form) -> None:
        file.write_bytes(content)
        assert open_source(file).form is form

    def test_hold_a_file_of_any_length(self, file: Path) -> None:
        with file.open("w") as table:
            table.write("email,firstName,mixins.old.note\n")
            table.writelines(f'person-{number}@example.com,"A, B",{"x" * 1000}\n' for number in range(20_000))
        tracemalloc.start()
        try:
            last = deque(open_source(file).records(), maxlen=1)
            assert tracemalloc.get_traced_memory()[1] < file.stat().st_size / 3
        finally:
            tracemalloc.stop()
        assert (last[0].line, (last[0].content or {})["email"]) == (20_001, "person-19999@example.com")


class TestCommand:
    def test_prints_what_came_of_it_and_exits_with_1_for_a_faulty_line(
        self,
        environment: dict[str, str],
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        write(file, {"email": "ada@example.com"}, {"email": "nope"})
        with pytest.raises(SystemExit) as ended:
            main(["customers", "import", str(file)])
        assert ended.value.code == 1
        printed = capsys.readouterr()
        assert printed.out.startswith("1 imported, 0 skipped, 1 faulty; ")
        write(file, {"email": "ada@example.com"})
        assert main(["customers", "import", str(file), "--tenant", "open"]) == 0
        assert capsys.readouterr().out.startswith("1 imported, 0 skipped, 0 faulty; ")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--pepper-file", "secret"], "secret is empty"),
            (["--firebase-hash-config", "secret"], "secret has no base64_signer_key"),
            (["--pepper-file", "nowhere"], "nowhere: No such file or directory"),
        ],
    )
    def test_says_in_a_line_what_is_wrong_with_the_secrets_of_old_hashes(
        self,
        environment: dict[str, str],
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        said: str,
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        write(file, {"email": "ada@example.com"})
        file.with_name("secret").write_bytes(b"\n")
        option, name = arguments
        assert main(["customers", "import", str(file), option, str(file.with_name(name))]) == 2
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "said"), [(["--tenant", "nobody"], "no tenant 'nobody'"), ([], "No such file or directory")]
    )
    def test_says_in_a_line_what_is_not_there(
        self,
        environment: dict[str, str],
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        said: str,
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert main(["customers", "import", str(file), *arguments]) == 2
        assert said in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty"),
            (b"\n \r\n\n", "is empty"),
            (b"\xef\xbb\xbf\n", "is empty"),
            (b"ada@example.com\nbob@example.com\n", "has no column email, but 'ada@example.com'"),
            (b"E-Mail;Name\r\nada@example.com;Ada\r\n", "has no column email, but 'E-Mail', 'Name'"),
            (gzip.compress(b'{"email": "ada@example.com"}\n', mtime=0), "packed by gzip"),
            (b"PK\x03\x04\x14\x00\x06\x00", "a ZIP archive or a spreadsheet"),
            (bytes(range(256)), "is no text"),
        ],
    )
    def test_says_in_a_line_what_is_wanted_instead_of_something_else(
        self,
        environment: dict[str, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        content: bytes,
        said: str,
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / "customers.csv"
        file.write_bytes(content)
        assert main(["customers", "import", str(file)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"{file} ")
        assert said in line
        assert line.endswith(WANTED)
        assert not report_path(file).exists()

    def test_says_in_a_line_that_it_takes_no_folder_and_no_pipe(
        self,
        environment: dict[str, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        os.mkfifo(tmp_path / "pipe")
        for path, what in ((tmp_path, "a folder"), (tmp_path / "pipe", "no regular file")):
            assert main(["customers", "import", str(path)]) == 2
            assert capsys.readouterr().err == f"{path} is {what}: {WANTED}\n"

    @pytest.mark.parametrize("first", [b'{"email": ', b"ada@example.com;Ada"])
    def test_takes_a_broken_line_for_that_line_s_fault_where_others_are_right(
        self,
        environment: dict[str, str],
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        first: bytes,
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        write(file, first, {"email": "ada@example.com"})
        with pytest.raises(SystemExit, match="1"):
            main(["customers", "import", str(file)])
        assert capsys.readouterr().out.startswith("1 imported, 0 skipped, 1 faulty; ")

    async def test_goes_on_where_it_was_killed(self, gateway: Gateway, environment: dict[str, str], file: Path) -> None:
        write(
            file, *({"email": f"person-{number}@example.com", "addresses": [address_input()]} for number in range(400))
        )
        _import_until_killed(file, environment)
        before = len(read_lines(file))
        assert 0 < before < 400
        again = Counter(line["outcome"] for line in await run_file(gateway, file))
        assert again["skipped"] >= before
        assert again["skipped"] + again["imported"] == 400
        (customers,) = await gateway.rows("SELECT count(*) AS n FROM customer")
        (addresses,) = await gateway.rows("SELECT count(*) AS n FROM address")
        assert (customers.n, addresses.n) == (400, 400)


def read_lines(file: Path) -> list[bytes]:
    return report_path(file).read_bytes().splitlines()


def _import_until_killed(file: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "app", "customers", "import", str(file)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE
        while not report_path(file).exists() or not read_lines(file):
            assert time.monotonic() < deadline, "Nothing was imported."
            time.sleep(0.005)
        process.kill()


@pytest.fixture
def command(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return what runs the command, and returns its exit code and what it has printed."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run_it(*arguments: str | Path) -> tuple[int, str, str]:
        try:
            code = main(["customers", *map(str, arguments)])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run_it


class TestOptions:
    def test_tell_how_a_table_is_read(self, command: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
        table, names = tmp_path / "old shop.csv", tmp_path / "map.toml"
        table.write_bytes(
            "Mail;Vorname;Straße;Ort;Land;Farbe\nada@example.com;Zoë;Weg 1;Köln;DE;rot\n".encode("cp1252")
        )
        names.write_text(
            'email = "Mail"\nfirstName = "Vorname"\naddresses.0.contactName = "Vorname"\n'
            'addresses.0.street = "Straße"\naddresses.0.city = "Ort"\naddresses.0.country = "Land"\n'
        )
        code, printed, _ = command("import", table, "--map", names, "--dry-run")
        assert (code, read_report(table)[0]["customerId"]) == (0, None)
        assert "This was a dry run: no customer was written." in printed
        assert "read as a table (CSV) in Windows-1252." in printed
        assert "Nothing was read from these columns: Farbe\n" in printed
        assert re.search(r"^  imported +1$", printed, re.MULTILINE)
        code, printed, _ = command("import", table, "--map", names)
        assert (code, printed.splitlines()[0].partition(";")[0]) == (0, "1 imported, 0 skipped, 0 faulty")
        report = report_path(table)
        assert stat.S_IMODE(report.stat().st_mode) == 0o600
        # An encoding that is told is believed.
        assert "has no column 'Straße'" in command("import", table, "--map", names, "--encoding", "cp437")[2]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--encoding", "klingon"], "--encoding klingon: there is no such encoding"),
            (["--from", "shopify"], "has no column of shopify's with the e-mail address, but 'email adress', 'b'"),
            (["--map", "map.toml"], "has no column 'Mail', which the map names"),
            (["--map", "none.toml"], "none.toml: No such file or directory"),
            (["--map", "bad.toml"], "bad.toml is no TOML"),
            (["--from", "shopify", "--map", "map.toml"], "not allowed with argument"),
            (["--from", "opencart"], "invalid choice: 'opencart'"),
            (["--format", "xml"], "invalid choice: 'xml'"),
            (["--format", "json"], "no JSON"),
        ],
    )
    def test_are_refused_in_a_line(
        self, command: Callable[..., tuple[int, str, str]], tmp_path: Path, arguments: list[str], said: str
    ) -> None:
        table = tmp_path / "customers.csv"
        table.write_text("email adress,b\nada@example.com,1\n")
        (tmp_path / "map.toml").write_text('email = "Mail"')
        (tmp_path / "bad.toml").write_text("email = ")
        given = [str(tmp_path / each) if each.endswith(".toml") else each for each in arguments]
        code, printed, error = command("import", table, *given)
        if arguments == ["--format", "json"]:
            assert code == 1
            assert said in read_report(table)[0]["errors"][0]["message"]
        else:
            assert (code, printed) == (2, "")
            assert said in error
            assert "Traceback" not in error

    def test_that_are_strict_refuse_what_would_be_left_out(
        self, command: Callable[..., tuple[int, str, str]], tmp_path: Path
    ) -> None:
        table = tmp_path / "customers.csv"
        table.write_text("email,contactPhone,email\nada@example.com,x,b\n")
        assert "has more than one column 'email'" in command("import", table)[2]
        table.write_text("email,contactPhone,colour\nada@example.com,x,b\n")
        code, _, error = command("import", table, "--strict")
        assert (code, "no fields of a customer: 'colour'" in error) == (2, True)
        table.write_text("email,contactPhone\nada@example.com,x\nbob@example.com,'+49 30 1234567\n")
        assert command("import", table, "--strict")[0] == 1
        assert [line["outcome"] for line in read_report(table)] == ["faulty", "imported"]
        assert command("import", table)[0] == 0


def _import_until_stopped(file: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Press Ctrl-C as soon as something was imported; returns the exit code and what was printed."""
    command = [sys.executable, "-m", "app", "customers", "import", str(file)]
    variables = {**os.environ, **environment}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=pipe, stderr=pipe, text=True) as process:
        deadline = time.monotonic() + PATIENCE
        while not report_path(file).exists() or not read_lines(file):
            assert time.monotonic() < deadline, "Nothing was imported."
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        printed, error = process.communicate(timeout=PATIENCE)
    return process.returncode, printed, error


class TestInterruption:
    async def test_leaves_a_whole_report_and_says_so_in_a_line(
        self, gateway: Gateway, environment: dict[str, str], file: Path
    ) -> None:
        write(file, *({"email": f"person-{number}@example.com"} for number in range(600)))
        code, printed, error = _import_until_stopped(file, environment)
        assert (code, error) == (130, "Stopped. Run the import again: it goes on where it ended.\n")
        report = read_report(file)
        (rows,) = await gateway.rows("SELECT count(*) AS n FROM customer")
        assert printed.startswith(f"{rows.n} imported, 0 skipped, 0 faulty; ")
        assert 0 < rows.n == len(report) < 600
        again = await run_file(gateway, file)
        assert Counter(line["outcome"] for line in again) == {"skipped": rows.n, "imported": 600 - rows.n}
