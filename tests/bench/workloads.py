"""The workloads of the benchmark: what a client asks for, and how it knows that an answer is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

ADDRESS = "id contactName street streetNumber zipCode city country tags isDefault"
ME = "id email firstName lastName customerNumber preferredLanguage emailVerified lastLoginAt"
DOCUMENTS = {
    "me": f"{{ me {{ {ME} }} }}",
    "me with 10 addresses": f"{{ me {{ {ME} addresses {{ {ADDRESS} }} }} }}",
    "tokenInfo": "{ tokenInfo { kind tokenType expiresIn scope sessionId tenant clientId customerId email } }",
    "anonymousLogin": """mutation ($input: AnonymousLoginInput!) {
        anonymousLogin(input: $input) { tokens { accessToken refreshToken sessionId } userErrors { code } } }""",
    "refresh": """mutation ($input: RefreshInput!) {
        refresh(input: $input) { tokens { accessToken refreshToken sessionId } userErrors { code } } }""",
    "login": """mutation ($input: LoginInput!) {
        login(input: $input) { tokens { accessToken refreshToken } customer { id } userErrors { code } } }""",
    "signup": """mutation ($input: SignupInput!) {
        signup(input: $input) { customerId status userErrors { code } } }""",
    "updateMe": """mutation ($input: UpdateMeInput!) {
        updateMe(input: $input) { customer { id firstName } userErrors { code } } }""",
    "customers": """query ($after: String) { customers(first: 100, after: $after) {
        nodes { id email firstName lastName } pageInfo { endCursor hasNextPage } } }""",
}
# Each text once: nothing of the parsing and checking can have been kept.
DOCUMENTS["me, ever-new texts"] = DOCUMENTS["me"]
# As scripts and curl send it: the text is new each time, but only by its values.
DOCUMENTS["updateMe, values inline"] = """mutation {
    updateMe(input: {firstName: "Ada"}) { customer { id firstName } userErrors { code } } }"""
HASHING = ("login", "signup")
READS = ("me", "me with 10 addresses", "tokenInfo", "me, ever-new texts")
PASSWORD = "violet-harbour-42"
CLIENT_ID = "bench-storefront"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Person:
    """One customer of the data set, logged in, with what the reads have to answer."""

    email: str
    token: str
    answers: dict[str, Any]


_NEW = count()


class WrongAnswerError(Exception):
    """The server answered something else than it should."""


class Script:
    """What one connection sends, one request after the other; it learns from the answers."""

    def __init__(self, workload: str, person: Person, number: int) -> None:
        self._workload = workload
        self._person = person
        self._number = number
        self._counter = count()
        self._token: str | None = person.token
        self._refresh_token = ""
        self._anonymous: list[str] = []
        self._right: bytes | None = None
        self._cursor: str | None = None
        self._repeated = body(DOCUMENTS[workload]) if workload in READS else b""

    def preparation(self, logins: int) -> Iterator[bytes]:
        """Yield what has to be sent before the clock runs; each answer goes to `prepared`."""
        for _ in range({"login": logins, "refresh": 1, "signup": 1}.get(self._workload, 0)):
            yield request(body(DOCUMENTS["anonymousLogin"], clientId=CLIENT_ID), None)

    def prepared(self, answer: bytes) -> None:
        """Keep the tokens of an anonymous session."""
        tokens = _payload(answer, "anonymousLogin")["tokens"]
        self._refresh_token = tokens["refreshToken"]
        self._anonymous.append(tokens["accessToken"])

    def next(self) -> bytes | None:
        """Return the next request, or None when there is nothing left to do."""
        number = next(self._counter)
        document = DOCUMENTS[self._workload]
        match self._workload:
            case "me, ever-new texts":
                text = document.replace("id", f"id again{self._number}x{number}: id", 1)
                return request(body(text), self._token)
            case "anonymousLogin":
                return request(body(document, clientId=CLIENT_ID), None)
            case "refresh":
                return request(body(document, refreshToken=self._refresh_token), None)
            case "login":
                if not self._anonymous:
                    return None
                return request(body(document, email=self._person.email, password=PASSWORD), self._anonymous.pop())
            case "signup":
                email = f"new-{next(_NEW)}@example.com"
                return request(body(document, email=email, password=PASSWORD), self._anonymous[0])
            case "customers":
                return request(body(document, after=self._cursor), self._token)
            case "updateMe, values inline":
                return request(body(document.replace("Ada", f"Ada {self._number} {number}")), self._token)
            case "updateMe":
                return request(body(document, firstName=f"Ada {number}"), self._token)
        return request(self._repeated, self._token)

    def check(self, answer: bytes) -> None:
        """Raise `WrongAnswerError` unless the answer is the right one, to the last field."""
        if answer == self._right:
            return
        if self._workload in READS:
            if comparable(answer) != self._person.answers[self._workload.partition(",")[0]]:
                raise WrongAnswerError(answer.decode())
            self._right = answer
            return
        payload = _payload(answer, self._workload.partition(",")[0])
        if self._workload == "customers":
            self._turn_the_page(answer, payload)
            return
        if payload["userErrors"] or None in payload.values():
            raise WrongAnswerError(answer.decode())
        if self._workload == "refresh":
            self._refresh_token = payload["tokens"]["refreshToken"]

    def _turn_the_page(self, answer: bytes, page: dict[str, Any]) -> None:
        """Go on after this page, which must be a full one unless it is the last; then begin anew."""
        goes_on = page["pageInfo"]["hasNextPage"]
        if goes_on and len({node["id"] for node in page["nodes"]}) != PAGE:
            raise WrongAnswerError(answer.decode())
        self._cursor = page["pageInfo"]["endCursor"] if goes_on else None


def body(document: str, **values: Any) -> bytes:
    """Return the body of a GraphQL request, whose values go by one `input` where it has one."""
    variables = {"input": values} if "$input" in document else values
    return orjson.dumps({"query": document, **({"variables": variables} if values else {})})


def request(content: bytes, token: str | None) -> bytes:
    """Return a whole HTTP request."""
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{authorization}"
        f"content-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def comparable(answer: bytes) -> Any:
    """Return what a read answered, without what changes from call to call."""
    data = orjson.loads(answer).get("data") or {}
    for field in data.values():
        for name in [name for name in field or () if name == "expiresIn" or name.startswith("again")]:
            del field[name]
    return data


def _payload(answer: bytes, name: str) -> dict[str, Any]:
    content = orjson.loads(answer)
    if content.get("errors") or not content.get("data"):
        raise WrongAnswerError(answer.decode())
    payload: dict[str, Any] = content["data"][name]
    return payload
