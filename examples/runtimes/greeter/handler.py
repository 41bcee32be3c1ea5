"""Greets whoever is named in the path."""

import os


def handle(event, context):
    name = event.path.strip("/") or "world"
    return {"statusCode": 200, "body": f"{os.environ.get('GREETING', 'Hello')}, {name}!\n"}
