"""The parameters that a call may send somebody to a provider with, such as `prompt` and `login_hint`."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.errors import Refused, UserErrorCode
from app.domain.problems import Problems
from app.domain.social import AuthorizationRequest, parse_max_age
from app.domain.tenants import SocialProvider
from app.domain.texts import required_line

_LONGEST_VALUE = 500
_MAX_AGE = "max_age"
_parse_line = required_line(_LONGEST_VALUE)


def check_parameters(
    problems: Problems, provider: SocialProvider, parameters: Sequence[tuple[str, str]], *, is_native: bool
) -> None:
    """Note what is wrong with them.

    INVALID at `parameters` where nobody is sent to the provider; INVALID at the `name` of one that the shop does not
    allow or that was given before, and of `max_age` for a provider without id tokens; REQUIRED, INVALID, TOO_LONG at
    its `value`.
    """
    if parameters and is_native:
        problems.add(UserErrorCode.INVALID, "Leave these out where nobody is sent to the provider.", "parameters")
        return
    seen: set[str] = set()
    for index, (name, value) in enumerate(parameters):
        place = ("parameters", str(index))
        if name not in provider.allowed_parameters:
            allowed = ", ".join(provider.allowed_parameters) or "none"
            message = f"The shop does not allow this parameter for the provider; it allows: {allowed}."
            problems.add(UserErrorCode.INVALID, message, *place, "name")
        elif name in seen:
            problems.add(UserErrorCode.INVALID, "This parameter was given before: give it once.", *place, "name")
        elif name == _MAX_AGE and not provider.is_openid:
            message = "The provider does not tell when somebody has logged in: leave this parameter out."
            problems.add(UserErrorCode.INVALID, message, *place, "name")
        seen.add(name)
        problems.check(_parse_max_age if name == _MAX_AGE else _parse_value, value, *place, "value")


def asked_age(provider: SocialProvider, request: AuthorizationRequest) -> int | None:
    """Return how many seconds ago the person may have logged in at the provider, if that is asked for."""
    if not provider.is_openid or not request.redirect_uri:
        return None
    if request.reauthenticates:
        return 0
    asked = {**provider.authorization_parameters, **dict(request.parameters)}.get(_MAX_AGE)
    return parse_max_age(asked) if asked is not None else None


def _parse_max_age(value: str) -> str:
    parse_max_age(_parse_value(value))
    return value


def _parse_value(value: str) -> str:
    line = _parse_line(value)
    if line != value:
        raise Refused(UserErrorCode.INVALID, "Please leave out blanks around the value.")
    return line
