"""What the webhook answers to events that must change nothing."""

import json
import os
import unittest

import platform_under_test as farebox
import git_server


class Webhook(unittest.TestCase):
    """One suspended repository: whatever arrives, its object tells whether anything was taken in."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.host = farebox.GitHost()
        cls.tree = cls.host.create("carol", "quiet")
        farebox.apply(farebox.repository("quiet", cls.tree.url, interval="1h", suspend=True))
        # Each replica of the webhook learns of it by itself; an event may come to either.
        ignored = json.dumps(git_server.push_event(cls.host.base, "carol/quiet", "refs/tags/v0", "b" * 40, "a" * 40)).encode()
        farebox.wait_until("both replicas know the Repository", lambda: all(
            farebox.post_event(ignored)[0] in (200, 202) for _ in range(10)))

    @classmethod
    def tearDownClass(cls) -> None:
        farebox.kubectl("delete", "repository", "quiet", "-n", farebox.FUNCTIONS)
        cls.host.close()

    def event(self, reference: str = "refs/heads/main", after: str = "a" * 40, path: str = "carol/quiet") -> bytes:
        return json.dumps(git_server.push_event(self.host.base, path, reference, "b" * 40, after)).encode()

    def annotations(self) -> dict[str, str]:
        return {name: value for name, value in farebox.get("repository", "quiet")["metadata"]["annotations"].items()
                if name.startswith("farebox.dev/")}

    def check(self, statuses: tuple[int, ...], payload: bytes, **options: object) -> None:
        before = self.annotations()
        status, text = farebox.post_event(payload, **options)
        self.assertIn(status, statuses, text)
        self.assertEqual(self.annotations(), before)

    def test_a_wrong_signature_is_refused(self) -> None:
        """A wrong signature is refused with 401"""
        self.check((401,), self.event(), signed_with=b"not the secret")

    def test_an_unknown_repository_is_not_found(self) -> None:
        """A repository nobody registered is answered with 404"""
        self.check((404,), self.event(path="carol/other"))

    def test_another_branch_is_ignored(self) -> None:
        """A push to a branch that is not built is accepted and ignored"""
        self.check((200, 202), self.event("refs/heads/feature/main"))

    def test_a_tag_is_ignored(self) -> None:
        """A pushed tag of the branch's name is accepted and ignored"""
        self.check((200, 202), self.event("refs/tags/main"))

    def test_a_deleted_branch_is_ignored(self) -> None:
        """The deletion of the branch is accepted and ignored"""
        self.check((200, 202), self.event(after=git_server.ZEROS))

    def test_an_oversized_body_is_refused(self) -> None:
        """A body of 26 MB is refused with 413"""
        self.check((413,), self.event()[:-1] + b', "x": "' + b"x" * 26_000_000 + b'"}')

    def test_other_events_are_ignored(self) -> None:
        """An event that concerns no function is accepted and ignored"""
        self.check((200, 202), self.event(), event="issues")

    def test_malformed_payloads_are_refused(self) -> None:
        """A signed payload that is no push is refused with a 4xx"""
        for payload in (b"", b"{", b"[]", b'{"ref": 1}', self.event(after="master"), b"\xff\xfe"):
            with self.subTest(payload=payload[:20]):
                self.check((400, 422), payload)

    def test_ping_is_answered(self) -> None:
        """A ping gets 200"""
        self.check((200,), b'{"zen": "Speak like a human."}', event="ping")

    def test_a_push_is_noted_once(self) -> None:
        """A good push is noted on the Repository, and a repeated delivery changes nothing"""
        delivery = os.urandom(8).hex()
        status, text = farebox.post_event(self.event(after="c" * 40), delivery=delivery)
        noted = self.annotations()
        again = farebox.post_event(self.event(after="c" * 40), delivery=delivery)

        self.assertEqual(status, 202, text)
        self.assertEqual(noted["farebox.dev/requested-commit"], "c" * 40)
        self.assertEqual(noted["farebox.dev/delivery"], delivery)
        self.assertIn(again[0], (200, 202))
        self.assertEqual(self.annotations(), noted)


class MissingCommit(unittest.TestCase):
    """A push event for a commit that the Git host does not have."""

    def test_a_commit_that_does_not_exist_is_a_failure(self) -> None:
        """A commit that does not exist fails by name and no other commit is built"""
        host = farebox.GitHost()
        self.addCleanup(host.close)
        tree = host.create("gustav", "ghost")
        tree.copy(farebox.REPOSITORY_ROOT / "examples/python")
        tree.commit("Greet")
        farebox.apply(farebox.repository("ghost", tree.url, interval="1h"))
        self.addCleanup(farebox.kubectl, "delete", "repository", "ghost", "-n", farebox.FUNCTIONS)
        farebox.wait_until("its branch is missing", lambda: farebox.condition(
            farebox.get("repository", "ghost"), "Ready")["status"] == "False")
        farebox.run("git", "-C", str(tree.folder), "push", "-q", str(tree.bare), "HEAD:refs/heads/other")

        payload = json.dumps(git_server.push_event(host.base, "gustav/ghost", "refs/heads/main", "b" * 40, "d" * 40))
        status, text = farebox.post_event(payload.encode())

        self.assertEqual(status, 202, text)
        ready = farebox.wait_until("the reason", lambda: (lambda c: c if c["reason"] == "GitRevisionNotFound" else None)(
            farebox.condition(farebox.get("repository", "ghost"), "Ready")))
        self.assertIn("d" * 7, ready["message"])
        self.assertEqual([f for f in farebox.items("functions") if f["metadata"]["name"].startswith("gustav-")], [])
