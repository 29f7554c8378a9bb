"""What a stack keeps secret: passwords, and the key that signs development tokens. Made once, files of mode 0600."""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid

from . import postgres
from .console import Failure
from .layout import make_private, write_private

ISSUER = "https://issuer.bivouac.dev"
AUDIENCE = "bivouac"
RABBITMQ = "rabbitmq"
MQTT = "mqtt-ingest"  # the account of mqtt-ingest at Mosquitto
MQTT_ACCOUNT_KEY = "mqtt-account-key"  # what Mosquitto puts beside the account of whoever published a message
MAIL_LINKS = "mail-links"  # signs the links to unsubscribe
ROLES = ("CUSTOMER", "STAFF", "ADMIN", "SERVICE", "OPERATOR")
DEMO_TENANT, DEMO_USER = "demo", "demo-user"


def create(stack):
    make_private(stack.secrets)
    for name in (postgres.SUPERUSER, *postgres.ROLES, RABBITMQ, MQTT, MQTT_ACCOUNT_KEY, MAIL_LINKS):
        if not password_file(stack, name).exists():
            write_private(password_file(stack, name), secrets.token_hex(24) + "\n")
    if not stack.jwks.exists():
        key = {"kty": "oct", "kid": "dev", "alg": "HS256", "k": _base64url(secrets.token_bytes(32))}
        write_private(stack.jwks, json.dumps({"keys": [key]}) + "\n")


def password_file(stack, name):
    return stack.secrets / f"{name}.password"


def password(stack, name):
    return password_file(stack, name).read_text(encoding="ascii").strip()


def passwords(stack):
    return {name: password(stack, name) for name in (postgres.SUPERUSER, *postgres.ROLES)}


def _base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(stack, role, tenant=DEMO_TENANT, user=DEMO_USER, lifetime=12 * 3600):
    """A JWT of the development issuer, signed with the stack's key (HS256). `lifetime` in seconds; negative: expired. An operator's has no
    tenant."""
    try:
        (key,) = json.loads(stack.jwks.read_text(encoding="utf-8"))["keys"]
    except FileNotFoundError:
        raise Failure(f"The stack `{stack.name}` has no signing key yet: `tools/bv up` makes it.") from None
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": user, "tenant": tenant, "role": role,
              "iat": min(now, now + lifetime), "exp": now + lifetime, "jti": str(uuid.uuid4())}
    if role == "OPERATOR":
        del claims["tenant"]
    header = {"alg": key["alg"], "typ": "JWT", "kid": key["kid"]}
    signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    secret = base64.urlsafe_b64decode(key["k"] + "=" * (-len(key["k"]) % 4))
    return f"{signed}.{_base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
