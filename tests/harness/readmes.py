"""Every README of the project, and what contributors find in .github, taken apart: blocks, commands, links, names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.harness.source import ROOT

_NOT_OURS = {"node_modules", "dist", "build", "var"}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_IN_TICKS = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"\.?[\w-][\w.-]*(/[\w.-]+)+/?")
# `app/models/customers.py`: `CustomerColumns`, or in brackets.
_NAME_IN_FILE = re.compile(r"`([\w./-]+\.py)`(?:: | \()`(\w+)`")
_QUOTE = re.compile(
    r"^<!-- (\S+?)(, in part)?: -->\n```(?:ts|python)\n(.*?)^```\n<!-- until here -->$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code and its language."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A file, or with `is_part` some lines of it, that stands in a README word for word."""

    file: str
    text: str
    is_part: bool


@dataclass(frozen=True)
class Document:
    """One file of Markdown."""

    path: Path

    @property
    def name(self) -> str:
        """The path from the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        """The text without the blocks of code."""
        return _BLOCK.sub("", self.text)

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks of code, in their order."""
        return [Block(language, text) for language, text in _BLOCK.findall(self.text)]

    def texts(self, language: str) -> list[str]:
        """Return the blocks of one language."""
        return [block.text for block in self.blocks if block.language == language]

    @property
    def commands(self) -> Iterator[str]:
        """Each command of the blocks for a shell, without its comment."""
        for text in self.texts("sh"):
            for line in text.replace("\\\n", " ").splitlines():
                command = re.sub(r"(^|\s+)#.*$", "", line).strip()
                if command:
                    yield command

    @property
    def anchors(self) -> set[str]:
        """Where a link may lead inside, as GitHub makes them of the headings."""
        anchors: set[str] = set()
        times: Counter[str] = Counter()
        for heading in _HEADING.findall(self.prose):
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
            anchors.add(f"{slug}-{times[slug]}" if times[slug] else slug)
            times[slug] += 1
        return anchors

    @property
    def links(self) -> list[str]:
        """The targets of its links to other files and to places in itself."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    def is_broken(self, link: str) -> bool:
        """Tell whether there is no such file, or no such heading in it."""
        target, _, anchor = link.partition("#")
        path = (self.path.parent / target).resolve() if target else self.path
        if path.is_dir() and anchor:
            path /= "README.md"
        if not path.exists():
            return True
        return bool(anchor) and anchor not in Document(path).anchors

    @property
    def named_files(self) -> Iterator[str]:
        """Each path in backticks that begins with something that is there: the rest must be there too."""
        for name in _IN_TICKS.findall(self.prose):
            if _PATH.fullmatch(name) and any((place / name.partition("/")[0]).exists() for place in self._places):
                yield name

    def find(self, name: str) -> Path | None:
        """Return the file that a name in the text means, from the root or from the document's folder."""
        return next((place / name for place in self._places if (place / name).exists()), None)

    @property
    def _places(self) -> tuple[Path, Path]:
        return ROOT, self.path.parent

    @property
    def names_in_files(self) -> list[tuple[str, str]]:
        """Each file of Python with the name that is said to be in it."""
        return _NAME_IN_FILE.findall(self.prose)

    @property
    def quotes(self) -> list[Quote]:
        """What is quoted from the project's files."""
        return [Quote(file, text, bool(part)) for file, part, text in _QUOTE.findall(self.text)]


def documents() -> list[Document]:
    """Return all of them: the project's own README first, the others by their path."""
    found = [
        path
        for path in ROOT.rglob("README.md")
        if not any(part in _NOT_OURS or part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    found += (ROOT / ".github").glob("*.md")
    return [Document(path) for path in sorted(found, key=lambda path: (path.parent != ROOT, path))]
