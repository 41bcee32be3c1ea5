#!/usr/bin/env python3
"""Runs the end-to-end tests against the platform that the environment names: run.py [--result FILE] [FILTER]

FILTER is a regular expression on `Class.test_name`. FILE receives "PASSED FAILED". Ends with 1 if anything failed.
"""

import argparse
import pathlib
import re
import sys
import time
import unittest
from collections.abc import Iterator


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


def tests_of(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from tests_of(entry)
        else:
            yield entry


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--result", type=pathlib.Path)
    parser.add_argument("filter", nargs="?", default="")
    options = parser.parse_args()
    found = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent), pattern="test_*.py")
    chosen = unittest.TestSuite(
        test for test in tests_of(found) if re.search(options.filter, test.id().split(".", 1)[1], re.IGNORECASE))
    result = unittest.TextTestRunner(stream=sys.stdout, resultclass=Telling, verbosity=0).run(chosen)
    broken = len(result.failures) + len(result.errors)
    if options.result:
        options.result.write_text(f"{result.testsRun - broken} {broken}\n")
    return 1 if broken or result.testsRun == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
