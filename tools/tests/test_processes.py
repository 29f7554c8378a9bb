import os
import signal
import subprocess
import sys
import unittest

import context  # noqa: F401
from bvtool import processes
from waiting import wait_for


class ProcessesTest(unittest.TestCase):
    def spawn(self, program):
        process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_a_pid_with_another_start_time_is_another_process(self):
        started = processes.start_time(os.getpid())
        self.assertTrue(processes.alive(os.getpid(), started))
        self.assertFalse(processes.alive(os.getpid(), started - 1))
        self.assertFalse(processes.alive(None, None))

    def test_a_zombie_is_not_alive(self):
        process = self.spawn("pass")
        self.assertTrue(wait_for(lambda: processes.start_time(process.pid) is None))

    def test_end_lets_a_process_go_by_itself(self):
        process = self.spawn("import signal; signal.pause()")
        started = wait_for(lambda: processes.start_time(process.pid))
        self.assertTrue(processes.end(process.pid, started))
        self.assertEqual(process.wait(), -signal.SIGTERM)

    def test_end_kills_the_one_that_does_not(self):
        process = self.spawn("import signal, sys\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                             "print('deaf', flush=True)\nwhile True: signal.pause()")
        self.assertEqual(process.stdout.readline(), b"deaf\n")
        self.assertFalse(processes.end(process.pid, processes.start_time(process.pid), patience=0.2))
        self.assertEqual(process.wait(), -signal.SIGKILL)

    def test_end_leaves_a_process_alone_that_only_has_the_same_pid(self):
        process = self.spawn("import signal; signal.pause()")
        started = wait_for(lambda: processes.start_time(process.pid))
        self.assertTrue(processes.end(process.pid, started - 1))
        self.assertIsNone(process.poll())


if __name__ == "__main__":
    unittest.main()
