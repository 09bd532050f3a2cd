"""The promises of the gateway, each a function from a history and what was found to the places where it was broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import inf

from tests.faults.findings import Findings
from tests.faults.history import UNCERTAIN, Act, Call, History, Outcome, View

Promise = Callable[[History, Findings], Iterator[str]]

# Seconds. An operation is cancelled after ten; the rest is for a machine that has other things to do.
LONGEST_CALL, SLACK = 10.0, 8.0
# The limit of the database, and the second that a silent connection has.
LONGEST_RECOVERY = 5.0 + 1.0
# The lease of a worker that was killed, and a pause of a receiver that was away.
LONGEST_DELIVERY = 120.0 + 60.0 + 15.0

# What is added under a label and seen again: the operations that add it and take it away, and how a view shows it.
_ELEMENTS: dict[str, tuple[str, str, Callable[[View], Counter[str]]]] = {
    "address": (
        "createAddress",
        "deleteAddress",
        lambda view: Counter(label for label, _ in view.addresses),
    ),
    "list": ("createProductList", "deleteProductList", lambda view: Counter(view.lists)),
}
# The operations that write down an event or a line of the audit, each once.
_EVENTS: dict[str, tuple[str, ...]] = {
    "customer.updated addresses": ("createAddress", "updateAddress", "deleteAddress"),
    "customer.updated productLists": ("createProductList", "deleteProductList"),
    "customer.updated firstName": ("updateMe",),
    "customer.password_changed": ("changePassword",),
    "customer.logged_in": ("login",),
    "customer.anonymization_requested": ("requestAnonymization",),
    "customer.anonymization_canceled": ("cancelAnonymization",),
}
_AUDIT: dict[str, tuple[str, ...]] = {
    "login": ("login",),
    "logout": ("logout",),
    "password.changed": ("changePassword",),
    "on_behalf.started": ("loginOnBehalf",),
    "anonymization.requested": ("requestAnonymization",),
    "anonymization.canceled": ("cancelAnonymization",),
}
# What ends the tokens that it names for good, in every process.
_ENDING = ("logout", "changePassword", "requestAnonymization", "login")


def acknowledged_writes_stay(history: History, _: Findings) -> Iterator[str]:
    """Show what was acknowledged to whoever looks later, once, and never what was not done."""
    for account in history.accounts:
        looks = [call for call in history.of("look") if call.account == account and call.seen is not None]
        for what, (adding, removing, show) in _ELEMENTS.items():
            added = {act.first.label: act for act in history.acts_of(account, adding)}
            removed = {act.first.value: act for act in history.acts_of(account, removing)}
            for look in looks:
                assert look.seen is not None
                seen = show(look.seen)
                yield from (f"{account} saw an {what} that nobody made: {each}" for each in seen if each not in added)
                for label, act in added.items():
                    fault = _misplaced(act, removed.get(label), look, seen[label])
                    if fault:
                        yield f"{account}, {what} {label}: {fault} (seen at {look.started:.2f})"


def _misplaced(added: Act, removed: Act | None, look: Call, times: int) -> str | None:
    if times > 1 and added.most == 1:
        return f"made once, seen {times} times"
    if times and not added.may_have_happened:
        return f"answered {added.first.outcome}, and was done"
    may_be_gone = removed is not None and removed.may_have_happened and removed.started < look.ended
    if not times and added.done < look.started and not may_be_gone:
        return "acknowledged, and gone"
    if times and removed is not None and removed.done < look.started and added.over < removed.started:
        return "deleted, and there again"
    return None


def values_are_the_latest(history: History, _: Findings) -> Iterator[str]:
    """Show a value that was written by somebody, and lose no acknowledged later write."""
    for account in history.accounts:
        writes = history.acts_of(account, "updateMe")
        for look in history.of("look"):
            if look.account == account and look.seen is not None:
                is_first = look.seen.first_name == account.partition("@")[0]
                fault = _stale(writes, look, None if is_first else look.seen.first_name)
                if fault:
                    yield f"{account}, first name {look.seen.first_name}: {fault} (seen at {look.started:.2f})"


def _stale(writes: list[Act], look: Call, value: str | None) -> str | None:
    wrote = next((act for act in writes if act.first.value == value), None)
    if wrote is None and value is not None:
        return "nobody wrote it"
    if wrote is not None and not wrote.may_have_happened:
        return f"answered {wrote.first.outcome}, and was done"
    over = wrote.over if wrote is not None else -inf
    for later in writes:
        if later.done < look.started and over < later.started:
            return f"an acknowledged later write is lost: {later.first.value}"
    return None


def passwords_are_the_latest(history: History, _: Findings) -> Iterator[str]:
    """Who logs in does so with a password that is still right, and who has the right one is let in."""
    for account in history.accounts:
        writes = [*history.acts_of(account, "signup"), *history.acts_of(account, "changePassword")]
        for login in history.of("login"):
            if login.account != account:
                continue
            fault = _stale(writes, login, login.value)
            if login.outcome is Outcome.OK and fault:
                yield f"{account} logged in with {login.value}: {fault}"
            if login.code == "INVALID_CREDENTIALS" and not fault and not _may_be_refused(history, writes, login):
                yield f"{account} was refused with the right password {login.value} at {login.started:.2f}"


def _may_be_refused(history: History, writes: list[Act], login: Call) -> bool:
    """Tell whether another password may hold, or the account be closed or not be there yet."""
    others = [act for act in writes if act.first.value != login.value and act.may_have_happened]
    right = next((act for act in writes if act.first.value == login.value), None)
    began = right.done if right is not None else inf
    if began > login.started or any(act.started < login.ended and act.over > began for act in others):
        return True
    closed = history.acts_of(login.account, "requestAnonymization")
    opened = history.acts_of(login.account, "cancelAnonymization")
    return any(
        act.may_have_happened
        and act.started < login.ended
        and not any(act.over < later.started and later.done < login.started for later in opened)
        for act in closed
    )


def closed_accounts_let_nobody_in(history: History, _: Findings) -> Iterator[str]:
    """From an acknowledged request of erasure on nobody logs in, until somebody may have canceled it."""
    for account in history.accounts:
        opened = history.acts_of(account, "cancelAnonymization")
        for act in history.acts_of(account, "requestAnonymization"):
            for login in history.of("login", "loginOnBehalf"):
                if login.account != account or login.outcome is not Outcome.OK or login.started < act.done:
                    continue
                if not any(each.may_have_happened and act.started < each.started < login.ended for each in opened):
                    yield f"{account} was closed at {act.done:.2f}, and {login.operation} at {login.started:.2f}"


def one_address_is_the_default(history: History, _: Findings) -> Iterator[str]:
    """Who has addresses has one default, whenever it is looked at."""
    for look in history.of("look"):
        if look.seen is not None and look.seen.addresses:
            defaults = [label for label, is_default in look.seen.addresses if is_default]
            if len(defaults) != 1:
                yield f"{look.account} has the defaults {defaults} of {len(look.seen.addresses)} addresses"


def ended_tokens_are_dead(history: History, _: Findings) -> Iterator[str]:
    """Once an end was acknowledged, no process takes the token."""
    ended: dict[str, Act] = {}
    for acts in history.acts.values():
        for act in (each for operation in _ENDING for each in acts.get(operation, ())):
            for token in act.first.ends:
                if token not in ended or act.done < ended[token].done:
                    ended[token] = act
    for call in history.calls:
        if call.outcome is not Outcome.OK or call.token not in ended:
            continue
        # The same call, sent again with the token that it has ended, answers the same.
        end = ended[call.token]
        if end.done < call.started and call not in end.calls:
            taken = f"process {call.process} took a token for {call.operation}"
            yield f"{call.account}: {taken} after {end.first.operation} at {call.started:.2f}"


def living_tokens_live(history: History, _: Findings) -> Iterator[str]:
    """Nobody is logged out who has not ended the session: a token works until something that ends it was asked for."""
    ends: dict[str, list[Act]] = {}
    for acts in history.acts.values():
        for operation in acts.values():
            for act in operation:
                for token in {each for call in act.calls for each in call.ends}:
                    ends.setdefault(token, []).append(act)
    for call in history.calls:
        if call.code == "TOKEN_REUSED":
            yield f"{call.account}: an honest client got TOKEN_REUSED at {call.started:.2f}"
        elif call.code in {"UNAUTHENTICATED", "TOKEN_INVALID", "TOKEN_EXPIRED"} and call.token:
            reasons = [act for act in ends.get(call.token, ()) if act.may_have_happened and act.started < call.ended]
            if not reasons and not _came_late_twice(history, call):
                refused = f"{call.operation} got {call.code} from process {call.process}"
                yield f"{call.account}: {refused} with a living token at {call.started:.2f}"


def _came_late_twice(history: History, call: Call) -> bool:
    """Tell whether a refresh token was used late once already: once in 24 hours more than the grace is promised."""
    if call.operation != "refresh":
        return False
    uses = [each for each in history.of("refresh") if each.token == call.token and each.started < call.started]
    return call.started - min((each.started for each in uses), default=inf) > 2 * 30.0


def refusals_have_a_reason(history: History, _: Findings) -> Iterator[str]:
    """Nobody is told that something is taken or not there, but by what they may have done themselves."""
    reasons = {"EMAIL_TAKEN": "signup", "NOT_FOUND": "", "ANONYMIZATION_OPEN": "requestAnonymization"}
    reasons["ANONYMIZATION_NOT_CANCELABLE"] = "cancelAnonymization"
    known = {"UNAUTHENTICATED", "TOKEN_INVALID", "TOKEN_EXPIRED", "TOKEN_REUSED", "INVALID_CREDENTIALS"}
    for acts in history.acts.values():
        for operation, wanted in acts.items():
            for act in wanted:
                doubt = False
                for call in act.calls:
                    explained = doubt and reasons.get(call.code) in (operation, "")
                    if call.outcome is Outcome.REFUSED and call.code not in known and not explained:
                        yield f"{call.account}: {operation} {call.label} was refused without reason: {call.code}"
                    doubt = doubt or call.outcome in UNCERTAIN


def answers_are_honest(history: History, _: Findings) -> Iterator[str]:
    """No INTERNAL; each SERVICE_BUSY says when to come again and what has become of it; no answer takes for ever."""
    for call in history.calls:
        if call.code in {"INTERNAL", "UNREADABLE"}:
            yield f"{call.operation} at {call.started:.2f} got {call.code} from process {call.process}"
        if not call.is_honest_busy:
            yield f"{call.operation} at {call.started:.2f}: SERVICE_BUSY without Retry-After or outcome"
        stood = any(
            fault.kind in {"stop", "kill"} and fault.process == call.process and fault.started < call.ended
            and call.started < fault.recovered
            for fault in history.faults
        )  # fmt: skip
        seconds = history.seconds(call.started, call.ended)
        if seconds > LONGEST_CALL + SLACK and not stood:
            yield f"{call.operation} at {call.started:.2f} took {seconds:.1f} s"


def changes_are_told(history: History, found: Findings) -> Iterator[str]:
    """Each change has its event and its line of the audit, and what did not happen has none."""
    for account in history.accounts:
        closed = found.erased.get(account) not in (None, "CANCELED")
        events, audit = found.events(account), found.audit.get(account, Counter())
        for name, operations in _EVENTS.items():
            yield from _told(history, account, f"events {name}", operations, events[name])
        for name, operations in _AUDIT.items():
            yield from _told(history, account, f"lines of the audit {name}", operations, audit[name])
        if not closed and found.customers.get(account, 0) == 1 and events["customer.created"] != 1:
            yield f"{account}: {events['customer.created']} events customer.created"


def _told(history: History, account: str, what: str, operations: tuple[str, ...], times: int) -> Iterator[str]:
    acts = history.acts_of(account, *operations)
    least = sum(act.is_acknowledged or _is_seen(history, act) for act in acts)
    most = sum(act.most for act in acts)
    if not least <= times <= most:
        yield f"{account}: {times} {what}, and there were {least} to {most} changes"


def _is_seen(history: History, act: Act) -> bool:
    for adding, _, show in _ELEMENTS.values():
        if act.first.operation == adding:
            looks = (call for call in history.of("look") if call.account == act.first.account)
            return any(call.seen is not None and show(call.seen)[act.first.label] for call in looks)
    return False


def messages_arrive(_: History, found: Findings) -> Iterator[str]:
    """Each event and mail that was written arrives at least once, in time, and nothing that was rolled back does."""
    for message in found.outbox:
        arrived = found.received if message.kind == "event" else found.mailed
        if message.dead:
            yield f"{message.kind} {message.topic} {message.id} was given up"
        elif not message.delivered:
            yield f"{message.kind} {message.topic} {message.id} still waits"
        elif message.kind != "task" and message.id not in arrived:
            yield f"{message.kind} {message.topic} {message.id} has not arrived, and counts as delivered"
    written = {message.id for message in found.outbox}
    for each in found.received - written:
        yield f"event {each} arrived, and was never written"
    for each in found.mailed.keys() - written:
        # With somebody who is erased their mails go as well.
        if found.erased.get(found.mailed[each], "CANCELED") == "CANCELED":
            yield f"mail {each} arrived, and was never written"
    if found.forged:
        yield f"{found.forged} deliveries had no right signature"
    if found.seconds_until_delivered > LONGEST_DELIVERY:
        yield f"Everything was delivered only after {found.seconds_until_delivered:.0f} s"


def sign_ups_happen_once(history: History, found: Findings) -> Iterator[str]:
    """Who was told to be a customer is one, and only one; who was told not to be is none."""
    for account in history.accounts:
        asked = history.acts_of(account, "signup")
        confirmed = history.acts_of(account, "confirmSignup")
        times = found.customers.get(account, 0)
        is_erased = bool(history.acts_of(account, "requestAnonymization"))
        entered = any(call.outcome is Outcome.OK for act in history.acts_of(account, "login") for call in act.calls)
        if times > 1:
            yield f"{account} is {times} customers"
        if (entered or any(act.is_acknowledged for act in confirmed)) and not times and not is_erased:
            yield f"{account} was a customer, and is none"
        if times and not any(act.may_have_happened for act in asked):
            yield f"{account} was told NOT_DONE, and is a customer"


def erased_is_gone(_: History, found: Findings) -> Iterator[str]:
    """Of whom an erasure is done, nothing personal is in any table."""
    for account, status in found.erased.items():
        word = account.partition("@")[0]
        if status == "DONE" and word in found.dump:
            place = found.dump.index(word)
            yield f"{account} was erased, and is there: {found.dump[max(0, place - 200) : place + 100]!r}"


def it_heals_by_itself(history: History, found: Findings) -> Iterator[str]:
    """After each fault, and at the end, every process serves again in time and without a restart."""
    for fault in history.faults:
        seconds = history.seconds(fault.ended, fault.recovered)
        if seconds > LONGEST_RECOVERY + SLACK:
            yield f"After {fault.kind} at {fault.started:.2f} it took {seconds:.1f} s until all were ready"
    if found.seconds_until_served > LONGEST_RECOVERY + SLACK:
        yield f"At the end it took {found.seconds_until_served:.1f} s until all processes served"


def logs_are_clean(_: History, found: Findings) -> Iterator[str]:
    """No error and no traceback in any log."""
    yield from (f"Log: {line[:600]}" for line in found.log_errors)


PROMISES: tuple[Promise, ...] = (
    acknowledged_writes_stay,
    values_are_the_latest,
    passwords_are_the_latest,
    closed_accounts_let_nobody_in,
    one_address_is_the_default,
    ended_tokens_are_dead,
    living_tokens_live,
    refusals_have_a_reason,
    answers_are_honest,
    changes_are_told,
    messages_arrive,
    sign_ups_happen_once,
    erased_is_gone,
    it_heals_by_itself,
    logs_are_clean,
)


def broken_promises(history: History, found: Findings) -> list[str]:
    """Return each place where a promise was broken, with the promise's name."""
    return [f"{promise.__name__}: {place}" for promise in PROMISES for place in promise(history, found)]
