"""What a stack consists of: every process, how it is started, when it is ready, and what it needs before."""

import dataclasses
import os
import pathlib
import re
import signal
import socket
import typing

from . import connect, credentials, kafka, mosquitto, opa, postgres, rabbitmq, registry, web
from .layout import (API_TOOLS, BIN, CONNECT, GATEWAY_HTTP, GRAPHQL_HTTP, HOST, KAFKA_CLIENTS, KAFKA_CONTROLLER, METRICS_OFFSET, MOSQUITTO, NOTIFICATION_2_HTTP, NOTIFICATION_HTTP, OPA, OTLP_GRPC, OTLP_HTTP,
                     PAYMENT_REST,
                     PAYMENT_SOAP, POSTGRES, RABBITMQ, RABBITMQ_DISTRIBUTION, RABBITMQ_EPMD, REDIS, REGISTRY_HTTP, REGISTRY_MANAGEMENT, ROOT, SMTP, VENV,
                     build_dir)

# `cdc` is `core` with Kafka Connect.
PROFILES = ("core", "full", "cdc")
# The stack whose tests break things: it has the replicas, and its services end themselves at the point that this file of its names.
TEST = "test"
CRASH_FILE = "crash"
# In it, what a crash leaves is taken up within seconds; the carts of one tenant, which only their own suite uses, hold stock; the days of another
# tenant begin elsewhere; and inventory lives in other time zones than everybody else, its process as well as its sessions of PostgreSQL.
TEST_SETTINGS = {
    "inventory": {"BV_INVENTORY_ORPHAN_INTERVAL": "1s", "BV_INVENTORY_ORPHAN_GRACE": "15s", "TZ": "Pacific/Kiritimati",
                  "PGTZ": "America/St_Johns"},
    "cart": {"BV_CART_HOLD_ITEMS": "cart-holds"},
    "analytics": {"BV_ANALYTICS_TIME_ZONES": "analytics-elsewhere=Pacific/Kiritimati"},
    "mailer": {"BV_MAIL_RETRY_PAUSE": "200ms", "BV_MAIL_LEASE": "3s", "BV_SMTP_TIMEOUT": "2s"},
    "replay": {"BV_ANALYTICS_TIME_ZONES": "analytics-elsewhere=Pacific/Kiritimati", "BV_REPLAY_LEASE": "2s"},
    "product": {"BV_OPA_TIMEOUT": "1s"},
    "order": {"BV_OPA_TIMEOUT": "1s", "BV_ORDER_PROCESS_LEASE": "2s", "BV_ORDER_RECOVER_INTERVAL": "200ms"},
    "payment-adapter": {"BV_GATEWAY_LEASE": "2s", "BV_GATEWAY_ATTEMPT_TIMEOUT": "1s", "BV_SOAP_PROCESSING_MAX": "2s",
                        "BV_REST_PROCESSING_MAX": "2s"},
    "payment-gateway-simulator": {"BV_GATEWAY_PROCESSING_MAX": "2s"},
    "notification": {"BV_WEBSOCKET_RECONNECT_JITTER": "1s", "BV_SSE_RECONNECT_JITTER": "1s", "BV_SSE_RETRY": "200ms",
                     "BV_SSE_HEARTBEAT_INTERVAL": "1s"},
    "webhook-dispatcher": {"BV_DELIVERY_DELAYS": "500ms,1s,1500ms,2s,2500ms", "BV_EGRESS_TIMEOUT": "2s", "BV_BREAKER_OPEN_FOR": "1s"},
}
# The benchmarks' clients are all at one address.
BENCH = "bench"
BENCH_SETTINGS = {
    "notification": {"BV_WEBSOCKET_CONNECTIONS_PER_ADDRESS_MAX": "100000", "BV_SSE_CONNECTIONS_PER_ADDRESS_MAX": "100000"},
}
MAIL_SINK = pathlib.Path(__file__).with_name("mail_sink.py")
COLLECTOR = pathlib.Path(__file__).with_name("collector.py")
# Of the traces that begin in a stack's services. Whoever develops wants to see each, and a test says which it wants; the benchmarks' stack has no
# collector.
SAMPLE_RATIO = {TEST: "0"}
# Settings that a person may give to every service of a stack; no other BV_ variable of the caller's reaches them.
PASSED_ON = ("BV_LOG_LEVEL", "BV_OTLP_ENDPOINT", "BV_OTLP_SAMPLE_RATIO")


