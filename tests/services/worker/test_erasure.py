"""The erasure: nothing personal is left anywhere, whoever else is at work and whatever ends in the middle of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from app.domain.errors import BusyError, BusyOutcome
from app.domain.ports import Database, Mailer, MailMessage
from app.domain.tenants import TenantDirectory
from app.models.outbox import OutboxKind
from app.services.outgoing.outbox import retry
from app.services.outgoing.webhooks import TAKEN_UP
from app.services.worker.delivery import MOST_ATTEMPTS, delay_after, deliver_due
from app.services.worker.erasure import BATCH, LEASE, _claim, anonymize_due
from app.settings import Settings
from tests.factories import address_input
from tests.harness import operations
from tests.harness.anonymizations import (
    DELAY_HOURS,
    EXPORT,
    STOREFRONT,
    audit,
    cancel,
    events,
    info_of,
    privacy_shop,
    requested,
    without_security_mails,
)
from tests.harness.client import Person
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.integrations import integration_token, owned_token
from tests.harness.operations import USER_ERRORS
from tests.harness.postgresql import PostgresqlServer
from tests.harness.server import PATIENCE, ROOT
from tests.harness.social import CLIENT_SECRET, MintingProvider, SocialPerson, openid_entry
from tests.harness.staff import CREATE_GROUP, RECORD_ORDER, UPDATE
from tests.services.staff.test_on_behalf import LOGIN_ON_BEHALF

pytestmark = pytest.mark.anyio

ATTEMPTS_AT_ONCE = 16
REDIRECT_URIS = '\nredirect_uris = ["http://localhost:5173/callback"]\n'

UPDATE_ME = f"mutation ($input: UpdateMeInput!) {{ updateMe(input: $input) {{ customer {{ id }} {USER_ERRORS} }} }}"
ADD_INSTRUMENT = f"""mutation ($input: AddPaymentInstrumentInput!) {{
    addPaymentInstrument(input: $input) {{ paymentInstrument {{ id }} {USER_ERRORS} }}
}}"""
CREATE_LIST = f"""mutation ($input: CreateProductListInput!) {{
    createProductList(input: $input) {{ productList {{ id }} {USER_ERRORS} }}
}}"""
ADD_ITEM = f"""mutation ($input: AddProductListItemInput!) {{
    addProductListItem(input: $input) {{ item {{ id }} {USER_ERRORS} }}
}}"""


@pytest.fixture
def settings_environment(tmp_path: Path) -> dict[str, str]:
    return privacy_shop(tmp_path / "shops")


async def due(gateway: Gateway, customer_id: str) -> None:
    """Have staff ask for it, and let the delay pass."""
    await requested(gateway, customer_id)
    gateway.clock.advance(hours=DELAY_HOURS)


async def status_of(gateway: Gateway, customer_id: str) -> str:
    status: str = (await info_of(gateway, customer_id))["status"]
    return status


async def street_of(gateway: Gateway, customer_id: str) -> list[str]:
    rows = await gateway.rows("SELECT street FROM address WHERE customer_id = :id", id=customer_id)
    return [row.street for row in rows]


async def until_erased(gateway: Gateway, customer_id: str) -> None:
    """Return as soon as another process has erased a customer's address."""
    with anyio.fail_after(PATIENCE):
        while await street_of(gateway, customer_id):  # noqa: ASYNC110 - the other process tells us in no other way
            await anyio.sleep(0.02)


