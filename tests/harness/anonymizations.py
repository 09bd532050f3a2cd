"""A shop where personal data may be erased: its tenants file, the operations, and who asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.services.worker.erasure import anonymize_due
from tests.harness.client import Answer
from tests.harness.gateway import Gateway
from tests.harness.integrations import BACKEND, KEYED, owned_token, shops
from tests.harness.operations import USER_ERRORS

STOREFRONT = "shop-storefront"
# A user of the shop who may not have anybody anonymized.
CLERK = "clerk"
DELAY_HOURS = 24

INFO = """anonymizationInfo {
    status requestedAt dueAt startedAt completedAt canceledAt requester { id type } attempts failedAt nextAttemptAt
}"""
REQUEST = f"""mutation ($input: RequestAnonymizationInput) {{
    requestAnonymization(input: $input) {{ {INFO} {USER_ERRORS} }}
}}"""
CANCEL = f"""mutation ($input: CancelAnonymizationInput) {{
    cancelAnonymization(input: $input) {{ {INFO} {USER_ERRORS} }}
}}"""
EXPORT = f"mutation ($input: ExportMyDataInput) {{ exportMyData(input: $input) {{ data {USER_ERRORS} }} }}"

_RULES = """
anonymization_by = ["integration", "customer"]
anonymization_delay_hours = {delay}
[tenants.shop.limits]
signup_per_ip_per_minute = 1000
login_per_ip_per_minute = 1000
login_per_session_per_minute = 1000
one_time_token_per_ip_per_minute = 1000
anonymous_login_per_second = 1000
anonymous_login_per_ip_per_minute = 1000
"""
_FURTHER = f"""
[[tenants.shop.users]]
id = "{CLERK}"
scopes = ["customers.read"]
[[tenants.shop.webhooks]]
url = "http://127.0.0.1:9/hooks"
topics = ["customer.anonymization_*"]
secret_env = "HOOK_SECRET"
"""


def privacy_shop(
    folder: Path, *tables: str, delay: int = DELAY_HOURS, by: str = "", keyed: str = KEYED, **changes: Any
) -> dict[str, str]:
    """Write a tenants file with these further tables of the shop; return the variables of a gateway that reads it.

    `delay` in hours; `by` who may ask, if not everybody; `keyed` the client that `owned_token` is for; `changes` as
    `shops` takes them.
    """
    variables = shops(folder, keyed, BACKEND, _FURTHER, *tables, **changes)
    file, rules = Path(variables["TENANTS_FILE"]), _RULES.format(delay=delay)
    if by:
        rules = rules.replace('["integration", "customer"]', f'["{by}"]')
    name = 'name = "The shop"\nsignup = "open"\n'
    file.write_text(file.read_text().replace(name, name + rules, 1))
    return {**variables, "HOOK_SECRET": "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def without_security_mails(environment: Mapping[str, str]) -> None:
    """Have the shop send no mails that nobody asked for; a gateway that starts from now on knows it."""
    file, mode = Path(environment["TENANTS_FILE"]), 'signup = "open"\n'
    file.write_text(file.read_text().replace(mode, f"{mode}security_mails = false\n", 1))


async def request(gateway: Gateway, bearer: str, /, **given: Any) -> Answer:
    """Ask for an anonymization, whatever comes of it."""
    return await gateway.graphql(REQUEST, {"input": given or None}, bearer)


async def requested(gateway: Gateway, customer_id: str) -> dict[str, Any]:
    """Have staff ask for it, and return the info."""
    answer = await request(gateway, await owned_token(gateway), customerId=customer_id)
    assert answer.user_errors("requestAnonymization") == []
    info: dict[str, Any] = answer["requestAnonymization"]["anonymizationInfo"]
    return info


async def cancel(gateway: Gateway, bearer: str, /, **given: Any) -> Answer:
    """Cancel one, whatever comes of it."""
    return await gateway.graphql(CANCEL, {"input": given or None}, bearer)


async def anonymize(gateway: Gateway, customer_id: str) -> None:
    """Have a customer anonymized, to the end."""
    await requested(gateway, customer_id)
    gateway.clock.advance(hours=DELAY_HOURS)
    assert await anonymize_due(gateway.tools) == 1
    assert (await info_of(gateway, customer_id))["status"] == "DONE"


async def info_of(gateway: Gateway, customer_id: str) -> dict[str, Any]:
    """Return what staff see of it."""
    query = f"query ($id: ID!) {{ customer(id: $id) {{ anonymizationStatus {INFO} }} }}"
    customer = (await gateway.graphql(query, {"id": customer_id}, await owned_token(gateway)))["customer"]
    info: dict[str, Any] = customer["anonymizationInfo"]
    assert customer["anonymizationStatus"] == info["status"]
    return info


async def events(gateway: Gateway, customer_id: str) -> list[str]:
    """Return the topics of the events about an anonymization, in their order."""
    rows = await gateway.rows(
        "SELECT topic FROM outbox_message WHERE kind = 'event' AND customer_id = :id ORDER BY id", id=customer_id
    )
    return [row.topic.removeprefix("customer.anonymization_") for row in rows]


async def audit(gateway: Gateway, customer_id: str) -> list[str]:
    """Return what the audit says about a customer, in its order."""
    rows = await gateway.rows("SELECT action FROM audit_event WHERE customer_id = :id ORDER BY id", id=customer_id)
    return [row.action for row in rows]
