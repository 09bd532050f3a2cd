"""One customer's account as its owner knows it, and what the owner does with it; each call goes into the history."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.domain.tokens import TokenPrefix
from tests.factories import address_input
from tests.faults import documents
from tests.faults.caller import Answered, Caller, Wish
from tests.faults.history import Outcome
from tests.faults.system import Shop


class LockedOutError(Exception):
    """The owner cannot go on: what has led to that is in the history."""


@dataclass
class Pair:
    """An access token and the refresh token that came with it."""

    access: str
    refresh: str

    @property
    def both(self) -> tuple[str, ...]:
        """Both, for what ends them."""
        return tuple(each for each in (self.access, self.refresh) if each)


@dataclass
class Account:
    """An account from its sign-up on. `word` is in everything personal of it, and in nothing of anybody else."""

    caller: Caller
    shop: Shop
    word: str
    random: Random
    passwords: list[str] = field(default_factory=list)
    """Those that may be right, the likeliest last."""
    customer_id: str | None = None
    session: Pair = field(default_factory=lambda: Pair("", ""))
    tokens: list[str] = field(default_factory=list)
    """All that were had and not ended."""
    addresses: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)
    """Ids by label, of what is there for certain."""
    is_closed: bool = False
    _made: int = 0

    @property
    def email(self) -> str:
        """The login address."""
        return f"{self.word}@example.com"

    def next_label(self, kind: str) -> str:
        """Return a label that nothing else has."""
        self._made += 1
        return f"{self.word} {kind}{self._made}"

    def wish(self, operation: str, document: str, /, input_: dict[str, Any] | None = None, **more: Any) -> Wish:
        """Return a call of the owner's session about this account."""
        given = {"token": self.session.access, "label": self.next_label(operation), **more}
        return Wish(operation, document, input_, account=self.email, **given)

    async def anonymous(self) -> Pair:
        """Begin an anonymous session."""
        given = {"clientId": self.shop.storefront}
        wish = Wish("anonymousLogin", documents.ANONYMOUS_LOGIN, given, account=self.email)
        return _pair(await self.caller.settle(wish))

    async def sign_up(self) -> Pair:
        """Sign up, until it is certain; return the session that it was done in."""
        session = await self.anonymous()
        password = self.new_password()
        given = {"email": self.email, "password": password, "customerDetails": {"firstName": self.word}}
        wish = self.wish("signup", documents.SIGNUP, given, token=session.access, value=password)
        answered = await self.caller.settle(wish)
        if not answered.is_settled:
            raise LockedOutError
        self.passwords.append(password)
        return session

    async def confirm(self, session: Pair, token: str) -> None:
        """Open the mailed link."""
        wish = self.wish("confirmSignup", documents.CONFIRM_SIGNUP, {"token": token}, token=session.access)
        if not (await self.caller.settle(wish)).is_ok:
            raise LockedOutError

    async def log_in(self) -> Pair:
        """Log in with a password that may be right, in a session of its own."""
        for password in reversed(list(self.passwords)):
            for _ in range(4):
                answered = await self._try_to_log_in(await self.anonymous(), password)
                if answered.is_ok:
                    self.passwords = [each for each in self.passwords if each != password] + [password]
                    self.customer_id = answered.payload["customer"]["id"]
                    pair = _pair(answered)
                    self.tokens += pair.both
                    return pair
                if answered.call.code == "INVALID_CREDENTIALS":
                    break
        raise LockedOutError

    async def _try_to_log_in(self, anonymous: Pair, password: str) -> Answered:
        given = {"email": self.email, "password": password}
        return await self.caller.settle(
            self.wish(
                "login", documents.LOGIN, given, token=anonymous.access, value=password, ends=anonymous.both
            )
        )  # fmt: skip

    async def is_let_in(self) -> bool:
        """Try to log in once, whatever comes of it."""
        anonymous = await self.anonymous()
        given = {"email": self.email, "password": self.passwords[-1]}
        wish = self.wish("login", documents.LOGIN, given, token=anonymous.access, value=self.passwords[-1])
        return (await self.caller.call(wish)).is_ok

    def new_password(self) -> str:
        """Return one that is in no list."""
        return f"violet-{self.random.getrandbits(48):x}-harbour"

    async def look(self) -> None:
        """Read the own account, and learn the ids of what is there."""
        answered = await self.caller.settle(self.wish("look", documents.LOOK, root="me"))
        if answered.call.code == "UNAUTHENTICATED":
            self.session = await self.log_in()
        if answered.is_ok:
            self.addresses = {each["contactName"]: each["id"] for each in answered.payload["addresses"]}
            self.lists = {each["name"]: each["id"] for each in answered.payload["productLists"]}

    async def add_address(self, *, token: str = "", is_default: bool = False) -> None:
        """Add one; with a key it is repeated until it is there, without one it is tried once."""
        label, key = self.next_label("address"), self._maybe_key()
        given = address_input(contactName=label, isDefault=is_default)
        more = {"token": token} if token else {}
        answered = await self._make(
            self.wish("createAddress", documents.CREATE_ADDRESS, given, label=label, key=key, **more)
        )
        if answered.is_ok:
            self.addresses[label] = answered.payload["address"]["id"]

    async def add_list(self) -> None:
        """Add a wish list, in the same way."""
        label, key = self.next_label("list"), self._maybe_key()
        given = {"type": "WISH_LIST", "name": label}
        answered = await self._make(
            self.wish("createProductList", documents.CREATE_LIST, given, label=label, key=key)
        )  # fmt: skip
        if answered.is_ok:
            self.lists[label] = answered.payload["productList"]["id"]

    def _maybe_key(self) -> str:
        return f"key-{self.random.getrandbits(64):x}" if self.random.random() < 0.6 else ""

    async def _make(self, wish: Wish) -> Answered:
        answered = await (self.caller.settle(wish) if wish.key else self.caller.call(wish))
        # What was done may well be asked for again.
        if wish.key and answered.is_ok and self.random.random() < 0.3:
            again = await self.caller.call(wish)
            return again if again.is_ok else answered
        return answered

    async def remove(self, kind: str) -> None:
        """Delete an address or a list, until it is certain."""
        held = self.addresses if kind == "Address" else self.lists
        if not held:
            return
        label = self.random.choice(sorted(held))
        id_ = held.pop(label)
        name, document = ("deleteAddress", documents.DELETE_ADDRESS)
        if kind != "Address":
            name, document = ("deleteProductList", documents.DELETE_LIST)
        await self.caller.settle(self.wish(name, document, {"id": id_}, value=label))

    async def move_default(self) -> None:
        """Make another address the default."""
        if self.addresses:
            given = {"id": self.random.choice(list(self.addresses.values())), "isDefault": True}
            await self.caller.call(self.wish("updateAddress", documents.UPDATE_ADDRESS, given))

    async def rename(self) -> None:
        """Change the first name, once or until it is certain."""
        name = self.next_label("name")
        wish = self.wish("updateMe", documents.UPDATE_ME, {"firstName": name}, label=name, value=name)
        await (self.caller.settle(wish) if self.random.random() < 0.5 else self.caller.call(wish))

    async def refresh(self) -> None:
        """Trade the refresh token, with the same one until there is an answer."""
        token = self.session.refresh
        given = {"refreshToken": token}
        answered = await self.caller.settle(self.wish("refresh", documents.REFRESH, given, token=token, bearer=False))
        self.session = _pair(answered) if answered.is_ok else await self.log_in()
        self.tokens += self.session.both

    async def change_password(self) -> None:
        """Set another one: all other sessions end, and the own one goes on with new tokens."""
        old, new = self.passwords[-1], self.new_password()
        ended, self.tokens = list(self.tokens), []
        self.passwords.append(new)
        given = {"currentPassword": old, "newPassword": new}
        answered = await self.caller.settle(
            self.wish("changePassword", documents.CHANGE_PASSWORD, given, value=new, ends=ended)
        )
        self.session = _pair(answered) if answered.is_ok else await self.log_in()
        self.tokens += self.session.both if answered.is_ok else ()
        await self.probe(*ended[-3:])

    async def log_out_elsewhere(self) -> None:
        """Log in on another device and out again; no process takes its token then."""
        other = await self.log_in()
        await self.probe(other.access)
        self.tokens = [each for each in self.tokens if each not in other.both]
        await self.caller.settle(
            self.wish("logout", documents.LOGOUT, {}, token=other.access, ends=other.both)
        )  # fmt: skip
        await self.probe(other.access)

    async def probe(self, *tokens: str) -> None:
        """Show a token to every process."""
        for token in tokens:
            if token.startswith((TokenPrefix.ANONYMOUS_REFRESH, TokenPrefix.CUSTOMER_REFRESH)):
                continue
            wish = self.wish("tokenInfo", documents.TOKEN_INFO, token=token, can_be_lost=False)
            await asyncio.gather(*(self.caller.call(wish, process) for process in range(len(self.caller.urls))))

    async def be_served(self, staff: str) -> None:
        """Have staff act on the customer's behalf: they add an address, and end the session."""
        given = {"customerId": self.customer_id, "reason": "A call by telephone"}
        answered = await self.caller.call(
            self.wish("loginOnBehalf", documents.LOGIN_ON_BEHALF, given, token=staff)
        )  # fmt: skip
        if not answered.is_ok:
            return
        token = answered.payload["tokens"]["accessToken"]
        await self.add_address(token=token)
        await self.caller.settle(
            self.wish("endOnBehalf", documents.LOGOUT, {}, token=token, ends=[token], root="logout")
        )
        await self.probe(token)

    async def leave(self) -> None:
        """Have the account erased: it is closed at once."""
        ended, self.tokens, self.is_closed = list(self.tokens), [], True
        given = {"password": self.passwords[-1]}
        wish = self.wish("requestAnonymization", documents.REQUEST_ANONYMIZATION, given, ends=ended)
        answered = await self.caller.settle(wish)
        happened = answered.is_ok or answered.call.code in {"UNAUTHENTICATED", "ANONYMIZATION_OPEN"}
        if not happened:
            raise LockedOutError
        await self.probe(self.session.access, *ended[-2:])
        await self.is_let_in()

    async def come_back(self, staff: str) -> None:
        """Have staff cancel the erasure, and log in anew."""
        wish = self.wish(
            "cancelAnonymization", documents.CANCEL_ANONYMIZATION, {"customerId": self.customer_id}, token=staff
        )
        answered = await self.caller.settle(wish)
        if answered.is_ok or answered.call.code == "ANONYMIZATION_NOT_CANCELABLE":
            self.is_closed = False
            self.session = await self.log_in()


def _pair(answered: Answered) -> Pair:
    if answered.call.outcome is not Outcome.OK:
        raise LockedOutError
    tokens = answered.payload["tokens"]
    return Pair(tokens["accessToken"], tokens["refreshToken"] or "")
