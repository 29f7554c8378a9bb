"""A mail relay that delivers nothing: what it takes it puts into a folder, a file a mail. It refuses what the local part of the recipient says:
`bounce…` is an unknown address, `denied…` a policy's refusal, `busy…` is to be tried again later. Run by the stack:
mail_sink.py HOST PORT FOLDER."""

import asyncio
import itertools
import os
import pathlib
import signal
import sys
import time

from aiosmtpd.smtp import SMTP

REFUSALS = {"bounce": "550 5.1.1 no such user", "denied": "550 5.7.1 not taken from you", "busy": "451 4.3.0 try again later"}
MAILS_MAX = 10_000


class Sink:
    def __init__(self, folder):
        self._folder = folder
        self._number = itertools.count()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802: the name is aiosmtpd's
        for beginning, refusal in REFUSALS.items():
            if address.startswith(beginning):
                return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        name = f"{time.time_ns()}-{os.getpid()}-{next(self._number) % MAILS_MAX}.eml"
        temporary = self._folder / f".{name}"
        temporary.write_bytes(f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode() + envelope.content)
        temporary.rename(self._folder / name)
        self._forget()
        return "250 taken"

    def _forget(self):
        """It is no archive: the newest stay."""
        mails = sorted(self._folder.glob("*.eml"))
        for old in mails[:-MAILS_MAX]:
            old.unlink(missing_ok=True)


async def serve(host, port, folder):
    loop = asyncio.get_running_loop()
    folder.mkdir(parents=True, exist_ok=True)
    server = await loop.create_server(lambda: SMTP(Sink(folder), data_size_limit=1 << 20, enable_SMTPUTF8=True), host, port)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])))
