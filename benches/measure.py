"""Parts that the benchmarks share: servers, runs of a command, and their costs."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ci" / "peer"))

from connectors import ENVIRONMENT, PEER_SERVER  # noqa: E402, F401
from mock import Mock  # noqa: E402

RELEASE = ROOT / "target/release"
OURS = RELEASE / "source-http"
MOCK = RELEASE / "examples/mock_stripe"
BENCH_SERVER = RELEASE / "examples/bench_server"
# The tests' build, for benchmarks in which its speed does not matter.
SLOW_BENCH_SERVER = ROOT / "target/debug/examples/bench_server"
BENCH_SOURCE = RELEASE / "examples/bench_source"
TIME = "/usr/bin/time"
# All objects are in one window, so that requests do not depend on the day.
STRIPE = {"account_id": "acct_mock", "start_date": "2010-01-01T00:00:00Z", "slice_range": 36_500}
STRIPE |= {"client_secret": "sk_live_mock", "call_rate_limit": 1_000_000}


class BenchServer(Mock):
    """The server of the benchmarks, see `examples/bench_server`."""

    def __init__(self, binary=BENCH_SERVER):
        super().__init__(binary, [])

    def url(self, settings):
        """The address for these settings, a text such as `count=1000,pretty`."""
        return f"{self.config['url']}/{settings}"

    def stripe(self, settings):
        """A config of the Stripe source."""
        return {**STRIPE, "api_url": self.url(settings) + "/v1"}

    def record(self):
        """Starts to record requests."""
        self._send("record")

    def targets(self):
        """The targets of the requests since `record`."""
        return self._send("targets").split()


class Cost:
    """The costs of one run: seconds, CPU seconds, peak memory in megabytes, bytes written."""

    def __init__(self, wall, cpu, megabytes, written):
        self.wall = wall
        self.cpu = cpu
        self.megabytes = megabytes
        self.written = written


def measured(command, folder, memory=True):
    """The cost of a command that writes to a pipe. The output is discarded.

    GNU time measures the peak memory: the system's own figure begins with that of the process that
    starts the command, and Python is larger than our connector. If `memory` is false, GNU time is
    left out, so that it adds no time to short commands.
    """
    cost = Path(folder) / "cost"
    prefix = [TIME, "-o", str(cost), "-f", "%M"] if memory else []
    source, sink = os.pipe()
    began = time.perf_counter()
    process = subprocess.Popen(
        [*prefix, *map(str, command)],
        stdout=sink,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        close_fds=False,
    )
    os.close(sink)
    written = drain(source)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{shown(command)} ended with exit code {process.returncode}")
    megabytes = int(cost.read_text()) * 1024 / 1e6 if memory else 0
    return Cost(wall, usage.ru_utime + usage.ru_stime, megabytes, written)


def drain(source):
    """Discards the contents of a pipe without copying them. Returns the number of bytes."""
    written = 0
    with open(os.devnull, "wb") as nowhere:
        while moved := os.splice(source, nowhere.fileno(), 1 << 20):
            written += moved
    os.close(source)
    return written


def in_turn(contenders, runs):
    """The costs of each contender, a function, by its name. Runs alternate, with progress on stderr."""
    costs = {name: [] for name in contenders}
    for number in range(1, runs + 1):
        for name, run in contenders.items():
            costs[name].append(run())
            print(f"{name}, run {number}: {costs[name][-1].wall:.2f} s", file=sys.stderr)
    return costs


def output_of(command):
    """The lines that a command writes."""
    done = subprocess.run(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    if done.returncode:
        sys.stderr.write(done.stderr.decode(errors="replace")[-2000:])
        sys.exit(f"{shown(command)} ended with exit code {done.returncode}")
    return done.stdout.splitlines()


def records_of(command):
    """The number of records that a command writes. Its output may be larger than memory."""
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    ) as process:
        count = sum(is_record(line) for line in process.stdout)
    if process.returncode:
        sys.exit(f"{shown(command)} ended with exit code {process.returncode}")
    return count


def is_record(line):
    return b'"type":"RECORD"' in line[:40] or b'"type": "RECORD"' in line[:40]


def shown(command):
    return " ".join(map(str, command))


def written_to(folder, name, content):
    """Writes a file with the content, as JSON if it is not a text. Returns its path."""
    path = Path(folder) / name
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return str(path)


def catalog_of(connector, config, folder):
    """The streams in the catalog of a connector, a command."""
    command = [*connector, "discover", "--config", written_to(folder, "config.json", config)]
    messages = [json.loads(line) for line in output_of(command)]
    return next(m["catalog"]["streams"] for m in messages if m["type"] == "CATALOG")


def read_of(connector, config, streams, folder, name):
    """The command for a full refresh of these streams by a connector. `name` is for its files."""
    offered = {stream["name"]: stream for stream in catalog_of(connector, config, folder)}
    if missing := [stream for stream in streams if stream not in offered]:
        sys.exit(f"no stream {', '.join(missing)} with {shown(connector)}")
    mode = {"sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    catalog = {"streams": [{"stream": offered[stream], **mode} for stream in streams]}
    return [
        *connector,
        "read",
        *("--config", written_to(folder, f"{name}-config.json", config)),
        *("--catalog", written_to(folder, f"{name}-catalog.json", catalog)),
    ]


def median(costs, name):
    return statistics.median(getattr(cost, name) for cost in costs)


def table(columns, rows):
    """Prints a table in Markdown."""
    print(f"| {' | '.join(columns)} |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")
    print(flush=True)
