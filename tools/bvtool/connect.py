"""Kafka Connect with Debezium, for the profile `cdc` and for its own suite: one worker, which keeps its connectors and positions in topics."""

import json
import os
import secrets

from . import credentials, kafka, postgres, web
from .console import Failure
from .layout import CONNECT, DEBEZIUM, HOST, KAFKA_CLIENTS, POSTGRES, ROOT, write_private

CONNECTORS = ROOT / "deploy" / "connect"
CDC = "cdc"
JVM = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true"]
# Where the connectors look for passwords, in a deployment; here it is a file of the stack's.
SECRETS_FILE = "/etc/bivouac/connect.properties"

# Debezium is loud at WARN about what it does not use.
LOG4J = """\
log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1} %m%n
"""

SETTINGS = """\
bootstrap.servers={brokers}
listeners=http://{address}
rest.advertised.host.name={host}
group.id=connect
config.storage.topic=connect.configs
offset.storage.topic=connect.offsets
status.storage.topic=connect.status
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
offset.storage.partitions=1
status.storage.partitions=1
scheduled.rebalance.max.delay.ms=0
offset.flush.interval.ms=1000
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
plugin.path={plugins}
plugin.discovery=service_load
config.providers=env,file
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
config.providers.env.param.allowlist.pattern=BV_CONNECT_.*
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
config.providers.file.param.allowed.paths={folder}
"""


def folder(stack):
    return stack.dir / "connect"


def secrets_file(stack):
    return folder(stack) / "secrets.properties"


def cdc_password(stack):
    """Made with its first use: only the profile `cdc` has this role."""
    file = credentials.password_file(stack, CDC)
    if not file.exists():
        write_private(file, secrets.token_hex(24) + "\n")
    return credentials.password(stack, CDC)


def prepare(stack):
    folder(stack).mkdir(parents=True, exist_ok=True)
    write_private(secrets_file(stack), f"relay={credentials.password(stack, 'relay')}\n{CDC}={cdc_password(stack)}\n")
    (folder(stack) / "log4j.properties").write_text(LOG4J, encoding="utf-8")
    (folder(stack) / "worker.properties").write_text(
        SETTINGS.format(brokers=stack.address(KAFKA_CLIENTS), address=stack.address(CONNECT), host=HOST, plugins=DEBEZIUM,
                        folder=folder(stack)), encoding="utf-8")


def command(stack):
    log4j = folder(stack) / "log4j.properties"
    return [str(part) for part in [kafka.java(), *JVM, f"-Dlog4j.configuration=file:{log4j}", "-cp", kafka.class_path(),
                                   "org.apache.kafka.connect.cli.ConnectDistributed", folder(stack) / "worker.properties"]]


def environment(stack):
    return {"BV_CONNECT_POSTGRES_HOST": HOST, "BV_CONNECT_POSTGRES_PORT": str(stack.port(POSTGRES)),
            "BV_CONNECT_POSTGRES_DATABASE": postgres.DATABASE}


def become(stack):
    """Turns this process into a worker beside a running stack that has none; for the tests and benchmarks that want one."""
    prepare(stack)
    os.execve(kafka.java(), command(stack), {**os.environ, **environment(stack)})


def url(stack):
    return f"http://{stack.address(CONNECT)}"


def answers(stack):
    """The port opens before the worker has read its topics: ready is when it lists connectors."""
    return web.page(f"{url(stack)}/connectors") is not None


def prepare_cdc(stack):
    """The role and the publication of the change topics. What is there stays."""
    password = cdc_password(stack)
    text = f"\\set cdc_password '{password}'\n" + (CONNECTORS / "cdc.sql").read_text(encoding="utf-8")
    postgres.ask(stack, credentials.password(stack, postgres.SUPERUSER), text)


def start_cdc(stack):
    """What the profile `cdc` is for. What is there stays."""
    prepare_cdc(stack)
    put(stack, config(stack, "cdc"))


def config(stack, name):
    """A connector of deploy/connect, with the stack's own secrets."""
    text = (CONNECTORS / f"{name}.json").read_text(encoding="utf-8")
    if SECRETS_FILE not in text:
        raise Failure(f"{name}.json does not look for its password in {SECRETS_FILE}.")
    return json.loads(text.replace(SECRETS_FILE, str(secrets_file(stack))))


def put(stack, connector):
    web.call("PUT", f"{url(stack)}/connectors/{connector['name']}/config", connector["config"], timeout=90)


def status(stack, name):
    """{state of the connector and of its tasks} as Connect's REST API has it, {} while it does not know."""
    return json.loads(web.page(f"{url(stack)}/connectors/{name}/status") or "{}")


def delete(stack, name):
    web.call("DELETE", f"{url(stack)}/connectors/{name}", timeout=90, expect=(204,))


def stop(stack, name):
    """Ends its tasks, which a pause does not; its positions stay."""
    web.call("PUT", f"{url(stack)}/connectors/{name}/stop", expect=(204,))


def resume(stack, name):
    web.call("PUT", f"{url(stack)}/connectors/{name}/resume", expect=(202,))
