"""Power cuts: a service of the test stack ends itself at the crash point that is armed, once."""

import pathlib

from support import stack


def _file():
    return pathlib.Path(stack.env("BV_JWKS_FILE")).parent / "crash"


def arm(point):
    """Whole at once, so that nobody reads half a name."""
    temporary = _file().with_name("crash.new")
    temporary.write_text(point + "\n", encoding="utf-8")
    temporary.rename(_file())


def armed():
    return _file().exists()


def disarm():
    _file().unlink(missing_ok=True)
