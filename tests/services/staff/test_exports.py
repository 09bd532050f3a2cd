"""The export of customers: whole, in the form that the import takes, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from app.commands.command_line import main
from app.domain.anonymizations import AnonymizationStatus
from app.domain.import_form import Form
from app.domain.requests import RequestFacts
from app.models.customers import Customer
from app.services.caller import Caller
from app.services.staff.export_files import export_file
from app.services.staff.import_files import import_file, report_path
from app.services.staff.import_sources import open_source
from app.services.staff.imports import Options
from app.services.unit_of_work import UnitOfWork
from tests.factories import PASSWORD, address_input
from tests.harness.gateway import Gateway
from tests.harness.server import PATIENCE, ROOT
from tests.harness.staff import ENVIRONMENT, Staff

pytestmark = pytest.mark.anyio

BCRYPT = "$2b$04$8yIo7wO2iVO3tx3hY2zKM.NlD73XwbdkCf.27.a4CzHkBcT1CRoQy"
PEOPLE: list[dict[str, Any]] = [
    {
        "email": "Ada@example.com",
        "emailVerified": True,
        "shopperReference": "old-shop-17",
        "customerNumber": "007",
        "passwordHash": BCRYPT,
        "active": False,
        "onHold": True,
        "status": "ACQUIRED",
        "orderCount": 7,
        "createdAt": "2019-05-04T10:00:00.123456+00:00",
        "groups": ["gold", "wholesale"],
        "title": "=Dr",
        "firstName": 'Ada, "the"',
        "lastName": "'-Lovelace",
        "company": "+Engines; Ltd",
        "contactPhone": "+49301234567",
        "preferredLanguage": "de-DE",
        "businessModel": "B2B",
        "companyRegistrationId": "@HRB 1",
        "mixins": {"shopify": {"tags": ["vip"], "note": "two\nlines", "level": 3}},
        "legalEntities": [{"id": "le-1", "name": "Engines Ltd", "contactAssignmentId": "9", "confirmed": False}],
        "addresses": [
            address_input(city="Bonn", tags=["SHIPPING"], defaultFor=["SHIPPING"]),
            address_input(city="Köln", isDefault=True, extraLine1="c/o Byron"),
            address_input(city="Ulm", defaultFor=["BILLING"]),
        ],
    },
    {"email": "bob@example.com"},
    {"email": "eva@example.com", "emailVerified": True, "passwordHash": BCRYPT},
    {
        "email": "kim@example.com",
        "contactEmail": None,
        "preferredLanguage": None,
        "addresses": [address_input(defaultFor=["BILLING", "SHIPPING"])],
    },
]


@pytest.fixture
def settings_environment() -> dict[str, str]:
    return ENVIRONMENT


def tenant(gateway: Gateway, name: str) -> Any:
    return gateway.tools.tenants.tenant(name)


async def take(gateway: Gateway, shop: str, file: Path) -> None:
    summary = await import_file(gateway.tools, tenant(gateway, shop), open_source(file), Options(create_groups=True))
    assert (summary.errors, summary.remarks) == ({}, {}), report_path(file).read_text()


async def give(gateway: Gateway, shop: str, file: Path, form: Form = Form.JSONL, *, with_hashes: bool = True) -> int:
    return await export_file(gateway.tools, tenant(gateway, shop), file, form, with_hashes=with_hashes)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


class TestExport:
    # What is wrapped at the tests' own cost would be wrapped once more.
    @pytest.mark.usefixtures("costly_passwords")
    @pytest.mark.parametrize("form", [Form.JSONL, Form.CSV])
    async def test_is_the_same_after_an_import_into_an_empty_shop(
        self, gateway: Gateway, tmp_path: Path, form: Form
    ) -> None:
        first, second, moved = (tmp_path / name for name in ("first.jsonl", "second.jsonl", f"moved.{form}"))
        first.write_text("".join(f"{json.dumps(each)}\n" for each in PEOPLE))
        await take(gateway, "demo", first)
        assert await give(gateway, "demo", first) == 4
        assert await give(gateway, "demo", moved, form) == 4
        await take(gateway, "open", moved)
        await give(gateway, "open", second)
        ada, bob, _, kim = lines(first)
        assert lines(second) == lines(first)
        # Nothing that the file had is lost; the hash was too easy to guess to be stored as it came.
        assert ada["passwordHash"].startswith("$pre$bcrypt")
        assert {name: ada[name] for name in PEOPLE[0].keys() - {"passwordHash", "addresses"}} == {
            name: value for name, value in PEOPLE[0].items() if name not in {"passwordHash", "addresses"}
        }
        assert [each["city"] for each in ada["addresses"]] == ["Köln", "Bonn", "Ulm"]
        assert [each.get("defaultFor") for each in ada["addresses"]] == [None, ["SHIPPING"], ["BILLING"]]
        assert [each["defaultFor"] for each in kim["addresses"]] == [["BILLING", "SHIPPING"]]
        # What was cleared stays so; what was never said is made.
        assert (kim["contactEmail"], kim["preferredLanguage"]) == (None, None)
        assert (bob["contactEmail"], bob["preferredLanguage"]) == ("bob@example.com", "en")
        assert "passwordHash" not in bob
        # She logs in with a hash that was wrapped before it moved.
        assert (await gateway.login("eva@example.com", PASSWORD, client_id="open-storefront")).session_id

    async def test_has_hashes_only_on_demand_and_social_identities_always(
        self, gateway: Gateway, tmp_path: Path
    ) -> None:
        file = tmp_path / "customers.jsonl"
        known = {"provider": "demo", "subject": "ada-1", "email": "ada@example.com"}
        file.write_text(json.dumps({"email": "ada@example.com", "passwordHash": BCRYPT, "socialIdentities": [known]}))
        await take(gateway, "demo", file)
        await give(gateway, "demo", file, with_hashes=False)
        (ada,) = lines(file)
        assert "passwordHash" not in ada
        assert ada["socialIdentities"] == [{**known, "issuer": "http://127.0.0.1:9400"}]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    async def test_reads_many_in_pages_and_leaves_closed_accounts_and_other_shops_out(
        self, gateway: Gateway, tmp_path: Path
    ) -> None:
        file = tmp_path / "customers.jsonl"
        file.write_text("".join(f'{{"email": "person-{number}@example.com"}}\n' for number in range(450)))
        await take(gateway, "demo", file)
        await (await Staff.of(gateway, "open-backend")).create(email="other@example.com")
        closed = json.loads(report_path(file).read_text().splitlines()[7])["customerId"]
        async with UnitOfWork(gateway.tools, Caller(RequestFacts(request_id="test", ip=""))) as uow:
            uow.enter(tenant(gateway, "demo"))
            await uow.customers.set_anonymization_status(closed, AnonymizationStatus.REQUESTED)
        assert await give(gateway, "demo", file) == 449
        numbers = [number for number in range(450) if number != 7]
        assert [each["email"] for each in lines(file)] == [f"person-{number}@example.com" for number in numbers]

    async def test_has_no_cell_that_a_spreadsheet_runs(self, gateway: Gateway, tmp_path: Path) -> None:
        file, table = tmp_path / "customers.jsonl", tmp_path / "customers.csv"
        file.write_text(json.dumps(PEOPLE[0]))
        await take(gateway, "demo", file)
        await give(gateway, "demo", table, Form.CSV)
        with table.open(newline="") as opened:
            header, row = csv.reader(opened)
        assert header[:3] == ["email", "emailVerified", "shopperReference"]
        assert [cell for cell in row if cell.startswith(("=", "+", "-", "@"))] == []
        cells = dict(zip(header, row, strict=True))
        assert (cells["contactPhone"], cells["title"], cells["lastName"]) == ("'+49301234567", "'=Dr", "''-Lovelace")


COPY = """INSERT INTO customer ({columns})
    WITH RECURSIVE copy(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < 20000)
    SELECT {values} FROM customer, copy WHERE tenant_id = 'demo'"""
_OWN = {"id", "customer_number", "shopper_reference"}


async def copy_customer(gateway: Gateway) -> None:
    """Write 20,000 more of the customers there are."""
    columns = [column.name for column in Customer.__table__.c]
    values = [f"substr({name}, 1, 28) || CAST(10000000 + n AS VARCHAR)" if name in _OWN else name for name in columns]
    await gateway.write(COPY.format(columns=", ".join(columns), values=", ".join(values)))


def export_until_stopped(environment: dict[str, str], file: Path, form: Form) -> tuple[int, str, str]:
    """Press Ctrl-C as soon as something is written; returns the exit code and what was printed."""
    command = [sys.executable, "-m", "app", "customers", "export", str(file), "--format", form]
    variables = {**os.environ, **environment}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=pipe, stderr=pipe, text=True) as process:
        deadline = time.monotonic() + PATIENCE
        # A table is written at the end; what it is made of has no name.
        while not [path for path in file.parent.glob(f".{file.name}.*") if form is Form.CSV or path.stat().st_size]:
            assert time.monotonic() < deadline, "Nothing was written."
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        printed, error = process.communicate(timeout=PATIENCE)
    return process.returncode, printed, error


class TestInterruption:
    async def test_leaves_the_file_as_it_was_and_says_so_in_a_line(
        self, gateway: Gateway, environment: dict[str, str], tmp_path: Path
    ) -> None:
        folder = tmp_path / "exports"
        folder.mkdir()
        await (await Staff.of(gateway)).create()
        await copy_customer(gateway)
        for form in (Form.JSONL, Form.CSV):
            file = folder / f"customers.{form}"
            file.write_text("the export of yesterday")
            assert export_until_stopped(environment, file, form) == (130, "", "Stopped. Run the export again.\n")
            assert file.read_text() == "the export of yesterday"
            file.unlink()
            assert list(folder.iterdir()) == []


class TestCommand:
    def test_writes_to_a_file_or_to_the_standard_output(
        self,
        environment: dict[str, str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfdbinary: pytest.CaptureFixture[bytes],
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / "out.jsonl"
        file.write_text('{"email": "ada@example.com"}')
        assert main(["customers", "import", str(file)]) == 0
        assert main(["customers", "export", str(file), "--tenant", "demo", "--format", "jsonl"]) == 0
        assert capfdbinary.readouterr().out.endswith(f"1 customers are in {file}\n".encode())
        assert main(["customers", "export"]) == 0
        assert capfdbinary.readouterr().out == file.read_bytes()
        assert main(["customers", "export", "--format", "csv", "--tenant", "open"]) == 0
        assert capfdbinary.readouterr().out == b"email\r\n"
        for wrong in (["--tenant", "nobody"], [str(tmp_path)], [str(tmp_path / "no" / "file")]):
            assert main(["customers", "export", *wrong]) == 2
            assert len(capfdbinary.readouterr().err.splitlines()) == 1
        left = {path.name for path in tmp_path.iterdir() if "out.jsonl" in path.name}
        assert left == {"out.jsonl", "out.jsonl.report.jsonl"}
