"""The scripts of staff systems, as people run them, against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx2
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.clients.receiver import receive
from tests.harness.server import PATIENCE, ServerClient, ServerProcess

SECRET = "development-only-demo-backend-secret"
WEBHOOK_SECRET = "whsec_" + "MDEy" * 8
OWNER = "aqwDFvELOz"
CREATE = """mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { userErrors { code } } }"""


def run_script(name: str, server: ServerProcess, **variables: str) -> str:
    ended = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(name))],
        env={
            **os.environ,
            "GATEWAY_URL": server.url,
            "CLIENT_ID": "demo-backend",
            "CLIENT_SECRET": SECRET,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


class TestStaff:
    def test_lists_every_customer_over_all_pages(self, server: ServerProcess) -> None:
        token = httpx2.post(
            f"{server.url}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("demo-backend", SECRET),
            trust_env=False,
        ).json()["access_token"]

        async def create() -> None:
            client = ServerClient(server)
            async with client.http:
                for number in range(101):
                    email = f"person-{number:03}@example.com"
                    answer = await client.graphql(CREATE, {"input": {"email": email}}, token)
                    assert answer["createCustomer"] == {"userErrors": []}

        anyio.run(create)
        lines = [line.split() for line in run_script("staff.py", server).splitlines()]
        assert [email for _, email, _ in lines] == [f"person-{number:03}@example.com" for number in range(101)]
        assert {status for _, _, status in lines} == {"PROSPECT"}


class TestOwner:
    def test_gets_a_token_that_names_the_person(self, server: ServerProcess) -> None:
        token = run_script("owner.py", server, USER_ID=OWNER).strip()
        answer = httpx2.post(
            f"{server.url}/graphql",
            json={"query": "{ tokenInfo { kind owner { id type } } }"},
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        expected = {"kind": "INTEGRATION", "owner": {"id": OWNER, "type": "User"}}
        assert answer.json() == {"data": {"tokenInfo": expected}}


class TestReceive:
    BODY = '{"type": "customer.created", "timestamp": "2026-01-01T00:00:00Z", "data": {"customerId": "1"}}'

    def signed(self, event_id: str) -> Mapping[str, str]:
        now = datetime.now(UTC)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(WEBHOOK_SECRET).sign(event_id, now, self.BODY),
        }

    def test_takes_an_event_once(self) -> None:
        headers = self.signed("event-once")
        event = receive(WEBHOOK_SECRET, self.BODY.encode(), headers)
        assert event is not None
        assert event["type"] == "customer.created"
        assert receive(WEBHOOK_SECRET, self.BODY.encode(), headers) is None

    def test_refuses_what_was_changed_on_the_way(self) -> None:
        with pytest.raises(WebhookVerificationError):
            receive(WEBHOOK_SECRET, self.BODY.replace("1", "2").encode(), self.signed("event-forged"))
