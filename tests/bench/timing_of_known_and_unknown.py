"""Whether the time of an answer tells if an address is known: `python -m tests.bench.timing_of_known_and_unknown`.

Each operation is called 200 times for known and 200 times for unknown addresses, one after the other in turn, and both
medians are printed in milliseconds, with the range that the middle half of the calls fell into. Names of operations
(`signup`) measure these only. With DATABASE_URL of an empty, migrated database it runs there, else on SQLite in a
folder of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import quantiles

import bcrypt

from app.services.staff.import_files import import_file
from app.services.staff.import_sources import open_source
from app.settings import Settings
from app.wiring import migrate
from tests.factories import PASSWORD, address_input, signup_input
from tests.fakes import MovableClock
from tests.harness import operations
from tests.harness.gateway import Gateway, run_gateway
from tests.harness.sign_in import REQUEST_LOGIN_CODE, complete, request_code

CALLS = 200
WARM_UP = 20
SHOP = """
[tenants.demo]
name = "Demo shop"
signup = "confirm_email"
sites.main = { url = "https://shop.example", language = "en" }
clients = [{ id = "demo-storefront", kind = "storefront" }]

[tenants.demo.limits]
"""
MANY = 1_000_000
# Every limit that the calls would meet.
LIMITS = (
    "login_per_ip_per_minute",
    "login_failures_per_ip_per_minute",
    "login_failures_per_account_per_5_minutes",
    "login_failures_per_account_per_hour",
    "login_failure_addresses_per_account_per_10_minutes",
    "login_failure_accounts_per_password_per_hour",
    "login_per_session_per_minute",
    "signup_per_ip_per_minute",
    "signup_mails_per_recipient_per_hour",
    "signup_per_session_per_hour",
    "mailed_flow_per_ip_per_minute",
    "mailed_flow_per_session_per_hour",
    "mails_per_recipient_per_hour",
    "mails_per_recipient_per_day",
    "one_time_token_per_ip_per_minute",
    "anonymous_login_per_ip_per_minute",
    "anonymous_login_per_second",
)

Call = Callable[[Gateway, str, str], Awaitable[object]]


async def login(gateway: Gateway, token: str, email: str) -> object:
    given = {"email": email, "password": "wrong-harbour-42"}
    return await gateway.graphql(operations.LOGIN, {"input": given}, token)


async def signup(gateway: Gateway, token: str, email: str) -> object:
    given = signup_input(email=email, customerAddress=address_input())
    return await gateway.graphql(operations.SIGNUP, {"input": given}, token)


async def signup_and_login(gateway: Gateway, token: str, email: str) -> object:
    """Log in elsewhere, with the password of the sign-up that has just been made for the address."""
    given = signup_input(email=email, password="another-harbour-43")
    await gateway.graphql(operations.SIGNUP, {"input": given}, (await gateway.anonymous()).access)
    return await gateway.graphql(operations.LOGIN, {"input": given}, token)


async def request_password_reset(gateway: Gateway, token: str, email: str) -> object:
    return await gateway.graphql(operations.REQUEST_PASSWORD_RESET, {"input": {"email": email}}, token)


async def resend_confirmation(gateway: Gateway, token: str, email: str) -> object:
    return await gateway.graphql(operations.RESEND_CONFIRMATION, {"input": {"email": email}}, token)


async def request_login_code(gateway: Gateway, token: str, email: str) -> object:
    return await gateway.graphql(REQUEST_LOGIN_CODE, {"input": {"email": email}}, token)


async def wrong_login_code(gateway: Gateway, token: str, email: str) -> object:
    """Ask for a code, and answer with another one."""
    ticket = await request_code(gateway, token, email)
    return await complete(gateway, token, ticket, emailCode="000000")


async def change_email(gateway: Gateway, token: str, email: str) -> object:
    given = {"newEmail": email, "password": PASSWORD}
    return await gateway.graphql(operations.CHANGE_EMAIL, {"input": given}, token)


async def login_of_imported(gateway: Gateway, token: str, email: str) -> object:
    return await login(gateway, token, email)


CALLED: tuple[Call, ...] = (
    login,
    login_of_imported,
    signup,
    signup_and_login,
    request_password_reset,
    resend_confirmation,
    request_login_code,
    wrong_login_code,
    change_email,
)


async def import_customers(gateway: Gateway, number: int) -> list[str]:
    """Import customers with hashes of bcrypt and return their addresses; nobody else has logged in with such a hash."""
    encoded = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(11)).decode()
    emails = [f"imported-{each}@example.com" for each in range(number)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "customers.jsonl"
        file.write_text("".join(json.dumps({"email": each, "passwordHash": encoded}) + "\n" for each in emails))
        await import_file(gateway.tools, gateway.tools.tenants.tenant("demo"), open_source(file))
    return emails


async def measure(gateway: Gateway, call: Call, *, as_customer: bool) -> tuple[list[float], list[float]]:
    """Return the seconds of the calls for known and for unknown addresses."""
    known = [(await gateway.signup_confirmed()).email for _ in range(WARM_UP)]
    if call is login_of_imported:
        known = await import_customers(gateway, WARM_UP)
    token = (await gateway.customer()).tokens.access if as_customer else (await gateway.anonymous()).access
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + CALLS):
        addresses = (known[number % len(known)], f"{call.__name__}-{number}@example.net")
        # In turn first and second, so that neither gains by what the other one left behind.
        for which in (0, 1) if number % 2 else (1, 0):
            began = time.perf_counter()
            await call(gateway, token, addresses[which])
            seconds[which].append(time.perf_counter() - began)
    return seconds[0][WARM_UP:], seconds[1][WARM_UP:]


def describe(seconds: list[float]) -> str:
    """Return the median and the middle half, in milliseconds."""
    lower, median, upper = (1_000 * cut for cut in quantiles(seconds, n=4))
    return f"{median:8.3f} ({lower:.3f} to {upper:.3f})"


async def main() -> None:
    """Measure every operation and print a line for each."""
    with tempfile.TemporaryDirectory() as folder:
        tenants = Path(folder) / "tenants.toml"
        tenants.write_text(SHOP + "".join(f"{limit} = {MANY}\n" for limit in LIMITS))
        url = os.environ.get("DATABASE_URL", f"sqlite:///{folder}/gateway.db")
        environment = {"DATABASE_URL": url, "STATE_DIR": folder, "TENANTS_FILE": str(tenants)}
        if "DATABASE_URL" not in os.environ:
            await asyncio.to_thread(migrate, Settings.load(environment))
        sys.stdout.write(f"{'':24}{'known, ms':>28}{'unknown, ms':>28}\n")
        async with run_gateway(environment, MovableClock()) as gateway:
            for call in CALLED:
                if sys.argv[1:] and call.__name__ not in sys.argv[1:]:
                    continue
                known, unknown = await measure(gateway, call, as_customer=call is change_email)
                sys.stdout.write(f"{call.__name__:24}{describe(known):>28}{describe(unknown):>28}\n")


if __name__ == "__main__":
    asyncio.run(main())