@dataclasses.dataclass
class Spec:
    """One process. `needs` are the processes that have to be ready before its first start; `awaited` says whether the stack is ready only
    when it is."""

    name: str
    command: typing.List[str]
    ports: typing.Dict[int, str]
    ready: typing.Callable[[], bool]
    needs: typing.Tuple[str, ...] = ()
    environment: typing.Dict[str, str] = dataclasses.field(default_factory=dict)
    is_service: bool = False
    profile: str = "core"
    awaited: bool = True
    run_as: typing.List[str] = dataclasses.field(default_factory=list)
    after_ready: typing.Callable[[], None] = lambda: None
    stop_signal: int = signal.SIGTERM
    stop_patience: float = 30.0
    probe_interval: float = 2.0

    @property
    def port(self):
        return next(iter(self.ports))


@dataclasses.dataclass(frozen=True)
class Service:
    """One line of the fleet. `peers` are the services it calls; `postgres` is its role's name behind `bv_`."""

    name: str
    offset: int
    postgres: typing.Optional[str] = None
    peers: typing.Tuple[str, ...] = ()
    needs: typing.Tuple[str, ...] = ()
    kafka: bool = False
    redis: bool = False
    rabbitmq: bool = False
    mqtt: bool = False  # subscribes at Mosquitto, and keeps on disk what comes
    mails: bool = False  # calls the mail relay
    local_receivers: bool = False  # may send to receivers on this machine, which production refuses
    topics: bool = False  # makes the topics
    policy: bool = False  # asks OPA
    http: typing.Optional[int] = None  # the offset of its HTTP port
    node: bool = False  # a program of Node.js: no executable, and no gRPC of its own
    forwards_to: typing.Optional[str] = None  # hands single requests on to that service's HTTP
    tunnels_to: typing.Optional[str] = None  # hands whole connections on to that service's HTTP
    signs: bool = False  # makes tokens of its own to call its peers
    shows_docs: bool = False  # has the page of the API's documentation
    plays_gateways: bool = False  # listens where the payment gateways are
    pays: bool = False  # calls the payment gateways
    checks_tokens: bool = True  # and so has to hear which were revoked
    read_models: bool = False  # makes the rows of analytics, as the role that owns them
    profile: str = "core"
    replica_of: typing.Optional[str] = None  # a second process of that service, in the test stack only


# In the order of their start. The relay owns the outbox that the others write to, so it is first.
FLEET = (
    Service("outbox-relay", 16, postgres="relay", needs=("postgres", "kafka"), kafka=True, topics=True, checks_tokens=False),
    Service("product", 11, postgres="product", signs=True, policy=True, peers=("inventory",), needs=("outbox-relay",), kafka=True, redis=True),
    Service("inventory", 14, postgres="inventory", signs=True, peers=("product", "order"), needs=("outbox-relay",), kafka=True, redis=True),
    Service("inventory-2", 18, postgres="inventory", signs=True, peers=("product", "order"), needs=("inventory",), kafka=True, redis=True,
            replica_of="inventory"),
    Service("cart", 12, postgres="cart", peers=("product",), needs=("outbox-relay",), kafka=True),
    Service("payment-gateway-simulator", 7, plays_gateways=True, checks_tokens=False),
    Service("payment-adapter", 17, postgres="payment", pays=True, needs=("outbox-relay", "payment-gateway-simulator")),
    Service("order", 13, postgres="order", signs=True, policy=True, peers=("product", "inventory", "cart", "payment-adapter"), needs=("outbox-relay",),
            kafka=True, redis=True),
    Service("analytics", 19, postgres="analytics", needs=("outbox-relay",), kafka=True),
    Service("identity", 53, postgres="identity", needs=("outbox-relay",)),
    Service("mailer", 50, postgres="mail", signs=True, peers=("order",), mails=True, needs=("outbox-relay", "mail-sink"), kafka=True),
    Service("audit-trail", 57, postgres="audit", needs=("outbox-relay",), kafka=True),
    Service("replay", 20, postgres="replay", read_models=True, needs=("analytics",), kafka=True),
    Service("notification", 21, peers=("order",), needs=("outbox-relay",), kafka=True, http=NOTIFICATION_HTTP),
    Service("notification-2", 25, peers=("order",), needs=("notification",), kafka=True, http=NOTIFICATION_2_HTTP, replica_of="notification"),
    Service("mqtt-ingest", 23, mqtt=True, needs=("outbox-relay", "mosquitto"), kafka=True, checks_tokens=False),
    Service("webhook-dispatcher", 22, postgres="webhook", local_receivers=True, needs=("outbox-relay", "rabbitmq"), kafka=True, rabbitmq=True),
    Service("webhook-dispatcher-2", 28, postgres="webhook", local_receivers=True, needs=("webhook-dispatcher",), kafka=True, rabbitmq=True,
            replica_of="webhook-dispatcher"),
    Service("graphql", GRAPHQL_HTTP, node=True, peers=("product", "inventory"), needs=("product", "inventory"), redis=True, http=GRAPHQL_HTTP),
    Service("gateway", 15, peers=("product", "inventory", "cart", "order", "payment-adapter", "analytics", "identity", "mailer", "audit-trail", "webhook-dispatcher"),
            needs=("product", "inventory", "cart", "order", "payment-adapter", "analytics", "identity", "mailer", "audit-trail", "webhook-dispatcher"),
            redis=True, http=GATEWAY_HTTP, tunnels_to="notification", forwards_to="graphql", shows_docs=True),
)


