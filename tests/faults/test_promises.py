"""The checker itself: a run in which all is well passes, and one break of each promise, planted in it, is found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.findings import Findings, Message
from tests.faults.history import Call, Fault, History, Outcome, View
from tests.faults.promises import broken_promises

ADA = "ada@example.com"
HOME, WORK = "ada home", "ada work"
OLD, NEW = "violet-1-harbour", "violet-2-harbour"


def call(operation: str, at: float, outcome: Outcome = Outcome.OK, **facts: Any) -> Call:
    """Return a call about Ada's account that took a tenth of a second."""
    given = {"account": ADA, "started": at, "ended": at + 0.1, "label": f"{operation} {at}", **facts}
    return Call(operation=operation, outcome=outcome, **given)


def look(at: float, name: str | None, *addresses: tuple[str, bool], lists: tuple[str, ...] = ()) -> Call:
    return call("look", at, token="second", seen=View(name, addresses, lists))


CREATED = call("createAddress", 3, label=HOME, token="second")
KEYED = call("createAddress", 4, Outcome.LOST, label=WORK, token="second", is_keyed=True)
AGAIN = replace(KEYED, started=5, ended=5.1, outcome=Outcome.OK)
LOGGED_OUT = call("logout", 11, token="other", ends=["other"])
GOOD = [
    call("signup", 0, token="visit", value=OLD),
    call("login", 1, token="visit", value=OLD, ends=["visit"]),
    call("updateMe", 2, token="first", label="Augusta", value="Augusta"),
    call("changePassword", 2.5, token="first", value=NEW, ends=["first"]),
    CREATED,
    KEYED,
    AGAIN,
    look(6, "Augusta", (HOME, True), (WORK, False)),
    call("deleteAddress", 7, token="second", value=HOME),
    call("createProductList", 8, Outcome.NOT_DONE, label="ada list", token="second", code="SERVICE_BUSY"),
    look(9, "Augusta", (WORK, True)),
    call("login", 10, token="visit again", value=NEW, ends=["visit again"]),
    LOGGED_OUT,
    call("tokenInfo", 12, Outcome.REFUSED, token="other", code="UNAUTHENTICATED"),
]
TOPICS = Counter(
    {
        "customer.created": 1,
        "customer.logged_in": 2,
        "customer.updated firstName": 1,
        "customer.updated addresses": 3,
        "customer.password_changed": 1,
    }
)
OUTBOX = [
    Message(f"{topic} {number}", "event", topic.partition(" ")[0], ADA, topic.partition(" ")[2])
    for topic, times in TOPICS.items()
    for number in range(times)
]
MAIL = Message("mail", "mail", "new_device", ADA)
FOUND = Findings(
    outbox=[*OUTBOX, MAIL],
    audit={ADA: Counter({"login": 2, "logout": 1, "password.changed": 1})},
    customers={ADA: 1},
    received=frozenset(each.id for each in OUTBOX),
    mailed={"mail": ADA},
    dump="INSERT INTO customer VALUES ('ada')",
)


def broken(*more: Call, without: Call | None = None, faults: tuple[Fault, ...] = (), **found: Any) -> set[str]:
    """Return the names of the promises that the good run breaks with these changes."""
    calls = [each for each in GOOD if each is not without]
    history = History(sorted([*calls, *more], key=lambda each: each.started), list(faults))
    return {each.partition(":")[0] for each in broken_promises(history, replace(FOUND, **found))}


class TestGoodRun:
    def test_breaks_no_promise(self) -> None:
        assert broken() == set()

    def test_may_do_what_had_no_answer_or_leave_it(self) -> None:
        lost = call("createAddress", 5.5, Outcome.UNKNOWN, label="ada hut", token="second", code="SERVICE_BUSY")
        assert broken(lost) == set()
        events = [*OUTBOX, Message("more", "event", "customer.updated", ADA, "addresses"), MAIL]
        arrived = FOUND.received | {"more"}
        seen = look(13, "Augusta", (WORK, True), ("ada hut", False))
        assert broken(lost, seen, outbox=events, received=arrived) == set()

    def test_may_refuse_a_deletion_that_had_no_answer_before(self) -> None:
        lost = call("deleteAddress", 13, Outcome.LOST, label="gone", value=WORK, token="second")
        refused = replace(lost, started=14, ended=14.1, outcome=Outcome.REFUSED, code="NOT_FOUND")
        assert broken(lost, refused) == set()


