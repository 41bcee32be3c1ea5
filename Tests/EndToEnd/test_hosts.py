"""Private repositories on hosts like GitHub and GitLab: what lets Farebox in there, and what it tells them."""

import base64
import time
import unittest

import git_hosts
import platform_under_test as farebox

SECONDS = 200
EXAMPLES = farebox.REPOSITORY_ROOT / "examples"


def make_secret(name: str, namespace: str, **values: str) -> None:
    farebox.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
                   "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}})


class GitHubApp(unittest.TestCase):
    """A private repository that only the GitHub App's installation may read."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = git_hosts.GitHubHost()
        cls.addClassCleanup(cls.host.close)
        make_secret("farebox-github-app", farebox.SYSTEM, appID=cls.host.APP, privateKey=cls.host.private_key)
        cls.addClassCleanup(farebox.kubectl, "delete", "secret", "farebox-github-app", "-n", farebox.SYSTEM)
        cls.tree = cls.host.create("Carol", "vault")
        cls.tree.copy(EXAMPLES / "static")
        cls.tree.commit("Tell the time")
        cls.first = cls.host.push(cls.tree, tell=False)
        farebox.apply(farebox.repository("vault", cls.host.url("Carol", "vault"), interval="1h", provider="GitHub",
                                         installationID=cls.host.INSTALLATION))
        cls.addClassCleanup(farebox.kubectl, "delete", "repository", "vault", "-n", farebox.FUNCTIONS)
        farebox.wait_until("the first commit is deployed", lambda: farebox.deployed("vault", cls.first))

    def wait_for(self, commit: str, context: str, conclusion: str) -> dict:
        farebox.wait_until(f"{context} of {commit[:7]} is {conclusion}",
                           lambda: self.host.conclusion(commit, context) == conclusion)
        return self.host.runs(commit)[context]

    def change(self, what: str) -> None:
        """Commits a change that has to be built."""
        source = self.tree.folder / "clock/clock.c"
        source.write_text(source.read_text() + f"/* {what} */\n")
        self.tree.commit(what)

    def test_1_a_private_repository_is_deployed_and_its_check_runs_tell_it(self) -> None:
        """A private repository is read by an installation token, and one check run per context tells how it went"""
        stack = self.wait_for(self.first, "stack-deploy", "success")
        clock = self.wait_for(self.first, "clock", "success")

        self.assertEqual(farebox.call("/clock/", f"carol.{farebox.ROOT_DOMAIN}")[0], 200)
        self.assertEqual(set(self.host.runs(self.first)), {"stack-deploy", "clock"})
        self.assertEqual([run["story"] for run in (stack, clock)], [["in_progress", "success"]] * 2)
        self.assertEqual(stack["output"]["title"], "Deploy to Farebox")
        self.assertIn("[stack is successfully deployed]", stack["output"]["summary"])
        self.assertEqual(clock["output"]["title"], "Build clock")
        self.assertEqual(clock["output"]["summary"],
                         f"[deployed: carol-clock](http://carol.{farebox.ROOT_DOMAIN}/clock)")
        self.assertEqual(clock["details_url"], f"http://carol.{farebox.ROOT_DOMAIN}/clock")
        order = [(r["body"]["name"], r["body"]["status"]) for r in self.host.records()
                 if "check-runs" in r["path"] and r["method"] != "GET"]
        self.assertEqual(order[0], ("stack-deploy", "in_progress"))
        self.assertEqual(order[-1], ("stack-deploy", "completed"))

    def test_2_one_token_serves_for_everything(self) -> None:
        """One installation token is asked for, and it serves Git and the API until it ends"""
        asked = [r for r in self.host.records() if r["path"].endswith("/access_tokens")]

        self.assertEqual([r["status"] for r in asked], [201])
        self.assertEqual(len(self.host.tokens), 1)

    def test_3_a_failed_build_is_told_with_its_log(self) -> None:
        """A build that fails is told with its reason, its log and a link to it"""
        dockerfile = (self.tree.folder / "clock/Dockerfile").read_text()
        self.tree.write("clock/Dockerfile", dockerfile.replace("RUN ", "RUN echo about to break && exit 7\nRUN ", 1))
        self.tree.commit("Break")
        commit = self.host.push(self.tree)

        clock = self.wait_for(commit, "clock", "failure")
        stack = self.wait_for(commit, "stack-deploy", "failure")

        self.assertIn("Unable to build image, check builder logs: StepFailed", clock["output"]["summary"])
        self.assertIn("exit 7", clock["output"]["text"])
        self.assertTrue(clock["output"]["text"].startswith("```shell\n"))
        self.assertIn("deploy failed: clock failed to be deployed", stack["output"]["summary"])
        self.assertTrue(clock["details_url"].startswith("http"))
        self.assertEqual(farebox.call("/clock/", f"carol.{farebox.ROOT_DOMAIN}")[0], 200)
        self.tree.write("clock/Dockerfile", dockerfile)

    def test_4_an_api_that_fails_holds_up_no_deploy(self) -> None:
        """An API that answers 500, then hangs, holds up no deploy and is told everything once it works again"""
        self.host.fail(500)
        self.change("while the API fails")
        commit = self.host.push(self.tree)
        farebox.wait_until("the commit is deployed", lambda: farebox.deployed("vault", commit))
        farebox.wait_until("the condition tells the trouble", lambda: farebox.condition(
            farebox.get("repository", "vault"), "StatusReported")["reason"] == "GitHostUnreachable")
        self.assertEqual(self.host.runs(commit), {})
        self.host.fail("hang")
        time.sleep(1)
        self.host.fail(None)

        for context in ("clock", "stack-deploy"):
            self.wait_for(commit, context, "success")
        farebox.wait_until("the condition is well again", lambda: farebox.condition(
            farebox.get("repository", "vault"), "StatusReported")["status"] == "True")

    def test_5_a_commit_that_is_overtaken_is_told_that(self) -> None:
        """Of two pushes in a row the newer is deployed, and the older is told that it was overtaken"""
        self.change("older")
        older = self.host.push(self.tree)
        self.change("newer")
        newer = self.host.push(self.tree)

        farebox.wait_until("the newer one is deployed", lambda: farebox.deployed("vault", newer))
        self.wait_for(newer, "stack-deploy", "success")
        stack = self.wait_for(older, "stack-deploy", "cancelled")

        self.assertEqual(stack["output"]["summary"].split("]")[0], "[superseded by a newer commit")
        self.assertNotIn("success", [run["conclusion"] for run in self.host.runs(older).values()])

    def test_6_rate_limits_are_waited_for(self) -> None:
        """A rate limit is waited for, and then everything is told"""
        self.host.fail(429)
        self.change("while the API asks for patience")
        commit = self.host.push(self.tree)
        farebox.wait_until("the commit is deployed", lambda: farebox.deployed("vault", commit))
        self.host.fail(None)

        self.wait_for(commit, "stack-deploy", "success")
        self.wait_for(commit, "clock", "success")


class GitLabToken(unittest.TestCase):
    """A private project that a token opens."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = git_hosts.GitLabHost()
        cls.addClassCleanup(cls.host.close)
        make_secret("gitlab-token", farebox.FUNCTIONS, token=cls.host.token)
        cls.addClassCleanup(farebox.kubectl, "delete", "secret", "gitlab-token", "-n", farebox.FUNCTIONS)
        cls.tree = cls.host.create("dave", "lab")
        cls.tree.copy(EXAMPLES / "static")
        cls.tree.commit("Tell the time")
        cls.first = cls.host.push(cls.tree, tell=False)
        farebox.apply(farebox.repository("lab", cls.host.url("dave", "lab"), interval="1h", provider="GitLab",
                                         credentialsSecret="gitlab-token", projectID=cls.host.PROJECT))
        cls.addClassCleanup(farebox.kubectl, "delete", "repository", "lab", "-n", farebox.FUNCTIONS)

    def test_1_a_private_project_is_deployed_and_its_statuses_tell_it(self) -> None:
        """A private project is read with a token, and its statuses go from pending to success"""
        farebox.wait_until("the commit is deployed", lambda: farebox.deployed("lab", self.first))
        farebox.wait_until("its end is told", lambda: "stack-deploy success" in self.host.story(self.first))

        self.assertEqual(self.host.story(self.first), [
            "stack-deploy pending", "clock pending", "clock success", "stack-deploy success"])
        last = self.host.statuses[-1]
        self.assertEqual(last["description"], "stack is successfully deployed")
        self.assertEqual(last["target_url"], f"http://system.{farebox.ROOT_DOMAIN}/dashboard/dave")
        self.assertEqual(farebox.call("/clock/", f"dave.{farebox.ROOT_DOMAIN}")[0], 200)

    def test_2_nothing_is_told_twice_after_a_restart(self) -> None:
        """An operator that starts anew tells nothing that was told before"""
        farebox.wait_until("the marks are kept", lambda: farebox.get("repository", "lab")["status"].get(
            "reportedDigest", "").count(".") == 1)
        count = len(self.host.records())
        # One after the other, since other tests post to the webhook meanwhile.
        farebox.kubectl("rollout", "restart", "deployment/farebox-operator", "-n", farebox.SYSTEM)
        farebox.kubectl("rollout", "status", "deployment/farebox-operator", "-n", farebox.SYSTEM, farebox.PATIENTLY)
        farebox.kubectl("annotate", "repository", "lab", "-n", farebox.FUNCTIONS, "--overwrite",
                        "farebox.dev/reconcile-requested-at=after-the-restart")

        farebox.wait_until("the new one looks at it", lambda: farebox.get("repository", "lab")["status"].get(
            "lastHandledReconcileAt") == "after-the-restart" and farebox.is_ready("repository", "lab"))

        self.assertEqual(len(self.host.records()), count)

    def test_3_a_stack_that_cannot_be_read_is_told_with_its_reason(self) -> None:
        """A stack file that cannot be read is told with reason, line and column"""
        self.tree.write("stack.yml", "functions:\n  clock: [\n")
        self.tree.commit("Break the stack")
        commit = self.host.push(self.tree, tell=False)
        farebox.kubectl("annotate", "repository", "lab", "-n", farebox.FUNCTIONS, "--overwrite",
                        "farebox.dev/reconcile-requested-at=broken")

        farebox.wait_until("it is told", lambda: "stack-deploy failed" in self.host.story(commit))

        self.assertRegex(self.host.statuses[-1]["description"], r"^StackInvalid: stack\.yml line \d+, column \d+")

    def test_4_a_token_that_is_refused_is_named(self) -> None:
        """A token that the host refuses stalls nothing that runs, and the Repository says so"""
        make_secret("gitlab-token", farebox.FUNCTIONS, token="glpat-wrong")
        farebox.kubectl("annotate", "repository", "lab", "-n", farebox.FUNCTIONS, "--overwrite",
                        "farebox.dev/reconcile-requested-at=refused")

        farebox.wait_until("the reason is named", lambda: "GitAuthFailed" in str(
            farebox.get("repository", "lab")["status"]["conditions"]))

        self.assertNotIn("glpat", str(farebox.get("repository", "lab")))
        self.assertEqual(farebox.call("/clock/", f"dave.{farebox.ROOT_DOMAIN}")[0], 200)
