"""PostgreSQL 15 as a private cluster: made, configured, and given the roles and schemas of the services."""

import os
import pathlib
import pwd
import shutil
import stat
import subprocess

from . import shell
from .console import Failure
from .layout import HOST, POSTGRES, ROOT, clone_hash, write_private

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
BOOTSTRAP = ROOT / "deploy" / "postgres" / "bootstrap.sql"
DATABASE = "bv"
SUPERUSER = "postgres"
# Login roles bv_<name>, each with a password of its own.
ROLES = ("product", "cart", "order", "inventory", "payment", "analytics", "replay", "webhook", "mail", "identity", "audit", "relay")
# The server refuses to run as root.
SYSTEM_USER = "postgres"

SETTINGS = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
wal_level = logical
fsync = on
synchronous_commit = on
max_wal_senders = 10
max_replication_slots = 10
# A relay that stays away must not fill the disk: its slot is given up first, and the relay scans the outbox again.
max_slot_wal_keep_size = '4GB'
max_wal_size = '4GB'
shared_buffers = '512MB'
max_connections = 200
jit = off
# Costs nothing until somebody asks what is executed: ALTER SYSTEM SET pg_stat_statements.track = 'top'.
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = 'none'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
cluster_name = 'bv-{stack}'
"""


def run_as():
    """Arguments for setpriv when we are root, else none. setpriv execs: pid and signals are the server's own."""
    if os.geteuid() != 0:
        return []
    group = pwd.getpwnam(SYSTEM_USER).pw_gid
    return ["--reuid", SYSTEM_USER, "--regid", str(group), "--init-groups"]


def _as_user(arguments):
    return ["setpriv", *run_as(), "--", *arguments] if run_as() else list(arguments)


def home(stack):
    """The cluster's folder: `postgres` in the stack's, which is a symbolic link where the server's user cannot get there."""
    return stack.dir / "postgres"


def prepare(stack, password):
    folder = home(stack)
    if not folder.exists():
        folder.unlink(missing_ok=True)  # a link whose target was deleted
        if run_as() and not _reaches(stack.dir):
            folder.symlink_to(_elsewhere(stack), target_is_directory=True)
        else:
            folder.mkdir(mode=0o700)
    if run_as():
        user = pwd.getpwnam(SYSTEM_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder.resolve() / "data"
    if not data.exists():
        _initdb(data, password)
    settings = data / "bv.conf"
    settings.write_text(SETTINGS.format(host=HOST, port=stack.port(POSTGRES), stack=stack.name), encoding="utf-8")
    _give(settings)


def _reaches(folder):
    return subprocess.run(_as_user(["test", "-x", str(folder)]), cwd="/", check=False).returncode == 0


def _elsewhere(stack):
    """A folder of the clone's own in /var/tmp. Everyone may write there, so one that somebody else made is refused."""
    parent = pathlib.Path("/var/tmp") / f"bv-{clone_hash()}"
    for folder, mode in ((parent, 0o711), (parent / stack.name, 0o700)):
        try:
            folder.mkdir(mode=mode)
            folder.chmod(mode)
        except FileExistsError:
            found = os.lstat(folder)
            allowed = {0, pwd.getpwnam(SYSTEM_USER).pw_uid}
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed:
                raise Failure(f"{folder} belongs to somebody else; remove it, it is where PostgreSQL's data should go.") from None
    return parent / stack.name


def _give(path):
    if run_as():
        user = pwd.getpwnam(SYSTEM_USER)
        os.chown(path, user.pw_uid, user.pw_gid)


def _initdb(data, password):
    temporary = data.with_name("data.new")
    shutil.rmtree(temporary, ignore_errors=True)
    password_file = data.with_name("initdb.password")
    write_private(password_file, password + "\n")
    _give(password_file)
    try:
        shell.run(_as_user([BINARIES / "initdb", "-D", temporary, "-U", SUPERUSER, "-A", "scram-sha-256",
                            f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--lc-collate=C"]), "initdb", cwd="/")
    finally:
        password_file.unlink()
    with open(temporary / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write("\ninclude 'bv.conf'\n")
    temporary.rename(data)


def command(stack):
    return [str(BINARIES / "postgres"), "-D", str(home(stack).resolve() / "data")]


def answers(stack):
    return shell.answer([BINARIES / "pg_isready", "-q", "-h", HOST, "-p", stack.port(POSTGRES), "-t", "1"], timeout=3) is not None


def bootstrap(stack, passwords):
    """Database, roles, schemas. Passwords go in on standard input: a command line is everyone's to read."""
    if not BOOTSTRAP.exists():
        raise Failure(f"{BOOTSTRAP.relative_to(ROOT)} is missing.")
    _psql(stack, passwords[SUPERUSER], "postgres",
          f"SELECT 'CREATE DATABASE {DATABASE}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}')\\gexec\n")
    variables = "".join(f"\\set {role}_password '{passwords[role]}'\n" for role in ROLES)
    _psql(stack, passwords[SUPERUSER], DATABASE, variables + BOOTSTRAP.read_text(encoding="utf-8"))


def _psql(stack, password, database, text):
    shell.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", HOST, "-p", stack.port(POSTGRES), "-U", SUPERUSER,
               "-d", database, "-f", "-"], "PostgreSQL bootstrap", log=stack.logs / "bootstrap.log",
              env={"PGPASSWORD": password, "PGOPTIONS": "--client-min-messages=warning"}, stdin=text.encode())


def ask(stack, password, text, database=DATABASE, variables=None):
    """The lines that a psql script prints, as the superuser; its failure is ours. `variables` are psql's."""
    arguments = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", HOST, "-p", str(stack.port(POSTGRES)), "-U", SUPERUSER,
                 "-d", database, "-f", "-"]
    for name, value in (variables or {}).items():
        arguments += ["-v", f"{name}={value}"]
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, env={**os.environ, "PGPASSWORD": password}, check=False)
    if done.returncode:
        raise Failure(done.stderr.strip())
    return done.stdout.splitlines()


def delete(stack):
    """Deletes the cluster, also where a link leads to it."""
    folder = home(stack)
    target = folder.resolve()
    shutil.rmtree(target, ignore_errors=True)
    if folder.is_symlink():
        folder.unlink()
        try:
            target.parent.rmdir()
        except OSError:
            pass  # another stack of this clone is in it
