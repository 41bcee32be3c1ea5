"""A function: answers each call with what handle returns."""


def handle(event, context):
    return {"statusCode": 200, "body": f"Hello from {event.method} {event.path}\n"}
