"""A subscriber's server: it keeps what comes, and behaves as well or as badly as a test wants."""

import asyncio
import itertools
import json
import threading
import time
import typing

from support import wait


class Request(typing.NamedTuple):
    at: float  # of the monotonic clock, when the whole of it was there
    headers: typing.Dict[str, str]  # names in lower case
    body: str

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def event(self):
        return json.loads(self.body)


# How a hook behaves: a coroutine that is given the request's writer. When it returns False the connection is closed.


def answer(status=200, body="", **headers):
    """Header names with underscores for hyphens."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    data = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body.encode())}\r\n{lines}\r\n{body}".encode()

    async def behave(writer):
        writer.write(data)
        return True
    return behave


def redirect(url, status=302):
    return answer(status, Location=url)


async def hang(writer):
    await writer.wait_closed()
    return False


async def close(_writer):
    return False


async def trickle(writer):
    """A good answer that never comes to its end."""
    writer.write(b"HTTP/1.1 200 x\r\nContent-Length: 1000000\r\n\r\n")
    closed = asyncio.ensure_future(writer.wait_closed())
    while not writer.is_closing():
        writer.write(b".")
        await writer.drain()
        await asyncio.wait([closed], timeout=0.05)
    return False


def flood(size=100_000_000):
    async def behave(writer):
        writer.write(f"HTTP/1.1 200 x\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // 1_000_000):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
        return True
    return behave


def in_turn(*behaviours):
    """One behaviour after the other; the last one stays."""
    left = itertools.chain(behaviours[:-1], itertools.repeat(behaviours[-1]))

    async def behave(writer):
        return await next(left)(writer)
    return behave


class Hook:
    """One URL of the receiver."""

    def __init__(self, url, behaviour):
        self.url = url
        self.behaviour = behaviour
        self.requests = []

    def of(self, event_type):
        return [request for request in list(self.requests) if request.event["eventType"] == event_type]

    def await_requests(self, count, within=20.0, select=lambda request: True):
        """The first `count` requests that `select` wants."""
        def found():
            wanted = [request for request in list(self.requests) if select(request)]
            return wanted if len(wanted) >= count else None
        return wait.until(found, within, f"{count} requests at {self.url}")


class Receiver:
    """Serves on a free port of 127.0.0.1, in a thread of its own."""

    def __init__(self):
        self._hooks = {}
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000))
        self.port = self._server.sockets[0].getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def hook(self, behaviour=None):
        path = f"/hooks/{len(self._hooks) + 1}"
        hook = self._hooks[path] = Hook(f"http://127.0.0.1:{self.port}{path}", behaviour or answer())
        return hook

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            while await self._serve_one(reader, writer):
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the sender has gone
        finally:
            writer.close()

    async def _serve_one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        hook = self._hooks[head[0].split(" ")[1]]
        hook.requests.append(Request(time.monotonic(), headers, body))
        return await hook.behaviour(writer)

    def close(self):
        async def end():
            self._server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
