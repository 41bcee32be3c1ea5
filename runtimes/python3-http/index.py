"""Hands each request to handle(event, context) of function/handler.py, by the contract of OpenFaaS' python3-http."""

import http
import json
import os
import sys
import traceback
from collections.abc import Mapping
from urllib.parse import parse_qs

import server
from function import handler


class Headers(Mapping):
    """Header fields, looked up without regard to case."""

    def __init__(self, fields):
        self._fields = {name.lower(): (name, value) for name, value in fields}

    def __getitem__(self, name):
        return self._fields[name.lower()][1]

    def __contains__(self, name):
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self):
        return (name for name, _ in self._fields.values())

    def __len__(self):
        return len(self._fields)


class Query(Mapping):
    """Parameters of the URL: the first value of each name, and all of them with getlist."""

    def __init__(self, text):
        self._values = parse_qs(text, keep_blank_values=True)

    def __getitem__(self, name):
        return self._values[name][0]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def getlist(self, name):
        return list(self._values.get(name, []))


class Event:
    """One request."""

    def __init__(self, environ):
        fields = [(name[5:].replace("_", "-").title(), value)
                  for name, value in environ.items() if name.startswith("HTTP_")]
        fields += [(title, environ[name]) for name, title in (
            ("CONTENT_TYPE", "Content-Type"), ("CONTENT_LENGTH", "Content-Length")) if environ.get(name)]
        self.body = environ["wsgi.input"].read()
        self.headers = Headers(fields)
        self.method = environ["REQUEST_METHOD"]
        self.query = Query(environ.get("QUERY_STRING", ""))
        # WSGI carries the path's bytes as if they were Latin-1.
        self.path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/"


class Context:
    """Where the function runs."""

    def __init__(self):
        self.hostname = os.environ.get("HOSTNAME", "localhost")


def parts(result):
    """Status, header fields and body of what a handler returned: nothing, a response, a body, or (body, status, headers)."""
    if result is None:
        return 200, {}, None
    if isinstance(result, dict):
        return int(result.get("statusCode") or 200), dict(result.get("headers") or {}), result.get("body")
    if isinstance(result, tuple):
        body, status, headers = (*result, 200, {})[:3] if len(result) == 1 else (*result, {})[:3]
        return int(status), dict(headers), body
    return 200, {}, result


def encoded(body):
    """Bytes of a body, and the media type it has when its headers name none."""
    if body is None:
        return b"", "text/plain; charset=utf-8"
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), "application/octet-stream"
    if isinstance(body, (dict, list)):
        return json.dumps(body).encode(), "application/json"
    return str(body).encode(), "text/plain; charset=utf-8"


def answer(start_response, status, headers, body, trouble=None):
    data, media_type = encoded(body)
    fields = {str(name): str(value) for name, value in headers.items() if str(name).lower() != "content-length"}
    if not any(name.lower() == "content-type" for name in fields):
        fields["Content-Type"] = media_type
    fields["Content-Length"] = str(len(data))
    phrase = http.HTTPStatus(status).phrase if status in http.HTTPStatus._value2member_map_ else "Status"
    start_response(f"{status} {phrase}", list(fields.items()), trouble)
    return [data]


def application(environ, start_response):
    if environ.get("PATH_INFO") in ("/_/health", "/_/ready"):
        return answer(start_response, 200, {}, "OK\n")
    try:
        status, headers, body = parts(handler.handle(Event(environ), Context()))
        if not 200 <= status <= 599:
            raise ValueError(f"the handler answered with the status {status}")
        return answer(start_response, status, headers, body)
    except BaseException:  # pylint: disable=broad-except  whatever it is, it belongs into the log and not to the caller
        traceback.print_exc(file=sys.stderr)
        return answer(start_response, 500, {}, "Internal Server Error\n", sys.exc_info())


if __name__ == "__main__":
    server.serve(application)