def fleet(stack):
    """The services of a stack, in the order of their start."""
    return [line for line in FLEET if line.replica_of is None or stack.name == TEST]


def target(stack, service):
    """The address of all replicas of a service, as gRPC takes it."""
    addresses = [stack.address(line.offset) for line in fleet(stack) if service in (line.name, line.replica_of)]
    return addresses[0] if len(addresses) == 1 else "ipv4:" + ",".join(addresses)


def grpc_offset(service):
    return next(line.offset for line in FLEET if line.name == service)


def metrics_port(stack, service):
    return stack.port(grpc_offset(service) + METRICS_OFFSET)


def of(stack, profile, preset):
    """The processes of a profile, in the order of their start."""
    specs = [*servers(stack), _mosquitto(stack), *(_service(stack, line, preset) for line in fleet(stack))]
    if profile == "full":
        return specs
    core = [spec for spec in specs if spec.profile == "core"]
    return [*core, _connect(stack)] if profile == "cdc" else core


def _mosquitto(stack):
    # Not among the servers, since it loads a plugin that is built with the services.
    return Spec("mosquitto", mosquitto.command(stack), {stack.port(MOSQUITTO): "Mosquitto"},
                lambda: mosquitto.answers(stack.port(MOSQUITTO)), probe_interval=10.0)


def _connect(stack):
    # Started after the services, whose tables it reads, and stopped before them, as a service.
    return Spec("connect", connect.command(stack), {stack.port(CONNECT): "Kafka Connect"}, lambda: connect.answers(stack),
                needs=("order", "inventory", "product"), environment=connect.environment(stack), is_service=True,
                after_ready=lambda: connect.start_cdc(stack), probe_interval=10.0)


def servers(stack):
    redis = stack.dir / "redis"
    broker = stack.dir / "kafka"
    return [
        Spec("postgres", postgres.command(stack), {stack.port(POSTGRES): "PostgreSQL"}, lambda: postgres.answers(stack),
             run_as=postgres.run_as(), after_ready=lambda: postgres.bootstrap(stack, credentials.passwords(stack)),
             stop_signal=signal.SIGINT, probe_interval=5.0),  # SIGINT: roll back what runs and end ("fast")
        Spec("redis", ["redis-server", str(redis / "redis.conf")], {stack.port(REDIS): "Redis"},
             lambda: redis_answers(stack.port(REDIS)), probe_interval=5.0),
        Spec("kafka", kafka.command(broker), {stack.port(KAFKA_CLIENTS): "Kafka", stack.port(KAFKA_CONTROLLER): "Kafka's controller"},
             lambda: kafka.answers(stack.address(KAFKA_CLIENTS)), probe_interval=10.0),
        Spec("rabbitmq-epmd", rabbitmq.epmd_command(stack), {stack.port(RABBITMQ_EPMD): "RabbitMQ's port mapper"},
             lambda: rabbitmq.answers(stack.port(RABBITMQ_EPMD)), probe_interval=10.0),
        Spec("rabbitmq", [rabbitmq.SERVER],
             {stack.port(RABBITMQ): "RabbitMQ", stack.port(RABBITMQ_DISTRIBUTION): "RabbitMQ's Erlang node"},
             lambda: rabbitmq.answers(stack.port(RABBITMQ)), needs=("rabbitmq-epmd",), environment=rabbitmq.environment(stack),
             probe_interval=10.0),
        Spec("mail-sink", [str(VENV / "bin" / "python"), "-B", str(MAIL_SINK), HOST, str(stack.port(SMTP)), str(stack.dir / "mails")],
             {stack.port(SMTP): "mail sink, SMTP"}, lambda: greets(stack.port(SMTP)), probe_interval=10.0),
        Spec("opa", opa.command(stack), {stack.port(OPA): "OPA"}, lambda: opa.answers(stack.address(OPA)), probe_interval=5.0),
        *_collector(stack),
        # Nothing that runs asks it anything: it serves deployments and consumers.
        Spec("registry", registry.command(stack.dir / "registry"),
             {stack.port(REGISTRY_HTTP): "schema registry", stack.port(REGISTRY_MANAGEMENT): "schema registry's own"},
             lambda: registry.answers(stack.address(REGISTRY_HTTP)), awaited=False, probe_interval=10.0),
    ]


