"""The client library, in Node.js, against a real server."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from graphql import GraphQLEnumType, build_schema

from tests.clients.conftest import LIBRARY, SCHEMA, Run
from tests.clients.packages import NODE, run_command
from tests.harness.readmes import documents
from tests.harness.server import ServerProcess


class TestPackage:
    def test_is_built_as_its_readme_says(self, tmp_path: Path, library: Path) -> None:
        (document,) = [each for each in documents() if each.path.parent == LIBRARY]
        (command,) = document.commands
        folder, _, commands = command.partition(" && ")
        copy = tmp_path / folder.removeprefix("cd ")
        shutil.copytree(LIBRARY, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
        run_command(["sh", "-c", commands], copy, {})
        assert {each.name for each in (copy / "dist").iterdir()} == {
            each.name for each in library.iterdir() if each.suffix in {".js", ".ts"}
        }

    def test_names_the_user_errors_of_the_schema(self) -> None:
        named = re.findall(r'^  \| "(\w+)"$', (LIBRARY / "src/codes.ts").read_text(), re.MULTILINE)
        codes = build_schema(SCHEMA.read_text()).type_map["UserErrorCode"]
        assert isinstance(codes, GraphQLEnumType)
        assert named == list(codes.values)


class TestLibrary:
    def test_greets_as_its_readme_says(self, build: Path, server: ServerProcess) -> None:
        program = build / f"first-{server.url.rpartition(':')[2]}.js"
        program.write_text((build / "first.js").read_text().replace("http://127.0.0.1:8000", server.url))
        printed = run_command([str(NODE), program.name], build, {}).splitlines()
        assert len(printed) == 2
        assert printed[1] == "Hello, guest."

    def test_walks_from_guest_to_customer_and_back(self, run_typescript: Run) -> None:
        assert run_typescript("library/steps") == {
            "guests": 1,
            "begun": ["AnonymousLogin"],
            "forbidden": [True, "FORBIDDEN"],
            "refused": [["INVALID_EMAIL"], ["PASSWORD_TOO_SHORT"]],
            "wrong": ["INVALID_CREDENTIALS"],
            "login": "done",
            "kinds": ["guest", "customer", "guest"],
            "stayed": [True, False],
            "names": ["Ada", "ada@example.com"],
            "after": None,
            "heard": ["guest", "customer", "LOGGED_OUT", "guest"],
        }
