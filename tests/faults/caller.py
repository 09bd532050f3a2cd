"""A client of three gateways that writes each call into the history, and now and then hangs up before the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from tests.faults.history import Call, History, Outcome, View

# Seconds until a client gives up: longer than any operation may take.
PATIENCE = 25.0
# Of so many calls, one is given up by the client within a few milliseconds.
_ONE_LOST_IN = 9
_HANGS_UP_WITHIN = (0.001, 0.06)


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that a client wants made: what the history says of it, and what is sent."""

    operation: str
    document: str
    input: Mapping[str, Any] | None = None
    account: str = ""
    token: str = ""
    label: str = ""
    value: str = ""
    ends: Sequence[str] = ()
    key: str = ""
    bearer: bool = True
    """Whether the token goes into the header; a refresh token is in the input."""
    root: str = ""
    """The field of the answer, if it is not called like the operation."""
    can_be_lost: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """A call and what the root field gave."""

    call: Call
    payload: Any = None

    @property
    def is_ok(self) -> bool:
        """Whether it was done."""
        return self.call.outcome is Outcome.OK

    @property
    def is_settled(self) -> bool:
        """Whether the client knows what came of it, and need not ask again."""
        return self.call.outcome in {Outcome.OK, Outcome.REFUSED}


@dataclass
class Caller:
    """Makes the calls; each to a process taken at random unless one is named."""

    urls: Sequence[str]
    history: History
    random: Random
    now: Callable[[], float] = field(default=time.monotonic)

    def __post_init__(self) -> None:
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=0)
        self._http = httpx2.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE, limits=limits)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def settle(self, wish: Wish, process: int | None = None, until: float = 120.0) -> Answered:
        """Make a call again and again until it is done or refused, for so many seconds at most."""
        deadline = self.now() + until
        while True:
            answered = await self.call(wish, process)
            if answered.is_settled or self.now() > deadline:
                return answered
            await asyncio.sleep(self.random.uniform(0.1, 1.0))

    async def call(self, wish: Wish, process: int | None = None) -> Answered:
        """Make a call once."""
        chosen = self.random.randrange(len(self.urls)) if process is None else process
        patience = PATIENCE
        if wish.can_be_lost and self.random.randrange(_ONE_LOST_IN) == 0:
            patience = self.random.uniform(*_HANGS_UP_WITHIN)
        started = self.now()
        try:
            response = await asyncio.wait_for(self._post(wish, self.urls[chosen]), patience)
        except httpx2.ConnectError:
            outcome, code, payload, honest = Outcome.NOT_DONE, "NOBODY_LISTENS", None, True
        except (httpx2.TransportError, TimeoutError):
            outcome, code, payload, honest = Outcome.LOST, "", None, True
        else:
            outcome, code, payload, honest = _read(response, wish.root or wish.operation)
        call = Call(
            operation=wish.operation, started=started, ended=self.now(), outcome=outcome, code=code,
            account=wish.account, process=chosen, label=wish.label, value=wish.value, token=short(wish.token),
            ends=[short(token) for token in wish.ends], is_keyed=bool(wish.key), is_honest_busy=honest,
            seen=_view(payload) if wish.operation == "look" and payload else None,
        )  # fmt: skip
        self.history.calls.append(call)
        return Answered(call, payload)

    async def _post(self, wish: Wish, url: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {wish.token}"} if wish.token and wish.bearer else {}
        if wish.key:
            headers["Idempotency-Key"] = wish.key
        content = {"query": wish.document, "variables": {"input": wish.input} if wish.input is not None else {}}
        return await self._http.post(f"{url}/graphql", json=content, headers=headers)

    async def form(self, url: str, **values: str) -> httpx2.Response:
        """Post a form to the token endpoint of a gateway; the history has nothing of it."""
        return await self._http.post(f"{url}/oauth/token", data=values)


def short(token: str) -> str:
    """Return what the history calls a token."""
    return token[-16:]


def _read(response: httpx2.Response, root: str) -> tuple[Outcome, str, Any, bool]:
    """Return outcome, code, the root field, and whether a SERVICE_BUSY is as it must be."""
    try:
        body = response.json()
        errors = body.get("errors") or []
        payload = (body.get("data") or {}).get(root)
    except (ValueError, AttributeError):
        return Outcome.LOST, "UNREADABLE", None, True
    if errors:
        extensions = errors[0]["extensions"]
        if extensions["code"] != "SERVICE_BUSY":
            return Outcome.REFUSED, extensions["code"], None, True
        said = extensions.get("outcome")
        honest = said in {"NOT_DONE", "UNKNOWN"} and response.headers.get("retry-after", "").isdigit()
        return Outcome.NOT_DONE if said == "NOT_DONE" else Outcome.UNKNOWN, "SERVICE_BUSY", None, honest
    if isinstance(payload, dict) and payload.get("userErrors"):
        return Outcome.REFUSED, payload["userErrors"][0]["code"], payload, True
    return Outcome.OK, "", payload, True


def _view(me: Mapping[str, Any]) -> View:
    return View(
        first_name=me["firstName"],
        addresses=[(each["contactName"], each["isDefault"]) for each in me["addresses"]],
        lists=[each["name"] for each in me["productLists"]],
    )
