"""The operations that GraphiQL shows: a customer's journey in groups, with what is known of the served shops."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.domain.tenants import SignupMode, Site
from app.http.first_steps import FirstSteps

_FILE = Path(__file__).with_name("graphiql") / "journey.json"


def journey(steps: FirstSteps) -> dict[str, Any]:
    """Return what the page needs to know.

    `steps` are the operations, in the order in which they work one after the other. Their `fill` says which variable
    is taken from where: the path of an earlier answer, `tokens` and `earlier` (those of the session, and of the
    customer's session before it), `mail` with one of `pages` (the newest mail whose link leads there), or `totp` with
    the path of a secret; of several the one that came last. `staff` are credentials that everybody knows, or null.
    """
    site = steps.tenant.default_site if steps.tenant is not None else None
    return {
        "steps": [
            {**step, "name": f"{number} {step['name']}"} for number, step in enumerate(_numbered(steps, site), start=1)
        ],
        "pages": _pages(site) if site is not None else {},
        "staff": _staff(steps),
    }


def _numbered(steps: FirstSteps, site: Site | None) -> Iterator[dict[str, Any]]:
    """Yield the operations of all groups; one that comes again is written once only."""
    confirms = steps.tenant is None or steps.tenant.signup is SignupMode.CONFIRM_EMAIL
    begin = {"clientId": steps.client.id if steps.client is not None else "", "site": site.id if site else ""}
    known: dict[str, dict[str, Any]] = {}
    for group in json.loads(_FILE.read_text(encoding="utf-8")):
        for written in group["steps"]:
            step = known.setdefault(written.get("again") or written["name"], written)
            if step["name"] == "Begin":
                step["variables"]["input"] = begin
            if steps.hint is not None and not known.keys() - {"Begin"}:
                step["query"] = textwrap.indent(textwrap.fill(steps.hint, 46), "# ") + "\n#\n" + step["query"]
            if confirms or step["name"] != "Confirm":
                yield {**step, "group": group["group"]}


def _pages(site: Site) -> dict[str, str]:
    """Return where the mailed links of a site lead, by the names of the tenants file."""
    return {name: str(value) for name, value in site if name.endswith("_path")}


def _staff(steps: FirstSteps) -> dict[str, str] | None:
    client = steps.integration
    if client is None or client.secret is None:
        return None
    return {"clientId": client.id, "clientSecret": client.secret.get_secret_value()}
