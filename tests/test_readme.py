"""The README is true: every operation in it is run, in its order, against a real server."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.__main__ import _parse
from app.domain.principal import TokenKind
from app.domain.scopes import SESSION_SCOPES, SessionScope
from app.http.first_steps import first_steps
from app.settings import Settings
from app.wiring import read_tenants
from tests.harness.server import PATIENCE, ROOT, ServerClient, ServerProcess

README = (ROOT / "README.md").read_text()
TOKEN_COMMENT = re.compile(r"# Token: (\w+)\n")
# Where the link leads whose token an operation takes.
PAGES = {
    "confirmSignup": "/confirm-signup",
    "confirmEmailChange": "/confirm-email",
    "resetPassword": "/reset-password",
    "revertEmailChange": "/revert-email",
}

QUOTE = re.compile(r"^<!-- (tests/clients/\S+): -->\n```\w+\n(.*?)^```\n<!-- until here -->$", re.MULTILINE | re.DOTALL)
QUOTED = ("owner.py", "receiver.py", "service.py", "social.ts", "staff.py", "storefront.ts")


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


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


def commands(begin: str) -> list[str]:
    return [block for block in code_blocks("sh") if block.startswith(begin)]


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
        for name, value in self._known.items():
            operation = operation.replace(f'"{name}"', json.dumps(value))
        if match[1] == "integration" and "integration" not in self._tokens:
            self._tokens["integration"] = paste_into_shell(commands("curl")[1], self._server)["access_token"]
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
        if field == "revertEmailChange":
            self._address = payload["email"]
        if field == "customers":
            self._known["CUSTOMER_ID"] = payload["nodes"][0]["id"]
        if field == "createAddress":
            self._known["ADDRESS_ID"] = payload["address"]["id"]

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


SCOPE_ROW = re.compile(r"^\| `([a-z.]+)` \| ((?:✓?(?: \| )?){3}) \| [^✓\n]*$", re.MULTILINE)
COMMAND = re.compile(r"python -m app( [^`\n]*)?")


class TestCommands:
    @pytest.mark.parametrize("arguments", sorted({match.strip() for match in COMMAND.findall(README)} - {""}))
    def test_are_such_as_there_are(self, arguments: str) -> None:
        _parse(shlex.split(arguments, comments=True))

    def test_name_scripts_and_files_that_are_there(self) -> None:
        named = {name for block in code_blocks("sh") for name in re.findall(r"(?<![\w/.])scripts/[\w.-]+", block)}
        assert "scripts/serve" in named
        assert [name for name in sorted(named) if not (ROOT / name).exists()] == []

    def test_leave_none_of_the_program_s_own_unsaid(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            _parse(["--help"])
        commands = re.findall(r"^    (\w+)  ", capsys.readouterr().out, re.MULTILINE)
        assert len(commands) >= 8
        assert [command for command in commands if f"python -m app {command}" not in README] == []


@pytest.mark.anyio
class TestReadme:
    async def test_every_operation_works_as_it_stands_and_does_so_again(self, server: ServerProcess) -> None:
        operations = code_blocks("graphql")
        assert len(operations) > 15
        client = ServerClient(server)
        async with client.http:
            for _ in range(2):
                reader = Reader(client, server)
                for operation in operations:
                    await reader.paste(operation)

    async def test_every_curl_works_as_it_stands(self, server: ServerProcess) -> None:
        begin, token = commands("curl")
        (query,) = commands("ACCESS_TOKEN=")
        tokens = paste_into_shell(begin, server)["data"]["anonymousLogin"]["tokens"]
        assert tokens["accessToken"].startswith("cg_aa_")
        assert paste_into_shell(token, server)["token_type"] == "Bearer"
        assert paste_into_shell(query, server) == {"data": {"customers": {"nodes": []}}}

    def test_says_what_the_start_says(self) -> None:
        settings = Settings.load({})
        steps = first_steps(read_tenants(settings), settings.address, built_in=True)
        assert [f"{steps.operation_command}\n", f"{steps.token_command}\n"] == commands("curl")

    def test_has_other_people_than_graphiql(self) -> None:
        addresses = re.compile(r"[\w.]+@example\.\w+")
        in_tabs = set(addresses.findall((ROOT / "app/http/graphiql/journey.json").read_text()))
        assert in_tabs
        assert not in_tabs & set(addresses.findall(README))

    def test_the_table_of_settings_names_every_variable(self) -> None:
        named = set(re.findall(r"`([A-Z_]+)`", README.partition("## Settings")[2].partition("\n## ")[0]))
        assert named >= {name.upper() for name in Settings.model_fields if name != "environment"}

    def test_names_every_word_of_a_session_s_scope_and_who_has_it(self) -> None:
        kinds = (TokenKind.ANONYMOUS, TokenKind.CUSTOMER, TokenKind.ON_BEHALF)
        told = {word: tuple(cells.split(" | ")) for word, cells in SCOPE_ROW.findall(README)}
        assert told == {
            word.value: tuple("✓" if word in SESSION_SCOPES[kind] else "" for kind in kinds) for word in SessionScope
        }

    def test_quotes_the_tested_programs_word_for_word(self) -> None:
        quotes = QUOTE.findall(README)
        assert {name for name, _ in quotes} == {f"tests/clients/{name}" for name in QUOTED}
        for name, text in quotes:
            assert text == (ROOT / name).read_text(), f"README.md quotes {name} as it is no more."
