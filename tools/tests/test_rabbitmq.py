import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

import context  # noqa: F401
from bvtool import credentials, ports, rabbitmq, specs
from bvtool.layout import RABBITMQ, RABBITMQ_DISTRIBUTION, RABBITMQ_EPMD, Stack
from waiting import wait_for


class StackOfFreePorts(Stack):
    def __init__(self, name, parent):
        super().__init__(name, parent)
        self._ports = {}

    def port(self, offset):
        if offset not in self._ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._ports[offset] = free.getsockname()[1]
        return self._ports[offset]


class RabbitmqTest(unittest.TestCase):
    def make(self, name):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        stack = StackOfFreePorts(name, pathlib.Path(folder.name))
        stack.dir.mkdir()
        credentials.create(stack)
        rabbitmq.prepare(stack, credentials.password(stack, credentials.RABBITMQ))
        return stack

    def start(self, stack, name):
        spec = next(spec for spec in specs.servers(stack) if spec.name == name)
        process = subprocess.Popen(spec.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                                   env={**os.environ, **spec.environment}, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(spec.ready, within=60)
        return process

    def test_two_run_at_once_one_is_killed_and_all_leave_nothing(self):
        first, second = self.make("first"), self.make("second")
        mappers = [self.start(stack, "rabbitmq-epmd") for stack in (first, second)]
        nodes = [self.start(stack, "rabbitmq") for stack in (first, second)]
        nodes[0].send_signal(signal.SIGKILL)
        nodes[0].wait(timeout=10)
        self.assertTrue(rabbitmq.answers(second.port(RABBITMQ)))
        nodes[0] = self.start(first, "rabbitmq")
        for process in nodes + mappers:
            process.send_signal(signal.SIGTERM)
        for node in nodes:
            self.assertEqual(0, node.wait(timeout=30))
        for mapper in mappers:
            mapper.wait(timeout=10)
        taken = {stack.port(offset) for stack in (first, second) for offset in (RABBITMQ, RABBITMQ_DISTRIBUTION, RABBITMQ_EPMD)}
        self.assertEqual(set(), taken & ports.listening())

    def test_only_the_owner_reads_what_is_secret(self):
        stack = self.make("first")
        for path in (stack.dir / "rabbitmq").iterdir():
            with self.subTest(path.name):
                self.assertEqual(0, path.stat().st_mode & 0o077)


if __name__ == "__main__":
    unittest.main()