class Life:
    """Somebody who leaves something in every corner; every word of theirs that is stored is in `words`."""

    email = "zebulonia.quartermain@first.example"
    later_email = "zebulonia@second.example"
    words = (
        email,
        later_email,
        "Zebulonia",
        "Quartermain",
        "Featherstonehaugh",  # the name before it was changed
        "contact-box@third.example",
        "+4917655500011",
        "Quartermain Zeppelins",
        "HRB-998877",
        "Zeppelin Holding",
        "legal-zeppelin-7",
        "place-zeppelin-9",
        "diary-of-hers",
        "Hollowgasse",
        "Nebengebaeude-Q",
        "Oldmarketlane",  # an address that was deleted
        "Quakenbrueck-Q",
        "+4917655500022",
        "tok_zebra_4711",
        "Z Quartermain-Card",
        "Her-Secret-Wishes",
        "for-aunt-Philomena",
        "203.0.113.",
        "Nokia-Zebra",
        "reason-she-phoned",
        "subject-zebra-88",
        "zebulonia@social.example",
    )

    # What was changed or deleted lingers only where a database keeps what it has deleted.
    past = frozenset({"Featherstonehaugh", "Oldmarketlane"})

    def __init__(self, gateway: Gateway, minted: MintingProvider) -> None:
        self.gateway = gateway
        self.minted = minted
        self.customer_id = ""
        self.token = ""

    async def do(self, operation: str, bearer: str | None = None, /, **fields: Any) -> dict[str, Any]:
        """Run a mutation, as herself or with another token; it must succeed."""
        headers = {"User-Agent": "Nokia-Zebra"} if bearer is None else {}
        answer = await self.gateway.graphql(operation, {"input": fields}, bearer or self.token, headers)
        assert answer.errors == []
        (payload,) = (answer.data or {}).values()
        assert payload["userErrors"] == [], payload
        result: dict[str, Any] = payload
        return result

    async def live(self) -> None:
        """Go through everything that the shop offers."""
        self.gateway.ip = "203.0.113.77"
        await self._arrive()
        await self._fill_the_profile()
        await self._shop()
        await self._change_address()
        await self._link()
        await self._leave_things_undone()
        self.gateway.ip = "198.51.100.9"
        await self._be_known_to_staff()

    async def _arrive(self) -> None:
        token = (await self.gateway.anonymous(STOREFRONT)).access
        wrong = {"input": {"email": self.email, "password": "before-the-signup-1"}}
        await self.gateway.graphql(operations.LOGIN, wrong, token)
        payload = await self.gateway.signup(
            token,
            email=self.email,
            customerDetails={
                "firstName": "Zebulonia",
                "lastName": "Featherstonehaugh",
                "contactEmail": "contact-box@third.example",
                "contactPhone": "+4917655500011",
                "company": "Quartermain Zeppelins",
                "b2b": {
                    "companyRegistrationId": "HRB-998877",
                    "legalEntities": [
                        {
                            "id": "legal-zeppelin-7",
                            "name": "Zeppelin Holding",
                            "contactAssignmentId": "place-zeppelin-9",
                        }
                    ],
                },
                "mixins": {"diary": {"entry": "diary-of-hers"}},
            },
            customerAddress=address_input(
                contactName="Zebulonia Quartermain",
                street="Hollowgasse",
                streetAppendix="Nebengebaeude-Q",
                city="Quakenbrueck-Q",
                contactPhone="+4917655500022",
            ),
        )
        self.customer_id = payload["customerId"]
        self.token = token
        self.token = (await self.do(operations.LOGIN, email=self.email, password="violet-harbour-42"))["tokens"][
            "accessToken"
        ]

    async def _fill_the_profile(self) -> None:
        await self.do(UPDATE_ME, lastName="Quartermain")
        address = (await self.do(operations.CREATE_ADDRESS, **address_input(street="Oldmarketlane")))["address"]
        await self.do(operations.UPDATE_ADDRESS, id=address["id"], extraLine1="Oldmarketlane-2")
        await self.do(operations.DELETE_ADDRESS, id=address["id"])

    async def _shop(self) -> None:
        card = {"token": "tok_zebra_4711", "brand": "visa", "holderName": "Z Quartermain-Card"}
        await self.do(ADD_INSTRUMENT, None, **card)
        wishes = await self.do(CREATE_LIST, type="WISH_LIST", name="Her-Secret-Wishes")
        await self.do(ADD_ITEM, listId=wishes["productList"]["id"], productId="p-1", note="for-aunt-Philomena")

    async def _change_address(self) -> None:
        await self.do(operations.CHANGE_EMAIL, newEmail=self.later_email)
        await self.gateway.deliver()
        await self.do(operations.CONFIRM_EMAIL_CHANGE, token=self.gateway.mails(self.later_email)[-1].token)

    async def _link(self) -> None:
        self.minted.claims = {"sub": "subject-zebra-88", "email": "zebulonia@social.example"}
        person = SocialPerson(self.gateway, self.token)
        answer = await person.link(self.minted)
        assert answer.user_errors("linkSocialAccount") == []
        await person.begin()

    async def _be_known_to_staff(self) -> None:
        staff = await integration_token(self.gateway)
        group = await self.do(CREATE_GROUP, staff, name="Wholesale", code="wholesale")
        await self.do(UPDATE, staff, id=self.customer_id, groupIds=[group["customerGroup"]["id"]])
        await self.do(RECORD_ORDER, staff, customerId=self.customer_id, orderReference="A-1")
        await self.do(LOGIN_ON_BEHALF, staff, customerId=self.customer_id, reason="reason-she-phoned")

    async def _leave_things_undone(self) -> None:
        """Leave mails in the outbox, and a task that nobody knows whose it is."""
        await self.do(operations.CHANGE_EMAIL, newEmail="zebulonia@fourth.example")
        visitor = (await self.gateway.anonymous(STOREFRONT)).access
        await self.do(operations.REQUEST_PASSWORD_RESET, visitor, email=self.later_email)


