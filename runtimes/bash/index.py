"""Runs a process for each request, as OpenFaaS' classic watchdog does.

The body is its standard input, its standard output is the answer, its environment says the rest, and its standard error goes
to the log."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import threading

import server

COMMAND = shlex.split(os.environ.get("fprocess") or "bash handler.sh")
CONTENT_TYPE = os.environ.get("content_type") or "text/plain; charset=utf-8"
OUTPUT_BYTES_MAXIMUM = 32 << 20


def seconds(text, default):
    """A time as OpenFaaS writes it: 10, 10s, 1m30s, 500ms."""
    units, total = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}, 0.0
    rest = (text or "").strip()
    if rest.isdigit():
        return float(rest)
    while rest:
        number = rest[: len(rest) - len(rest.lstrip("0123456789."))]
        rest = rest[len(number):]
        unit = next((unit for unit in ("ms", "h", "m", "s") if rest.startswith(unit)), None)
        if not number or unit is None:
            return default
        total, rest = total + float(number) * units[unit], rest[len(unit):]
    return total or default


TIMEOUT_SECONDS = seconds(os.environ.get("exec_timeout"), 60.0)


def variables(environ):
    """The request as environment variables, none of which can take the place of another's."""
    result = dict(os.environ)
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            result["Http_" + "_".join(part.capitalize() for part in name[5:].split("_"))] = value
    result["Http_Method"] = environ["REQUEST_METHOD"]
    result["Http_Path"] = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace") or "/"
    result["Http_Query"] = environ.get("QUERY_STRING", "")
    result["Http_Content_Type"] = environ.get("CONTENT_TYPE", "")
    result["Http_Content_Length"] = environ.get("CONTENT_LENGTH", "")
    return result


def run(environ):
    """Runs the process and returns the status, and its output when it ended well."""
    with tempfile.TemporaryFile() as body:
        while chunk := environ["wsgi.input"].read(1 << 16):
            body.write(chunk)
        body.seek(0)
        process = subprocess.Popen(
            COMMAND, stdin=body, stdout=subprocess.PIPE, env=variables(environ), cwd="/srv/function",
            start_new_session=True)  # a process group of its own, so that all of it can be ended
    late = threading.Event()
    # Its number is its own until it is waited for, so that these end nobody else.
    timer = threading.Timer(TIMEOUT_SECONDS, lambda: (late.set(), end(process)))
    watcher = threading.Thread(target=end_rest, args=(process,))
    timer.start()
    watcher.start()
    try:
        output = process.stdout.read(OUTPUT_BYTES_MAXIMUM + 1)
        if len(output) > OUTPUT_BYTES_MAXIMUM:
            end(process)
    finally:
        watcher.join()
        timer.cancel()
        timer.join()
        status = process.wait()
        process.stdout.close()
    return judged(output, status, late.is_set())


def end(process):
    """Ends a process and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)


def end_rest(process):
    """Ends what a process left in the background when it came to its end: it may hold the output open."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    end(process)


def judged(output, status, is_late):
    """The answer, and a word for the log when it is none of the function's."""
    if is_late:
        print(f"the function took longer than {TIMEOUT_SECONDS:g} s and was ended", file=sys.stderr, flush=True)
        return "504 Gateway Timeout", b"The function took too long\n"
    if len(output) > OUTPUT_BYTES_MAXIMUM:
        print(f"the function printed more than {OUTPUT_BYTES_MAXIMUM} bytes", file=sys.stderr, flush=True)
        return "500 Internal Server Error", b"Internal Server Error\n"
    if status != 0:
        print(f"the function ended with the status {status}", file=sys.stderr, flush=True)
        return "500 Internal Server Error", b"Internal Server Error\n"
    return "200 OK", output


def application(environ, start_response):
    content_type = "text/plain; charset=utf-8"
    if environ.get("PATH_INFO") in ("/_/health", "/_/ready"):
        status, body = "200 OK", b"OK\n"
    else:
        try:
            status, body = run(environ)
            content_type = CONTENT_TYPE if status.startswith("200") else content_type
        except Exception as error:  # pylint: disable=broad-except  such as a program that does not exist
            print(f"the function cannot be run: {error}", file=sys.stderr, flush=True)
            status, body = "500 Internal Server Error", b"Internal Server Error\n"
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    server.serve(application)
