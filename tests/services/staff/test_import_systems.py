"""The files of other systems, as those write them: small samples of each, with people who were made up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.domain.moving.drafts import Draft, Row
from app.domain.moving.records import Record
from app.domain.moving.systems import SYSTEMS
from app.services.staff.import_files import import_file, report_path
from app.services.staff.import_sources import open_source
from app.services.staff.imports import Options
from tests.factories import PASSWORD
from tests.harness.gateway import Gateway
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

FILES = Path(__file__).parent / "files"
CUSTOMER = """
    email emailVerified firstName lastName middleName title company contactPhone preferredLanguage active status
    shopperReference customerNumber mixins groups { code } metadata { createdAt }
    addresses {
        contactName companyName street streetNumber extraLine1 zipCode city state country contactPhone tags isDefault
        defaultFor
    }
"""


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


async def take(gateway: Gateway, folder: Path, name: str) -> list[dict[str, Any]]:
    """Import a sample as the system that its name begins with, and return the report."""
    file = folder / name
    shutil.copyfile(FILES / name, file)
    source = open_source(file, system=file.stem.split("_")[0])
    await import_file(gateway.tools, gateway.tools.tenants.tenant("demo"), source, Options(create_groups=True))
    return [json.loads(line) for line in report_path(file).read_bytes().splitlines()]


async def look(staff: Staff, customer_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await staff.graphql(f'{{ customer(id: "{customer_id}") {{ {CUSTOMER} }} }}'))["customer"]
    found["addresses"] = [
        {name: value for name, value in address.items() if value not in (None, [])} for address in found["addresses"]
    ]
    found["groups"] = [group["code"] for group in found["groups"]]
    return found


def remarks(line: dict[str, Any]) -> list[tuple[str, str]]:
    return [(remark["code"], ".".join(remark["field"])) for remark in line["remarks"]]


def has(found: dict[str, Any], **wanted: Any) -> None:
    assert {name: found[name] for name in wanted} == wanted


def defaults(found: dict[str, Any]) -> list[list[str]]:
    return [each.get("defaultFor", []) for each in found["addresses"]]


def drafted(system: str, content: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    """Return street, purposes and default of each address that a record becomes."""
    draft = Draft(system)
    SYSTEMS[system].convert(draft, Row(content, set()))
    addresses = draft.finish()["addresses"]
    return [(each["street"], each.get("defaultFor"), each.get("isDefault", False)) for each in addresses]


BOTH = ["BILLING", "SHIPPING"]


class TestDefaults:
    @pytest.mark.parametrize(
        ("system", "content"),
        [
            ("woocommerce", {"billing_address_1": "A 1", "shipping_address_1": "A 1"}),
            ("magento", {"address_street": "A 1", "address_default_billing": "1", "address_default_shipping": "1"}),
            (
                "medusa",
                {
                    "addresses": [{"id": "a", "address_1": "A 1"}],
                    "default_billing_address_id": "a",
                    "default_shipping_address_id": "a",
                },
            ),
            (
                "saleor",
                {
                    "defaultShippingAddress": {"streetAddress1": "A 1", "city": "B"},
                    "defaultBillingAddress": {"streetAddress1": "A 1", "city": "B"},
                },
            ),
            (
                "commercetools",
                {"addresses": [{"streetName": "A 1"}], "defaultBillingAddress": 0, "defaultShippingAddress": 0},
            ),
        ],
    )
    def test_for_both_may_be_one_address(self, system: str, content: dict[str, Any]) -> None:
        assert drafted(system, content) == [("A 1", BOTH, True)]

    def test_are_what_only_a_default_is_not(self) -> None:
        both = {"billingAddressIds": ["a", "b"], "shippingAddressIds": ["a", "b"]}
        addresses = [{"id": "a", "streetName": "A 1"}, {"id": "b", "streetName": "B 2"}]
        found = drafted("commercetools", {"addresses": addresses, **both, "defaultBillingAddressId": "b"})
        assert found == [("A 1", None, False), ("B 2", ["BILLING"], True)]

    def test_that_two_addresses_claim_are_the_first_ones(self) -> None:
        claimed = {"is_default_billing": True, "is_default_shipping": True}
        addresses = [{"address_1": "A 1", "is_default_billing": True}, {"address_1": "B 2", **claimed}]
        found = drafted("medusa", {"addresses": [*addresses, {"address_1": "C 3", **claimed}]})
        assert found == [("A 1", ["BILLING"], False), ("B 2", ["SHIPPING"], True), ("C 3", None, False)]


class TestSpreadsheets:
    def test_that_have_rounded_an_id_make_no_two_customers_one(self) -> None:
        content = {"Customer ID": "6.54E+12", "Email": "ada@example.com", "Address1": "A 1", "Zip": "'01067"}
        (record,) = SYSTEMS["shopify"].drafts(lambda: iter([Record(2, content)]), set())
        assert record.content is not None
        assert "shopperReference" not in record.content
        assert record.content["addresses"][0]["zipCode"] == "01067"
        assert [remark.field for remark in record.remarks] == [("shopperReference",)]

    def test_that_have_counted_with_numbers_leave_them_as_they_were(self) -> None:
        content = {"Customer ID": "6540000000001.0", "Email": "ada@example.com", "Address1": "A 1", "Zip": "10115.0"}
        (record,) = SYSTEMS["shopify"].drafts(lambda: iter([Record(2, {**content, "Phone": "4.9E+11"})]), set())
        assert record.content is not None
        assert record.content["shopperReference"] == "6540000000001"
        assert record.content["addresses"][0]["zipCode"] == "10115"
        assert "contactPhone" not in record.content
        assert ("contactPhone",) in [remark.field for remark in record.remarks]


class TestSamples:
    def test_are_there_for_every_system(self) -> None:
        assert {file.stem.split("_")[0] for file in FILES.iterdir()} == SYSTEMS.keys()

    async def test_of_tables_come_in(self, gateway: Gateway, tmp_path: Path) -> None:
        staff = await Staff.of(gateway)
        await self._shopify(gateway, staff, tmp_path)
        await self._woocommerce(gateway, staff, tmp_path)
        await self._magento(gateway, staff, tmp_path)
        await self._bigcommerce(gateway, staff, tmp_path)
        for email in ("juergen.weiss@example.com", "nora.lund@example.com"):
            assert (await gateway.login(email, PASSWORD)).session_id

    async def _shopify(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        ines, tom, nobody = await take(gateway, folder, "shopify.csv")
        assert [(line["line"], line["outcome"]) for line in (ines, tom, nobody)] == [
            (2, "imported"),
            (4, "imported"),
            (5, "faulty"),
        ]
        assert [".".join(error["field"]) for error in nobody["errors"]] == ["email"]
        has(
            await look(staff, ines["customerId"]),
            firstName="Ines",
            contactPhone="+351912345678",
            shopperReference="6405432017001",
            status="REPEAT",
            mixins={
                "shopify": {
                    "marketing": {"email": True, "sms": False},
                    "tags": ["vip", "wholesale"],
                    "note": "Rings twice.\nLikes tea.",
                    "taxExempt": False,
                    "totalSpent": "182.40",
                }
            },
            addresses=[
                {
                    "contactName": "Ines Amaro",
                    "companyName": "Amaro Lda.",
                    "street": "Rua da Prata 12",
                    "extraLine1": "2.º Dto",
                    "zipCode": "1100-419",
                    "city": "Lisboa",
                    "state": "PT-11",
                    "country": "PT",
                    "contactPhone": "+351213456789",
                    "isDefault": True,
                    "defaultFor": ["BILLING", "SHIPPING"],
                }
            ],
        )
        (marta,) = await take(gateway, folder, "shopify_old.csv")
        found = await look(staff, marta["customerId"])
        has(found, status="ACQUIRED", contactPhone="+12175550123")
        has(found["addresses"][0], street="221 Maple Ave", state="IL", country="US")
        has(found["addresses"][0], defaultFor=["BILLING", "SHIPPING"])

    async def _woocommerce(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        (line,) = await take(gateway, folder, "woocommerce.csv")
        found = await look(staff, line["customerId"])
        has(
            found,
            firstName="Jürgen",
            company="Weiß & Söhne",
            shopperReference="woocommerce-7",
            groups=["wholesale_customer"],
            contactPhone="+49891234567",
            status="REPEAT",
        )
        assert found["metadata"]["createdAt"] == "2021-03-04T05:06:07+00:00"
        assert [(each["city"], each["tags"], each["isDefault"]) for each in found["addresses"]] == [
            ("München", ["SHIPPING"], True),
            ("München", ["BILLING"], False),
        ]
        assert defaults(found) == [["SHIPPING"], ["BILLING"]]

    async def _magento(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        nora, pavel = await take(gateway, folder, "magento.csv")
        assert (nora["line"], pavel["line"]) == (2, 5)
        found = await look(staff, nora["customerId"])
        has(found, middleName="K.", title="Ms", groups=["Wholesale"], contactPhone="+4722123456")
        assert [(each["street"], each.get("extraLine1"), each["isDefault"]) for each in found["addresses"]] == [
            ("Torget 3", None, True),
            ("Storgata 1", "Oppgang B", False),
        ]
        assert defaults(found) == [["SHIPPING"], ["BILLING"]]
        has(await look(staff, pavel["customerId"]), lastName="Nový", addresses=[], groups=[])

    async def _bigcommerce(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        hana, luis = await take(gateway, folder, "bigcommerce.csv")
        found = await look(staff, hana["customerId"])
        has(found, groups=["Retail"], contactPhone="+15125550142", shopperReference="bigcommerce-42")
        has(found["mixins"]["bigcommerce"], note="Prefers mornings", marketing={"email": True})
        assert [(each["city"], each["country"], each["isDefault"]) for each in found["addresses"]] == [
            ("Austin", "US", True),
            ("Dallas", "US", False),
        ]
        # It does not say what they are for.
        assert defaults(found) == [[], []]
        has(await look(staff, luis["customerId"]), lastName="Prado", addresses=[])

    async def test_of_json_come_in(self, gateway: Gateway, tmp_path: Path) -> None:
        staff = await Staff.of(gateway)
        await self._commercetools(gateway, staff, tmp_path)
        await self._saleor(gateway, staff, tmp_path)
        await self._medusa(gateway, staff, tmp_path)
        await self._auth0(gateway, staff, tmp_path)
        await self._firebase(gateway, staff, tmp_path)
        await self._keycloak(gateway, staff, tmp_path)
        for name in ("zofia.kowal", "petra.vos", "rita.sole", "otto.fuchs", "vera.lang"):
            assert (await gateway.login(f"{name}@example.com", PASSWORD)).session_id

    async def _commercetools(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        elif_, jon = await take(gateway, folder, "commercetools.json")
        found = await look(staff, elif_["customerId"])
        has(found, customerNumber="CT-1001", groups=["Gold"], emailVerified=True, preferredLanguage="de-DE")
        assert found["mixins"] == {"commercetools": {"custom": {"shoeSize": 39}}}
        assert [(each["street"], each["tags"], each["isDefault"]) for each in found["addresses"]] == [
            ("Ringweg", ["SHIPPING"], True),
            ("Hauptstraße", ["BILLING"], False),
        ]
        assert defaults(found) == [["SHIPPING"], ["BILLING"]]
        has((await look(staff, jon["customerId"]))["addresses"][0], street="Kaigata", isDefault=True, tags=["SHIPPING"])

    async def _saleor(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        zofia, closed = await take(gateway, folder, "saleor.json")
        found = await look(staff, zofia["customerId"])
        has(found, shopperReference="saleor-3", preferredLanguage="pl", emailVerified=True)
        assert [(each["city"], each["isDefault"]) for each in found["addresses"]] == [
            ("Gdańsk", True),
            ("Gdynia", False),
        ]
        assert defaults(found) == [["SHIPPING"], ["BILLING"]]
        has(await look(staff, closed["customerId"]), active=False)
        (amy,) = await take(gateway, folder, "saleor_api.json")
        found = await look(staff, amy["customerId"])
        has(found, status="ACQUIRED", preferredLanguage="en-US")
        has(found["addresses"][0], street="8 Hill Rd", country="GB", defaultFor=["SHIPPING"])

    async def _medusa(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        (omar,) = await take(gateway, folder, "medusa.json")
        found = await look(staff, omar["customerId"])
        has(found, groups=["B2B"], contactPhone="+33142685300")
        assert defaults(found) == [["SHIPPING"]]
        (petra,) = await take(gateway, folder, "medusa_v1.json")
        found = await look(staff, petra["customerId"])
        has(found, status="REPEAT", shopperReference="cus_01G0000000000000000000000A")
        assert defaults(found) == [["BILLING"]]

    async def _auth0(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        rita, ben, otto = await take(gateway, folder, "auth0.jsonl")
        # The demo shop has no login by Google.
        assert remarks(rita) == [("NOT_FOUND", "socialIdentities.0.provider")]
        has(await look(staff, rita["customerId"]), emailVerified=True, firstName="Rita")
        has(await look(staff, ben["customerId"]), active=False)
        assert otto["line"] == 4

    async def _firebase(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        kai, lia, nobody = await take(gateway, folder, "firebase.json")
        has(await look(staff, kai["customerId"]), lastName="Storm", contactPhone="+4930123456", emailVerified=True)
        has(await look(staff, lia["customerId"]), active=False, emailVerified=False)
        assert nobody["outcome"] == "faulty"

    async def _keycloak(self, gateway: Gateway, staff: Staff, folder: Path) -> None:
        vera, gus = await take(gateway, folder, "keycloak.json")
        found = await look(staff, vera["customerId"])
        has(found, groups=["wholesale"], preferredLanguage="de", contactPhone="+49301234567")
        has(found["addresses"][0], street="Lindenweg 4", city="Berlin", country="DE", isDefault=True)
        has(await look(staff, gus["customerId"]), email="gus@example.com", active=False)
