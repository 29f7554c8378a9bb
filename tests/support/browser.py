"""A browser without a window: Chromium, led by chromedriver over the WebDriver protocol (W3C)."""

import base64
import json
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request

from support import wait

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """One with a profile of its own."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._profile = tempfile.TemporaryDirectory(prefix="bv-browser-", ignore_cleanup_errors=True)
        self._driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self._url = f"http://127.0.0.1:{port}"
        try:
            wait.until(self._is_ready, 30, "chromedriver")
            options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
                                "--disable-background-networking", "--window-size=900,600", f"--user-data-dir={self._profile.name}"]}
            session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}})
            self._session = f"/session/{session['sessionId']}"
        except Exception:
            self._end()
            raise

    def _is_ready(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except OSError:
            return False

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(self._url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with _DIRECT.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[:2000]) from error

    def go(self, url):
        self._ask("POST", f"{self._session}/url", {"url": url})

    def run(self, script, *arguments):
        """The body of a JavaScript function; returns what it returns."""
        return self._ask("POST", f"{self._session}/execute/sync", {"script": script, "args": list(arguments)})

    def screenshot(self):
        """PNG."""
        return base64.b64decode(self._ask("GET", f"{self._session}/screenshot"))

    def close(self):
        try:
            self._ask("DELETE", self._session)
        finally:
            self._end()

    def _end(self):
        self._driver.terminate()
        self._driver.wait()
        self._profile.cleanup()
