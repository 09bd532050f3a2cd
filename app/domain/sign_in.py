"""Ways to sign in: their names, what tokens say of them, and which of them a customer still has to use.

`amr` and `acr` are the claims of OpenID Connect Core section 2; the words of `amr` are those of RFC 8176.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class SignInMethod(StrEnum):
    """One way to prove who one is."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a method, not a password
    EMAIL_CODE = "EMAIL_CODE"
    PHONE_CODE = "PHONE_CODE"
    PASSKEY = "PASSKEY"
    TOTP = "TOTP"
    RECOVERY_CODE = "RECOVERY_CODE"
    SOCIAL = "SOCIAL"


@unique
class SecondFactorRule(StrEnum):
    """Who needs a second factor: nobody, who has enrolled one, whom staff have marked too, or everybody."""

    OFF = "off"
    OPTIONAL = "optional"
    STAFF_MARKED = "staff_marked"
    ALL = "all"


# RFC 8176 section 2. A passkey says itself whether its key is bound to one device (`hwk`) or synchronized (`swk`).
HARDWARE_KEY, SOFTWARE_KEY = "hwk", "swk"
_SEVERAL_FACTORS = "mfa"
_AMR = {
    SignInMethod.PASSWORD: "pwd",
    SignInMethod.EMAIL_CODE: "otp",
    SignInMethod.TOTP: "otp",
    SignInMethod.RECOVERY_CODE: "otp",
    SignInMethod.PHONE_CODE: "sms",
    SignInMethod.PASSKEY: SOFTWARE_KEY,
    SignInMethod.SOCIAL: "user",
}
ONE_FACTOR, TWO_FACTORS = "1", "2"


@dataclass(frozen=True, slots=True)
class Factor:
    """One method that a customer has used, and its word in `amr`, where that is not the method's only one."""

    method: SignInMethod
    word: str | None = None

    @property
    def amr(self) -> str:
        """The word of RFC 8176."""
        return self.word or _AMR[self.method]


@dataclass(frozen=True, slots=True)
class Factors:
    """What a customer has proved who they are with in one session, in the order of the proofs; no method twice."""

    each: tuple[Factor, ...] = ()

    @classmethod
    def of(cls, *methods: SignInMethod) -> Factors:
        """Return these methods with their usual words."""
        return cls(tuple(Factor(method) for method in methods))

    @classmethod
    def read(cls, text: str | None) -> Factors:
        """Return what `text` has written; nothing for None, which sessions of before have."""
        parts = (each.partition(":") for each in (text or "").split())
        return cls(tuple(Factor(SignInMethod(name), word or None) for name, _, word in parts))

    @property
    def text(self) -> str:
        """The form in which a row holds it: `PASSWORD PASSKEY:hwk`."""
        return " ".join(f"{each.method.value}:{each.word}" if each.word else each.method.value for each in self.each)

    @property
    def methods(self) -> tuple[SignInMethod, ...]:
        """The methods."""
        return tuple(each.method for each in self.each)

    @property
    def level(self) -> str:
        """The `acr`: `2` for two factors or a passkey, which is both; else `1`."""
        return TWO_FACTORS if self._are_several or SignInMethod.PASSKEY in self.methods else ONE_FACTOR

    @property
    def amr(self) -> list[str]:
        """The words of RFC 8176, with `mfa` where there are two factors."""
        words = list(dict.fromkeys(each.amr for each in self.each))
        return [*words, _SEVERAL_FACTORS] if self._are_several else words

    @property
    def _are_several(self) -> bool:
        # A recovery code stands for the TOTP that was lost.
        kinds = {SignInMethod.TOTP if each is SignInMethod.RECOVERY_CODE else each for each in self.methods}
        return len(kinds) > 1

    def and_also(self, factor: Factor) -> Factors:
        """Return these and one more; used again, a method counts as used last."""
        return Factors((*(each for each in self.each if each.method is not factor.method), factor))


@dataclass(frozen=True, slots=True)
class WaysIn:
    """What a customer can sign in with."""

    password: bool = False
    email: bool = False
    phone: bool = False
    passkeys: int = 0
    totp: bool = False
    recovery_codes: int = 0
    social: int = 0

    def has(self, method: SignInMethod) -> bool:
        """Tell whether the customer has what the method needs."""
        return {
            SignInMethod.PASSWORD: self.password,
            SignInMethod.EMAIL_CODE: self.email,
            SignInMethod.PHONE_CODE: self.phone,
            SignInMethod.PASSKEY: self.passkeys > 0,
            SignInMethod.TOTP: self.totp,
            SignInMethod.RECOVERY_CODE: self.totp and self.recovery_codes > 0,
            SignInMethod.SOCIAL: self.social > 0,
        }[method]


# The second factors that a customer enrols, the strongest first.
STRONG = (SignInMethod.PASSKEY, SignInMethod.TOTP, SignInMethod.RECOVERY_CODE)
_WEAK = (SignInMethod.EMAIL_CODE, SignInMethod.PHONE_CODE, SignInMethod.PASSWORD)


def next_methods(
    rule: SecondFactorRule, allowed: Collection[SignInMethod], ways: WaysIn, proved: Factors, *, marked: bool
) -> tuple[SignInMethod, ...] | None:
    """Return which methods would complete the login, one of which must; None where it is complete.

    `allowed` is what the shop has on, and `marked` whether staff want a second factor of this customer. Who has TOTP is
    always asked for it, or a passkey; all others only where the rule says so, and then a code to the mailbox or the
    phone will do, or after such a code the password. Nothing at all is left to who has none of these: a second factor
    must be enrolled first.
    """
    if rule is SecondFactorRule.OFF or proved.level == TWO_FACTORS:
        return None
    open_ways = [method for method in allowed if ways.has(method) and method not in proved.methods]
    if ways.totp:
        return _in_order(STRONG, open_ways)
    if rule is SecondFactorRule.ALL or (rule is SecondFactorRule.STAFF_MARKED and marked):
        return _in_order((SignInMethod.PASSKEY, *_WEAK), open_ways)
    return None


def _in_order(order: Iterable[SignInMethod], methods: Collection[SignInMethod]) -> tuple[SignInMethod, ...]:
    return tuple(method for method in order if method in methods)
