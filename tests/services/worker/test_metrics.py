"""What is shown of a running gateway: passwords and connections under way, and the age of the outbox."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from app.adapters.metrics import PrometheusMetrics
from app.services.worker.metrics import show_outbox, show_process
from tests.harness.gateway import Gateway

pytestmark = pytest.mark.anyio


def number(gateway: Gateway, name: str) -> float | None:
    metrics = gateway.tools.metrics
    assert isinstance(metrics, PrometheusMetrics)
    registry: CollectorRegistry = metrics.registry
    return registry.get_sample_value(name)


class TestShowOutbox:
    async def test_shows_how_long_the_oldest_message_waits(self, gateway: Gateway) -> None:
        await gateway.signed_up()
        gateway.clock.advance(seconds=90)
        await gateway.signed_up()
        await show_outbox(gateway.tools)
        assert number(gateway, "gateway_outbox_oldest_seconds") == pytest.approx(90)
        assert number(gateway, "gateway_outbox_dead") == 0

    async def test_shows_nothing_when_all_is_delivered(self, gateway: Gateway) -> None:
        await gateway.signed_up()
        await gateway.deliver()
        gateway.clock.advance(seconds=90)
        await show_outbox(gateway.tools)
        assert number(gateway, "gateway_outbox_oldest_seconds") == 0

    async def test_counts_the_dead_apart(self, gateway: Gateway) -> None:
        await gateway.signed_up()
        await gateway.write("UPDATE outbox_message SET dead_at = created_at")
        gateway.clock.advance(seconds=90)
        await show_outbox(gateway.tools)
        assert number(gateway, "gateway_outbox_oldest_seconds") == 0
        assert number(gateway, "gateway_outbox_dead") == 1


class TestShowProcess:
    async def test_shows_the_connection_of_an_open_transaction(self, gateway: Gateway) -> None:
        connection = gateway.tools.database.connect()
        await connection.begin()
        show_process(gateway.tools)
        assert number(gateway, "gateway_database_connections") == 1
        await connection.close()
        show_process(gateway.tools)
        assert number(gateway, "gateway_database_connections") == 0
        assert number(gateway, "gateway_passwords_waiting") == 0
