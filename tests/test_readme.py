"""The README is true: every operation in it is run, in its order, against a real server."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.__main__ import _parse
from app.domain.principal import TokenKind
from app.domain.scopes import SESSION_SCOPES, SessionScope
from app.settings import Settings
from tests.harness.server import PATIENCE, ROOT, ServerClient, ServerProcess

README = (ROOT / "README.md").read_text()
TOKEN_COMMENT = re.compile(r"# Token: (\w+)\n")
ADDRESS = re.compile(r'(?:email|newEmail): "([^"]+)"')

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


class Reader:
    """Somebody who pastes one operation after the other, and fills in what earlier answers and mails have told."""

    def __init__(self, client: ServerClient) -> None:
        self._client = client
        self._tokens: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._address = ""
        self._opened: set[str] = set()

    async def paste(self, operation: str) -> None:
        """Run one operation with the token that its comment names."""
        match = TOKEN_COMMENT.match(operation)
        assert match is not None, f"An operation of the README does not say whose token it needs:\n{operation}"
        if "MAILED_TOKEN" in operation:
            self._known["MAILED_TOKEN"] = await self._mailed_token()
        for name, value in self._known.items():
            operation = operation.replace(f'"{name}"', json.dumps(value))
        for address in ADDRESS.findall(operation):
            self._address = address
        if match[1] == "integration" and "integration" not in self._tokens:
            self._tokens["integration"] = await self._integration_token()
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
        if field == "customers":
            self._known["CUSTOMER_ID"] = payload["nodes"][0]["id"]
        if field == "createAddress":
            self._known["ADDRESS_ID"] = payload["address"]["id"]

    async def _integration_token(self) -> str:
        """Get a token with all scopes of the demo's integration."""
        response = await self._client.http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=("demo-backend", "development-only-demo-backend-secret"),
        )
        token: str = response.json()["access_token"]
        return token

    async def _mailed_token(self) -> str:
        """Wait for a mail with a link that was not opened yet, to the address that was last written somewhere."""
        with anyio.fail_after(PATIENCE):
            while True:
                for mail in self._client.mails(self._address):
                    if "token=" in mail.text and mail.message_id not in self._opened:
                        self._opened.add(mail.message_id)
                        return mail.token
                await anyio.sleep(0.02)


@pytest.fixture
def environment(sqlite_template: Path, tmp_path: Path) -> dict[str, str]:
    """Return that of SQLite only: the journey's own test runs on both databases."""
    database = tmp_path / "gateway.db"
    database.write_bytes(sqlite_template.read_bytes())
    return {"DATABASE_URL": f"sqlite:///{database}", "STATE_DIR": str(tmp_path / "state")}


SCOPE_ROW = re.compile(r"^\| `([a-z.]+)` \| ((?:✓?(?: \| )?){3}) \| [^✓]*$", re.MULTILINE)
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
    async def test_every_operation_works_as_it_stands(self, server: ServerProcess) -> None:
        operations = code_blocks("graphql")
        assert len(operations) > 15
        client = ServerClient(server)
        reader = Reader(client)
        async with client.http:
            for operation in operations:
                await reader.paste(operation)

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
