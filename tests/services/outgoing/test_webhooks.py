"""Events on their way to webhooks: signed, tried again under one id, and no endpoint in the way of another."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from anyio import to_thread

from app.commands.command_line import main
from app.domain.errors import BusyError
from app.domain.tools import LiveTools
from app.models.webhook_endpoints import FAILURES_BEFORE_PAUSE
from app.services.outgoing.webhooks import FIRST_PAUSE, PROBES_OF_A_DAY, TAKEN_UP, deliveries, pause_after, replay
from app.services.worker.delivery import BATCH, LEASE, deliver_due
from app.services.worker.lanes import EndpointLanes
from app.worker import work
from tests.factories import address_input
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.receiver import PATIENCE, Delivery, Receiver, run_receiver
from tests.harness.server import ServerClient, ServerProcess
from tests.harness.tenants import shop, storefront

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + b64encode(b"the secret of these tests, now").decode()
PREVIOUS = "whsec_" + b64encode(b"the secret that it replaces...").decode()
SECRETS = {"HOOK_SECRET": SECRET, "HOOK_PREVIOUS_SECRET": PREVIOUS}

SHOP = shop("demo") + storefront("demo", "demo-storefront")


def endpoint(url: str, topics: str = '["customer.created"]', more: str = "") -> str:
    return f'[[tenants.demo.webhooks]]\nurl = "{url}"\ntopics = {topics}\nsecret_env = "HOOK_SECRET"\n{more}\n'


def write_tenants(environment: dict[str, str], webhooks: str) -> None:
    """Write the file that the gateway reads when it starts."""
    Path(environment["TENANTS_FILE"]).write_text(SHOP + webhooks)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    async with run_receiver() as running:
        yield running


@pytest.fixture
def webhooks(receiver: Receiver) -> str:
    """Return the tables of the shop's webhooks: a test that needs others overrides this fixture."""
    return endpoint(receiver.url)


@pytest.fixture
def settings_environment(tmp_path: Path, webhooks: str) -> dict[str, str]:
    environment = {"TENANTS_FILE": str(tmp_path / "tenants.toml"), **SECRETS}
    write_tenants(environment, webhooks)
    return environment


def ids(receiver: Receiver) -> list[str]:
    return [delivery.id for delivery in receiver.deliveries]


async def sign_up(gateway: Gateway, amount: int) -> None:
    """Have so many events wait, from more than one address, which may not sign up so often."""
    for number in range(amount):
        gateway.ip = f"192.0.2.{number}"
        await gateway.signed_up()


