"""PostgreSQL under Patroni, under load: the primary is killed, frozen, cut off; every promise of the gateway holds."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import Random

import pytest

from tests.faults.caller import Caller, Wish
from tests.faults.documents import ANONYMOUS_LOGIN, REFRESH, TOKEN_INFO
from tests.faults.fail_over import SERVICES, FailOvers, Loss, run_on_patroni
from tests.faults.findings import Findings
from tests.faults.history import Call, History, Outcome
from tests.faults.inspection import Inspector
from tests.faults.journeys import People
from tests.faults.promises import PROMISES, Promise, messages_arrive
from tests.faults.system import GATEWAYS, SHOPS, System
from tests.harness.patroni import NotWholeError, PatroniCluster, run_patroni, stays_deposed

pytestmark = pytest.mark.wall_clock

CUSTOMERS, VISITORS, SEED = 6, 2, 4711
ELECTIONS = ("killed", "frozen", "switched over", "etcd away", "cut off")
# Seconds that the gateways and HAProxy may take to notice what Patroni has done.
NOTICE = 3.0
# The gateways of a run that measures coverage are this much slower.
TRACED = 2.0
# Seconds after which a statement or a COMMIT is given up.
LIMIT = 5.0
# Beyond this much slowness an answer may come too late without any fault.
AT_REST = 2.0
# How often it is begun with a new cluster where the old one, left alone, does not come to itself.
TRIES = 3
_TICK = 0.2
_PAUSE = 0.05


@dataclass
class Run:
    """One run through everything."""

    history: History
    losses: list[Loss]
    found: Findings

    def loss(self, kind: str) -> Loss:
        """Return one of the losses; the test is skipped where that was left out."""
        if kind == "frozen" and not stays_deposed():
            pytest.skip("the installed Patroni lets a primary that stood still take the lead back: 3.0.3 is needed")
        (found,) = [each for each in self.losses if each.kind == kind]
        return found

    def next_after(self, loss: Loss) -> float:
        """Return when the next loss began."""
        return min((each.started for each in self.losses if each.started > loss.started), default=inf)

    def calls(self, since: float, until: float) -> list[Call]:
        """Return the calls that ended in this time."""
        return [call for call in self.history.calls if since <= call.ended < until]

    def busy(self, since: float, until: float) -> list[Call]:
        """Return those of them that were told to come again."""
        return [call for call in self.calls(since, until) if call.code == "SERVICE_BUSY"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    for _ in range(TRIES - 1):
        with suppress(NotWholeError):
            return go_through_all(tmp_path_factory.mktemp("patroni"))
    return go_through_all(tmp_path_factory.mktemp("patroni"))


def go_through_all(folder: Path) -> Run:
    """Make one run on a new cluster; raises `NotWholeError` where that does not come to itself."""
    history = History()
    began = time.monotonic()

    def now() -> float:
        return time.monotonic() - began

    async def go(cluster: PatroniCluster) -> Run:
        async with run_on_patroni(folder, cluster) as system:
            caller = Caller([each.url for each in system.gateways], history, Random(SEED), now)
            try:
                fail_overs = FailOvers(cluster, history, now)
                people = People(system, caller, SEED)
                await people.prepare()
                await under_load(caller, people, fail_overs)
                await people.look_once_more()
                return Run(history, fail_overs.losses, await inspect(system, people))
            finally:
                await caller.close()

    with run_patroni() as cluster:
        return asyncio.run(go(cluster))


async def under_load(caller: Caller, people: People, fail_overs: FailOvers) -> None:
    """Let customers live and visitors come, while the cluster loses what it can lose."""
    over = asyncio.Event()
    others = [
        *(people.live(number, over) for number in range(CUSTOMERS)),
        *(visit(caller, process, over) for process in range(GATEWAYS) for _ in range(VISITORS)),
        watch(caller, over),
    ]
    tasks = [asyncio.create_task(each) for each in others]
    try:
        await fail_overs.run()
    finally:
        over.set()
        await asyncio.gather(*tasks)


async def visit(caller: Caller, process: int, over: asyncio.Event) -> None:
    """Read and refresh in one session from the beginning to the end, and begin new ones, all in one process."""
    start = Wish("anonymousLogin", ANONYMOUS_LOGIN, {"clientId": SHOPS[0].storefront}, can_be_lost=False)
    tokens = (await caller.settle(start, process)).payload["tokens"]
    while not over.is_set():
        await caller.call(start, process)
        await caller.call(Wish("tokenInfo", TOKEN_INFO, token=tokens["accessToken"], can_be_lost=False), process)
        given = {"refreshToken": tokens["refreshToken"]}
        wish = Wish("refresh", REFRESH, given, token=given["refreshToken"], bearer=False, can_be_lost=False)
        answered = await caller.call(wish, process)
        if answered.is_ok:
            tokens = answered.payload["tokens"]
        await asyncio.sleep(_PAUSE)


async def watch(caller: Caller, over: asyncio.Event) -> None:
    """Write down when this very process did not get on."""
    while not over.is_set():
        began = caller.now()
        await asyncio.sleep(_TICK)
        if caller.now() > began + 2 * _TICK:
            caller.history.stalls.append((began + _TICK, caller.now()))


async def inspect(system: System, people: People) -> Findings:
    """End the gateways, and return what there is."""
    await system.stop()
    ids = {account.customer_id: account.email for account in people.accounts if account.customer_id is not None}
    return await Inspector(system).inspect(ids, served=0, delivered=0)


class TestElection:
    @pytest.mark.parametrize("kind", ELECTIONS)
    def test_is_over_for_who_calls_three_seconds_after_patroni(self, run: Run, kind: str) -> None:
        loss = run.loss(kind)
        late = [
            call
            for call in run.busy(loss.replaced, loss.over)
            if run.history.seconds(loss.replaced, call.started) > NOTICE * max(loss.slowness, TRACED)
        ]
        assert late == []

    @pytest.mark.parametrize("kind", ELECTIONS)
    def test_stops_nobody_afterwards(self, run: Run, kind: str) -> None:
        loss = run.loss(kind)
        calls = run.calls(loss.replaced, run.next_after(loss))
        assert {(call.process, call.operation) for call in calls if call.outcome is Outcome.OK} >= SERVICES


class TestStandby:
    def test_is_missed_by_nobody_when_another_takes_its_place(self, run: Run) -> None:
        loss = run.loss("standby killed")
        assert {call.process for call in run.calls(loss.replaced, loss.over)} == set(range(GATEWAYS))
        # Who writes meanwhile waits, and is told so if it takes too long.
        if loss.replaced - loss.started > LIMIT / 2 or loss.slowness > AT_REST:
            pytest.skip("Patroni has taken its time: the machine has other things to do")
        assert run.busy(loss.started, loss.over) == []


class TestEtcd:
    def test_is_missed_by_nobody_in_failsafe_mode(self, run: Run) -> None:
        loss = run.loss("etcd away, failsafe")
        assert {call.process for call in run.calls(loss.started, loss.over)} == set(range(GATEWAYS))
        if loss.slowness > AT_REST:
            pytest.skip("the machine has other things to do")
        assert run.busy(loss.started, loss.over) == []


# That messages arrive is tried with one server; here it would be waited for.
@pytest.mark.parametrize("promise", [each for each in PROMISES if each is not messages_arrive])
def test_every_promise_is_kept(run: Run, promise: Promise) -> None:
    assert list(promise(run.history, run.found)) == [], run.losses
