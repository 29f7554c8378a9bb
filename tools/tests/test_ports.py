import os
import socket
import unittest

import context  # noqa: F401
from bvtool import ports


class PortsTest(unittest.TestCase):
    def test_a_taken_port_is_named_with_its_owner(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertIn(port, ports.listening())
            (line,) = ports.taken({port: "Kafka"})
            self.assertTrue(line.startswith(f"port {port} (Kafka) is taken by pid {os.getpid()} ("), line)
        self.assertEqual(ports.taken({port: "Kafka"}), [])


if __name__ == "__main__":
    unittest.main()
