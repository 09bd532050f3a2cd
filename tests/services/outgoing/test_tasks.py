"""Tasks: what waits in the outbox has one form, for whoever writes it and whoever does the work."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from app.domain.principal import TokenKind
from app.models.outbox import OutboxMessage
from app.services.outgoing.tasks import TaskPayload, caller_of
from tests.harness import operations
from tests.harness.gateway import Gateway
from tests.harness.rows import row_of

pytestmark = pytest.mark.anyio


async def put_off(gateway: Gateway, email: str) -> OutboxMessage:
    """Ask for a mail with a token for that address, and return the task that waits for the worker."""
    tokens = await gateway.anonymous()
    await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": email}}, token=tokens.access)
    ((topic, payload),) = await gateway.rows("SELECT topic, payload FROM outbox_message WHERE kind = 'task'")
    given = json.loads(payload) if isinstance(payload, str) else payload
    message = row_of(OutboxMessage, "demo", topic=topic, customer_id=None, payload=given)
    assert isinstance(message, OutboxMessage)
    return message


class TestTaskPayload:
    async def test_is_read_as_it_was_written(self, gateway: Gateway) -> None:
        message = await put_off(gateway, "ada@example.com")
        payload = TaskPayload.of(message)
        assert set(message.payload) == {each.name for each in fields(TaskPayload)}
        assert gateway.tools.sealer.open(payload.address) == "ada@example.com"
        assert payload.values == {}

    async def test_tells_for_whom_the_work_is_done(self, gateway: Gateway) -> None:
        message = await put_off(gateway, "ada@example.com")
        principal = caller_of(message, TaskPayload.of(message)).require_principal()
        assert (principal.kind, principal.tenant_id, principal.customer_id) == (TokenKind.ANONYMOUS, "demo", None)
        assert principal.session_id == message.payload["session"] is not None

    def test_is_nothing_else(self) -> None:
        message = row_of(OutboxMessage, "demo", payload={"recipient": "ada@example.com"})
        assert isinstance(message, OutboxMessage)
        with pytest.raises(TypeError, match="recipient"):
            TaskPayload.of(message)
