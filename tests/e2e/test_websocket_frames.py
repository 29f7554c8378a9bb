"""RFC 6455 frame by frame, through the gateway: what a stock client never sends."""

import base64
import contextlib
import json
import os
import socket
import struct
import unittest
import urllib.parse

from support import stack
from support.shop import Shop

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
PROTOCOL_ERROR, UNSUPPORTED, NOT_UTF8, TOO_BIG = 1002, 1003, 1007, 1009
ASK = json.dumps({"type": "unsubscribe", "channel": "me"}).encode()  # is answered by an error, which says that it was understood
UPGRADE = {"Host": "shop", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def frame(opcode, payload=b"", final=True, reserved=0, masked=True, length=None):
    """`length` is what the header says, by default the truth."""
    size = len(payload) if length is None else length
    head = bytes([final << 7 | reserved << 4 | opcode])
    if size < 126:
        head += bytes([masked << 7 | size])
    else:
        head += bytes([masked << 7 | (126 if size < 1 << 16 else 127)]) + struct.pack("!H" if size < 1 << 16 else "!Q", size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class Raw:
    """A connection whose every byte is the test's."""

    def __init__(self, behind=b"", **headers):
        address = urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL"))
        self._socket = socket.create_connection((address.hostname, address.port), timeout=20)
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        self.send("\r\n".join(["GET /ws/orders HTTP/1.1", *lines, "", ""]).encode() + behind)
        self._received = b""
        try:
            while b"\r\n\r\n" not in self._received:
                self._more()
        except EOFError:
            self.close()
            raise
        self.head, _, self._received = self._received.partition(b"\r\n\r\n")
        self.status = int(self.head.split()[1])

    def _more(self):
        more = self._socket.recv(65536)
        if not more:
            raise EOFError
        self._received += more

    def _take(self, size):
        while len(self._received) < size:
            self._more()
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    def send(self, data):
        self._socket.sendall(data)

    def next(self):
        """Opcode and payload of the next frame."""
        first, size = self._take(2)
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        return first & 15, self._take(size)

    def answer(self):
        """The code of the error that answers ASK, or the code of the close frame."""
        opcode, payload = self.next()
        if opcode == CLOSE:
            return struct.unpack("!H", payload[:2])[0] if payload else None
        return json.loads(payload)["code"]

    def is_over(self):
        try:
            self._more()
        except (EOFError, ConnectionError):
            return True
        return False

    def close(self):
        self._socket.close()


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready("notification", "notification-2", "gateway")
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)

    def open(self, behind=b"", **changes):
        headers = {**UPGRADE, "Authorization": f"Bearer {self.shop.token()}", **{name.replace("_", "-"): value for name, value in changes.items()}}
        raw = Raw(behind, **headers)
        self.addCleanup(raw.close)
        return raw

    def test_what_is_allowed(self):
        cases = {
            "in one frame": frame(TEXT, ASK),
            "in three": frame(TEXT, ASK[:5], final=False) + frame(CONTINUATION, ASK[5:9], final=False) + frame(CONTINUATION, ASK[9:]),
            "with empty frames": frame(TEXT, final=False) + frame(CONTINUATION, final=False) + frame(CONTINUATION, ASK),
            "a letter cut in two": frame(TEXT, ASK[:-1] + b',"x":"\xc3', final=False) + frame(CONTINUATION, b'\xa9"}'),
            "a pong that nobody asked for": frame(PONG, b"x") + frame(TEXT, ASK),
            "of 126 bytes and more": frame(TEXT, ASK.ljust(126)), "of 4,000 bytes": frame(TEXT, ASK.ljust(4000)),
        }
        for name, sent in cases.items():
            with self.subTest(name):
                raw = self.open()
                self.assertEqual(raw.status, 101)
                raw.send(sent)
                self.assertEqual(raw.answer(), "NOT_SUBSCRIBED")
                raw.send(frame(CLOSE, struct.pack("!H", 1000)))
                self.assertEqual(raw.answer(), 1000)
                self.assertTrue(raw.is_over())

    def test_byte_by_byte(self):
        raw = self.open()
        for byte in frame(TEXT, ASK):
            raw.send(bytes([byte]))
        self.assertEqual(raw.answer(), "NOT_SUBSCRIBED")

    def test_pings(self):
        raw = self.open()
        raw.send(frame(PING) + frame(PING, b"x" * 125) + frame(TEXT, ASK[:5], final=False) + frame(PING, b"between") + frame(CONTINUATION, ASK[5:]))
        for payload in (b"", b"x" * 125, b"between"):
            self.assertEqual(raw.next(), (PONG, payload))
        self.assertEqual(raw.answer(), "NOT_SUBSCRIBED")

    def test_what_is_not_allowed(self):
        cases = {
            "without a mask": (frame(TEXT, ASK, masked=False), PROTOCOL_ERROR),
            **{f"reserved bits {bits:03b}": (frame(TEXT, ASK, reserved=bits), PROTOCOL_ERROR) for bits in (1, 2, 4, 7)},
            **{f"opcode {opcode}": (frame(opcode, b"x"), PROTOCOL_ERROR) for opcode in (3, 7, 11, 15)},
            "a ping that is too long": (frame(PING, b"x" * 126), PROTOCOL_ERROR),
            "a ping in pieces": (frame(PING, b"x", final=False), PROTOCOL_ERROR),
            "the rest of nothing": (frame(CONTINUATION, ASK), PROTOCOL_ERROR),
            "a text within a text": (frame(TEXT, ASK[:5], final=False) + frame(TEXT, ASK), PROTOCOL_ERROR),
            "no UTF-8": (frame(TEXT, b'{"\xff"}'), NOT_UTF8),
            "half a surrogate": (frame(TEXT, b'{"\xed\xa0\x80"}'), NOT_UTF8),
            "longer than it need be": (frame(TEXT, b'{"\xc0\xaf"}'), NOT_UTF8),
            "no UTF-8 in a later piece": (frame(TEXT, b"{", final=False) + frame(CONTINUATION, b"\xf5"), NOT_UTF8),
            "ends within a letter": (frame(TEXT, b'{"\xc3'), NOT_UTF8),
            "binary": (frame(BINARY, ASK), UNSUPPORTED),
            "too long": (frame(TEXT, b"x" * 5000), TOO_BIG),
            "too long in pieces": (frame(TEXT, b"x" * 4000, final=False) + frame(CONTINUATION, b"x" * 4000), TOO_BIG),
            "so long that nobody waits for it": (frame(TEXT, b"x", length=1 << 40), TOO_BIG),
            "a length with its first bit set": (frame(TEXT, b"x", length=1 << 63), None),
            "a close frame of one byte": (frame(CLOSE, b"\x03"), PROTOCOL_ERROR),
            "a close frame without UTF-8": (frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), PROTOCOL_ERROR),
            **{f"close code {code}": (frame(CLOSE, struct.pack("!H", code)), PROTOCOL_ERROR) for code in (0, 999, 1004, 1005, 1006, 1015, 2999)},
        }
        wrong = {}
        for name, (sent, expected) in cases.items():
            raw = self.open()
            raw.send(sent)
            try:
                code = raw.answer()
            except (EOFError, ConnectionError):
                code = "closed"
            if code != expected and expected is not None:
                wrong[name] = code
            with contextlib.suppress(OSError):
                raw.send(frame(CLOSE, struct.pack("!H", 1000)))
            self.assertTrue(raw.is_over(), name)
        self.assertEqual({}, wrong)

    def test_close_codes(self):
        for code in (1000, 1001, 1003, 1007, 1011, 3000, 4999):
            raw = self.open()
            raw.send(frame(CLOSE, struct.pack("!H", code) + b"bye"))
            self.assertEqual(raw.answer(), code)
            self.assertTrue(raw.is_over())
        raw = self.open()
        raw.send(frame(CLOSE))
        self.assertIn(raw.answer(), (None, 1000))

    def test_handshakes(self):
        for name, changes, status in (
                ("no key", {"Sec_WebSocket_Key": None}, 400), ("a short key", {"Sec_WebSocket_Key": base64.b64encode(b"short").decode()}, 400),
                ("an old version", {"Sec_WebSocket_Version": "8"}, 426), ("no version", {"Sec_WebSocket_Version": None}, 426),
                ("no upgrade", {"Upgrade": None}, 426), ("another upgrade", {"Upgrade": "h2c"}, 426),
                ("nothing to upgrade", {"Connection": "close"}, 426)):
            with self.subTest(name):
                raw = self.open(**changes)
                self.assertIn(raw.status, (status, 400))
        raw = self.open()
        self.assertEqual(raw.status, 101)
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", raw.head, "the example of RFC 6455, 1.3")
        self.assertNotIn(b"Sec-WebSocket-Extensions", raw.head)
        with self.assertRaises(EOFError, msg="nobody talks before the answer (RFC 6455, 4.1)"):
            self.open(behind=frame(TEXT, ASK))


if __name__ == "__main__":
    unittest.main()
