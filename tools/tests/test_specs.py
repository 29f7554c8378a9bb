import http.server
import socket
import threading
import unittest

import context  # noqa: F401
from bvtool import specs
from bvtool.layout import PORTS_PER_CLONE, Stack, port_base


class Page(http.server.BaseHTTPRequestHandler):
    text = ""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_message(self, *_):
        pass


class SpecsTest(unittest.TestCase):
    def setUp(self):
        self.dev = specs.of(Stack("dev"), "full", "release")
        self.test = specs.of(Stack("test"), "full", "release")

    def test_no_port_is_given_twice_and_all_are_the_clones(self):
        ports = [port for spec in self.dev + self.test for port in spec.ports]
        self.assertEqual(len(ports), len(set(ports)))
        self.assertTrue(all(0 <= port - port_base() < PORTS_PER_CLONE for port in ports))

    def test_kafka_connect_is_for_those_who_ask(self):
        cdc = specs.of(Stack("dev"), "cdc", "release")
        self.assertEqual({"connect"}, {spec.name for spec in cdc} - {spec.name for spec in specs.of(Stack("dev"), "core", "release")})
        self.assertNotIn("connect", [spec.name for spec in self.dev])
        ports = [port for spec in [*cdc, *self.test] for port in spec.ports]
        self.assertEqual(len(ports), len(set(ports)))

    def test_a_process_that_services_wait_for_at_the_end_is_a_service(self):
        # Servers are stopped when no service is left, and nobody before those that need it.
        cdc = specs.of(Stack("dev"), "cdc", "release")
        services = {spec.name for spec in cdc if spec.is_service}
        self.assertEqual([], [spec.name for spec in cdc if not spec.is_service and services & set(spec.needs)])

    def test_a_process_needs_only_what_starts_before_it(self):
        seen = set()
        for spec in self.dev:
            self.assertLessEqual(set(spec.needs), seen, spec.name)
            seen.add(spec.name)

    def test_a_peers_address_is_the_one_that_the_peer_listens_on(self):
        by_name = {spec.name: spec for spec in self.dev}
        self.assertEqual(by_name["order"].environment["BV_INVENTORY_ADDRESS"], by_name["inventory"].environment["BV_GRPC_ADDRESS"])
        self.assertEqual(by_name["gateway"].environment["BV_ORDER_ADDRESS"], by_name["order"].environment["BV_GRPC_ADDRESS"])

    def test_the_test_stack_has_two_inventories_that_their_callers_know(self):
        self.assertNotIn("inventory-2", [spec.name for spec in self.dev])
        by_name = {spec.name: spec for spec in self.test}
        both = [by_name[name] for name in ("inventory", "inventory-2")]
        self.assertEqual(both[0].command, both[1].command)
        for caller in ("order", "gateway"):
            self.assertEqual(by_name[caller].environment["BV_INVENTORY_ADDRESS"],
                             "ipv4:" + ",".join(spec.environment["BV_GRPC_ADDRESS"] for spec in both))

    def test_spans_go_to_the_collector_and_nowhere_in_the_benchmarks_stack(self):
        for specs_of, ratio in ((self.dev, "1"), (self.test, "0")):
            (collector,) = [spec for spec in specs_of if spec.name == "collector"]
            (order,) = [spec for spec in specs_of if spec.name == "order"]
            self.assertEqual((f"http://127.0.0.1:{collector.port}", ratio),
                             (order.environment["BV_OTLP_ENDPOINT"], order.environment["BV_OTLP_SAMPLE_RATIO"]))
        bench = specs.of(Stack("bench"), "full", "release")
        self.assertNotIn("collector", [spec.name for spec in bench])
        self.assertFalse([spec.name for spec in bench if "BV_OTLP_ENDPOINT" in spec.environment])

    def test_only_the_test_stack_can_be_told_to_crash(self):
        self.assertFalse([spec.name for spec in self.dev if "BIVOUAC_CRASH_FILE" in spec.environment])
        self.assertTrue(all("BIVOUAC_CRASH_FILE" in spec.environment for spec in self.test if spec.is_service))

    def test_no_secret_is_on_a_command_line_or_in_the_environment(self):
        for spec in self.dev:
            self.assertFalse([name for name in spec.environment if name.endswith("PASSWORD")], spec.name)
            self.assertNotIn("password", " ".join(spec.command), spec.name)

    def test_the_services_get_no_other_variable_of_the_caller(self):
        self.assertEqual(specs.PASSED_ON, ("BV_LOG_LEVEL", "BV_OTLP_ENDPOINT", "BV_OTLP_SAMPLE_RATIO"))


class ReadinessTest(unittest.TestCase):
    def serve(self, text):
        handler = type("OnePage", (Page,), {"text": text})
        server = http.server.HTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port

    def test_ready_is_what_the_gauge_says(self):
        for text, ready in (("# TYPE bv_ready gauge\nbv_ready 1\n", True), ('bv_ready{service="order"} 1\n', True),
                            ("bv_ready 0\n", False), ("bv_ready_since 1\n", False), ("", False), ("bv_ready 10\n", False)):
            with self.subTest(text):
                self.assertEqual(specs.reports_ready(self.serve(text)), ready)

    def test_nobody_there_is_not_ready(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.assertFalse(specs.reports_ready(port))
        self.assertFalse(specs.redis_answers(port))


if __name__ == "__main__":
    unittest.main()
