"""Many requests at one moment, each on a connection of its own, and connections that end before the answer comes."""

import asyncio
import email.parser
import json
import urllib.parse

from support import stack
from support.http import Answer

TOGETHER_WITHIN = 60.0  # seconds for all answers


def _address():
    url = urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL"))
    return url.hostname, url.port


def request(path, body, headers):
    """The bytes of a POST, after whose answer the server closes."""
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: gateway", "Connection: close", "Content-Type: application/json",
             f"Content-Length: {len(data)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def together(requests):
    """Sends these requests when all connections stand; their answers, in the same order."""
    return asyncio.run(asyncio.wait_for(_together(requests), TOGETHER_WITHIN))


async def _together(requests):
    connections = [await asyncio.open_connection(*_address()) for _ in requests]
    for (_, writer), data in zip(connections, requests):
        writer.write(data)
    return await asyncio.gather(*(_answer(reader, writer) for reader, writer in connections))


async def _answer(reader, writer):
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    status, _, lines = head.decode().partition("\r\n")
    headers = email.parser.Parser().parsestr(lines)
    return Answer(int(status.split()[1]), headers, body.decode())


def abandoned(data, until):
    """Sends a request, waits for `until()`, and goes away without reading an answer."""
    asyncio.run(_abandoned(data, until))


async def _abandoned(data, until):
    _, writer = await asyncio.open_connection(*_address())
    writer.write(data)
    await writer.drain()
    until()
    writer.transport.abort()
