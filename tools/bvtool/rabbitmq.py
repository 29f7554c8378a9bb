"""RabbitMQ as a private node: Erlang's own files, name and ports are the stack's, and so is the port mapper (epmd) that a node registers at."""

import secrets
import socket

from .layout import HOST, RABBITMQ, RABBITMQ_DISTRIBUTION, RABBITMQ_EPMD, make_private, write_private

# Not Debian's wrapper in /usr/sbin, which insists on the user and the folders of the package.
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
# The one account; what it may do is everything in the one virtual host.
USER = "bv_webhook"

# The log of quorum queues is kept in memory as well, until it is this large; the default is 512 MB.
SETTINGS = """\
listeners.tcp.local = {host}:{port}
default_user = {user}
default_pass = {password}
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
vm_memory_high_watermark.absolute = 384MB
disk_free_limit.absolute = 200MB
raft.wal_max_size_bytes = 33554432
log.console = true
log.console.level = warning
log.file = false
"""


def _folder(stack):
    return stack.dir / "rabbitmq"


def prepare(stack, password):
    """Writes the configuration. The account is made at the first start, with the data."""
    folder = make_private(_folder(stack))
    write_private(folder / "rabbitmq.conf", SETTINGS.format(host=HOST, port=stack.port(RABBITMQ), user=USER, password=password))
    write_private(folder / "enabled_plugins", "[].\n")
    # What lets one Erlang node talk to another.
    cookie = folder / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, secrets.token_hex(20))
        cookie.chmod(0o400)


def environment(stack):
    folder = _folder(stack)
    return {
        "HOME": str(folder), "ERL_EPMD_PORT": str(stack.port(RABBITMQ_EPMD)), "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_NODENAME": f"bv-{stack.name}@localhost", "RABBITMQ_DIST_PORT": str(stack.port(RABBITMQ_DISTRIBUTION)),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"), "RABBITMQ_PID_FILE": str(folder / "pid"),
        # The mapper is a process of the stack: one that the node started would outlive it.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
        # The script becomes the node instead of staying its parent, so that pid and signals are the node's own.
        "RUNNING_UNDER_SYSTEMD": "true",
    }


def epmd_command(stack):
    return ["epmd", "-address", HOST, "-port", str(stack.port(RABBITMQ_EPMD))]


def answers(port):
    """A listener is there when the node has started, and not before. It takes a connection that says nothing for a look at its health."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
        return True
    except OSError:
        return False