class TestAcknowledgedWritesStay:
    @pytest.mark.parametrize(
        "seen",
        [
            pytest.param(look(13, "Augusta"), id="an acknowledged one is gone"),
            pytest.param(look(13, "Augusta", (WORK, True), (WORK, False)), id="a keyed one was made twice"),
            pytest.param(look(13, "Augusta", (WORK, True), (HOME, False)), id="a deleted one is back"),
            pytest.param(look(13, "Augusta", (WORK, True), ("a stranger", False)), id="nobody made it"),
            pytest.param(look(13, "Augusta", (WORK, True), lists=("ada list",)), id="NOT_DONE was done"),
        ],
    )
    def test_is_broken_when(self, seen: Call) -> None:
        assert "acknowledged_writes_stay" in broken(seen)


class TestValuesAreTheLatest:
    def test_is_broken_when_an_acknowledged_write_is_lost(self) -> None:
        assert broken(look(13, "ada", (WORK, True))) == {"values_are_the_latest"}

    def test_is_broken_when_a_refused_write_is_seen(self) -> None:
        refused = call("updateMe", 12.5, Outcome.NOT_DONE, label="Byron", value="Byron", token="second")
        assert broken(refused, look(13, "Byron", (WORK, True))) == {"values_are_the_latest"}

    def test_is_broken_when_an_older_value_comes_back(self) -> None:
        events = [*OUTBOX, Message("more", "event", "customer.updated", ADA, "firstName"), MAIL]
        newer = call("updateMe", 12.5, label="Byron", value="Byron", token="second")
        stale = look(13, "Augusta", (WORK, True))
        assert broken(newer, stale, outbox=events, received=FOUND.received | {"more"}) == {"values_are_the_latest"}

    def test_is_kept_when_a_write_without_an_answer_comes_late(self) -> None:
        late = call("updateMe", 1.5, Outcome.LOST, label="Byron", value="Byron", token="first")
        assert "values_are_the_latest" not in broken(late, look(13, "Byron", (WORK, True)))


class TestPasswordsAreTheLatest:
    def test_is_broken_when_the_old_one_still_works(self) -> None:
        assert "passwords_are_the_latest" in broken(call("login", 13, value=OLD, token="visit 3"))

    def test_is_broken_when_the_right_one_does_not_work(self) -> None:
        refused = call("login", 13, Outcome.REFUSED, value=NEW, token="visit 3", code="INVALID_CREDENTIALS")
        assert broken(refused) == {"passwords_are_the_latest"}


class TestClosedAccountsLetNobodyIn:
    def test_is_broken_when_somebody_logs_in(self) -> None:
        left = call("requestAnonymization", 13, token="second", ends=["second"])
        assert "closed_accounts_let_nobody_in" in broken(left, call("login", 14, value=NEW, token="visit 3"))


class TestOneAddressIsTheDefault:
    @pytest.mark.parametrize("default", [True, False])
    def test_is_broken_when_it_is_two_or_none(self, default: bool) -> None:
        seen = look(6.5, "Augusta", (HOME, default), (WORK, default))
        assert broken(seen) == {"one_address_is_the_default"}


class TestEndedTokensAreDead:
    def test_is_broken_when_one_process_takes_one(self) -> None:
        assert broken(call("tokenInfo", 13, token="other", process=2)) == {"ended_tokens_are_dead"}


class TestLivingTokensLive:
    @pytest.mark.parametrize(("operation", "code"), [("tokenInfo", "UNAUTHENTICATED"), ("refresh", "TOKEN_INVALID")])
    def test_is_broken_when_one_is_refused(self, operation: str, code: str) -> None:
        assert broken(call(operation, 13, Outcome.REFUSED, token="second", code=code)) == {"living_tokens_live"}

    def test_is_broken_by_any_reuse_of_an_honest_client(self) -> None:
        reused = call("refresh", 13, Outcome.REFUSED, token="second", code="TOKEN_REUSED")
        assert broken(reused) == {"living_tokens_live"}


class TestRefusalsHaveAReason:
    @pytest.mark.parametrize(
        ("operation", "code"), [("deleteAddress", "NOT_FOUND"), ("signup", "EMAIL_TAKEN"), ("look", "RATE_LIMITED")]
    )
    def test_is_broken_when_there_is_none(self, operation: str, code: str) -> None:
        assert broken(call(operation, 13, Outcome.REFUSED, code=code)) == {"refusals_have_a_reason"}


