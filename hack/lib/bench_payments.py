"""Measures the ledger: receipts a second that are verified and credited durably, on one core.

Each way runs in a process pinned to one processor, on the same disk, in interleaved rounds; Redis is pinned to the same
processor as its client, since together they do the work. A receipt is durable when the disk has it (fsync); Redis as the
platform before had it keeps nothing through a crash, so it is also measured with an append-only file synced at each write.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench_process import free_ports, wait_for

GOAL = 50_000
# name: (share of the receipts, arguments of the driver, durable)
WAYS = {
    "farebox, batches of 256": (1, ["bench", "submitters=64", "batch=256"], True),
    "farebox, 1,024 at a time": (1, ["bench", "submitters=1024", "batch=1"], True),
    "farebox, 64 at a time": (1, ["bench", "submitters=64", "batch=1"], True),
    "one transaction each": (0.01, ["bench", "submitters=1", "batch=1"], True),
    "HMAC and INCRBY": (0.25, ["redis", "pipeline=1"], False),
    "HMAC and INCRBY, 64 at a time": (1, ["redis", "pipeline=64"], False),
    "HMAC and INCRBY, synced": (0.01, ["redis", "pipeline=1"], True),
}


def start_redis(folder: pathlib.Path, cpu: int, synced: bool) -> tuple[subprocess.Popen, int]:
    port, = free_ports(1)
    folder.mkdir()
    persistence = ["--appendonly", "yes", "--appendfsync", "always"] if synced else ["--appendonly", "no"]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(cpu), "redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
             "--save", "", *persistence], stdout=output, stderr=output)
    wait_for(port, process, "redis-server", log)
    return process, port


def measure(driver: str, folder: pathlib.Path, cpu: int, name: str, receipts: int) -> dict:
    share, arguments, durable = WAYS[name]
    arguments = [*arguments, f"receipts={max(1000, int(receipts * share))}"]
    place = pathlib.Path(tempfile.mkdtemp(prefix="farebox-bench-", dir=folder))
    redis = None
    try:
        if arguments[0] == "redis":
            redis, port = start_redis(place / "redis", cpu, durable)
            arguments.append(f"port={port}")
        else:
            arguments.append(f"sqlite={place}/ledger.db")
        done = subprocess.run(["taskset", "-c", str(cpu), driver, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{name}: {done.stderr}")
        return json.loads(done.stdout)
    finally:
        if redis:
            redis.terminate()
            redis.wait()
        shutil.rmtree(place, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="hack/bench payments", description=__doc__.split("\n")[0])
    parser.add_argument("--driver", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each way (default 3)")
    parser.add_argument("--receipts", type=int, default=200_000, help="receipts in a round (default 200000)")
    parser.add_argument("--folder", default="/var/tmp", help="where the ledgers lie: on a real disk (default /var/tmp)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to FILE as well")
    options = parser.parse_args()

    cpu = sorted(os.sched_getaffinity(0))[-1]
    rounds = {name: [] for name in WAYS}
    for _ in range(options.rounds):
        for name in WAYS:
            rounds[name].append(measure(options.driver, pathlib.Path(options.folder), cpu, name, options.receipts))
    rates = {name: statistics.median(one["count"] / one["seconds"] for one in found) for name, found in rounds.items()}
    best = rates["farebox, batches of 256"]
    print(f"\n{'':32}{'receipts/s':>12}{'CPU µs each':>13}{'durable':>9}{'ratio':>9}")
    for name, found in rounds.items():
        cost = statistics.median(one["cpuSeconds"] / one["count"] for one in found) * 1e6
        print(f"{name:32}{rates[name]:12,.0f}{cost:13.1f}{'yes' if WAYS[name][2] else 'no':>9}{best / rates[name]:8.1f}×")
    print(f"\nthe ratio is that of batches to each; CPU time is the client's, without Redis'. Goal: {GOAL:,} durable a second.")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"rates": rates, "rounds": rounds}, indent=1))
    sys.exit(0 if best >= GOAL else 1)


if __name__ == "__main__":
    main()
