"""One-time passwords by time (RFC 6238): secrets, codes and recovery codes, without any place to keep them."""

from __future__ import annotations

import hmac
from base64 import b32decode, b32encode
from datetime import datetime

from pyotp import TOTP, OTPVerificationError

# RFC 4226 section 4 recommends 160 bits.
_SECRET_BYTES = 20
# How many time steps the clock of the app may be wrong (RFC 6238 section 5.2).
_DRIFT = 1
RECOVERY_CODES = 10
_RECOVERY_CODE_LENGTH = 10


def new_secret(random: bytes) -> str:
    """Return the base32 of a secret made of random bytes, of which it takes twenty."""
    return b32encode(random[:_SECRET_BYTES]).decode()


def otpauth_uri(secret: str, *, shop: str, account: str) -> str:
    """Return what an app reads from a QR code: SHA-1, six digits, 30 seconds."""
    return TOTP(secret, name=account, issuer=shop).provisioning_uri()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step that a code belongs to, of those that count at this moment; None for a wrong code."""
    try:
        return TOTP(secret).verify_and_get_timecode("".join(code.split()), for_time=now, valid_window=_DRIFT)
    except OTPVerificationError:
        return None


def new_recovery_code(random: bytes) -> str:
    """Return ten characters, of which none looks like another, made of random bytes: 50 bits."""
    return b32encode(random).decode()[:_RECOVERY_CODE_LENGTH].lower()


def hash_recovery_code(secret: str, code: str) -> str:
    """Return the HMAC of a recovery code; blanks, hyphens and case do not count.

    Its key is the secret that the code stands for, which only the sealed row holds: so the hash outlives a new key of
    ours, and who reads the database can find no code from it.
    """
    typed = "".join(each for each in code if not each.isspace() and each != "-").lower()
    return hmac.digest(b32decode(secret), b"recovery code " + typed.encode(), "sha256").hex()
