"""The client library, in Node.js, against a real server."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, build_schema

from tests.clients.conftest import LIBRARY, SCHEMA, Run
from tests.clients.packages import NODE, run_command, run_node
from tests.harness.readmes import documents
from tests.harness.server import ServerProcess

# What each text asks for: a query, a mutation of one field, or what is not to be sent twice.
KINDS = {
    "{ me { email } }": "query",
    "query Me($a: Int = 1) @live { me { email } }": "query",
    "fragment F on Me { id } query Me { me { ...F } }": "query",
    "mutation M($input: I! = {a: {b: 1}}) { logout(input: $input) { loggedOut } }": "mutation",
    '# {\nmutation { answer: login(input: {email: "}{"}) @include(if: true) { tokens { id } } }': "mutation",
    "fragment F on Me { id a { b } } mutation M { updateMe { customer { ...F } } }": "mutation",
    "mutation { one: logout { loggedOut } two: logout { loggedOut } }": None,
    "mutation { ...F } fragment F on Mutation { logout { loggedOut } }": None,
    "query Q { me { id } } mutation M { logout { loggedOut } }": None,
    "query mutationOf { mutation { id } }": "query",
    '{ me(a: """ mutation { x } """) { id } }': "query",
    "": None,
}


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

    @pytest.mark.parametrize(
        ("given", "most"), [(["--external:./passkeys.js", "--external:./social.js"], 5000), ([], 6500)]
    )
    def test_is_small(self, workspace: Path, library: Path, given: list[str], most: int) -> None:
        """Bytes, bundled and packed: what each page loads, and all with what few pages load."""
        program = ["node_modules/esbuild/bin/esbuild", str(library / "index.js"), "--bundle", "--minify"]
        text = run_command([*program, "--format=esm", "--target=es2022", *given], workspace, {})
        assert len(gzip.compress(text.encode(), 9)) <= most

    def test_needs_nothing_but_what_is_in_it(self) -> None:
        package = json.loads((LIBRARY / "package.json").read_text())
        assert not package.keys() & {"dependencies", "peerDependencies", "optionalDependencies"}
        found = {name for file in LIBRARY.glob("src/*.ts") for name in re.findall(r'from "(.+)"', file.read_text())}
        assert all(name.startswith("./") for name in found)

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


class TestLostAnswers:
    def test_are_asked_for_again_and_nothing_is_done_twice(self, run_typescript: Run) -> None:
        printed = run_typescript("library/lost")
        assert printed["login"] == ["done", ["AnonymousLogin"] * 2 + ["Signup"] * 2 + ["Login"] * 2]
        assert printed["create"] == [1, 3, 1]
        assert printed["refresh"] == [1, ["Refresh"] * 3]
        assert printed["never"] == ["NoAnswer", ["AnonymousLogin", "CreateAddress", "CreateAddress"]]
        assert printed["two"] == ["NoAnswer", ["Two"]]
        assert printed["hash"] == ["NoAnswer", ["Hashed"]]
        # A busy gateway is waited for as long as it says, but not for a minute.
        assert printed["busy"] == ["done", True]
        assert printed["long"] == ["SERVICE_BUSY NOT_DONE", ["Me"]]
        assert printed["unknown"] == ["SERVICE_BUSY UNKNOWN", ["Two"]]
        assert printed["proxy"] == ["done", ["Me", "Me"]]
        assert printed["portal"] == ["NoAnswer", ["Me"]]
        assert printed["timeout"] == ["done", ["Me", "Me"]]
        assert printed["abort"] == ["Error: enough", ["Me"]]
        assert printed["after"] == ["ada@example.com", []]


class TestServerRendering:
    def test_refreshes_once_for_all_requests_of_a_visitor(self, run_typescript: Run) -> None:
        assert run_typescript("library/server") == {"all": True, "refreshes": 1, "refused": True, "asked": ["Me"]}


class TestKinds:
    def test_say_what_may_be_sent_twice(self, workspace: Path, library: Path) -> None:
        bodies = json.dumps([{"query": text} for text in KINDS])
        kinds = run_node(workspace / "library", "kinds.mjs", bodies, LIBRARY=str(library))
        assert dict(zip(KINDS, kinds, strict=True)) == KINDS
