"""Password hashes of other systems, all of one password; `foreign_hashes.json` says by which software each was made."""

from __future__ import annotations

import json
from pathlib import Path

from app.domain.foreign_hashes import FirebaseParameters, HashSecrets

PASSWORD = "violet-harbour-42"
# The hashes by what they are called.
HASHES: dict[str, str] = {
    name: written
    for group in json.loads(Path(__file__).with_suffix(".json").read_bytes())
    for name, written in group["hashes"].items()
}
# Of the hashes that say so.
PEPPER = "9c3f" * 32
# As the console shows them, and as they stand in the README of Google's firebase/scrypt.
FIREBASE_PARAMETERS = """hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}
"""
FIREBASE = HashSecrets(firebase=FirebaseParameters.read(FIREBASE_PARAMETERS))


def secrets_of(name: str) -> HashSecrets:
    """Return what was mixed into the hash of this name and is not in it."""
    return HashSecrets(PEPPER.encode()) if "pepper" in name else FIREBASE
