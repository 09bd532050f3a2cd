"""Random journeys: visitors who become customers, live with their account for a while, and leave or stay."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from random import Random

import httpx2

from tests.faults.account import Account, LockedOutError
from tests.faults.caller import Caller
from tests.faults.system import SHOPS, Shop, System
from tests.harness.integrations import JWT_BEARER, STAFF, claims, signed
from tests.harness.mails import Mail, read_mails

# Seconds between two steps of one person, and that a mail may take: a worker that was killed holds it for two minutes.
_PAUSE = (0.05, 0.6)
_MAIL_PATIENCE = 240.0
_STEPS_OF_A_LIFE = (15, 50)
_WEIGHTS = {
    "look": 5,
    "rename": 4,
    "add address": 5,
    "add default address": 2,
    "move default": 3,
    "remove address": 2,
    "add list": 3,
    "remove list": 1,
    "refresh": 4,
    "change password": 1,
    "log out elsewhere": 2,
    "be served": 1,
    "leave and come back": 1,
}


class People:
    """All who make journeys; each has random numbers of their own, so that a seed gives the same wishes again."""

    def __init__(self, system: System, caller: Caller, seed: int) -> None:
        self._system = system
        self.caller = caller
        self._seed = seed
        self._names = count(1)
        self._staff: dict[str, str] = {}
        self.accounts: list[Account] = []
        self.ids: dict[str, str] = {}
        self.troubles: list[str] = []

    async def prepare(self) -> None:
        """Get the tokens of staff, while all is well."""
        for shop in SHOPS:
            assertion = signed(claims(datetime.now(UTC), shop.staff, owner={"type": "User", "id": STAFF}))
            answer = await self.caller.form(self.caller.urls[0], grant_type=JWT_BEARER, assertion=assertion)
            self._staff[shop.name] = answer.raise_for_status().json()["access_token"]

    async def live(self, number: int, over: asyncio.Event) -> None:
        """Live one life after the other until it is over."""
        while not over.is_set():
            account = self._next(number)
            try:
                await self._begin(account)
                await self._go_on(account, over)
            except LockedOutError:
                self.troubles.append(account.email)
            except httpx2.HTTPError as error:
                self.troubles.append(f"{account.email}: {error!r}")
            if account.customer_id is not None:
                self.ids[account.customer_id] = account.email

    def _next(self, number: int) -> Account:
        name = next(self._names)
        random = Random(f"{self._seed} {number} {name}")
        account = Account(self.caller, self._shop(name), f"p{name}x{random.getrandbits(40):010x}", random)
        self.accounts.append(account)
        return account

    @staticmethod
    def _shop(name: int) -> Shop:
        return SHOPS[name % len(SHOPS)]

    async def _begin(self, account: Account) -> None:
        session = await account.sign_up()
        if account.shop.confirms:
            await account.confirm(session, (await self._mail_to(account.email)).token)
        account.session = await account.log_in()

    async def _mail_to(self, email: str) -> Mail:
        for _ in range(int(_MAIL_PATIENCE)):
            # On a thread: there are many, and all others go on meanwhile.
            mails = await asyncio.to_thread(read_mails, self._system.mail_folder, email)
            found = [mail for mail in mails if mail.has_token]
            if found:
                return found[0]
            await asyncio.sleep(1)
        raise LockedOutError

    async def _go_on(self, account: Account, over: asyncio.Event) -> None:
        steps = self._steps(account)
        for _ in range(account.random.randint(*_STEPS_OF_A_LIFE)):
            if over.is_set() or account.is_closed:
                return
            (step,) = account.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
            await steps[step]()
            await asyncio.sleep(account.random.uniform(*_PAUSE))
        if account.random.random() < 0.6:
            await account.leave()

    def _steps(self, account: Account) -> dict[str, Callable[[], Awaitable[None]]]:
        staff = self._staff[account.shop.name]

        async def leave_and_come_back() -> None:
            if not account.shop.erases_at_once:
                await account.leave()
                await account.come_back(staff)

        return {
            "look": account.look,
            "rename": account.rename,
            "add address": account.add_address,
            "add default address": lambda: account.add_address(is_default=True),
            "move default": account.move_default,
            "remove address": lambda: account.remove("Address"),
            "add list": account.add_list,
            "remove list": lambda: account.remove("List"),
            "refresh": account.refresh,
            "change password": account.change_password,
            "log out elsewhere": account.log_out_elsewhere,
            "be served": lambda: account.be_served(staff),
            "leave and come back": leave_and_come_back,
        }

    async def look_once_more(self) -> None:
        """Have everybody who has an account log in and look, now that all is well again."""
        for account in self.accounts:
            if account.is_closed or not account.passwords or account.customer_id is None:
                continue
            try:
                account.session = await account.log_in()
                await account.look()
            except LockedOutError:
                self.troubles.append(f"{account.email} at the end")
