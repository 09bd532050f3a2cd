"""The system that is tried: three gateways on one database, each by its own network, a receiver, a mail server."""

from __future__ import annotations

import asyncio
import signal
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path
from typing import Protocol

import httpx2

from app.settings import Settings
from app.wiring import migrate
from tests.harness.citus import CitusCluster
from tests.harness.freezing_proxy import FreezingProxy
from tests.harness.integrations import ISSUER, KEY, STAFF
from tests.harness.postgresql import KEEPING_COMMITS, PostgresqlServer
from tests.harness.receiver import Receiver, run_receiver
from tests.harness.server import ServerProcess
from tests.harness.smtp_sink import SmtpSink
from tests.harness.tenants import integration, shop, storefront, table, user

GATEWAYS = 3
SCOPES = ["customers.read", "customers.manage", "customers.privacy"]
HOOK_SECRET = "whsec_" + b64encode(b"the-secret-of-the-receiver-of-it").decode()
# Who tries everything many times a second would meet these before anything else.
_NO_LIMITS = (
    "login_per_ip_per_minute",
    "login_failures_per_ip_per_minute",
    "login_failures_per_account_per_5_minutes",
    "login_failures_per_account_per_hour",
    "login_failure_addresses_per_account_per_10_minutes",
    "login_failure_accounts_per_password_per_hour",
    "login_per_session_per_minute",
    "signup_per_ip_per_minute",
    "signup_per_session_per_hour",
    "signup_mails_per_recipient_per_hour",
    "mailed_flow_per_ip_per_minute",
    "mailed_flow_per_session_per_hour",
    "mails_per_recipient_per_hour",
    "mails_per_recipient_per_day",
    "one_time_token_per_ip_per_minute",
    "one_time_token_tries_per_flow",
    "refresh_per_ip_per_minute",
    "refresh_per_family_per_minute",
    "anonymous_login_per_ip_per_minute",
    "anonymous_login_per_second",
    "oauth_token_per_ip_per_minute",
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop, and how its customers come in and are erased."""

    name: str
    confirms: bool
    """Whether a mailed link finishes a sign-up."""
    erases_at_once: bool

    @property
    def storefront(self) -> str:
        """The client that its customers use."""
        return f"{self.name}-storefront"

    @property
    def staff(self) -> str:
        """The client that its staff use."""
        return f"{self.name}-staff"

    def tables(self, hook: str) -> str:
        """Return its part of the tenants file."""
        return "\n".join(
            [
                shop(
                    self.name,
                    signup="confirm_email" if self.confirms else "open",
                    anonymization_by=["integration", "customer"],
                    anonymization_delay_hours=0 if self.erases_at_once else 24,
                ),
                table(f"[tenants.{self.name}.limits]", **dict.fromkeys(_NO_LIMITS, 1_000_000)),
                storefront(self.name, self.storefront),
                integration(self.name, self.staff, scopes=SCOPES, jwks_file="staff.json"),
                user(self.name, STAFF, scopes=SCOPES),
                table(f"[[tenants.{self.name}.webhooks]]", url=hook, topics=["*"], secret_env="HOOK_SECRET"),
            ]
        )


SHOPS = (
    Shop("brisk", confirms=False, erases_at_once=False),
    Shop("careful", confirms=True, erases_at_once=True),
)


class Server(Protocol):
    """What a run wants to know of PostgreSQL, whatever keeps it running."""

    def url(self, database: str) -> str:
        """Return the URL of a database, past everything that is between it and the gateways."""

    def dump(self, database: str) -> bytes:
        """Return all that is in a database."""


@dataclass(frozen=True)
class System:
    """All that runs; `server` is None with SQLite."""

    gateways: Sequence[ServerProcess]
    server: Server | None
    database: str
    """The name on the server, or the path."""
    receiver: Receiver
    sink: SmtpSink
    mail_folder: Path
    proxies: Sequence[FreezingProxy] = ()
    """The network of each gateway, where a run may cut it."""
    postgresql: PostgresqlServer | CitusCluster | None = None
    """The server, where a run may end it."""

    async def ready(self) -> bool:
        """Tell whether every gateway says that it is ready."""
        async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=3) as http:
            answers = await asyncio.gather(
                *(http.get(f"{each.url}/readyz") for each in self.gateways), return_exceptions=True
            )
        return all(isinstance(each, httpx2.Response) and each.status_code == 200 for each in answers)

    async def stop(self) -> None:
        """Ask the gateways to end, and wait until they have."""
        for gateway in self.gateways:
            gateway.signal(signal.SIGTERM)
        await asyncio.gather(*(asyncio.to_thread(gateway.wait) for gateway in self.gateways))


@asynccontextmanager
async def run_system(folder: Path, engine: str) -> AsyncIterator[System]:
    """Start it on an empty database; at the end everything is gone."""
    server = _server(engine)
    if server is not None:
        await asyncio.to_thread(server.start)
    proxies = [FreezingProxy(server.port) for _ in range(GATEWAYS)] if server is not None else []
    for proxy in proxies:
        proxy.start()
    try:
        database = server.create_database() if server is not None else str(folder / "gateway.db")
        url = server.url(database) if server is not None else f"sqlite:///{database}"
        variables = {"DATABASE_SHARDING": "citus" if engine == "citus" else "none"}
        await asyncio.to_thread(migrate, Settings.load({**variables, "DATABASE_URL": url}))
        urls = [_through(url, proxy) for proxy in proxies] or [url] * GATEWAYS
        async with run_gateways(folder, urls, server, database, variables) as system:
            yield replace(system, proxies=proxies, postgresql=server)
    finally:
        for proxy in proxies:
            proxy.stop()
        if server is not None:
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def run_gateways(
    folder: Path, urls: Sequence[str], server: Server | None, database: str, variables: Mapping[str, str]
) -> AsyncIterator[System]:
    """Start a gateway for each URL of one database, which has its tables."""
    mail_folder = folder / "mail"
    mail_folder.mkdir()
    sink = SmtpSink(folder=mail_folder)
    sink.start()
    gateways: list[ServerProcess] = []
    try:
        async with run_receiver() as receiver:
            gateways += _gateways(folder, urls, variables, receiver, sink)
            await asyncio.gather(*(asyncio.to_thread(gateway.start) for gateway in gateways))
            yield System(gateways, server, database, receiver, sink, mail_folder)
    finally:
        for gateway in gateways:
            gateway.end()
        sink.stop()


def _server(engine: str) -> PostgresqlServer | CitusCluster | None:
    match engine:
        case "postgresql":
            return PostgresqlServer(KEEPING_COMMITS)
        case "citus":
            return CitusCluster({"synchronous_commit": "on"})
        case _:
            return None


def _gateways(
    folder: Path, urls: Sequence[str], variables: Mapping[str, str], receiver: Receiver, sink: SmtpSink
) -> list[ServerProcess]:
    (folder / "staff.json").write_text(dumps({"keys": [KEY.as_dict(private=False)]}))
    tenants = folder / "tenants.toml"
    tenants.write_text("\n".join(each.tables(receiver.url) for each in SHOPS))
    environment = {
        **variables,
        "STATE_DIR": str(folder / "state"),
        "TENANTS_FILE": str(tenants),
        "PUBLIC_URL": ISSUER,
        "HOOK_SECRET": HOOK_SECRET,
        "SMTP_URL": sink.url,
        "MAIL_FROM": "Shop <no-reply@shop.example>",
    }
    return [ServerProcess({**environment, "DATABASE_URL": each}) for each in urls]


def _through(url: str, proxy: FreezingProxy) -> str:
    before, _, rest = url.partition("@127.0.0.1:")
    return f"{before}@127.0.0.1:{proxy.port}/{rest.partition('/')[2]}"
