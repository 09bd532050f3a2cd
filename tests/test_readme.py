"""Every README is true: its operations are run, in their order, against a real server; links and names lead somewhere.

The files are found by themselves. What they say to type into a terminal is the matter of test_readme_commands.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from pyotp import TOTP

from app.domain.principal import TokenKind
from app.domain.scopes import SESSION_SCOPES, SessionScope
from app.http.first_steps import first_steps
from app.settings import Settings
from app.wiring import read_tenants
from tests.harness.readmes import Document, documents
from tests.harness.server import PATIENCE, ROOT, ServerClient, ServerProcess
from tests.harness.sign_in import CODE_MAIL, code_of

README, *OTHERS = DOCUMENTS = documents()
TOKEN_COMMENT = re.compile(r"# Token: (\w+)\n")
# Where the link leads whose token an operation takes.
PAGES = {
    "confirmSignup": "/confirm-signup",
    "confirmEmailChange": "/confirm-email",
    "resetPassword": "/reset-password",
    "revertEmailChange": "/revert-email",
}
# The commands that ask the gateway something: a session, an integration's token, and what that token reads.
CURLS = [text for document in DOCUMENTS for text in document.texts("sh") if "curl" in text]
SCOPE_ROW = re.compile(r"^\| `([a-z.]+)` \| ((?:✓?(?: \| )?){3}) \| [^✓\n]*$", re.MULTILINE)

QUOTED = (
    *("apollo.ts", "app.ts", "basket.ts", "cache.ts", "first.ts", "introspecting.py"),
    *("next/gateway.ts", "next/proxy.ts", "next/session.ts", "owner.py", "receiver.py"),
    *("relay/environment.ts", "service.py", "social.ts", "staff.py", "storefront.ts"),
    "sign_in.ts",
)
# What an operator writes; it is in no repository.
WRITTEN_BY_THE_READER = {"scripts/.env", "scripts/tenants.env", "var/faults"}


def section(heading: str) -> str:
    """Return the text below a heading that only one of the documents has."""
    (text,) = [each.text for each in DOCUMENTS if f"\n## {heading}\n" in each.text]
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def user_errors(value: Any) -> Iterator[Any]:
    """Find every user error of an answer, wherever it stands."""
    if isinstance(value, dict):
        yield from value.get("userErrors") or ()
        for member in value.values():
            yield from user_errors(member)


def paste_into_shell(command: str, server: ServerProcess) -> dict[str, Any]:
    """Run a command of the README as it stands, but for the port, and return the JSON that it prints."""
    here = command.replace("http://127.0.0.1:8000", server.url)
    assert here != command
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", here], capture_output=True, timeout=PATIENCE, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class Reader:
    """Somebody who pastes one operation after the other, and fills in what earlier answers and mails have told."""

    def __init__(self, client: ServerClient, server: ServerProcess) -> None:
        self._client = client
        self._server = server
        self._tokens: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._address: str | None = None
        self._opened = {mail.message_id for mail in client.mails()}

    async def paste(self, operation: str) -> None:
        """Run one operation with the token that its comment names."""
        match = TOKEN_COMMENT.match(operation)
        assert match is not None, f"An operation of the README does not say whose token it needs:\n{operation}"
        if "MAILED_TOKEN" in operation:
            (page,) = [page for field, page in PAGES.items() if f"{field}(" in operation]
            mailed = await self._mailed_token(page)
            if mailed is None:
                return
            self._known["MAILED_TOKEN"] = mailed
        if "MAILED_CODE" in operation:
            self._known["MAILED_CODE"] = await self._mailed_code()
        if "TOTP_CODE" in operation:
            self._known["TOTP_CODE"] = TOTP(self._known["SECRET"]).now()
        for name, value in self._known.items():
            operation = operation.replace(f'"{name}"', json.dumps(value))
        if match[1] == "integration" and "integration" not in self._tokens:
            self._tokens["integration"] = paste_into_shell(CURLS[1], self._server)["access_token"]
        answer = await self._client.graphql(operation, token=self._tokens.get(match[1]))
        assert not answer.errors, f"{operation}\n{answer.errors}"
        assert list(user_errors(answer.data)) == [], f"{operation}\n{answer.data}"
        for field, payload in (answer.data or {}).items():
            self._learn(field, payload)

    def _learn(self, field: str, payload: Any) -> None:
        if not isinstance(payload, dict):
            return
        tokens = payload.get("tokens")
        if tokens:
            kind = {"cg_aa_": "anonymous", "cg_ca_": "customer", "cg_ob_": "behalf"}[tokens["accessToken"][:6]]
            self._tokens[kind] = tokens["accessToken"]
            if tokens.get("refreshToken"):
                self._known["REFRESH_TOKEN"] = tokens["refreshToken"]
        if payload.get("ticket"):
            self._known["TICKET"] = payload["ticket"]
        if payload.get("secret"):
            self._known["SECRET"] = payload["secret"]
        if payload.get("recoveryCodes"):
            self._known["RECOVERY_CODE"] = payload["recoveryCodes"][0]
        if field == "revertEmailChange":
            self._address = payload["email"]
        if field == "customers":
            self._known["CUSTOMER_ID"] = payload["nodes"][0]["id"]
        if field == "createAddress":
            self._known["ADDRESS_ID"] = payload["address"]["id"]

    async def _mailed_code(self) -> str:
        """Wait for a mail with a code to sign in with that was not opened yet."""
        with anyio.fail_after(PATIENCE):
            while True:
                for mail in self._client.mails():
                    if mail.message_id not in self._opened and mail.subject == CODE_MAIL:
                        self._opened.add(mail.message_id)
                        return code_of(mail)
                await anyio.sleep(0.02)

    async def _mailed_token(self, page: str) -> str | None:
        """Wait for a mail with a link to the page that was not opened yet; None when it says that there is no need."""
        with anyio.fail_after(PATIENCE):
            while True:
                for mail in self._client.mails(self._address if page == PAGES["resetPassword"] else None):
                    if mail.message_id in self._opened:
                        continue
                    if f"{page}?token=" in mail.text:
                        self._opened.add(mail.message_id)
                        return mail.token
                    if page == PAGES["confirmSignup"] and "You already have an account" in mail.subject:
                        return None
                await anyio.sleep(0.02)


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: the journey's own test runs on both databases."""
    database = tmp_path / "gateway.db"
    database.write_bytes(sqlite_template.read_bytes())
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}


