"""What becomes of a password hash that another system wrote, and what has to be known to read some of them."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from enum import StrEnum, unique

# Long enough for the JSON of Keycloak and Auth0, and for nothing that would take long to read.
LONGEST_WRITTEN_HASH = 4_000


@unique
class HashVerdict(StrEnum):
    """What becomes of a hash: only the first two let the old password go on working."""

    ACCEPTED = "accepted"
    """It is hard enough to guess, and stored in the form that we compare with."""
    WRAPPED = "wrapped"
    """It is too easy to guess: it is stored within argon2id, so that the old hash itself is nowhere."""
    TOO_DEAR = "too dear"
    """It would take a login too long, or too much memory: it is left out."""
    UNKNOWN = "unknown"
    """It is broken, or of a form that we do not know: it is left out."""


@dataclass(frozen=True, slots=True, repr=False)
class FirebaseParameters:
    """A Firebase project's own, from its console (Users, the menu, Password hash parameters)."""

    signer_key: bytes
    salt_separator: bytes
    rounds: int
    memory_cost: int

    @classmethod
    def read(cls, text: str) -> FirebaseParameters:
        """Read the parameters as the console shows them (`hash_config {…}`), or as JSON; raises `ValueError`."""
        said = dict(_FIREBASE_PARAMETER.findall(text))
        try:
            return cls(
                b64decode(said["base64_signer_key"], validate=True),
                b64decode(said.get("base64_salt_separator", ""), validate=True),
                int(said["rounds"]),
                int(said["mem_cost"]),
            )
        except KeyError as error:
            raise ValueError(f"has no {error.args[0]}") from error
        except ValueError as error:
            raise ValueError("has a parameter that is neither a number nor base64") from error


_FIREBASE_PARAMETER = re.compile(
    r"""\b(base64_signer_key|base64_salt_separator|rounds|mem_cost)"?\s*[:=]\s*"?([^\s",}]+)"""
)


@dataclass(frozen=True, slots=True, repr=False)
class HashSecrets:
    """What the old system mixed into its hashes, and kept elsewhere: Devise's pepper, Firebase's parameters."""

    pepper: bytes = b""
    firebase: FirebaseParameters | None = None


NO_SECRETS = HashSecrets()


@dataclass(frozen=True, slots=True, repr=False)
class JudgedHash:
    """A verdict; `reason` says in a sentence why the hash is left out.

    `encoded` is what is stored, or its beginning where `wrapped` (the old digest) is still to be hashed by us.
    """

    verdict: HashVerdict
    reason: str = ""
    encoded: str = ""
    wrapped: bytes = b""

    @property
    def is_taken(self) -> bool:
        """Whether the old password goes on working."""
        return self.verdict in {HashVerdict.ACCEPTED, HashVerdict.WRAPPED}
