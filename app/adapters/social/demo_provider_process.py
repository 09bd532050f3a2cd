"""The process of the demo provider: serves until the one that started it is gone, which closes our standard input."""

from __future__ import annotations

import sys

from oidc_provider_mock import User, run_server_in_thread  # type: ignore[import-untyped]

_USERS = (
    User(
        sub="ada",
        claims={
            "email": "ada@example.com",
            "email_verified": True,
            "given_name": "Ada",
            "family_name": "Lovelace",
        },
    ),
    User(sub="bob-without-proven-address", claims={"email": "bob@example.com", "given_name": "Bob"}),
)

if __name__ == "__main__":
    with run_server_in_thread(port=int(sys.argv[1]), user_claims=_USERS):
        sys.stdin.read()
