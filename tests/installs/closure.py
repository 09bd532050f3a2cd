"""Whether pins are closed: all that a pinned package needs, by an extra too, is pinned beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installs.pins import RequirementsFile, versions


@dataclass(frozen=True, slots=True)
class Package:
    """One that is installed, and what it says it needs."""

    version: str
    needs: tuple[Requirement, ...]


Installed = Mapping[str, Package]


def installed_in(folder: str | Path) -> dict[str, Package]:
    """Return the packages of an environment by name."""
    return {
        canonicalize_name(each.name): Package(each.version, tuple(map(Requirement, each.requires or ())))
        for each in distributions(path=[str(folder)])
    }


def gaps(file: RequirementsFile, installed: Installed, environment: dict[str, str]) -> list[str]:
    """Return a sentence for each need that the pins leave open, where markers have the values of the environment."""
    pinned = versions(file.pins(), environment)
    waiting = [(file.pinned.with_suffix(".in").name, each) for each in file.wanted()]
    waiting += [(file.name, Requirement(f"{name}=={version}")) for name, version in pinned.items()]
    found: dict[str, None] = {}
    seen = set()
    while waiting:
        who, need = waiting.pop()
        if need.marker is not None and not need.marker.evaluate({**environment, "extra": _extra(who)}):
            continue
        for message in _open(who, need, pinned, installed):
            found[message] = None
        for extra in ("", *need.extras):
            name = canonicalize_name(need.name)
            if (name, extra) not in seen and name in installed:
                seen.add((name, extra))
                who = f"{name}[{extra}]" if extra else name
                waiting += [(who, each) for each in installed[name].needs]
    return sorted(found)


def _extra(who: str) -> str:
    return who.partition("[")[2].rstrip("]")


def _open(who: str, need: Requirement, pinned: Mapping[str, str], installed: Installed) -> Iterator[str]:
    name = canonicalize_name(need.name)
    version = pinned.get(name)
    if version is None:
        yield f"{who} needs {name}{need.specifier}, which is not pinned."
    elif not need.specifier.contains(version, prereleases=True):
        yield f"{who} needs {name}{need.specifier}, and {version} is pinned."
    elif name not in installed:
        yield f"{name}=={version} is pinned and not installed: what it needs is not known."
    elif installed[name].version != version:
        yield f"{name}=={version} is pinned, and {installed[name].version} is installed."
