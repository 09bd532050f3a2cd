"""The client of the benchmark: it takes no answer for right that is not, whatever its status."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.bench.workloads import DOCUMENTS, Person, Script, WrongAnswerError

RIGHT = {"me": {"id": "1", "email": "ada@example.com"}}
ADA = Person("ada@example.com", "token", {"me": RIGHT})
TOKENS = {"accessToken": "a", "refreshToken": "r2", "sessionId": "s"}


def answer(data: Any, **more: Any) -> bytes:
    return orjson.dumps({"data": data, **more})


def sent(script: Script) -> dict[str, Any]:
    request = script.next()
    assert request is not None
    body: dict[str, Any] = orjson.loads(request.partition(b"\r\n\r\n")[2])
    return body


class TestReads:
    def test_takes_the_right_answer(self) -> None:
        Script("me", ADA, 0).check(answer(RIGHT))

    @pytest.mark.parametrize(
        "wrong",
        [
            answer(None, errors=[{"message": "Please log in."}]),
            answer({"me": None}),
            answer({"me": {**RIGHT["me"], "email": "somebody.else@example.com"}}),
            answer({"me": {"id": "1"}}),
        ],
        ids=["error", "nobody", "somebody else", "less"],
    )
    def test_refuses_any_other(self, wrong: bytes) -> None:
        script = Script("me", ADA, 0)
        script.check(answer(RIGHT))
        with pytest.raises(WrongAnswerError):
            script.check(wrong)

    @pytest.mark.parametrize("workload", ["me, ever-new texts", "updateMe, values inline"])
    def test_never_sends_a_new_text_twice(self, workload: str) -> None:
        scripts = [Script(workload, ADA, number) for number in range(3)]
        assert len({sent(script)["query"] for script in scripts for _ in range(5)}) == 15


class TestMutations:
    def test_goes_on_with_the_tokens_that_it_got(self) -> None:
        script = Script("refresh", ADA, 0)
        script.check(answer({"refresh": {"tokens": TOKENS, "userErrors": []}}))
        assert sent(script) == {"query": DOCUMENTS["refresh"], "variables": {"input": {"refreshToken": "r2"}}}

    @pytest.mark.parametrize(
        "payload", [{"tokens": None, "userErrors": []}, {"tokens": TOKENS, "userErrors": [{"code": "TOKEN_REUSED"}]}]
    )
    def test_refuses_an_answer_that_says_no(self, payload: dict[str, Any]) -> None:
        with pytest.raises(WrongAnswerError):
            Script("refresh", ADA, 0).check(answer({"refresh": payload}))

    def test_stops_when_no_session_is_left_to_log_in_with(self) -> None:
        assert Script("login", ADA, 0).next() is None


class TestPages:
    def test_turns_the_page_until_the_last_and_begins_anew(self) -> None:
        script = Script("customers", ADA, 0)
        nodes = [{"id": str(number)} for number in range(100)]
        script.check(answer({"customers": {"nodes": nodes, "pageInfo": {"endCursor": "c", "hasNextPage": True}}}))
        assert sent(script)["variables"] == {"after": "c"}
        script.check(answer({"customers": {"nodes": nodes[:1], "pageInfo": {"endCursor": "d", "hasNextPage": False}}}))
        assert sent(script)["variables"] == {"after": None}

    def test_refuses_a_page_on_which_somebody_is_missing_or_comes_twice(self) -> None:
        page = {"nodes": [{"id": "1"}] * 100, "pageInfo": {"endCursor": "c", "hasNextPage": True}}
        with pytest.raises(WrongAnswerError):
            Script("customers", ADA, 0).check(answer({"customers": page}))
