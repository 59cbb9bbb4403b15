"""What the account costs for each message, over all flows of a stored run: alone, and with reading the messages."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from harness.judge.account.replay import account
from harness.model.flow import Flow


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the folder of a run")
    options = parser.parse_args()
    flows = [Flow.from_json(path.read_text("utf-8")) for path in sorted((options.run / "flows").glob("*.json"))]
    messages = sum(len(flow.events) + len(flow.late) for flow in flows)
    if not messages:
        parser.error(f"{options.run} has no messages")
    first, again = _seconds(flows), _seconds(flows)
    unexplained = Counter(entry.code for flow in flows for _, entry in account(flow).unexplained())
    print(f"{messages} messages in {len(flows)} flows; the longest flow has {max(len(f.events) for f in flows)}")
    print(f"{first / messages * 1e6:.0f} us each with reading the messages, {again / messages * 1e6:.0f} us without")
    print(f"unexplained: {dict(unexplained) or 'none'}")


def _seconds(flows: list[Flow]) -> float:
    began = time.perf_counter()
    for flow in flows:
        account(flow)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
