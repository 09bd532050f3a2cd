"""A client of the GraphQL endpoint that speaks like a storefront, of a gateway in this process or in another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2

from tests.factories import PASSWORD, signup_input
from tests.harness import operations
from tests.harness.error_paths import lost_paths
from tests.harness.mails import Mail


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint answered; `answer["me"]` is the field's value, where there was no error at all."""

    status: int
    headers: httpx2.Headers
    data: dict[str, Any] | None
    errors: list[dict[str, Any]]

    def __getitem__(self, name: str) -> Any:
        assert not self.errors, self.errors
        assert self.data is not None
        return self.data[name]

    @property
    def codes(self) -> list[str]:
        """The codes of the top-level errors."""
        return [error["extensions"]["code"] for error in self.errors]

    @property
    def reason(self) -> str | None:
        """The reason of an UNAUTHENTICATED."""
        (error,) = self.errors
        reason: str | None = error["extensions"].get("reason")
        return reason

    def user_errors(self, name: str) -> list[tuple[str, str]]:
        """Return the code and the path (`customerAddress.city`, or nothing) of each user error of one payload."""
        return [(error["code"], ".".join(error["field"] or ())) for error in self[name]["userErrors"]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A `TokenSet` as the client got it."""

    access: str
    refresh: str
    session_id: str
    saas: str
    all: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, tokens: Mapping[str, Any]) -> Tokens:
        """Read a `TokenSet`."""
        return cls(tokens["accessToken"], tokens["refreshToken"], tokens["sessionId"], tokens["saasToken"], tokens)

    @property
    def device(self) -> str | None:
        """By what the account knows the device, after a login."""
        token: str | None = self.all.get("deviceToken")
        return token


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed up: with `tokens` of a login, or else of the anonymous session that it was done in."""

    id: str
    email: str
    password: str
    tokens: Tokens


class StorefrontClient(ABC):
    """The operations that most tests begin with; each asserts that it succeeded."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self._people = count(1)

    @abstractmethod
    async def deliver(self) -> None:
        """Have everything delivered that waits in the outbox."""

    @abstractmethod
    def mails(self, to: str | None = None) -> list[Mail]:
        """Return what was mailed, to one address if it is given, the oldest first."""

    async def graphql(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post one operation.

        Whatever the test is about, it fails for a 5xx, an INTERNAL error, and a user error at no field of the input.
        """
        response = await self.http.post(
            "/graphql",
            json={"query": query, "variables": dict(variables or {})},
            headers={**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})},
        )
        assert response.status_code < 500, response.text
        body = response.json()
        answer = Answer(response.status_code, response.headers, body.get("data"), body.get("errors", []))
        assert "INTERNAL" not in answer.codes, answer.errors
        assert lost_paths(query, answer.data) == [], "Each user error names a field of the operation's input."
        return answer

    async def anonymous(self, client_id: str = "demo-storefront", site: str | None = None) -> Tokens:
        """Begin an anonymous session."""
        answer = await self.graphql(operations.ANONYMOUS_LOGIN, {"input": {"clientId": client_id, "site": site}})
        return _tokens(answer["anonymousLogin"])

    async def refresh(self, refresh_token: str) -> Tokens:
        """Trade a refresh token."""
        answer = await self.graphql(operations.REFRESH, {"input": {"refreshToken": refresh_token}})
        return _tokens(answer["refresh"])

    async def signup(self, token: str, **changes: Any) -> dict[str, Any]:
        """Sign up with the sample values and these changes, and return the payload, user errors and all."""
        answer = await self.graphql(operations.SIGNUP, {"input": signup_input(**changes)}, token)
        payload: dict[str, Any] = answer["signup"]
        return payload

    async def signed_up(self, client_id: str = "demo-storefront", **changes: Any) -> Person:
        """Sign up somebody new, in an anonymous session of their own."""
        wanted = {"email": f"person-{next(self._people)}@example.com", "password": PASSWORD, **changes}
        tokens = await self.anonymous(client_id)
        payload = await self.signup(tokens.access, **wanted)
        assert payload["userErrors"] == [], payload
        return Person(payload["customerId"], wanted["email"], wanted["password"], tokens)

    async def signup_confirmed(self, client_id: str = "demo-storefront", **changes: Any) -> Person:
        """Sign up somebody new and open the mailed link, where the shop sends one."""
        person = await self.signed_up(client_id, **changes)
        await self.deliver()
        for mail in (each for each in self.mails(person.email) if "/confirm-signup?token=" in each.text):
            answer = await self.graphql(
                operations.CONFIRM_SIGNUP, {"input": {"token": mail.token}}, person.tokens.access
            )
            assert answer["confirmSignup"]["userErrors"] == []
        return person

    async def login(
        self,
        email: str,
        password: str = PASSWORD,
        token: str | None = None,
        client_id: str = "demo-storefront",
        device: str | None = None,
    ) -> Tokens:
        """Log in, in the session of an anonymous token or in a new one, maybe on a device that the account knows."""
        token = token or (await self.anonymous(client_id)).access
        given = {"email": email, "password": password, "deviceToken": device}
        answer = await self.graphql(operations.LOGIN, {"input": given}, token)
        return _tokens(answer["login"])

    async def customer(self, client_id: str = "demo-storefront", **changes: Any) -> Person:
        """Sign up, confirm and log in somebody new."""
        person = await self.signup_confirmed(client_id, **changes)
        tokens = await self.login(person.email, person.password, person.tokens.access)
        return Person(person.id, person.email, person.password, tokens)


def _tokens(payload: dict[str, Any]) -> Tokens:
    assert payload["userErrors"] == [], payload
    return Tokens.of(payload["tokens"])
