"""Small packages of our own making, and requirements files that pin them, for tests that need no network."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path


def make_wheel(folder: Path, name: str, version: str, needs: Iterable[str] = (), extras: Iterable[str] = ()) -> None:
    """Write a wheel with one module, whose `VERSION` is the version."""
    about = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {need}" for need in needs]
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": "\n".join(metadata) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{about}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"]))


def pin(wheels: Path, *packages: str) -> str:
    """Return the lines that pin packages, such as `alpha==1`, with their hashes."""
    lines = []
    for package in packages:
        wheel = wheels / f"{package.replace('==', '-')}-py3-none-any.whl"
        lines.append(f"{package} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return "".join(lines)
