"""OPA, which decides by the rules of deploy/opa. It listens on this machine only, and whoever asks gets decisions and nothing else."""

from . import web
from .layout import BIN, OPA, ROOT

RULES = ROOT / "deploy" / "opa"


def command(stack):
    # The tests of the rules stay outside; and nobody is told that it runs.
    return [str(BIN / "opa"), "run", "--server", "--addr", stack.address(OPA), "--authorization", "basic", "--log-level", "error",
            "--log-format", "json", "--skip-version-check", "--ignore", "*_test.rego", str(RULES)]


def answers(address):
    """It has read the rules."""
    return web.page(f"http://{address}/health") is not None
