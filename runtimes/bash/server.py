"""Serves a WSGI application with waitress on port 8080, and leaves well.

Kubernetes says goodbye with SIGTERM: calls that run are finished, and for a moment new ones are still taken, until every
gateway knows that this replica goes."""

import logging
import os
import signal
import socket
import threading
import time

import waitress

PORT = 8080
STILL_TAKING_SECONDS = 2


class InFlight:
    """Counts the calls that run."""

    def __init__(self, application):
        self.application, self.count, self.lock = application, 0, threading.Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            self.count += 1
        try:
            return self.application(environ, start_response)
        finally:
            with self.lock:
                self.count -= 1


def listener():
    """A socket for IPv6 and IPv4, or for IPv4 alone where there is no IPv6."""
    try:
        return socket.create_server(("", PORT), family=socket.AF_INET6, backlog=128, dualstack_ipv6=True)
    except (OSError, ValueError):
        return socket.create_server(("", PORT), backlog=128)


def serve(application):
    """Serves until SIGTERM."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    counted = InFlight(application)
    threads = int(os.environ.get("THREADS") or 16)
    server = waitress.create_server(counted, sockets=[listener()], threads=threads, ident=None, channel_timeout=180)

    def is_busy():
        channels = list(server.active_channels.values())
        return counted.count > 0 or any(channel.requests or channel.total_outbufs_len for channel in channels)

    def leave():
        time.sleep(STILL_TAKING_SECONDS)
        while is_busy():  # Kubernetes ends the wait when it is too long
            time.sleep(0.02)
        os._exit(0)

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=leave, daemon=True).start())
    print(f"listening on port {PORT}", flush=True)
    server.run()
