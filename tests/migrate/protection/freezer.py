"""A process that makes a checkpoint under a policy and can be killed or stopped anywhere in it.

    freezer FOLDER         folder/policy.json → folder/result.json, the watchdog's line in folder/log
    freezer FOLDER late    wrong on purpose: freezes first, and arms the watchdog then

While it inserts it has written the time to ``inserting`` and waits for ``go``; what is withdrawn
makes ``withdrawn``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from migrate.protection.agent import Agent
from migrate.protection.freezing import checkpoint
from migrate.protection.guard import Guard
from migrate.protection.policy import Policy
from migrate.protection.stopping import Stop
from planner.errors import Blocked, Unreachable


def main() -> None:
    folder = Path(sys.argv[1])
    policy = Policy.load(json.loads((folder / "policy.json").read_text("utf-8")))

    def insert() -> str:
        (folder / "inserting").write_text(str(time.time()), "utf-8")
        while not (folder / "go").exists():
            time.sleep(0.01)
        return "it"

    if "late" in sys.argv:
        agent = Agent(policy.members[0].agent, Stop())
        agent.is_frozen(time.monotonic() + 10)
        agent.freeze()
        agent.frozen(time.monotonic() + 10)
        insert()
        with Guard(policy, folder / "log"):
            return
    try:
        reached = asdict(
            checkpoint(policy, insert, lambda _it: (folder / "withdrawn").touch(), folder / "log")
        )
    except (Blocked, Unreachable) as error:
        reached = {"refused": error.message}
    (folder / "part").write_text(json.dumps(reached), "utf-8")
    (folder / "part").rename(folder / "result.json")


if __name__ == "__main__":
    main()
