"""Stock verifiers of webhooks: standardwebhooks, svix and stripe of npm, in a Node.js that runs as long as they are used."""

import json
import os
import pathlib
import subprocess

from support import stack

PROGRAM = pathlib.Path(__file__).with_name("verify_webhook.cjs")
PACKAGES = stack.ROOT / ".bv" / "tools" / "verifiers" / "node_modules"
NAMES = ("standardwebhooks", "svix", "stripe")
ACCEPTED = dict.fromkeys(NAMES, "")


class Verifiers:
    def __init__(self):
        self._node = subprocess.Popen([stack.TOOLS / "node", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={**os.environ, "NODE_PATH": str(PACKAGES)})

    def ask(self, secret, headers, body):
        """{name of a library: what it says against it}, "" where it accepts. `headers` have names in lower case."""
        self._node.stdin.write(json.dumps({"secret": secret, "headers": headers, "body": body}) + "\n")
        self._node.stdin.flush()
        return json.loads(self._node.stdout.readline())

    def close(self):
        self._node.stdin.close()
        self._node.wait(10)
        self._node.stdout.close()
