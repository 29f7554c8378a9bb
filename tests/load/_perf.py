"""Where processors spend their time, by Linux' perf: samples of all processes with their stacks, and what kind of work each is."""

import collections
import functools
import pathlib
import re
import subprocess
import tempfile
import typing

HERTZ = 199
STACK_BYTES = 16_384  # copied with each sample, to be unwound afterwards: libraries have no frame pointers

# What a stack is doing: in the kernel the first rule that fits any frame, elsewhere the first one that fits the innermost frame that any
# fits. A frame reads "library symbol".
KINDS = [(name, re.compile(pattern)) for name, pattern in (
    ("kernel: fsync", r"^kernel __x64_sys_(fdatasync|fsync)$"),
    ("kernel: send", r"^kernel (__x64)?_*sys_send(to|msg|mmsg)$"),
    ("kernel: receive", r"^kernel (__x64)?_*sys_recv(from|msg|mmsg)$"),
    ("kernel: wait for sockets", r"^kernel (__x64_sys_(epoll_\w+|p?poll|select|pselect6)|do_epoll_\w+|do_sys_poll)$"),
    ("kernel: threads wait and wake", r"^kernel (__x64_sys_(futex|sched_yield|clock_nanosleep)|do_futex|eventfd_\w+)$"),
    ("kernel: read, write", r"^kernel (__x64_sys_(pread64|pwrite64|lseek|openat|close)|ksys_(read|write)|do_(read|write)v|vfs_(read|write))$"),
    ("kernel: page faults", r"^kernel (asm_)?exc_page_fault$"),
    ("kernel: thread switches", r"^kernel exit_to_user_mode_loop$"),
    ("kernel: other calls", r"^kernel (__x64_sys_\w+|do_syscall_64)$"),
    ("kernel: interrupts", r"^kernel "),
    ("malloc, free", r"^libc\.so\S* (malloc|calloc|realloc|free|cfree|_int_\w+|__libc_(malloc|free|calloc|realloc))$"),
    ("mutexes", r"^libc\.so\S* (pthread_(mutex|cond)\w*|___?pthread_\w+|__lll_\w+|__futex\w*)$"),
    ("tokens", r"^(libcrypto|libcjose|libjansson)|\bbv::auth::"),
    ("protobuf", r"^libprotobuf|google::protobuf::|\bcommerce::\w+::v1::"),
    ("gRPC", r"^lib(grpc|gpr|upb|address_sorting)|^\S+ .*\bgrpc(_core|_impl)?::"),
    ("libpq, libpqxx", r"^libpq"),
    ("JSON", r"\bbv::json::|rapidjson::"),
    ("HTTP", r"\bbv::http::|boost::beast::"),
    ("telemetry", r"\bbv::telemetry::|prometheus::|spdlog::"),
    ("lanes, pools", r"\bbv::postgres::"),
    ("events", r"\bbv::events::"),
    ("own code", r"\bbv::(?!rpc::|async::|service::)\w+::"),
    ("rpc, coroutines", r"\bbv::(rpc|async|service)::|boost::asio::"),
    ("Kafka client", r"^librdkafka"),
    ("logical decoding", r"^(postgres|pgoutput\S*) (ReorderBuffer\w+|LogicalDecoding\w+|"
                         r"xact_decode|heap\d?_decode|WalSnd\w*|pgoutput\w*|StartReplication)$"),
    ("parse, plan", r"^postgres (pg_(parse|analyze|plan|rewrite)\w*|raw_parser|GetCachedPlan|"
                    r"planner|standard_planner|BuildCachedPlan|RevalidateCachedQuery)$"),
    ("commit, WAL", r"^postgres (XLog\w+|CommitTransaction\w*|RecordTransactionCommit|EndPrepare|CommandCounterIncrement|LWLock\w*)$"),
    ("triggers, constraints", r"^postgres (ExecAR\w*Triggers|ExecBR\w*Triggers|AfterTrigger\w+|RI_\w+|ExecConstraints)$"),
    ("executor: write", r"^postgres (ExecModifyTable|heap_(insert|multi_insert|update|delete|lock_tuple)|ExecInsertIndexTuples|table_tuple_\w+)$"),
    ("executor", r"^postgres (ExecutorStart|ExecutorRun|ExecutorEnd|standard_Executor\w+|ExecutorFinish|PortalRun\w*|PortalStart)$"),
    ("other of a backend", r"^postgres (PostgresMain|PostmasterMain|BackgroundWriterMain|CheckpointerMain|WalWriterMain|AutoVac\w+)$"),
    ("Java", r"^(libjvm|perf-\d+\.map|\[?anon|//anon|kafka\.jsa)"),
)]


class Sample(typing.NamedTuple):
    pid: int
    command: str
    frames: tuple  # "library symbol", the innermost first

    @property
    def idle(self):
        return self.pid == 0

    @property
    def kind(self):
        in_kernel = [frame for frame in self.frames if frame.startswith("kernel ")]
        if in_kernel:
            # The call that was made says more than the function that was reached in it.
            return next(name for name, pattern in KINDS if any(map(pattern.search, in_kernel)))
        return next(filter(None, map(_kind_of, self.frames)), "unknown")


@functools.lru_cache(maxsize=None)
def _kind_of(frame):
    return next((name for name, pattern in KINDS if pattern.search(frame)), None)


def record(seconds):
    """Samples of everything that runs on the machine. Needs the package linux-perf, and the right to watch all processes."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "perf.data"
        _perf("record", "-q", "-a", "-F", HERTZ, "--call-graph", f"dwarf,{STACK_BYTES}", "-o", data, "--", "sleep", seconds)
        return parse(_perf("script", "-i", data, "--no-inline", "-F", "comm,pid,ip,sym,dso"))


def _perf(*arguments):
    try:
        done = subprocess.run(["perf", *map(str, arguments)], capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        raise SystemExit("perf is not installed: apt-get install linux-perf") from None
    if done.returncode:
        raise SystemExit(f"perf does not work here: {done.stderr.strip()}")
    return done.stdout


HEAD = re.compile(r"^(?P<command>\S.*?)\s+(?P<pid>-?\d+)\s*$")
FRAME = re.compile(r"^\s+[0-9a-f]+ (?P<symbol>.*) \((?P<library>[^()]*)(?: \(deleted\))?\)$")


def parse(text):
    samples = []
    for block in text.split("\n\n"):
        head, *lines = block.strip("\n").split("\n")
        found = HEAD.match(head)
        if found:
            frames = tuple(_frame(match) for match in map(FRAME.match, lines) if match)
            samples.append(Sample(max(0, int(found["pid"])), found["command"], frames))
    return samples


def _frame(match):
    library = "kernel" if match["library"].startswith("[kernel") else match["library"].rpartition("/")[2]
    return f"{library} {match['symbol']}"


def folded(samples, name_of):
    """Lines for a flame graph: "process;outermost;…;innermost count"."""
    counts = collections.Counter(
        ";".join([name_of(sample), *(frame.partition(" ")[2].replace(";", ",") for frame in reversed(sample.frames))]) for sample in samples)
    return [f"{stack} {count}" for stack, count in counts.most_common()]
