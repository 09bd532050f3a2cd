"""The import of customers: what a line may hold, what is refused, and that each customer comes in once."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.domain.import_form import WANTED
from app.services.staff.import_files import import_file, report_path
from app.services.staff.imports import Outcome
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


async def run(gateway: Gateway, file: Path, *lines: dict[str, Any] | bytes) -> list[dict[str, Any]]:
    """Import the lines into the demo shop and return the report."""
    write(file, *lines)
    outcomes = await import_file(gateway.tools, gateway.tools.tenants.tenant("demo"), file)
    report = read_report(file)
    assert outcomes == Counter(Outcome(line["outcome"]) for line in report)
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
        assert line == {"line": 1, "outcome": "imported", "customerId": line["customerId"], "errors": []}
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

    @pytest.mark.slow  # it looks at the cost of the hash, which a fast run lowers
    async def test_lets_people_log_in_with_their_old_password_and_hashes_it_anew(
        self, gateway: Gateway, file: Path
    ) -> None:
        (line,) = await run(gateway, file, {"email": "ada@example.com", "passwordHash": BCRYPT})
        token = (await gateway.anonymous()).access
        wrong = {"email": "ada@example.com", "password": "violet-harbour-43"}
        answer = await gateway.graphql(operations.LOGIN, {"input": wrong}, token)
        assert answer.user_errors("login") == [("INVALID_CREDENTIALS", "password")]
        assert await password_hash(gateway, line["customerId"]) == BCRYPT
        tokens = await gateway.login("ada@example.com", PASSWORD)
        assert tokens.all["initialPassword"] is False
        encoded = await password_hash(gateway, line["customerId"])
        assert (encoded or "").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        await gateway.login("ada@example.com", PASSWORD)
        assert await password_hash(gateway, line["customerId"]) == encoded

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
        assert faults(report[2]) == [("EMAIL_TAKEN", "email")]
        assert faults(report[3]) == [("TAKEN", "shopperReference")]
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
                "passwordHash": "5f4dcc3b5aa765d61d8327deb882cf99",
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
        assert "2/2" in printed.err
        write(file, {"email": "ada@example.com"})
        assert main(["customers", "import", str(file), "--tenant", "open"]) == 0
        assert capsys.readouterr().out.startswith("1 imported, 0 skipped, 0 faulty; ")

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
            (b"email;name\r\nada@example.com;Ada\r\n", "something like CSV"),
            (b'"email","name"\n"ada@example.com","Ada"\n' * 1000, "something like CSV"),
            ("email,name\nada@example.com,Jürgen\n".encode("latin-1"), "something like CSV"),
            (b"ada@example.com\nbob@example.com\n", "holds no JSON"),
            (b'[{"email": "ada@example.com"}]', "JSON array"),
            (b'\n[\n{"email": "ada@example.com"},\n{"email": "bob@example.com"}\n]\n', "JSON array"),
            (b'{"email": "ada@example.com"},\n{"email": "bob@example.com"}\n', "a comma after each line"),
            (b'{\n  "email": "ada@example.com"\n}\n', "no whole JSON object"),
            (b'{"customers": [\n{"email": \n"ada@example.com"}\n]}\n', "no whole JSON object"),
            (b'\xef\xbb\xbf{"email": "ada@example.com"}\n', "byte order mark"),
            ('{"email": "ada@example.com"}\n'.encode("utf-16"), "is UTF-16"),
            ('{"email": "ada@example.com"}\n'.encode("utf-16-le"), "is UTF-16"),
            ('{"email": "ada@example.com"}\n'.encode("utf-16-be"), "is UTF-16"),
            ('{"email": "ada@example.com"}\n'.encode("utf-32"), "is UTF-32"),
            (gzip.compress(b'{"email": "ada@example.com"}\n', mtime=0), "packed by gzip"),
            (b"PK\x03\x04\x14\x00\x06\x00", "a ZIP archive or a spreadsheet"),
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
        outcomes = await import_file(gateway.tools, gateway.tools.tenants.tenant("demo"), file)
        assert outcomes[Outcome.SKIPPED] >= before
        assert outcomes[Outcome.SKIPPED] + outcomes[Outcome.IMPORTED] == 400
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
