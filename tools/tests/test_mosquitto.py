import pathlib
import tempfile
import unittest

import context  # noqa: F401
from bvtool import credentials, mosquitto
from bvtool.console import Failure
from bvtool.layout import Stack


class MosquittoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.stack = Stack("test", pathlib.Path(folder.name))
        self.stack.dir.mkdir()
        credentials.create(self.stack)
        self.folder = mosquitto.folder(self.stack)

    def acl(self):
        return (self.folder / "acl").read_text(encoding="utf-8")

    def passwords(self):
        return dict(line.split(":", 1) for line in (self.folder / "passwords").read_text(encoding="utf-8").splitlines())

    def test_a_device_writes_of_its_skus_and_the_service_reads(self):
        mosquitto.prepare(self.stack, "release")
        mosquitto.add_device(self.stack, "acme/press-1", ["TENT", "MUG"])
        mosquitto.add_device(self.stack, "globex/press-1", ["TENT"])
        self.assertEqual(self.acl(), "user mqtt-ingest\ntopic read iot/inventory/+/delta\n\n"
                                     "user acme/press-1\ntopic write iot/inventory/TENT/delta\ntopic write iot/inventory/MUG/delta\n\n"
                                     "user globex/press-1\ntopic write iot/inventory/TENT/delta\n")
        self.assertEqual({"mqtt-ingest", "acme/press-1", "globex/press-1"}, set(self.passwords()))

    def test_a_further_sku_comes_to_the_others_and_the_password_is_new(self):
        mosquitto.prepare(self.stack, "release")
        first = mosquitto.add_device(self.stack, "acme/press-1", ["TENT"])
        stored = self.passwords()
        self.assertNotEqual(first, mosquitto.add_device(self.stack, "acme/press-1", ["MUG", "TENT"]))
        self.assertEqual(1, self.acl().count("TENT"))
        self.assertEqual(1, self.acl().count("MUG"))
        self.assertEqual(1, self.acl().count("user acme/press-1"))
        self.assertNotEqual(stored["acme/press-1"], self.passwords()["acme/press-1"])
        self.assertEqual(stored["mqtt-ingest"], self.passwords()["mqtt-ingest"])

    def test_the_next_start_keeps_the_devices(self):
        mosquitto.prepare(self.stack, "release")
        mosquitto.add_device(self.stack, "acme/press-1", ["TENT"])
        before = self.acl(), self.passwords()
        mosquitto.prepare(self.stack, "release")
        self.assertEqual(before, (self.acl(), self.passwords()))

    def test_names_cannot_say_more_than_they_should(self):
        mosquitto.prepare(self.stack, "release")
        before = self.acl()
        for name in "press-1", "acme/", "Acme/press", "acme/press\nuser x", "acme/a/b", "acme/pre:ss":
            with self.subTest(name), self.assertRaises(Failure):
                mosquitto.add_device(self.stack, name, ["TENT"])
        for sku in "", "+", "#", "TENT/delta\ntopic write #", "A B":
            with self.subTest(sku), self.assertRaises(Failure):
                mosquitto.add_device(self.stack, "acme/press-1", [sku])
        self.assertEqual(before, self.acl())

    def test_only_the_owner_reads_what_is_secret(self):
        mosquitto.prepare(self.stack, "release")
        mosquitto.add_device(self.stack, "acme/press-1", ["TENT"])
        self.assertEqual({0o600}, {path.stat().st_mode & 0o777 for path in self.folder.iterdir() if path.is_file()})


if __name__ == "__main__":
    unittest.main()