def remains(environment: dict[str, str], postgresql: PostgresqlServer) -> bytes:
    """Return every byte that the gateway keeps, in lower case: the files of its state, and the whole database."""
    state = Path(environment["STATE_DIR"])
    files = [path.read_bytes() for path in state.rglob("*") if path.is_file()]
    url = environment["DATABASE_URL"]
    if url.startswith("sqlite:///"):
        database = Path(url.removeprefix("sqlite:///"))
        # By another process: closing the files here would give up the locks of this one.
        paths = sorted(database.parent.glob(f"{database.name}*"))
        files.append(subprocess.run(["cat", *paths], check=True, stdout=subprocess.PIPE).stdout)
    else:
        files.append(postgresql.dump(url))
    return b"\n".join(files).lower()


def found(words: Iterable[str], content: bytes) -> list[str]:
    return [word for word in words if word.lower().encode() in content]


class TestErasure:
    @pytest.fixture
    def settings_environment(self, tmp_path: Path, minted: MintingProvider) -> dict[str, str]:
        provider = "[[tenants.shop.social]]\n" + openid_entry("minted", minted.issuer)
        variables = privacy_shop(tmp_path / "shops", provider)
        file = Path(variables["TENANTS_FILE"])
        storefront = 'id = "shop-storefront"\nkind = "storefront"\n'
        file.write_text(file.read_text().replace(storefront, storefront + REDIRECT_URIS, 1))
        return {**variables, "PROVIDER_SECRET": CLIENT_SECRET}

    @pytest.fixture
    async def life(self, gateway: Gateway, minted: MintingProvider) -> Life:
        life = Life(gateway, minted)
        await life.live()
        return life

    async def test_leaves_no_personal_word_anywhere(
        self, gateway: Gateway, environment: dict[str, str], postgresql: PostgresqlServer, life: Life
    ) -> None:
        before = found(life.words, remains(environment, postgresql))
        assert set(life.words) - set(before) <= life.past, "A word that was never stored proves nothing."
        await due(gateway, life.customer_id)
        await anonymize_due(gateway.tools)
        assert found(life.words, remains(environment, postgresql)) == []
        await gateway.deliver()
        (mail,) = gateway.mails(life.later_email)
        assert mail.subject == "Your personal data has been erased"
        # The mail is in the recipient's hands: here that is a file of this folder.
        shutil.rmtree(Path(environment["STATE_DIR"]) / "mail")
        assert found(life.words, remains(environment, postgresql)) == []
        assert await gateway.rows("SELECT id FROM outbox_message WHERE kind <> 'event'") == []

    async def test_has_nothing_to_remove_from_the_log(
        self,
        gateway: Gateway,
        minted: MintingProvider,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("INFO")
        life = Life(gateway, minted)
        await life.live()
        await due(gateway, life.customer_id)
        await anonymize_due(gateway.tools)
        log = caplog.text + "".join(capsys.readouterr())
        assert "mail written to" in log
        assert found(life.words, log.lower().encode()) == []

    async def test_keeps_what_the_shop_must_go_on_knowing(self, gateway: Gateway, life: Life) -> None:
        query = "SELECT id, customer_number, shopper_reference, status, order_count FROM customer"
        before = await gateway.rows(query)
        trail = await audit(gateway, life.customer_id)
        await due(gateway, life.customer_id)
        await anonymize_due(gateway.tools)
        assert await gateway.rows(query) == before
        assert (before[0].status, before[0].order_count) == ("ACQUIRED", 1)
        steps = ["anonymization.requested", "anonymization.started", "anonymization.completed"]
        assert await audit(gateway, life.customer_id) == [*trail, *steps]
        assert len(await gateway.rows("SELECT reference FROM recorded_order")) == 1

    async def test_frees_address_and_social_account(
        self, gateway: Gateway, minted: MintingProvider, life: Life
    ) -> None:
        await due(gateway, life.customer_id)
        await anonymize_due(gateway.tools)
        for email in (life.email, life.later_email):
            person = await gateway.customer(STOREFRONT, email=email)
            assert person.id != life.customer_id
        visitor = SocialPerson(gateway, (await gateway.anonymous(STOREFRONT)).access)
        payload = await visitor.log_in(minted)
        assert payload["userErrors"] == []
        assert payload["created"] is True
        assert payload["customer"]["id"] != life.customer_id

    async def test_leaves_everybody_else_alone(self, gateway: Gateway, life: Life) -> None:
        gateway.ip = "198.51.100.7"
        other = await gateway.customer(STOREFRONT, customerAddress=address_input())
        stranger = (await gateway.anonymous(STOREFRONT)).access
        wrong = {"input": {"email": life.later_email, "password": "not-the-password-1"}}
        await gateway.graphql(operations.LOGIN, wrong, stranger)
        await due(gateway, life.customer_id)
        await anonymize_due(gateway.tools)
        tokens = await gateway.login(other.email, client_id=STOREFRONT)
        answer = await gateway.graphql("{ me { email addresses { city } } }", token=tokens.access)
        assert answer["me"] == {"email": other.email, "addresses": [{"city": "Berlin"}]}
        lines = "SELECT ip FROM audit_event WHERE customer_id = :id"
        assert {row.ip for row in await gateway.rows(lines, id=other.id)} == {"198.51.100.0/24"}

    async def test_is_preceded_by_an_export_of_all_of_it(self, gateway: Gateway, life: Life) -> None:
        answer = await gateway.graphql(EXPORT, token=life.token)
        data = answer["exportMyData"]["data"]
        text = json.dumps(data, ensure_ascii=False).lower().encode()
        assert found(life.words, text) == [word for word in life.words if word not in life.past]
        assert [(group["name"], group["code"]) for group in data["groups"]] == [("Wholesale", "wholesale")]
        assert [order["reference"] for order in data["orders"]] == ["A-1"]


class TestAnonymizeDue:
    async def test_waits_for_the_end_of_the_delay(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await requested(gateway, person.id)
        gateway.clock.advance(hours=DELAY_HOURS, seconds=-1)
        assert await anonymize_due(gateway.tools) == 0
        assert await status_of(gateway, person.id) == "REQUESTED"
        gateway.clock.advance(seconds=1)
        assert await anonymize_due(gateway.tools) == 1
        assert await status_of(gateway, person.id) == "DONE"
        assert await events(gateway, person.id) == ["requested", "started", "completed"]

    async def test_does_it_once(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        done = await asyncio.gather(*(anonymize_due(gateway.tools) for _ in range(4)))
        gateway.clock.advance(days=30)
        assert sum(done) + await anonymize_due(gateway.tools) == 1
        assert await events(gateway, person.id) == ["requested", "started", "completed"]

    async def test_takes_a_batch_at_a_time(self, gateway: Gateway) -> None:
        people = [await gateway.customer(STOREFRONT) for _ in range(BATCH + 1)]
        for person in people:
            await requested(gateway, person.id)
        gateway.clock.advance(hours=DELAY_HOURS)
        assert [await anonymize_due(gateway.tools) for _ in range(3)] == [BATCH, 1, 0]

    async def test_removes_the_mails_that_were_written_to_files(self, gateway: Gateway) -> None:
        person, other = await gateway.customer(STOREFRONT), await gateway.customer(STOREFRONT)
        await requested(gateway, other.id)
        await cancel(gateway, await owned_token(gateway), customerId=other.id)
        await due(gateway, person.id)
        await gateway.deliver()
        assert len(gateway.mails(person.email)) == 1
        await anonymize_due(gateway.tools)
        assert gateway.mails(person.email) == []
        assert len(gateway.mails(other.email)) == 2

    async def test_leaves_a_mail_alone_that_is_on_its_way(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        mailer = AnonymizingMailer(gateway)
        await deliver_due(replace(gateway.tools, mailer=cast("Mailer", mailer)))
        assert mailer.sent == 1
        assert await status_of(gateway, person.id) == "DONE"
        assert [row.topic for row in await gateway.rows(MAILS)] == ["anonymization_done"]


MAILS = "SELECT topic, payload, attempts FROM outbox_message WHERE kind <> 'event' ORDER BY id"


class TestFarewell:
    """The mail that says that it is done: to an address that is nowhere else any more."""

    async def test_arrives_in_the_language_and_from_the_site_of_who_was_erased(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT, customerDetails={"preferredLanguage": "de"})
        await due(gateway, person.id)
        await gateway.deliver()
        await anonymize_due(gateway.tools)
        await gateway.deliver()
        (mail,) = gateway.mails(person.email)
        assert mail.subject == "Ihre persönlichen Daten wurden gelöscht"
        assert person.id not in mail.text

    async def test_leaves_nothing_of_itself(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        await anonymize_due(gateway.tools)
        (waiting,) = await gateway.rows(MAILS)
        assert person.email not in str(waiting)
        await gateway.deliver()
        assert await gateway.rows(MAILS) == []
        assert len(gateway.mails(person.email)) == 1

    async def test_waits_until_all_of_it_is_done_and_comes_once(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        tools = replace(gateway.tools, mailer=cast("Mailer", FailingMailer()))
        for attempt in (1, 2):
            assert await anonymize_due(tools) == 1
            await gateway.deliver()
            assert gateway.mails(person.email) == []
            gateway.clock.advance(seconds=delay_after(attempt).total_seconds())
        assert await anonymize_due(gateway.tools) == 1
        await gateway.deliver()
        assert [mail.subject for mail in gateway.mails(person.email)] == ["Your personal data has been erased"]

    async def test_that_cannot_be_delivered_is_tried_again_and_then_forgotten(
        self, gateway: Gateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        await anonymize_due(gateway.tools)
        tools = replace(gateway.tools, mailer=cast("Mailer", RefusingMailer()))
        for attempt in range(1, MOST_ATTEMPTS + 1):
            (waiting,) = await gateway.rows(MAILS)
            assert waiting.attempts == attempt - 1
            await deliver_due(tools)
            gateway.clock.advance(seconds=delay_after(attempt).total_seconds())
        assert await gateway.rows(MAILS) == []
        assert await retry(gateway.tools) == 0
        assert person.email not in caplog.text

    async def test_of_a_shop_that_is_gone_is_forgotten_within_a_minute(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        await anonymize_due(gateway.tools)
        tenants = gateway.tools.tenants
        others = TenantDirectory([tenant for tenant in tenants if tenant.id != "shop"])
        gateway.clock.advance(seconds=TAKEN_UP.total_seconds())
        await deliver_due(replace(gateway.tools, tenants=others), OutboxKind.MAIL)
        assert await gateway.rows(MAILS) == []

    async def test_is_not_sent_where_the_shop_has_such_mails_off(
        self, gateway: Gateway, environment: dict[str, str], clock: Any
    ) -> None:
        without_security_mails(environment)
        async with run_gateway(environment, clock) as silent:
            person = await silent.customer(STOREFRONT)
            await due(silent, person.id)
            await anonymize_due(silent.tools)
            assert await silent.rows(MAILS) == []


class RefusingMailer:
    """A mail server that takes nothing."""

    async def send(self, message: MailMessage) -> None:
        raise OSError("The SMTP server refused the recipient (550)")


class AnonymizingMailer:
    """While it sends a mail, the recipient is anonymized."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.sent = 0

    async def send(self, message: MailMessage) -> None:
        self.sent += 1
        await anonymize_due(self._gateway.tools)


class FailingMailer:
    """Cannot remove anything, as on a disk that is read-only."""

    async def forget(self, customer_id: str) -> None:
        raise OSError("Read-only file system")


class BusyMailer:
    """Comes in a moment in which the database has no primary."""

    async def forget(self, customer_id: str) -> None:
        raise BusyError("The database does not answer.", retry_after=1, outcome=BusyOutcome.NOT_DONE)


class FailingDatabase:
    """The real database, but for its files, which another process keeps busy."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.connect = database.connect

    async def forget(self) -> None:
        raise OSError("Another process keeps the database busy.")


class TestFailure:
    @pytest.mark.parametrize("what", ["mailer", "database"])
    async def test_is_shown_and_tried_again(
        self, gateway: Gateway, what: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        broken: Any = {"mailer": FailingMailer(), "database": FailingDatabase(gateway.tools.database)}[what]
        given: dict[str, Any] = {what: broken}
        tools = replace(gateway.tools, **given)
        assert await anonymize_due(tools) == 1
        info = await info_of(gateway, person.id)
        assert (info["status"], info["attempts"]) == ("FAILED", 1)
        assert info["failedAt"] is not None
        assert info["nextAttemptAt"] > info["failedAt"]
        assert person.email not in caplog.text
        assert await anonymize_due(gateway.tools) == 0
        gateway.clock.advance(seconds=delay_after(1).total_seconds())
        assert await anonymize_due(tools) == 1
        gateway.clock.advance(seconds=delay_after(2).total_seconds())
        assert await anonymize_due(gateway.tools) == 1
        info = await info_of(gateway, person.id)
        assert (info["status"], info["attempts"], info["nextAttemptAt"]) == ("DONE", 3, None)
        assert await events(gateway, person.id) == ["requested", "started", "failed", "failed", "completed"]

    async def test_is_none_while_the_database_fails_over(
        self, gateway: Gateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        assert await anonymize_due(replace(gateway.tools, mailer=cast("Mailer", BusyMailer()))) == 1
        assert await status_of(gateway, person.id) == "IN_PROGRESS"
        assert "ERROR" not in caplog.text
        assert await anonymize_due(gateway.tools) == 0
        gateway.clock.advance(seconds=delay_after(1).total_seconds())
        assert await anonymize_due(gateway.tools) == 1
        assert await status_of(gateway, person.id) == "DONE"
        assert await events(gateway, person.id) == ["requested", "started", "completed"]

    async def test_cannot_be_canceled(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        await anonymize_due(replace(gateway.tools, mailer=cast("Mailer", FailingMailer())))
        answer = await cancel(gateway, await owned_token(gateway), customerId=person.id)
        assert answer.user_errors("cancelAnonymization") == [("ANONYMIZATION_NOT_CANCELABLE", "customerId")]


class TestKill:
    async def test_right_after_the_claim_is_made_up_for_when_the_lease_ends(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        await due(gateway, person.id)
        (row,) = await gateway.rows("SELECT * FROM anonymization")
        claimed = await _claim(gateway.tools, row)
        assert claimed is not None
        assert await anonymize_due(gateway.tools) == 0
        gateway.clock.advance(seconds=LEASE.total_seconds())
        assert await anonymize_due(gateway.tools) == 1
        assert await status_of(gateway, person.id) == "DONE"
        assert await events(gateway, person.id) == ["requested", "started", "completed"]

    async def test_of_a_worker_in_the_middle_loses_nothing(
        self, gateway: Gateway, environment: dict[str, str], start_worker: Callable[[], subprocess.Popen[bytes]]
    ) -> None:
        person = await gateway.customer(STOREFRONT, customerAddress=address_input())
        await requested(gateway, person.id)
        await gateway.write("UPDATE anonymization SET next_attempt_at = requested_at")
        # Reading a pipe that nobody writes to holds the worker up, after the erasure and before the end.
        pipe = Path(environment["STATE_DIR"]) / "mail" / "pipe.eml"
        pipe.parent.mkdir(exist_ok=True)
        os.mkfifo(pipe)
        worker = start_worker()
        await until_erased(gateway, person.id)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(PATIENCE) == -signal.SIGKILL
        assert await status_of(gateway, person.id) == "IN_PROGRESS"
        pipe.unlink()
        gateway.clock.advance(seconds=LEASE.total_seconds() + PATIENCE)
        assert await anonymize_due(gateway.tools) == 1
        info = await info_of(gateway, person.id)
        assert (info["status"], info["attempts"]) == ("DONE", 2)
        assert await events(gateway, person.id) == ["requested", "started", "completed"]

    @pytest.fixture
    def start_worker(self, environment: dict[str, str]) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
        """Start `python -m app worker`; all are gone after the test."""
        workers: list[subprocess.Popen[bytes]] = []
        others = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}

        def start() -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "app", "worker"]
            workers.append(subprocess.Popen(command, cwd=ROOT, env=others | environment))
            return workers[-1]

        yield start
        for worker in workers:
            worker.kill()
            worker.wait(PATIENCE)


class TestRace:
    async def test_of_cancel_and_start_has_one_winner(
        self, gateway: Gateway, environment: dict[str, str], clock: Any
    ) -> None:
        async with run_gateway(environment, clock) as other_process:
            outcomes = Counter([await self.race(gateway, other_process) for _ in range(4)])
        assert set(outcomes) <= {"CANCELED", "DONE"}

    async def race(self, gateway: Gateway, other_process: Gateway) -> str:
        """Let eight cancel and eight begin at once, and return who was first."""
        person: Person = await gateway.customer(STOREFRONT, customerAddress=address_input())
        await due(gateway, person.id)
        token = await owned_token(gateway)
        places = (gateway, other_process)
        cancels = [cancel(places[number % 2], token, customerId=person.id) for number in range(ATTEMPTS_AT_ONCE // 2)]
        starts = [anonymize_due(places[number % 2].tools) for number in range(ATTEMPTS_AT_ONCE // 2)]
        calls = [call for pair in zip(starts, cancels, strict=True) for call in pair]
        results: list[Any] = await asyncio.gather(*calls)
        refusals = [each.user_errors("cancelAnonymization") for each in results[1::2]]
        status = await status_of(gateway, person.id)
        canceled, begun = refusals.count([]), sum(results[::2])
        assert canceled + begun == 1
        assert status == ("CANCELED" if canceled else "DONE")
        assert await street_of(gateway, person.id) == (["Unter den Linden"] if canceled else [])
        assert await events(gateway, person.id) == ["requested"] + (
            ["canceled"] if canceled else ["started", "completed"]
        )
        return status

    async def test_of_sixteen_requests_has_one_winner(self, gateway: Gateway) -> None:
        person = await gateway.customer(STOREFRONT)
        token = await owned_token(gateway)
        calls = [gateway.graphql(REQUEST_ID, {"input": {"customerId": person.id}}, token) for _ in range(16)]
        answers = await asyncio.gather(*calls)
        refusals = Counter(tuple(answer.user_errors("requestAnonymization")) for answer in answers)
        assert refusals == {(): 1, (("ANONYMIZATION_OPEN", "customerId"),): 15}


REQUEST_ID = f"""mutation ($input: RequestAnonymizationInput) {{
    requestAnonymization(input: $input) {{ anonymizationInfo {{ status }} {USER_ERRORS} }}
}}"""
