"""The challenge that spares somebody a wait, in a shop that has one."""

from __future__ import annotations

from app.domain.errors import AccessCode, AccessError
from app.domain.ports import Limit
from app.domain.tenants import Challenge, ChallengeProvider
from app.services.limits import HOUR, hit, limits_of
from app.services.unit_of_work import UnitOfWork


async def pass_challenge(uow: UnitOfWork, account: str, refusal: AccessError) -> None:
    """Return when the call brings a right answer to the shop's challenge; else raise what there is to do.

    CHALLENGE_REQUIRED where an answer helps. Without a challenge, or while its provider does not tell, or once answers
    have let through as many as the account may fail in an hour, it is the refusal itself.
    """
    challenge = uow.tenant.challenge
    if challenge is None:
        raise refusal
    answer = uow.caller.facts.challenge_response
    if answer is None or not await _is_right(uow, challenge, answer, refusal):
        raise _required(challenge)
    await hit(uow, Limit("login.challenged", limits_of(uow).login_failures_per_account_per_hour, HOUR), account)


async def _is_right(uow: UnitOfWork, challenge: Challenge, answer: str, refusal: AccessError) -> bool:
    uow.may_begin_again = False  # An answer counts once.
    try:
        return await uow.tools.challenges.verify(challenge, answer)
    except OSError:
        raise refusal from None


def _required(challenge: Challenge) -> AccessError:
    message = "Let the person solve the challenge, and send the call again with the header Challenge-Response."
    if challenge.provider is ChallengeProvider.DEMO:
        message += " The demo is solved by the word: demo"
    return AccessError(
        AccessCode.CHALLENGE_REQUIRED,
        message,
        more={"provider": challenge.provider.value, "siteKey": challenge.site_key},
    )
