"""The API's document as the gateway serves it, and what stock tools make of it: a page in a browser, a client in TypeScript, and schemathesis,
which tries whether the gateway does what the document says."""

import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

from support import http as rest, stack, wait
from support.browser import Browser
from support.generated import PROTOS
from support.shop import Shop, unique

TOOLS = stack.ROOT / ".bv" / "tools"
NODE = TOOLS / "bin" / "node"
PACKAGES = TOOLS / "api" / "node_modules"
OURS = pathlib.Path(__file__).with_name("api_document")
SCHEMATHESIS = TOOLS / "venv" / "bin" / "schemathesis"
EXAMPLES = 3  # of an operation, made by chance; a number and no time, so that every machine tries the same ones


def ask(path, method="GET", **headers):
    """(answer, its body as it was sent)."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(stack.env("BV_GATEWAY_URL")).netloc, timeout=30)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack.await_ready("gateway")

    def test_is_the_one_that_is_checked_in(self):
        answer, body = ask("/openapi.json")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(body, (PROTOS / "openapi.json").read_bytes())

    def test_is_sent_once_and_packed(self):
        answer, body = ask("/openapi.json", Accept_Encoding="gzip")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(body), (PROTOS / "openapi.json").read_bytes())
        self.assertLess(len(body), 60_000)
        self.assertEqual(ask("/openapi.json", If_None_Match=answer.headers["ETag"])[0].status, 304)
        self.assertEqual(ask("/openapi.json", If_None_Match='"another"')[0].status, 200)

    def test_has_no_other_method(self):
        for path in ("/openapi.json", "/docs", "/healthz", "/readyz"):
            answer, body = ask(path, "POST")
            self.assertEqual((answer.status, json.loads(body)["code"]), (405, "METHOD_NOT_ALLOWED"), path)
            self.assertIn("GET", answer.headers["Allow"])
            answer, body = ask(path, "HEAD")
            self.assertEqual((answer.status, body), (200, b""), path)


class Page(unittest.TestCase):
    def setUp(self):
        stack.await_ready("gateway")
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.gateway = stack.env("BV_GATEWAY_URL")

    def test_lets_one_try_calls_and_asks_nobody_else(self):
        shop = Shop()
        self.addCleanup(shop.close)
        product = shop.product(25.00)
        self.browser.go(f"{self.gateway}/docs#/Products/getProduct")
        operations = wait.until(lambda: self.browser.run("return document.querySelectorAll('.opblock-tag').length"), 30, "the page")
        self.assertGreater(operations, 8)
        wait.until(lambda: self.browser.run("return !!document.querySelector('#operations-Products-getProduct .execute')"), 30, "the call")
        self.browser.run("""
            window.violations = [];
            document.addEventListener('securitypolicyviolation', event => window.violations.push(event.violatedDirective));
            const set = (row, value) => {
                const input = [...document.querySelectorAll('#operations-Products-getProduct tr[data-param-name]')]
                    .find(one => one.dataset.paramName === row).querySelector('input');
                Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, value);
                input.dispatchEvent(new Event('input', {bubbles: true}));
                input.dispatchEvent(new Event('focusout', {bubbles: true}));
            };
            set('productId', arguments[0]);
            set('X-Tenant-Id', arguments[1]);""", product["productId"], shop.tenant)
        self.browser.run("document.querySelector('#operations-Products-getProduct .execute').click()")
        shown = wait.until(lambda: self.browser.run(
            "const live = document.querySelector('#operations-Products-getProduct .live-responses-table'); return live && live.innerText"), 20, "the answer")
        self.assertIn("200", shown)
        self.assertIn(product["sku"], shown)
        self.assertEqual(self.browser.run("return window.violations"), [])
        asked = self.browser.run("return performance.getEntriesByType('resource').map(entry => entry.name)")
        self.assertGreater(len(asked), 4)
        self.assertEqual([], [url for url in asked if not url.startswith((f"{self.gateway}/", "data:"))])
        if os.environ.get("BIVOUAC_SCREENSHOT"):
            pathlib.Path(os.environ["BIVOUAC_SCREENSHOT"]).write_bytes(self.browser.screenshot())

    def test_shows_every_call(self):
        document = json.loads((PROTOS / "openapi.json").read_text(encoding="utf-8"))
        wanted = sum(len(item) for item in document["paths"].values())
        self.browser.go(f"{self.gateway}/docs")
        wait.until(lambda: self.browser.run("return document.querySelectorAll('.opblock-tag').length"), 30, "the page")
        self.browser.run("document.querySelectorAll('.opblock-tag[data-is-open=\"false\"]').forEach(tag => tag.click())")
        wait.until(lambda: self.browser.run("return document.querySelectorAll('.opblock').length") == wanted, 20, f"{wanted} calls")
        self.assertEqual([], self.browser.run("return [...document.querySelectorAll('.errors-wrapper')].map(one => one.innerText)"))

    def test_may_not_be_framed_nor_run_what_is_not_ours(self):
        answer, _ = ask("/docs")
        self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
        self.browser.go(f"{self.gateway}/docs")
        self.browser.run("""
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.appendChild(script);""")
        self.assertIsNone(self.browser.run("return window.ran"))


class TypeScript(unittest.TestCase):
    def test_a_generated_client_orders(self):
        stack.await_ready()
        shop = Shop()
        self.addCleanup(shop.close)
        with tempfile.TemporaryDirectory(prefix="bv-api-client-") as folder:
            folder = pathlib.Path(folder)
            for name in ("order.ts", "tsconfig.json"):
                shutil.copy(OURS / name, folder)
            (folder / "node_modules").symlink_to(PACKAGES)
            (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
            (folder / "openapi.json").write_bytes(ask("/openapi.json")[1])
            self.run_node(folder, "openapi-typescript/bin/cli.js", "openapi.json", "-o", "api.d.ts")
            self.run_node(folder, "typescript/bin/tsc", "-p", ".")
            said = json.loads(self.run_node(folder, folder / "order.js", GATEWAY=stack.env("BV_GATEWAY_URL"), STAFF_TOKEN=shop.token("STAFF", "sam"),
                                            CUSTOMER_TOKEN=shop.token()))
            self.assertTrue(said.pop("productId").startswith("prd_"))
            self.assertEqual(said, {"cartTotal": 259, "placed": "PENDING", "again": [True, "true"],
                                    "read": ["PAID", "PAID", 259, [[True, 2, 129.5]]], "missing": [404, "ORDER_NOT_FOUND"]})
            # The types are those of the document: what it does not have does not compile.
            wrong = (folder / "order.ts").read_text(encoding="utf-8").replace("placed.status", "placed.state")
            (folder / "order.ts").write_text(wrong, encoding="utf-8")
            with self.assertRaisesRegex(AssertionError, "'state' does not exist"):
                self.run_node(folder, "typescript/bin/tsc", "-p", ".")

    def run_node(self, folder, script, *arguments, **variables):
        done = subprocess.run([str(NODE), str(PACKAGES / script), *arguments], cwd=folder, env={"PATH": os.environ["PATH"], **variables},
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr)[-3000:])
        return done.stdout


class Schemathesis(unittest.TestCase):
    def test_the_gateway_does_what_the_document_says(self):
        stack.await_ready()
        tenant = unique("schemathesis")
        with tempfile.TemporaryDirectory(prefix="bv-schemathesis-") as folder:
            folder = pathlib.Path(folder)
            (folder / "openapi.json").write_text(json.dumps(strict(json.loads(ask("/openapi.json")[1]))), encoding="utf-8")
            done = subprocess.run(
                [str(SCHEMATHESIS), "run", "openapi.json", "--url", stack.env("BV_GATEWAY_URL"), "--seed", "7", "--max-examples", str(EXAMPLES), "--workers", "1",
                 "--phases", "examples,coverage,fuzzing", "--no-color", "--no-shrink", "--generation-database", "none",
                 # Ours is stricter with what cannot be read, and leaves the rules of the shop (404, 409, 422) alone.
                 "--exclude-checks", "positive_data_acceptance",
                 "-H", f"Authorization: Bearer {stack.token('ADMIN', tenant, 'sam')}"],
                cwd=folder, env={**os.environ, "SCHEMATHESIS_HOOKS": "checks", "PYTHONPATH": str(OURS), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True, text=True, check=False, timeout=240)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said[:12000])
        (cases,) = re.findall(r"(\d+) generated", said)
        self.assertGreater(int(cases), 500)


def strict(document):
    """Answers with fields that are not described count as wrong here. No call asks for some fields only, nor names a tenant, which would be another's."""
    for schema in document["components"]["schemas"].values():
        if schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
    left_out = [{"$ref": f"#/components/parameters/{name}"} for name in ("Fields", "TenantId")]
    for item in document["paths"].values():
        for operation in item.values():
            operation["parameters"] = [one for one in operation.get("parameters", ()) if one not in left_out]
    return document


if __name__ == "__main__":
    unittest.main()
