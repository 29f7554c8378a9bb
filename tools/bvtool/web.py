"""HTTP to the loopback, past any proxy of the environment."""

import http.client
import json
import urllib.error
import urllib.request

from .console import Failure

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def page(url, timeout=2):
    """The body of a GET, or None."""
    try:
        with _OPENER.open(url, timeout=timeout) as answer:
            return answer.read().decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException):
        return None


def call(method, url, body=None, headers=None, timeout=20, expect=(200, 201)):
    """The JSON answer and the headers of a REST call; another status is a Failure that shows the problem."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            status, text, answered = answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        status, text, answered = error.code, error.read().decode(errors="replace"), error.headers
    except (OSError, http.client.HTTPException) as error:
        raise Failure(f"{method} {url}: {error}") from error
    if status not in expect:
        raise Failure(f"{method} {url} answered {status}: {text.strip()[:2000]}")
    return (json.loads(text) if text.strip() else {}), answered
