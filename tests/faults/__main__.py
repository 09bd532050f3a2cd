"""Tries the promises: `scripts/faults [--minutes 10] [--seed N] [--database postgresql|citus|sqlite]`.

Random journeys against three processes that are killed, stopped and cut off, and then every promise is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.faults.caller import Caller, Wish
from tests.faults.documents import ANONYMOUS_LOGIN
from tests.faults.findings import Findings
from tests.faults.history import History
from tests.faults.inspection import Inspector
from tests.faults.journeys import People
from tests.faults.nemesis import Nemesis
from tests.faults.promises import broken_promises
from tests.faults.system import SHOPS, System, run_system

# Seconds: what takes twice as long as this has stalled.
_TICK = 0.2
ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run, and print what was done and what was broken; 1 if anything was."""
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the journeys go on")
    parser.add_argument("--seed", type=int, default=None, help="that of an earlier run, to have its wishes and faults")
    parser.add_argument("--database", choices=("postgresql", "citus", "sqlite"), default="postgresql")
    parser.add_argument("--clients", type=int, default=5, help="how many people make journeys at once")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "faults", help="where history and logs go")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    sys.stdout.write(f"scripts/faults --minutes {arguments.minutes:g} --seed {seed} --database {arguments.database}\n")
    sys.stdout.flush()
    # What else runs on the machine goes first.
    os.nice(5)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        return asyncio.run(_run(arguments, seed, Path(folder)))


async def _run(arguments: argparse.Namespace, seed: int, folder: Path) -> int:
    history = History()
    began = time.monotonic()

    def now() -> float:
        return time.monotonic() - began

    async with run_system(folder, arguments.database) as system:
        caller = Caller([each.url for each in system.gateways], history, Random(f"{seed} calls"), now)
        people = People(system, caller, seed)
        try:
            await people.prepare()
            nemesis = Nemesis(system, history, Random(f"{seed} faults"), now)
            await _journey(people, nemesis, arguments)
            found = await _look(system, caller, people, history)
        finally:
            await caller.close()
            arguments.output.mkdir(parents=True, exist_ok=True)
            history.write(arguments.output / "history.jsonl")
            for number, gateway in enumerate(system.gateways):
                (arguments.output / f"gateway-{number}.log").write_text(gateway.log)
    broken = broken_promises(history, found)
    sys.stdout.write(_report(history, found, people, broken))
    return int(bool(broken))


async def _journey(people: People, nemesis: Nemesis, arguments: argparse.Namespace) -> None:
    over = asyncio.Event()
    journeys = [asyncio.create_task(people.live(number, over)) for number in range(arguments.clients)]
    raging = asyncio.create_task(nemesis.rage(over))
    watching = asyncio.create_task(_watch(people.caller, over))
    await asyncio.wait([raging, *journeys], timeout=arguments.minutes * 60, return_when=asyncio.FIRST_EXCEPTION)
    over.set()
    await raging
    await asyncio.gather(watching, *journeys)


async def _watch(caller: Caller, over: asyncio.Event) -> None:
    """Write down when this very process did not get on."""
    while not over.is_set():
        began = caller.now()
        await asyncio.sleep(_TICK)
        if caller.now() > began + 2 * _TICK:
            caller.history.stalls.append((began + _TICK, caller.now()))


async def _look(system: System, caller: Caller, people: People, history: History) -> Findings:
    """Have everything seen, wait for what is on its way, end the gateways, and return what there is."""
    served = await _serve(caller)
    await people.look_once_more()
    inspector = Inspector(system)
    delivered = await inspector.wait_until_delivered()
    await system.stop()
    ids = {account.customer_id: account.email for account in people.accounts if account.customer_id is not None}
    return await inspector.inspect(ids, served=served, delivered=delivered)


async def _serve(caller: Caller) -> float:
    """Return the seconds until each process has written something."""
    began = caller.now()
    for process in range(len(caller.urls)):
        wish = Wish("anonymousLogin", ANONYMOUS_LOGIN, {"clientId": SHOPS[0].storefront}, can_be_lost=False)
        while not (await caller.call(wish, process)).is_ok and caller.now() < began + 120:  # noqa: ASYNC110 — other processes
            await asyncio.sleep(0.2)
    return caller.now() - began


def _report(history: History, found: Findings, people: People, broken: list[str]) -> str:
    outcomes = Counter(call.outcome.value for call in history.calls)
    kinds = Counter(fault.kind for fault in history.faults)
    lines = [
        f"{len(history.calls)} calls about {len(history.accounts)} accounts: "
        + ", ".join(f"{number} {outcome}" for outcome, number in outcomes.most_common()),
        f"{len(history.faults)} faults: " + ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()),
        f"{len(found.outbox)} messages, all delivered after {found.seconds_until_delivered:.0f} s",
        f"{Counter(found.erased.values())['DONE']} accounts erased, {len(people.troubles)} journeys broken off",
        *(f"Broken: {each}" for each in broken),
        f"{len(broken)} promises were broken." if broken else "Every promise was kept.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
