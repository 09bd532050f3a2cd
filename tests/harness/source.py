"""The program's own source, read as syntax trees: what each module imports, calls and declares."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `from module import name`, or `import module` with an empty name."""

    module: str
    name: str
    line: int
    is_inside_function: bool


@dataclass(frozen=True)
class Module:
    """One file of the program, which is read when it is first asked, and once."""

    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        """What is in it."""
        return ast.parse(self.path.read_text())

    @cached_property
    def imports(self) -> list[Import]:
        """Every import, wherever it stands."""
        return list(_imports(self.tree, is_inside_function=False))

    @property
    def name(self) -> str:
        """The dotted name: `app.services.sessions.sessions`."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def floor(self) -> str:
        """The folder below `app`, or the file's own name for those that stand there: `services`, `main`."""
        return self.path.relative_to(ROOT / "app").with_suffix("").parts[0]

    def place(self, line: int) -> str:
        """Return `app/main.py:12`, to be clicked on."""
        return f"{self.path.relative_to(ROOT)}:{line}"

    def attributes(self) -> Iterator[tuple[str, int]]:
        """Yield each `name.attribute` that is mentioned, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                yield f"{owner}.{node.attr}", node.lineno

    def classes(self) -> Iterator[tuple[str, int]]:
        """Yield the name of each class, with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node.name, node.lineno


def read_modules(folder: str) -> list[Module]:
    """Return every Python file below a folder of the project."""
    paths = sorted((ROOT / folder).rglob("*.py"))
    return [Module(path) for path in paths if "node_modules" not in path.parts]


def _imports(node: ast.AST, *, is_inside_function: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, "", child.lineno, is_inside_function)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "Imports are absolute."
            for alias in child.names:
                yield Import(child.module or "", alias.name, child.lineno, is_inside_function)
        else:
            inside = is_inside_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _imports(child, is_inside_function=inside)