class TestSendEvent:
    async def test_tells_who_and_what_and_when(self, gateway: Gateway, receiver: Receiver) -> None:
        person = await gateway.signed_up()
        await gateway.deliver()
        event = receiver.deliveries[0].verify(SECRET)
        assert event["type"] == "customer.created"
        assert event["timestamp"] == gateway.clock.now().isoformat().replace("+00:00", "Z")
        assert event["data"]["customerId"] == person.id

    async def test_is_done_once_by_sixteen_workers(self, gateway: Gateway, receiver: Receiver) -> None:
        people = [await gateway.signed_up() for _ in range(4)]
        await asyncio.gather(*(deliver_due(gateway.tools) for _ in range(16)))
        told = [delivery.verify(SECRET)["data"]["customerId"] for delivery in receiver.deliveries]
        assert sorted(told) == sorted(person.id for person in people)

    async def test_goes_on_under_one_id_with_growing_delays(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 503
        await gateway.signed_up()
        for tries, delay in enumerate((5, 10, 20), start=1):
            await gateway.deliver()
            gateway.clock.advance(seconds=delay - 1)
            await gateway.deliver()
            assert len(receiver.deliveries) == tries
            gateway.clock.advance(seconds=1)
        receiver.status = 200
        await gateway.deliver()
        gateway.clock.advance(hours=1)
        await gateway.deliver()
        assert len(receiver.deliveries) == 4
        assert len(set(ids(receiver))) == 1
        assert receiver.deliveries[-1].verify(SECRET)["type"] == "customer.created"

    async def test_takes_a_redirect_for_a_failure(self, gateway: Gateway, receiver: Receiver, other: Receiver) -> None:
        receiver.status, receiver.headers = 302, [f"Location: {other.url}"]
        await gateway.signed_up()
        await gateway.deliver()
        assert other.deliveries == []
        (event,) = await deliveries(gateway.tools, None, only_failed=True)
        assert (event.delivered_at, event.last_error) == (None, "The endpoint answered 302.")

    async def test_goes_on_when_nobody_had_answered(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.hangs_up = True
        await gateway.signed_up()
        await gateway.deliver()
        assert [row.failures for row in await gateway.rows("SELECT failures FROM webhook_endpoint")] == [1]
        receiver.hangs_up = False
        gateway.clock.advance(seconds=5)
        await gateway.deliver()
        assert len(set(ids(receiver))) == 1
        assert await deliveries(gateway.tools, None, only_failed=True) == []
        assert await gateway.rows("SELECT 1 FROM webhook_endpoint") == []

    async def test_ends_for_good_when_the_endpoint_is_gone(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 410
        await gateway.signed_up()
        await gateway.deliver()
        receiver.status = 204
        await gateway.signed_up()
        await gateway.deliver()
        assert len(receiver.deliveries) == 1
        events = await deliveries(gateway.tools, "demo", only_failed=True)
        assert [event.dead_at is not None for event in events] == [True, True]

    async def test_ends_when_the_endpoint_is_configured_no_longer(
        self, gateway: Gateway, receiver: Receiver, environment: dict[str, str]
    ) -> None:
        await gateway.signed_up()
        write_tenants(environment, "")
        async with run_gateway(environment, gateway.clock) as later:
            await later.deliver()
            (event,) = await deliveries(later.tools, "demo", only_failed=True)
            # For a minute another process may know of an endpoint that this one has not read of yet.
            assert (event.dead_at, event.last_error) == (None, "The endpoint is not configured.")
            gateway.clock.advance(seconds=TAKEN_UP.total_seconds())
            await later.deliver()
            (event,) = await deliveries(later.tools, "demo", only_failed=True)
        assert receiver.deliveries == []
        assert (event.dead_at, event.last_error) == (gateway.clock.now(), "The endpoint is no longer configured.")


class TestTopics:
    @pytest.fixture
    def webhooks(self, receiver: Receiver, other: Receiver) -> str:
        return endpoint(receiver.url, '["*"]') + endpoint(other.url, '["customer.logged_*", "customer.updated"]')

    async def test_decide_where_an_event_goes(self, gateway: Gateway, receiver: Receiver, other: Receiver) -> None:
        person = await gateway.customer()
        await gateway.deliver()
        everything = {delivery.verify(SECRET)["type"] for delivery in receiver.deliveries}
        assert everything == {"customer.created", "customer.logged_in", "session.upgraded"}
        (event,) = [delivery.verify(SECRET) for delivery in other.deliveries]
        assert event["type"] == "customer.logged_in"
        assert event["data"] == {"customerId": person.id, "sessionId": person.tokens.session_id}

    async def test_of_a_changed_profile_name_the_fields_only(self, gateway: Gateway, other: Receiver) -> None:
        person = await gateway.customer()
        update = 'mutation { updateMe(input: {firstName: "Augusta"}) { userErrors { code } } }'
        await gateway.graphql(update, token=person.tokens.access)
        await gateway.deliver()
        events = [delivery.verify(SECRET) for delivery in other.deliveries]
        changed = next(event for event in events if event["type"] == "customer.updated")
        assert changed["data"] == {"customerId": person.id, "fields": ["firstName"]}

    async def test_tell_of_what_hangs_on_the_profile_too(self, gateway: Gateway, other: Receiver) -> None:
        person = await gateway.customer()
        create = f"mutation ($input: AddressInput!) {{ createAddress(input: $input) {{ {operations.USER_ERRORS} }} }}"
        await gateway.graphql(create, {"input": address_input()}, person.tokens.access)
        await gateway.deliver()
        events = [delivery.verify(SECRET) for delivery in other.deliveries]
        (changed,) = [event for event in events if event["type"] == "customer.updated"]
        assert changed["data"] == {"customerId": person.id, "fields": ["addresses"]}

    async def test_never_bring_anything_personal(self, gateway: Gateway, receiver: Receiver) -> None:
        details = {"firstName": "Augusta", "lastName": "Lovelace", "contactPhone": "+493012345678"}
        person = await gateway.customer(email="ada.l@example.com", customerDetails=details)
        await gateway.graphql("mutation { logout { loggedOut } }", token=person.tokens.access)
        await gateway.deliver()
        sent = b"".join(delivery.body for delivery in receiver.deliveries)
        assert person.id.encode() in sent
        for personal in (b"ada.l", b"example.com", b"Augusta", b"Lovelace", b"12345678"):
            assert personal not in sent


class TestSecrets:
    @pytest.fixture
    def webhooks(self, receiver: Receiver) -> str:
        return endpoint(receiver.url, more='previous_secret_env = "HOOK_PREVIOUS_SECRET"')

    async def test_both_sign_while_they_change(self, gateway: Gateway, receiver: Receiver) -> None:
        await gateway.signed_up()
        await gateway.deliver()
        (delivery,) = receiver.deliveries
        assert delivery.verify(SECRET) == delivery.verify(PREVIOUS)


class TestPause:
    async def _fail(self, gateway: Gateway, receiver: Receiver) -> None:
        """Have an endpoint fail until it is paused."""
        receiver.status = 500
        for _ in range(FAILURES_BEFORE_PAUSE):
            await gateway.signed_up()
            await gateway.deliver()
        assert len(receiver.deliveries) == FAILURES_BEFORE_PAUSE

    async def test_spares_an_endpoint_that_goes_on_failing(self, gateway: Gateway, receiver: Receiver) -> None:
        await self._fail(gateway, receiver)
        await gateway.signed_up()
        await gateway.deliver()
        gateway.clock.advance(seconds=FIRST_PAUSE.seconds - 1)
        await gateway.deliver()
        assert len(receiver.deliveries) == FAILURES_BEFORE_PAUSE

    async def test_ends_with_a_single_try(self, gateway: Gateway, receiver: Receiver) -> None:
        await self._fail(gateway, receiver)
        gateway.clock.advance(seconds=FIRST_PAUSE.seconds)
        await asyncio.gather(*(deliver_due(gateway.tools) for _ in range(16)))
        assert len(receiver.deliveries) == FAILURES_BEFORE_PAUSE + 1
        gateway.clock.advance(seconds=2 * FIRST_PAUSE.seconds - 1)
        await gateway.deliver()
        assert len(receiver.deliveries) == FAILURES_BEFORE_PAUSE + 1

    async def test_delivers_everything_once_the_endpoint_is_well(self, gateway: Gateway, receiver: Receiver) -> None:
        await self._fail(gateway, receiver)
        receiver.status = 204
        for _ in range(2):
            gateway.clock.advance(seconds=FIRST_PAUSE.seconds)
            await gateway.deliver()
        assert len(set(ids(receiver))) == FAILURES_BEFORE_PAUSE
        assert len(receiver.deliveries) == 2 * FAILURES_BEFORE_PAUSE
        assert await gateway.rows("SELECT 1 FROM webhook_endpoint") == []

    async def test_does_not_count_as_a_try(self, gateway: Gateway, receiver: Receiver) -> None:
        await self._fail(gateway, receiver)
        await gateway.signed_up()
        await gateway.deliver()
        (latest, *_) = await deliveries(gateway.tools, "demo", only_failed=False)
        assert (latest.attempts, latest.last_error) == (0, None)
        assert latest.due_at == latest.created_at

    @pytest.mark.parametrize(
        ("failed_probes", "seconds"), [(0, 5), (1, 10), (2, 20), (3, 30), (1000, 30), (PROBES_OF_A_DAY, 600)]
    )
    async def test_grows_with_failed_probes_and_is_half_a_minute_for_a_day(
        self, failed_probes: int, seconds: int
    ) -> None:
        assert pause_after(failed_probes).total_seconds() == seconds

    async def test_does_not_grow_with_the_messages_in_flight(self, gateway: Gateway, receiver: Receiver) -> None:
        await sign_up(gateway, 30)
        receiver.status = 503
        while await deliver_due(gateway.tools, at_most=30):
            pass
        (state,) = await gateway.rows("SELECT failures, failed_probes, paused_until FROM webhook_endpoint")
        assert (state.failures, state.failed_probes) == (30, 0)
        receiver.status = 204
        gateway.clock.advance(seconds=FIRST_PAUSE.seconds)
        await gateway.deliver()
        assert len(set(ids(receiver))) == 30
        assert await deliveries(gateway.tools, "demo", only_failed=True) == []

    async def test_of_an_hour_ends_within_a_minute_and_rewrites_no_row_for_it(
        self, gateway: Gateway, receiver: Receiver
    ) -> None:
        receiver.hangs_up = True
        await sign_up(gateway, 30)
        await gateway.deliver()
        tried = await self._attempts(gateway)
        assert sum(tried.values()) == FAILURES_BEFORE_PAUSE
        for _ in range(3600 // 5):
            gateway.clock.advance(seconds=5)
            await gateway.deliver()
        assert await self._attempts(gateway) == tried
        # It was asked for all the time, in turn, so that no message is in the way of the others.
        assert 100 < len(receiver.deliveries) < 150
        assert len(set(ids(receiver))) == 30
        receiver.hangs_up = False
        receiver.deliveries.clear()
        gateway.clock.advance(seconds=30)
        await gateway.deliver()
        assert len(receiver.deliveries) == 30
        first, *rest = ids(receiver)
        assert rest == sorted(set(rest) - {first})

    async def _attempts(self, gateway: Gateway) -> dict[str, int]:
        return {
            row.id: row.attempts
            for row in await gateway.rows("SELECT id, attempts FROM outbox_message WHERE kind = 'event'")
        }

    async def test_of_a_single_message_rewrites_its_row_once(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 503
        await gateway.signed_up()
        for _ in range(100):
            await gateway.deliver()
            gateway.clock.advance(seconds=30)
        assert len(receiver.deliveries) > 90
        assert list((await self._attempts(gateway)).values()) == [1]

    async def test_does_not_hold_others_back_for_the_message_that_alone_fails(
        self, gateway: Gateway, receiver: Receiver
    ) -> None:
        receiver.status = 400
        await gateway.signed_up()
        await gateway.deliver()
        receiver.status = 204
        await gateway.signed_up()
        await gateway.deliver()
        assert len(receiver.deliveries) == 2
        assert await gateway.rows("SELECT 1 FROM webhook_endpoint") == []

    async def test_is_as_long_as_a_busy_endpoint_asks_for(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status, receiver.headers = 429, ["Retry-After: 120"]
        await gateway.signed_up()
        await gateway.deliver()
        await gateway.signed_up()
        gateway.clock.advance(seconds=119)
        await gateway.deliver()
        assert len(receiver.deliveries) == 1
        receiver.status, receiver.headers = 503, [f"Retry-After: {format_datetime(self._in(gateway, 301))}"]
        gateway.clock.advance(seconds=1)
        await gateway.deliver()
        assert len(receiver.deliveries) == 2
        receiver.status, receiver.headers = 204, []
        gateway.clock.advance(seconds=299)
        await gateway.deliver()
        assert len(receiver.deliveries) == 2
        gateway.clock.advance(seconds=2)
        await gateway.deliver()
        assert len(set(ids(receiver))) == 2
        assert await gateway.rows("SELECT 1 FROM webhook_endpoint") == []

    def _in(self, gateway: Gateway, seconds: int) -> datetime:
        return gateway.clock.now() + timedelta(seconds=seconds)

    async def test_ends_after_days_with_what_has_waited_so_long(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 503
        await gateway.signed_up()
        await gateway.deliver()
        gateway.clock.advance(days=4)
        await gateway.deliver()
        (event,) = await deliveries(gateway.tools, "demo", only_failed=True)
        assert (event.dead_at, event.last_error) == (
            gateway.clock.now(),
            "The endpoint has not worked for days.",
        )


class TestSlowEndpoint:
    @pytest.fixture
    def webhooks(self, receiver: Receiver, other: Receiver) -> str:
        return endpoint(receiver.url) + endpoint(other.url)

    async def test_holds_up_nobody_else(self, gateway: Gateway, receiver: Receiver, other: Receiver) -> None:
        answer, stop = asyncio.Event(), asyncio.Event()
        receiver.before_answer = answer.wait
        people = [await gateway.signed_up() for _ in range(12)]
        worker = asyncio.create_task(work(LiveTools(gateway.tools), stop))
        try:
            arrived = await other.wait_for(len(people))
            assert len(receiver.deliveries) <= BATCH
            assert await gateway.rows("SELECT 1 FROM outbox_message WHERE last_error IS NOT NULL") == []
            assert {delivery.verify(SECRET)["data"]["customerId"] for delivery in arrived} == {p.id for p in people}
        finally:
            answer.set()
            stop.set()
            await worker


class TestReplay:
    async def test_sends_what_had_arrived_again_under_its_id(self, gateway: Gateway, receiver: Receiver) -> None:
        await gateway.signed_up()
        await gateway.deliver()
        (event,) = await deliveries(gateway.tools, None, only_failed=False)
        await replay(gateway.tools, event.id)
        await gateway.deliver()
        first, second = receiver.deliveries
        assert first.id == second.id == event.id
        assert first.body == second.body

    async def test_begins_anew_with_an_endpoint_that_was_gone(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 410
        await gateway.signed_up()
        await gateway.deliver()
        (event,) = await deliveries(gateway.tools, None, only_failed=True)
        receiver.status = 204
        await replay(gateway.tools, event.id)
        await gateway.deliver()
        assert ids(receiver) == [event.id, event.id]
        assert await deliveries(gateway.tools, None, only_failed=True) == []

    async def test_knows_only_events(self, gateway: Gateway) -> None:
        with pytest.raises(ValueError, match="There is no event nothing"):
            await replay(gateway.tools, "nothing")


class TestDeliveries:
    async def test_are_those_of_a_known_tenant(self, gateway: Gateway) -> None:
        with pytest.raises(ValueError, match="There is no tenant 'nowhere'"):
            await deliveries(gateway.tools, "nowhere", only_failed=False)

    async def test_come_the_latest_first(self, gateway: Gateway) -> None:
        people = [await gateway.signed_up() for _ in range(3)]
        events = await deliveries(gateway.tools, "demo", only_failed=False)
        assert [event.customer_id for event in events] == [person.id for person in reversed(people)]


class TestCommands:
    async def _run(self, *arguments: str) -> int:
        """Run a command of the operator's, in a thread for it has an event loop of its own."""
        return await to_thread.run_sync(main, ["webhooks", *arguments])

    @pytest.fixture(autouse=True)
    def _environment(self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    async def test_list_what_failed_and_why(
        self, gateway: Gateway, receiver: Receiver, capsys: pytest.CaptureFixture[str]
    ) -> None:
        receiver.status = 500
        await gateway.signed_up()
        await gateway.deliver()
        receiver.status = 204
        await gateway.signed_up()
        await gateway.deliver()
        failed, arrived = ids(receiver)
        capsys.readouterr()
        assert await self._run("deliveries", "--tenant", "demo", "--failed") == 0
        line = f"{failed}  demo  customer.created  {receiver.url}  waiting  1 attempts  The endpoint answered 500."
        assert capsys.readouterr().out == line + "\n"
        assert await self._run("deliveries") == 0
        assert f"{arrived}  demo  customer.created  {receiver.url}  delivered  1 attempts" in capsys.readouterr().out

    async def _fail_for_long(self, gateway: Gateway, receiver: Receiver) -> None:
        receiver.status = 503
        for _ in range(FAILURES_BEFORE_PAUSE + 1):
            await gateway.signed_up()
        for _ in range(10):
            await gateway.deliver()
            gateway.clock.advance(seconds=30)
        await gateway.deliver()
        receiver.status = 204
        receiver.deliveries.clear()

    @pytest.mark.parametrize(
        "arguments",
        [("webhooks", "resume"), ("webhooks", "resume", "--tenant", "demo"), ("outbox", "retry")],
        ids=["resume", "resume of a tenant", "retry"],
    )
    async def test_wake_what_waits(self, gateway: Gateway, receiver: Receiver, arguments: tuple[str, ...]) -> None:
        await self._fail_for_long(gateway, receiver)
        await gateway.deliver()
        assert receiver.deliveries == []
        assert await to_thread.run_sync(main, list(arguments)) == 0
        gateway.clock.advance(minutes=2)  # The command lives in the time of the system, which went on.
        await gateway.deliver()
        assert len(receiver.deliveries) == FAILURES_BEFORE_PAUSE + 1

    async def test_resume_one_webhook_by_its_url(
        self, gateway: Gateway, receiver: Receiver, capsys: pytest.CaptureFixture[str]
    ) -> None:
        await self._fail_for_long(gateway, receiver)
        assert await self._run("resume", "--url", receiver.url) == 0
        assert capsys.readouterr().out.endswith(" waiting events will be sent now\n")
        assert await self._run("resume", "--url", "https://nobody.example/") == 2
        assert "There is no webhook with the URL https://nobody.example/" in capsys.readouterr().err
        assert await self._run("resume", "--tenant", "nowhere") == 2
        assert "There is no tenant 'nowhere'" in capsys.readouterr().err

    async def test_send_again(self, gateway: Gateway, receiver: Receiver) -> None:
        await gateway.signed_up()
        await gateway.deliver()
        assert await self._run("replay", receiver.deliveries[0].id) == 0
        gateway.clock.advance(minutes=2)  # The command lives in the time of the system, which went on.
        await gateway.deliver()
        first, second = ids(receiver)
        assert first == second

    @pytest.mark.usefixtures("gateway")
    async def test_say_what_they_do_not_know(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert await self._run("replay", "nothing") == 2
        assert "There is no event nothing" in capsys.readouterr().err


class TestLane:
    async def test_opens_again_after_a_failure_of_ours(
        self,
        gateway: Gateway,
        receiver: Receiver,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        async def fail(*_arguments: object) -> int:
            raise ConnectionError("The database is away.")

        await gateway.signed_up()
        endpoints = EndpointLanes(LiveTools(gateway.tools), asyncio.Event())
        with monkeypatch.context() as away:
            away.setattr("app.services.worker.lanes.deliver_due", fail)
            await endpoints.open_due()
            await endpoints.close()
        assert "they are tried again soon" in caplog.text
        await endpoints.open_due()
        await endpoints.close()
        assert len(receiver.deliveries) == 1

    async def test_waits_without_an_error_while_the_database_is_busy(
        self, gateway: Gateway, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def wait(*_arguments: object, **_named: object) -> int:
            raise BusyError("The database does not answer.")

        await gateway.signed_up()
        endpoints = EndpointLanes(LiveTools(gateway.tools), asyncio.Event())
        with monkeypatch.context() as away:
            away.setattr("app.services.worker.lanes.deliver_due", wait)
            await endpoints.open_due()
            await endpoints.close()
        told = [each for each in caplog.records if each.name == "app.services.worker.lanes"]
        assert [each.levelname for each in told] == ["WARNING"]
        await endpoints.open_due()
        await endpoints.close()
        assert len(receiver.deliveries) == 1


class TestKill:
    async def test_of_a_worker_loses_no_event_and_keeps_its_id(
        self,
        environment: dict[str, str],
        start_server: Callable[..., ServerProcess],
        receiver: Receiver,
        clock: MovableClock,
    ) -> None:
        never = asyncio.Event()
        receiver.before_answer = never.wait
        server = start_server()
        storefront = ServerClient(server)
        async with storefront.http:
            person = await storefront.signed_up()
        (begun,) = await receiver.wait_for(1)
        server.kill()
        receiver.before_answer = None
        async with run_gateway(environment, clock) as gateway:
            clock.advance(seconds=LEASE.seconds + PATIENCE)
            await gateway.deliver()
        again: Delivery = receiver.deliveries[-1]
        assert ids(receiver) == [begun.id, begun.id]
        assert again.verify(SECRET)["data"]["customerId"] == person.id
