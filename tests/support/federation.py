"""A stock Apollo gateway that composes our GraphQL service with a subgraph of its own, in a Node.js that runs as long as it is used."""

import json
import os
import pathlib
import subprocess

from support import stack

PROGRAM = pathlib.Path(__file__).with_name("federation.cjs")
PACKAGES = stack.ROOT / ".bv" / "tools" / "graphql" / "node_modules"


class Federation:
    def __init__(self, tenant):
        self._node = subprocess.Popen([stack.TOOLS / "node", PROGRAM, stack.env("BV_GATEWAY_URL") + "/graphql", tenant],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env={**os.environ, "NODE_PATH": str(PACKAGES)})

    def ask(self, query):
        self._node.stdin.write(json.dumps({"query": query}) + "\n")
        self._node.stdin.flush()
        return json.loads(self._node.stdout.readline())

    def close(self):
        self._node.stdin.close()
        self._node.wait(10)
        self._node.stdout.close()
