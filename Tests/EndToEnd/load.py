"""Callers that keep their connections, at a steady rate, and count everything that goes wrong."""

import asyncio
import threading
import time

CONNECTIONS = 16
ANSWER_SECONDS = 20


class Load:
    """Calls one path over and over, in a thread of its own: `with Load(...) as load`, then look at `load.bad`.

    A call is bad when its answer is not 200, and when its connection cannot be made, breaks, or ends before the answer. Only
    a server that said `Connection: close` may end a connection after an answer; nothing is sent a second time.
    """

    def __init__(self, address: str, host: str, path: str, rate: float) -> None:
        self.address, self.rate, self.calls, self.bad = address, rate, 0, []
        self.bodies: set[bytes] = set()
        self.request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.stopping = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self.all()))

    def __enter__(self) -> "Load":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping = True
        self.thread.join()

    async def all(self) -> None:
        await asyncio.gather(*(self.work(index) for index in range(CONNECTIONS)))

    async def work(self, index: int) -> None:
        pause = CONNECTIONS / self.rate
        due = time.monotonic() + pause * index / CONNECTIONS
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while not self.stopping:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + pause, time.monotonic() - 1)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    if streams is None:
                        streams = await asyncio.open_connection(self.address, 80)
                    stays = await self.call(*streams)
            except Exception as error:  # pylint: disable=broad-except  whatever it is, it is no answer
                self.bad.append(f"{time.strftime('%T')} {error!r}")
                stays = False
            self.calls += 1
            if not stays and streams:
                streams[1].close()
                streams = None
        if streams:
            streams[1].close()

    async def call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Makes one call and returns whether the connection stays."""
        writer.write(self.request)
        lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        if lines[0].split()[1] != b"200":
            self.bad.append(f"{time.strftime('%T')} {lines[0]!r} {body[:200]!r}")
        self.bodies.add(body)
        return b"connection: close" not in lines