def _collector(stack):
    if stack.name == BENCH:
        return []
    ports = {stack.port(OTLP_HTTP): "collector of spans, HTTP", stack.port(OTLP_GRPC): "collector of spans, gRPC"}
    command = [str(VENV / "bin" / "python"), "-B", str(COLLECTOR), HOST, *map(str, ports), stack.address(KAFKA_CLIENTS)]
    return [Spec("collector", command, ports, lambda: accepts(stack.port(OTLP_HTTP)), needs=("kafka",), probe_interval=10.0)]


REDIS_SETTINGS = """\
bind {host}
port {port}
protected-mode yes
daemonize no
dir "{data}"
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
loglevel notice
"""


def prepare_servers(stack, preset):
    """Makes the data folders and the configuration; what is there is kept."""
    postgres.prepare(stack, credentials.password(stack, postgres.SUPERUSER))
    redis = stack.dir / "redis"
    (redis / "data").mkdir(parents=True, exist_ok=True)
    (redis / "redis.conf").write_text(
        REDIS_SETTINGS.format(host=HOST, port=stack.port(REDIS), data=redis / "data"), encoding="utf-8")
    kafka.prepare(stack.dir / "kafka", stack.port(KAFKA_CLIENTS), stack.port(KAFKA_CONTROLLER))
    rabbitmq.prepare(stack, credentials.password(stack, credentials.RABBITMQ))
    mosquitto.prepare(stack, preset)
    registry.prepare(stack.dir / "registry", stack.port(REGISTRY_HTTP), stack.port(REGISTRY_MANAGEMENT))


