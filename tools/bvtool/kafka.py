"""Kafka in KRaft mode: one process, broker and controller."""

import base64
import pathlib
import secrets

from . import shell
from .console import Failure
from .layout import HOST, KAFKA

# The tiered compiler's first stage alone starts faster, and this broker never lives long enough to want the second.
JVM = ["-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=192m",
       "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true"]

LOG4J = """\
log4j.rootLogger=WARN, out
log4j.logger.kafka.server.KafkaRaftServer=INFO
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1} %m%n
"""

# The short session lets a killed broker come back in 4 s instead of 11: the controller waits for the old session to end.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{clients},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{clients}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
log.segment.bytes=67108864
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
"""


def java_home():
    homes = sorted(pathlib.Path("/usr/lib/jvm").glob("java-17-openjdk-*"))
    if not homes:
        raise Failure("No Java 17 below /usr/lib/jvm; the package openjdk-17-jre-headless brings it.")
    return homes[0]


def java():
    return java_home() / "bin" / "java"


def class_path():
    # Sorted, because the class archive holds for one order only.
    return ":".join(str(jar) for jar in sorted((KAFKA / "jars").glob("*.jar")))


def prepare(folder, clients, controller):
    """Writes the configuration, and formats the data folder if that was not done."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    (folder / "log4j.properties").write_text(LOG4J, encoding="utf-8")
    (folder / "server.properties").write_text(
        SETTINGS.format(host=HOST, clients=clients, controller=controller, data=data), encoding="utf-8")
    (folder / "java.args").write_text(
        "\n".join([f'-cp "{class_path()}"', f'"-Dlog4j.configuration=file:{folder / "log4j.properties"}"']), encoding="utf-8")
    if not (data / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        shell.run([java(), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"@{folder / 'java.args'}",
                   "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", folder / "server.properties"], "Kafka format")


def command(folder, record=None):
    """The broker's command line. `record` names a class archive to write at exit; else the one of set-up is used."""
    archive = KAFKA / "kafka.jsa"
    if record:
        share = [f"-XX:ArchiveClassesAtExit={record}"]
    else:
        share = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
    return [str(part) for part in [java(), *JVM, *share, f"@{folder / 'java.args'}", "kafka.Kafka", folder / "server.properties"]]


def answers(brokers):
    """The port opens before the broker can serve: ready is when it answers for metadata."""
    return shell.answer(["kcat", "-b", brokers, "-L", "-m", "2", "-X", "log_level=0"], timeout=5) is not None


def make_topic(brokers, name, partitions):
    """A topic that no service makes, by Kafka's own tool."""
    shell.run([java(), "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", class_path(), "org.apache.kafka.tools.TopicCommand",
               "--bootstrap-server", brokers, "--create", "--topic", name, "--partitions", partitions], f"topic {name}")