@pytest.mark.anyio
class TestOperations:
    @pytest.mark.parametrize(
        "document", [README, *(each for each in OTHERS if each.texts("graphql"))], ids=lambda each: each.name
    )
    async def test_work_as_they_stand_and_do_so_again(self, server: ServerProcess, document: Document) -> None:
        """Those of the project's own README come first: the reader of any other has gone that way."""
        operations = README.texts("graphql")
        assert len(operations) > 15
        if document != README:
            operations += document.texts("graphql")
        client = ServerClient(server)
        async with client.http:
            for _ in range(2):
                reader = Reader(client, server)
                for operation in operations:
                    await reader.paste(operation)


class TestCurls:
    def test_work_as_they_stand(self, server: ServerProcess) -> None:
        begin, token, query = CURLS
        tokens = paste_into_shell(begin, server)["data"]["anonymousLogin"]["tokens"]
        assert tokens["accessToken"].startswith("cg_aa_")
        assert paste_into_shell(token, server)["token_type"] == "Bearer"
        assert paste_into_shell(query, server) == {"data": {"customers": {"nodes": []}}}

    def test_say_what_the_start_says(self) -> None:
        settings = Settings.load({})
        steps = first_steps(read_tenants(settings), settings.address, built_in=True)
        assert [f"{steps.operation_command}\n", f"{steps.token_command}\n"] == CURLS[:2]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.name)
class TestDocuments:
    def test_have_links_that_lead_somewhere(self, document: Document) -> None:
        assert [link for link in document.links if document.is_broken(link)] == []

    def test_name_files_that_are_there(self, document: Document) -> None:
        named = set(document.named_files) - WRITTEN_BY_THE_READER
        assert sorted(name for name in named if document.find(name) is None) == []

    def test_name_what_is_in_those_files(self, document: Document) -> None:
        for file, name in document.names_in_files:
            found = document.find(file)
            assert found is not None
            assert re.search(rf"\b{name}\b", found.read_text()), f"{document.name}: {name} is not in {file}."

    def test_have_examples_that_can_be_read(self, document: Document) -> None:
        assert {block.language for block in document.blocks} <= {"graphql", "json", "python", "sh", "sql", "toml", "ts"}
        for text in document.texts("toml"):
            tomllib.loads(text)
        for text in document.texts("json"):
            for line in text.splitlines():
                json.loads(line)

    def test_quote_the_project_s_own_files_word_for_word(self, document: Document) -> None:
        programs = document.texts("python") + document.texts("ts")
        assert sorted(quote.text for quote in document.quotes) == sorted(programs), "A program is quoted from its file."
        for quote in document.quotes:
            text = (ROOT / quote.file).read_text()
            is_right = quote.text in text if quote.is_part else quote.text == text
            assert is_right, f"{document.name} quotes {quote.file} as it is no more."


class TestTogether:
    def test_lead_from_the_first_to_each_of_the_others(self) -> None:
        linked = {(README.path.parent / link.partition("#")[0]).resolve() for link in README.links}
        linked |= {path / "README.md" for path in linked}
        assert [each.name for each in OTHERS if each.path not in linked] == []

    def test_quote_every_program_that_is_there_to_be_copied(self) -> None:
        quoted = {quote.file for document in DOCUMENTS for quote in document.quotes if not quote.is_part}
        assert quoted == {f"tests/clients/{name}" for name in QUOTED}

    def test_have_a_table_of_settings_that_names_every_variable(self) -> None:
        named = set(re.findall(r"`([A-Z_]+)`", section("Settings")))
        assert named >= {name.upper() for name in Settings.model_fields if name != "environment"}

    def test_name_every_word_of_a_session_s_scope_and_who_has_it(self) -> None:
        kinds = (TokenKind.ANONYMOUS, TokenKind.CUSTOMER, TokenKind.ON_BEHALF)
        told = {word: tuple(cells.split(" | ")) for word, cells in SCOPE_ROW.findall(section("How to: other services"))}
        assert told == {
            word.value: tuple("✓" if word in SESSION_SCOPES[kind] else "" for kind in kinds) for word in SessionScope
        }

    def test_have_other_people_than_graphiql(self) -> None:
        addresses = re.compile(r"[\w.]+@example\.\w+")
        in_tabs = set(addresses.findall((ROOT / "app/http/graphiql/journey.json").read_text()))
        assert in_tabs
        assert [each.name for each in DOCUMENTS if in_tabs & set(addresses.findall(each.text))] == []