def _service(stack, line, preset):
    metrics = stack.port(line.offset + METRICS_OFFSET)
    ports = {metrics: f"{line.name}, metrics"}
    settings = {"BV_METRICS_ADDRESS": f"{HOST}:{metrics}"}
    if line.node:
        # Developers look at the schema, and production hides it.
        settings.update({"NODE_ENV": "production", "BV_GRAPHQL_PRODUCTION": "false"})
    else:
        ports = {stack.port(line.offset): f"{line.name}, gRPC", **ports}
        settings.update({"BV_GRPC_ADDRESS": stack.address(line.offset), "BV_AUTH_JWKS_FILE": str(stack.jwks),
                         "BV_AUTH_DEVELOPMENT": "true", "BV_AUTH_ISSUER": credentials.ISSUER, "BV_AUTH_AUDIENCE": credentials.AUDIENCE})
    if line.http:
        ports = {stack.port(line.http): f"{line.name}, HTTP", **ports}
        settings["BV_HTTP_ADDRESS"] = stack.address(line.http)
    if line.tunnels_to:
        addresses = [stack.address(other.http) for other in fleet(stack) if line.tunnels_to in (other.name, other.replica_of)]
        settings[f"BV_{line.tunnels_to.upper()}_HTTP_ADDRESSES"] = ",".join(addresses)
    if line.forwards_to:
        settings[f"BV_{line.forwards_to.upper()}_HTTP_ADDRESS"] = stack.address(next(other.http for other in FLEET if other.name == line.forwards_to))
    if line.shows_docs:
        settings["BV_DOCS_FOLDER"] = str(API_TOOLS / "node_modules" / "swagger-ui-dist")
    if line.plays_gateways:
        ports.update({stack.port(PAYMENT_SOAP): f"{line.name}, SOAP", stack.port(PAYMENT_REST): f"{line.name}, REST"})
        settings.update({"BV_SOAP_ADDRESS": stack.address(PAYMENT_SOAP), "BV_REST_ADDRESS": stack.address(PAYMENT_REST),
                         "BV_LEDGER_DIRECTORY": str(stack.dir / line.name)})
    if line.pays:
        settings.update({"BV_SOAP_URL": f"http://{stack.address(PAYMENT_SOAP)}/", "BV_REST_URL": f"http://{stack.address(PAYMENT_REST)}/"})
    if line.signs:
        settings["BV_AUTH_SIGNING_KEY_FILE"] = str(stack.jwks)
    if line.postgres:
        settings["BV_POSTGRES_URL"] = f"postgresql://bv_{line.postgres}@{stack.address(POSTGRES)}/{postgres.DATABASE}"
        settings["BV_POSTGRES_PASSWORD_FILE"] = str(credentials.password_file(stack, line.postgres))
    if line.read_models:
        settings["BV_READ_MODELS_POSTGRES_URL"] = f"postgresql://bv_analytics@{stack.address(POSTGRES)}/{postgres.DATABASE}"
        settings["BV_READ_MODELS_POSTGRES_PASSWORD_FILE"] = str(credentials.password_file(stack, "analytics"))
    if line.kafka:
        settings["BV_KAFKA_BROKERS"] = stack.address(KAFKA_CLIENTS)
    if line.checks_tokens and not line.node:
        settings["BV_ACCESS_BROKERS"] = stack.address(KAFKA_CLIENTS)
    if line.redis:
        settings["BV_REDIS_URL"] = f"redis://{stack.address(REDIS)}/0"
    if line.policy:
        settings["BV_OPA_ADDRESS"] = stack.address(OPA)
    if line.mails:
        settings.update({"BV_SMTP_ADDRESS": stack.address(SMTP), "BV_SMTP_ENCRYPTION": "none",
                         "BV_MAIL_LINK_SECRET_FILE": str(credentials.password_file(stack, credentials.MAIL_LINKS))})
    if line.local_receivers:
        settings.update({"BV_EGRESS_PRODUCTION": "false", "BV_EGRESS_ALLOW_PRIVATE": "127.0.0.0/8"})
    if line.mqtt:
        settings.update({"BV_MQTT_ADDRESS": stack.address(MOSQUITTO), "BV_JOURNAL_DIRECTORY": str(stack.dir / line.name),
                         "BV_MQTT_PASSWORD_FILE": str(credentials.password_file(stack, credentials.MQTT)),
                         "BV_MQTT_ACCOUNT_KEY_FILE": str(credentials.password_file(stack, credentials.MQTT_ACCOUNT_KEY))})
    if line.rabbitmq:
        settings["BV_RABBITMQ_ADDRESS"] = stack.address(RABBITMQ)
        settings["BV_RABBITMQ_PASSWORD_FILE"] = str(credentials.password_file(stack, credentials.RABBITMQ))
    if line.topics:
        settings["BV_KAFKA_TOPICS_FILE"] = str(ROOT / "deploy" / "kafka" / "topics.yaml")
        settings["BV_KAFKA_SCHEMA_IDS_FILE"] = str(stack.schema_ids)
    elif line.kafka:
        settings["BV_KAFKA_INSTANCE_ID"] = line.name
    for peer in line.peers:
        settings[f"BV_{peer.upper().replace('-', '_')}_ADDRESS"] = target(stack, peer)
    if stack.name == TEST:
        settings["BIVOUAC_CRASH_FILE"] = str(stack.dir / CRASH_FILE)
        settings.update(TEST_SETTINGS.get(line.replica_of or line.name, {}))
    if stack.name == BENCH:
        settings.update(BENCH_SETTINGS.get(line.name, {}))
    else:
        settings.update({"BV_OTLP_ENDPOINT": f"http://{stack.address(OTLP_HTTP)}", "BV_OTLP_SAMPLE_RATIO": SAMPLE_RATIO.get(stack.name, "1")})
    settings.update({name: os.environ[name] for name in PASSED_ON if name in os.environ})
    name = line.replica_of or line.name
    command = [str(BIN / "node"), str(ROOT / "services" / name / "main.js")] if line.node else [str(build_dir(preset) / "bin" / name)]
    return Spec(line.name, command, ports, lambda: reports_ready(metrics),
                needs=line.needs, environment=settings, is_service=True, profile=line.profile, stop_patience=40.0)


def redis_answers(port):
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def accepts(port):
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def greets(port):
    """An SMTP server begins to talk."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            return connection.recv(16).startswith(b"220")
    except OSError:
        return False


def reports_ready(port):
    """A service is ready when its metrics page says `bv_ready 1`."""
    text = web.page(f"http://{HOST}:{port}/metrics")
    return re.search(r"^bv_ready(\{[^}]*\})? 1(\.0*)?\s*$", text or "", re.MULTILINE) is not None
