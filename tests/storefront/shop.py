"""The storefront as a customer meets it: a running gateway with the built page, and a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx2
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from tests.harness import operations
from tests.harness.integrations import SECRET
from tests.harness.mails import Mail, read_mails
from tests.harness.server import PATIENCE, ServerProcess
from tests.harness.staff import CREATE

PASSWORD = "violet-harbour-42"


class Shop:
    """One gateway in development, whose storefront is at `url`."""

    def __init__(self, server: ServerProcess, browser: Browser) -> None:
        self.url = f"http://localhost:{server.port}"
        self._api = f"{server.url}/graphql"
        self._mails = server.state_dir / "mail"
        self._browser = browser
        self._callers = cycle(range(1, 255))

    @contextmanager
    def visitor(self, **options: Any) -> Iterator[Visitor]:
        """Open a browser of somebody who was never here; at the end it must have had nothing to complain of."""
        context = self._browser.new_context(**{"locale": "en-US", **options})
        context.set_default_timeout(PATIENCE * 1000)
        visitor = Visitor(self, context)
        yield visitor
        context.close()
        assert visitor.faults == []

    def customer(self, email: str) -> None:
        """Make a customer with a confirmed address."""
        token = self._ask(operations.ANONYMOUS_LOGIN, {"clientId": "demo-storefront"})["tokens"]["accessToken"]
        self._ask(operations.SIGNUP, {"email": email, "password": PASSWORD}, token)
        confirmed = self._ask(operations.CONFIRM_SIGNUP, {"token": self.mail(email).token}, token)
        assert confirmed["userErrors"] == []

    def invite(self, email: str) -> None:
        """Have the staff of the shop make a customer, who gets a mail with a link to choose a password."""
        form = {"grant_type": "client_credentials"}
        url = self._api.replace("/graphql", "/oauth/token")
        granted = httpx2.post(url, data=form, auth=("demo-backend", SECRET), trust_env=False, timeout=PATIENCE)
        made = self._ask(CREATE, {"email": email}, granted.raise_for_status().json()["access_token"])
        assert made["userErrors"] == []

    def mail(self, to: str, subject: str = "") -> Mail:
        """Return the newest mail to the address with these words in its subject, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [mail for mail in read_mails(self._mails, to) if subject in mail.subject]
            if found:
                return found[-1]
            assert time.monotonic() < deadline, f"No mail '{subject}' to {to}"
            time.sleep(0.05)

    def link(self, to: str, subject: str) -> str:
        """Return where the link of that mail leads."""
        (link,) = set(re.findall(r"https?://\S+\?(?:token|code)=\S+", self.mail(to, subject).text))
        return str(link)

    def _ask(self, query: str, given: dict[str, Any], token: str | None = None) -> Any:
        # Each of them is somebody elsewhere: from one address only some may sign up in a minute.
        headers = {"X-Forwarded-For": f"198.51.100.{next(self._callers)}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = {"query": query, "variables": {"input": given}}
        answer = httpx2.post(self._api, json=body, headers=headers, trust_env=False, timeout=PATIENCE).json()
        (payload,) = answer["data"].values()
        return payload


@dataclass
class Visitor:
    """A person with a browser; `faults` is what the browser complains of, and every other host that it asks."""

    shop: Shop
    context: BrowserContext
    faults: list[str] = field(default_factory=list)
    # Where the person may be sent besides.
    elsewhere: str = "data:"

    def __post_init__(self) -> None:
        self.context.on("console", lambda line: self._note(line.text) if line.type in {"error", "warning"} else None)
        self.context.on("weberror", lambda error: self._note(str(error.error)))
        self.context.on("request", lambda asked: None if self._may_ask(asked.url) else self._note(asked.url))
        self.page: Page = self.context.new_page()

    def open(self, path: str) -> None:
        """Go to a page of the shop, or to a mailed link, and wait until it is there."""
        self.page.goto(path if path.startswith("http") else self.shop.url + path)
        self.page.locator("h1").wait_for()

    def fill(self, **fields: str) -> None:
        """Fill in fields by their names."""
        for name, value in fields.items():
            self.page.locator(f"[name='{name}']").first.fill(value)

    def press(self, button: str) -> None:
        """Press a button, or follow a link that looks like one."""
        self.page.get_by_role("button", name=button, exact=True).or_(
            self.page.locator("a.button", has_text=button)
        ).first.click()

    def log_in(self, email: str, password: str = PASSWORD) -> None:
        """Log in by password."""
        self.open("/login")
        self.fill(email=email, password=password)
        self.press("Log in")
        self.heading("Profile")

    def log_out(self) -> None:
        """Log out, by the button of the account's pages."""
        self.press("Log out")
        self.heading("Demo shop")

    def heading(self, text: str) -> Locator:
        """Wait for the page of this title."""
        found = self.page.get_by_role("heading", level=1, name=text, exact=True)
        found.wait_for()
        return found

    def sees(self, text: str) -> None:
        """Wait until this stands on the page."""
        self.page.get_by_text(text).first.wait_for()

    def _note(self, fault: str) -> None:
        # What another site's page asks for, and complains of, is not ours.
        if not self.page.url.startswith(self.elsewhere):
            self.faults.append(fault)

    def _may_ask(self, url: str) -> bool:
        return url.startswith((self.shop.url + "/", "data:", "blob:", self.elsewhere))
