"""Whose build comes when: a newer push, many repositories at once, an operator that dies meanwhile, names that join alike."""

import concurrent.futures
import json
import os
import time
import unittest

import platform_under_test as farebox
import test_operator

SECONDS = 50
EXAMPLE = farebox.REPOSITORY_ROOT / "examples/python"
# Each costs some seconds of both cores; 50 is what the platform is asked to bear.
REPOSITORIES = int(os.environ.get("FAREBOX_QUEUE_REPOSITORIES", "6"))
LIMIT = 10  # builder.buildsMaximum


def jobs(repository: str) -> list[dict]:
    return farebox.items("jobs", farebox.BUILDS, f"farebox.dev/repository={repository}")


def forget(*repositories: str) -> None:
    farebox.kubectl("delete", "repository", "-n", farebox.FUNCTIONS, "--ignore-not-found", *repositories)


class NewerPush(unittest.TestCase):
    """Two pushes, one right after the other."""

    def test_the_newer_of_two_pushes_is_deployed(self) -> None:
        """Of two pushes 100 ms apart the newer one is deployed, with one build"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        tree = host.create("hank", "hasty")
        tree.copy(EXAMPLE)
        farebox.apply(farebox.repository("hasty", tree.url, interval="1h"))
        self.addCleanup(forget, "hasty")
        older = tree.commit("Greet")
        tree.push()
        begun = time.monotonic()
        tree.write("hello/extra.txt", "newer")
        newer = tree.commit("Greet better")
        time.sleep(max(0.0, 0.1 - (time.monotonic() - begun)))
        tree.push()

        farebox.wait_until("the newer push is deployed", lambda: farebox.deployed("hasty", newer))

        built = [job["metadata"]["annotations"]["farebox.dev/commit"] for job in jobs("hasty")]
        self.assertEqual(built, [newer])
        history = farebox.get("repository", "hasty")["status"]["history"]
        self.assertEqual((history[0]["commit"], history[0]["result"]), (newer, "Deployed"))
        for run in history[1:]:
            self.assertEqual((run["commit"], run["result"], run["reason"]), (older, "Superseded", "Superseded"))


class Crowd(unittest.TestCase):
    """Many repositories pushed at once, while the operator is killed twice."""

    LANE, KILLS = "alone", 2  # it counts all builds

    def test_all_of_a_crowd_are_deployed(self) -> None:
        """Repositories pushed all at once deploy within the limits, though the operator is killed twice; nothing is built twice"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        names = [f"crowd-{index}" for index in range(REPOSITORIES)]
        trees = [host.create(f"owner{index % 5}", name) for index, name in enumerate(names)]
        for name, tree in zip(names, trees):
            tree.copy(EXAMPLE)
            stack = (tree.folder / "stack.yml").read_text().replace("  hello:", f"  {name}:")
            tree.write("stack.yml", stack)
            tree.write("hello/name.txt", name)
        for name, tree in zip(names, trees):
            farebox.apply(farebox.repository(name, tree.url, interval="30s"))
        self.addCleanup(forget, *names)
        commits = [tree.commit("Greet") for tree in trees]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda tree: tree.push(), trees))
        most, kills, seen = 0, 0, set()
        deadline = time.monotonic() + 120 + 30 * REPOSITORIES
        while True:
            self.assertLess(time.monotonic(), deadline, "they never got there")
            present = [job for job in farebox.items("jobs", farebox.BUILDS)
                       if job["metadata"]["labels"].get("farebox.dev/repository", "").startswith("crowd-")]
            seen |= {job["metadata"]["uid"] for job in present}
            most = max(most, sum(not job["status"].get("conditions") for job in present))
            if kills < self.KILLS and len(seen) > kills * REPOSITORIES // 3:
                kills += test_operator.kill_leader()
            states = {r["metadata"]["name"]: r.get("status", {}) for r in farebox.items("repositories")}
            if all(states[name].get("deployedCommit") == commit for name, commit in zip(names, commits)):
                break
            time.sleep(1)

        self.assertEqual(kills, self.KILLS)
        self.assertLessEqual(most, LIMIT)
        built = [job["metadata"]["labels"]["farebox.dev/repository"] for name in names for job in jobs(name)]
        self.assertEqual(sorted(built), sorted(names), "one build each")
        self.assertEqual(len(seen), REPOSITORIES, "no build was made and taken away again")
        for index, name in enumerate(names):
            host_name = f"owner{index % 5}.{farebox.ROOT_DOMAIN}"
            farebox.wait_until(f"{name} answers", lambda: farebox.call(f"/{name}/", host_name)[0] == 200)


class NamesThatJoinAlike(unittest.TestCase):
    """`alex` + `ellis-fn` and `alex-ellis` + `fn`."""

    def test_two_owners_never_touch_each_other(self) -> None:
        """Two owners whose names join to the same text never touch each other's function and secret"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        stack = (EXAMPLE / "stack.yml").read_text()
        self.addCleanup(forget, "first", "second")
        first = host.create("alex-ellis", "first")
        second = host.create("alex", "second")
        for tree, function in ((first, "fn"), (second, "ellis-fn")):
            tree.copy(EXAMPLE)
            tree.write("stack.yml", stack.replace("  hello:", f"  {function}:").replace("GREETING: Hello", f"GREETING: I am {function}"))
        farebox.apply(farebox.repository("first", first.url, interval="1h"))
        commit = first.commit("Mine")
        first.push()
        farebox.wait_until("the first one is deployed", lambda: farebox.deployed("first", commit))
        before = farebox.get("function", "alex-ellis-fn")

        farebox.apply(farebox.repository("second", second.url, interval="1h"))
        second.commit("Mine too")
        second.push()
        refused = farebox.wait_until("the second one is refused", lambda: next(
            (f for f in farebox.get("repository", "second").get("status", {}).get("functions", [])
             if f.get("reason") == "NameTaken"), None))

        self.assertIn("alex-ellis-fn", refused["message"])
        after = farebox.get("function", "alex-ellis-fn")
        self.assertEqual(after["spec"], before["spec"])
        self.assertEqual(after["metadata"]["annotations"]["farebox.dev/owner"], "alex-ellis")
        self.assertEqual(farebox.call("/fn/", f"alex-ellis.{farebox.ROOT_DOMAIN}")[2], b"I am fn, world!\n")
        self.assertEqual(farebox.call("/ellis-fn/", f"alex.{farebox.ROOT_DOMAIN}")[0], 404)

        farebox.kubectl("create", "secret", "generic", "alex-ellis-key", "-n", farebox.FUNCTIONS, "--from-literal=key=theirs")
        self.addCleanup(farebox.kubectl, "delete", "secret", "alex-ellis-key", "-n", farebox.FUNCTIONS)
        farebox.kubectl("label", "secret", "alex-ellis-key", "-n", farebox.FUNCTIONS, "farebox.dev/owner=alex-ellis")
        second.write("stack.yml", stack.replace("  hello:", "  thief:") + "    secrets: [ellis-key]\n")
        second.commit("Take it")
        second.push()
        told = farebox.wait_until("the secret is refused", lambda: next(
            (c for c in farebox.get("function", "alex-thief").get("status", {}).get("conditions", [])
             if c["type"] == "Stalled" and c["reason"] == "SecretNotOwned"), None))

        self.assertIn("alex-ellis-key", told["message"])
        self.assertEqual(farebox.items("pods", selector="farebox.dev/name=alex-thief"), [])
        self.assertNotIn("theirs", json.dumps(farebox.get("repository", "second")))