class TestAnswersAreHonest:
    @pytest.mark.parametrize(
        "bad",
        [
            pytest.param(call("look", 13, Outcome.REFUSED, code="INTERNAL"), id="an INTERNAL"),
            pytest.param(call("look", 13, Outcome.LOST, code="UNREADABLE"), id="no JSON"),
            pytest.param(call("look", 13, Outcome.NOT_DONE, is_honest_busy=False), id="no Retry-After"),
            pytest.param(call("look", 13, Outcome.NOT_DONE, ended=45.0), id="too long"),
        ],
    )
    def test_is_broken_by(self, bad: Call) -> None:
        assert "answers_are_honest" in broken(bad)

    def test_is_kept_when_nobody_could_have_heard_the_answer(self) -> None:
        waited = call("look", 13, ended=45.0)
        history = History([waited], stalls=[(14.0, 44.0)])
        assert broken_promises(history, Findings()) == []

    def test_is_kept_when_the_process_stood_meanwhile(self) -> None:
        waited = call("look", 13, ended=45.0, process=1)
        assert broken(waited, faults=(Fault("stop", 1, 14, 40, 41),)) == set()


class TestChangesAreTold:
    @pytest.mark.parametrize("gone", OUTBOX, ids=lambda message: str(message.id))
    def test_is_broken_when_an_event_is_missing(self, gone: Message) -> None:
        rest = [each for each in OUTBOX if each is not gone]
        arrived = FOUND.received - {gone.id}
        assert broken(outbox=[*rest, MAIL], received=arrived) == {"changes_are_told"}

    def test_is_broken_when_what_was_not_done_has_an_event(self) -> None:
        more = Message("more", "event", "customer.updated", ADA, "productLists")
        assert broken(outbox=[*OUTBOX, more, MAIL], received=FOUND.received | {"more"}) == {"changes_are_told"}

    @pytest.mark.parametrize("action", ["login", "logout", "password.changed"])
    def test_is_broken_when_a_line_of_the_audit_is_missing(self, action: str) -> None:
        audit = FOUND.audit[ADA].copy()
        audit[action] -= 1
        assert broken(audit={ADA: audit}) == {"changes_are_told"}


class TestMessagesArrive:
    @pytest.mark.parametrize(
        "found",
        [
            pytest.param({"received": frozenset(list(FOUND.received)[1:])}, id="an event is missing"),
            pytest.param({"mailed": {}}, id="a mail is missing"),
            pytest.param({"received": FOUND.received | {"nobody"}}, id="one was never written"),
            pytest.param({"mailed": {"mail": ADA, "more": ADA}}, id="a mail was never written"),
            pytest.param({"outbox": [*OUTBOX, replace(MAIL, delivered=False)]}, id="one waits"),
            pytest.param({"outbox": [*OUTBOX, replace(MAIL, dead=True)]}, id="one was given up"),
            pytest.param({"forged": 1}, id="a signature is wrong"),
            pytest.param({"seconds_until_delivered": 500.0}, id="they come too late"),
        ],
    )
    def test_is_broken_when(self, found: dict[str, Any]) -> None:
        assert broken(**found) == {"messages_arrive"}


class TestSignUpsHappenOnce:
    def test_is_broken_when_there_are_two(self) -> None:
        assert broken(customers={ADA: 2}) == {"sign_ups_happen_once"}

    def test_is_broken_when_who_was_in_is_no_customer(self) -> None:
        assert broken(customers={}) == {"sign_ups_happen_once"}

    def test_is_broken_when_not_done_was_done(self) -> None:
        refused = call("signup", 13, Outcome.NOT_DONE, account="bob@example.com", code="SERVICE_BUSY")
        created = Message("bob", "event", "customer.created", "bob@example.com")
        customers = {ADA: 1, "bob@example.com": 1}
        outbox, received = [*OUTBOX, created, MAIL], FOUND.received | {"bob"}
        found = broken(refused, customers=customers, outbox=outbox, received=received)
        assert found == {"sign_ups_happen_once"}


class TestErasedIsGone:
    def test_is_broken_when_a_word_is_left(self) -> None:
        assert "erased_is_gone" in broken(erased={ADA: "DONE"})
        assert "erased_is_gone" not in broken(erased={ADA: "DONE"}, dump="INSERT INTO customer VALUES (NULL)")


class TestItHealsByItself:
    def test_is_broken_when_a_process_is_not_ready_in_time(self) -> None:
        assert broken(faults=(Fault("freeze", 0, 1, 2, 60),)) == {"it_heals_by_itself"}

    def test_is_broken_when_the_end_is_not_served(self) -> None:
        assert broken(seconds_until_served=60.0) == {"it_heals_by_itself"}


class TestLogsAreClean:
    def test_is_broken_by_an_error(self) -> None:
        assert broken(log_errors=["ERROR something"]) == {"logs_are_clean"}
