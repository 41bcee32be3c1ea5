"""Counts the words of the text it is sent, and answers in JSON."""

from collections import Counter


def handle(event, context):
    if event.method != "POST":
        return {"statusCode": 405, "headers": {"Allow": "POST"}, "body": "Send a text with POST\n"}
    counts = Counter(event.body.decode("utf-8", "replace").lower().split())
    return {"statusCode": 200, "body": {"words": sum(counts.values()), "counts": counts}}
