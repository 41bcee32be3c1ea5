#!/usr/bin/env python3
"""Runs the end-to-end tests against the platform that the environment names: run.py [--result FILE] [--lanes-done FILE] [FILTER]

FILTER is a regular expression on `module.Class.test_name`. FILE receives "PASSED FAILED", and below it a line for each test that
failed. Ends with 1 if anything failed. The second FILE is made once the lanes are done, and much of the machine is free again.

Most of a test's time is waiting, so some run side by side, each module in a process of its own. A module or a class says with
LANE what it cannot run beside: what is of one lane shares a process, and the lane "alone" comes last, when nothing else happens.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator

LANES_AT_ONCE = 5
STARTED = time.monotonic()


class Telling(unittest.TextTestResult):
    """Prints each test as a sentence with its time."""

    def startTest(self, test: unittest.TestCase) -> None:
        self.begun = time.monotonic()
        super(unittest.TextTestResult, self).startTest(test)

    def tell(self, test: unittest.TestCase, word: str) -> None:
        text = test.shortDescription() or str(test)
        self.stream.writeln(f"    [{time.monotonic() - self.begun:6.1f}s] {word:7} {text}")
        self.stream.flush()

    def addSuccess(self, test: unittest.TestCase) -> None:
        super(unittest.TextTestResult, self).addSuccess(test)
        self.tell(test, "ok")

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super(unittest.TextTestResult, self).addFailure(test, err)
        self.tell(test, "FAILED")

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super(unittest.TextTestResult, self).addError(test, err)
        self.begun = getattr(self, "begun", time.monotonic())
        self.tell(test, "ERROR")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super(unittest.TextTestResult, self).addSkip(test, reason)
        self.begun = getattr(self, "begun", time.monotonic())
        self.tell(test, "skipped")
        self.stream.writeln(f"              {reason}")


def tests_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from tests_of(entry)
        else:
            yield entry


def lanes(tests: list[unittest.TestCase]) -> dict[str, list[unittest.TestCase]]:
    """Sorts tests into lanes, in the order of their modules."""
    found: dict[str, list[unittest.TestCase]] = {}
    for test in tests:
        module = sys.modules[type(test).__module__]
        lane = getattr(type(test), "LANE", None) or getattr(module, "LANE", module.__name__)
        found.setdefault(lane, []).append(test)
    return found


def seconds(tests: list[unittest.TestCase]) -> int:
    """About how long tests take beside others, as their modules say with SECONDS."""
    modules = {type(test).__module__ for test in tests}
    return sum(getattr(sys.modules[name], "SECONDS", 30) for name in modules)


def in_a_line(test: unittest.TestCase, trace: str) -> str:
    """Says what failed with what exception; the frames of a trace are indented, its message may go on for lines."""
    reason = next((line for line in trace.splitlines()[1:] if line[:1].strip()), "")
    return ": ".join(filter(None, [test.id(), test.shortDescription(), reason]))


def run_here(tests: list[unittest.TestCase]) -> tuple[int, list[str]]:
    """Runs tests one after the other and returns how many passed, and a line for each that failed."""
    result = unittest.TextTestRunner(stream=sys.stdout, resultclass=Telling, verbosity=0).run(unittest.TestSuite(tests))
    failed = [in_a_line(test, trace) for test, trace in result.failures + result.errors]
    return max(result.testsRun - len(failed) - len(result.skipped), 0), failed


def run_beside(lane: str, filter: str) -> tuple[int, list[str]]:
    """Runs a lane in a process of its own, shows what it said when it is done, and returns what `run_here` did there."""
    begun = time.monotonic() - STARTED
    with tempfile.NamedTemporaryFile("r") as result:
        command = [sys.executable, __file__, "--lane", lane, "--result", result.name, *([filter] if filter else [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        ended = time.monotonic() - STARTED
        print(f"\n{lane}, from {begun:.0f} s to {ended:.0f} s\n{done.stdout.rstrip()}", flush=True)
        counts, *failed = result.read().splitlines() or [""]
    if done.returncode and not failed:
        failed = [f"{lane}: it ended with {done.returncode} before it could count"]
    return int(counts.partition(" ")[0] or 0), failed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--result", type=pathlib.Path)
    parser.add_argument("--lanes-done", type=pathlib.Path)
    parser.add_argument("--lane", help="only this lane, in this process")
    parser.add_argument("filter", nargs="?", default="")
    options = parser.parse_args()
    suite = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent), pattern="test_*.py")
    chosen = lanes([test for test in tests_of(suite) if re.search(options.filter, test.id(), re.IGNORECASE)])
    if options.lane:
        counts = [run_here(chosen.get(options.lane, []))]
    elif len(chosen) == 1:
        counts = [run_here(tests) for tests in chosen.values()]
    else:
        # What leaves the operator in the back-off of its restarts comes after what needs both of them, the more kills the later.
        last = sorted(chosen.pop("alone", []), key=lambda test: getattr(type(test), "KILLS", 0))
        with concurrent.futures.ThreadPoolExecutor(LANES_AT_ONCE) as pool:
            # The longest first, so that none is left over at the end.
            order = sorted(chosen, key=lambda lane: -seconds(chosen[lane]))
            counts = list(pool.map(lambda lane: run_beside(lane, options.filter), order))
        if options.lanes_done:
            options.lanes_done.touch()
        if last:
            print("\nalone", flush=True)
            counts.append(run_here(last))
    passed, failed = sum(count[0] for count in counts), [line for count in counts for line in count[1]]
    if options.result:
        options.result.write_text("\n".join([f"{passed} {len(failed)}", *failed, ""]))
    if not options.lane:
        print(f"\n{passed} passed, {len(failed)} failed", flush=True)
    # A lane may have nothing but tests that are skipped; all of them together may not.
    return 1 if failed or not (passed or options.lane) else 0


if __name__ == "__main__":
    sys.exit(main())
