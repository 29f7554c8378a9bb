import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import context  # noqa: F401
from bvtool import processes, state
from bvtool.layout import Stack
from bvtool.supervisor import STEADY_AFTER
from waiting import wait_for

PROGRAM = pathlib.Path(__file__).with_name("supervised.py")


class SupervisorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.stack = Stack("unit", pathlib.Path(folder.name))
        self.stack.dir.mkdir()

    def start(self, *arguments):
        supervisor = subprocess.Popen([sys.executable, PROGRAM, self.stack.dir.parent, *arguments], start_new_session=True)
        self.addCleanup(supervisor.wait)
        self.addCleanup(supervisor.kill)
        return supervisor

    def process(self, name):
        return next(p for p in (state.read(self.stack) or {"processes": []})["processes"] if p["name"] == name)

    def phase(self):
        return (state.read(self.stack) or {}).get("phase")

    def events(self, kind):
        with open(self.stack.events_file, encoding="utf-8") as file:
            return [event for event in map(json.loads, file) if event["kind"] == kind]

    def test_starts_in_order_and_stops_in_reverse(self):
        supervisor = self.start()
        wait_for(lambda: self.phase() == state.READY)
        self.assertEqual([event["name"] for event in self.events("ready")], ["server", "one", "two"])
        supervisor.terminate()
        self.assertEqual(supervisor.wait(20), 0)
        self.assertEqual([event["name"] for event in self.events("stopped")], ["two", "one", "server"])
        self.assertEqual(self.phase(), state.STOPPED)

    def test_what_is_not_ready_holds_up_those_that_need_it(self):
        (self.stack.dir / "one.unready").touch()
        self.start()
        wait_for(lambda: self.phase() and self.process("one")["pid"])
        self.assertIsNone(self.process("two")["pid"])
        (self.stack.dir / "one.unready").unlink()
        wait_for(lambda: self.phase() == state.READY)

    def test_what_dies_is_started_again(self):
        self.start()
        wait_for(lambda: self.phase() == state.READY)
        before = self.process("one")
        os.kill(before["pid"], signal.SIGKILL)
        after = wait_for(lambda: self.process("one")["healthy"] and self.process("one")["pid"] != before["pid"] and self.process("one"))
        self.assertEqual(after["restarts"], 1)
        self.assertIn("SIGKILL", self.events("died")[0]["text"])

    def test_the_pause_grows_with_each_death_until_it_has_been_ready_for_a_while(self):
        self.start()
        wait_for(lambda: self.phase() == state.READY)
        for pause in ("0.1 s", "0.2 s", "0.4 s"):
            (self.stack.dir / "one.unready").touch()
            self.kill("one")
            self.assertIn(f"starts again in {pause}", self.events("died")[-1]["text"])
        (self.stack.dir / "one.unready").unlink()
        wait_for(lambda: self.process("one")["healthy"])
        ready = time.time()
        wait_for(lambda: time.time() - ready > STEADY_AFTER + 0.2)
        self.kill("one")
        self.assertIn("starts again in 0.1 s", self.events("died")[-1]["text"])

    def kill(self, name):
        """Kills a process, and waits for the next one."""
        before, deaths = self.process(name)["pid"], len(self.events("died"))
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: self.process(name)["pid"] not in (None, before))
        self.assertEqual(len(self.events("died")), deaths + 1)

    def test_bad_settings_are_not_tried_again(self):
        (self.stack.dir / "two.unready").touch()
        self.start("2")
        wait_for(lambda: self.phase() == state.FAILED)
        (event,) = self.events("failed")
        self.assertIn("exit code 2", event["text"])
        self.assertEqual(event["tail"], ["cannot"])
        self.assertEqual(self.process("two")["restarts"], 0)

    def test_a_start_that_keeps_failing_is_given_up(self):
        (self.stack.dir / "two.unready").touch()
        self.start("1")
        wait_for(lambda: self.phase() == state.FAILED)
        self.assertEqual(self.process("two")["restarts"], 4)

    def test_the_stack_does_not_wait_for_what_nobody_needs(self):
        (self.stack.dir / "aside.unready").touch()
        self.start()
        wait_for(lambda: self.phase() == state.READY)
        wait_for(lambda: self.process("aside")["state"] == "failed")
        self.assertEqual(self.phase(), state.READY)
        self.assertTrue(self.process("two")["healthy"])

    def test_nothing_outlives_a_killed_supervisor(self):
        supervisor = self.start()
        wait_for(lambda: self.phase() == state.READY)
        children = state.read(self.stack)["processes"]
        supervisor.kill()
        supervisor.wait()
        wait_for(lambda: not any(processes.alive(p["pid"], p["started"]) for p in children))
        self.assertEqual(state.leftovers(state.read(self.stack)), [])
        self.assertFalse(state.supervised(state.read(self.stack)))


if __name__ == "__main__":
    unittest.main()
