#!/usr/bin/env python3
"""States that go both ways between Airbyte's runtime and this program, on real manifests and with the real package.

Each connector is read three times, a week apart, so that each read finds something new. The first and the last read are
one runtime's, the second one the other's: both orders. The second and third read have to give the same records as they
do where all three are one runtime's. The same from a state in the middle of the first read, as a read that was killed
leaves it. What differs has to be explained in `known.tsv`.

Manifests and the mock of their APIs lie beside the project (see `--oracle`); the package is that of the Python that runs this.
"""

import argparse
import collections
import concurrent.futures
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WEEK = 7 * 24 * 3600
OTHER = {"python": "ours", "ours": "python"}
# Python 3.11 fails so now and then, when templates are evaluated in several threads.
BY_CHANCE = "AST constructor recursion depth mismatch"
# Who reads first, second and third. The first two stay on one runtime, and are what the others are compared with.
CHAINS = [("python",) * 3, ("ours",) * 3, ("python", "ours", "python"), ("ours", "python", "ours")]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--oracle", required=True, help="the folder of oracle.py")
    options.add_argument("--binary", required=True, help="the program, dynamically linked, because the clock is set by preloading")
    options.add_argument("--all", action="store_true", help="all connectors that have a stream with a cursor")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--budget", type=float, default=400, help="seconds for a connector; default: 400")
    options.add_argument("names", nargs="*", help="connectors, in place of those of sample.txt")
    options = options.parse_args()
    sys.dont_write_bytecode = True
    sys.path.insert(0, options.oracle)
    oracle = importlib.import_module("oracle")
    if not os.path.exists(oracle.SHIM):
        source = os.path.join(options.oracle, "tools", "nowshim.c")
        subprocess.check_call(["cc", "-O2", "-shared", "-fPIC", "-o", oracle.SHIM, source])
    names = options.names or (with_cursors(oracle, options) if options.all else read_lines("sample.txt"))
    weeks = []
    try:
        for n in range(3):
            weeks.append(Week(oracle, options, oracle.NOW + n * WEEK))
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            connectors = list(pool.map(lambda name: Connector(oracle, options, weeks, name), names))
    finally:
        for week in weeks:
            week.close()
    sys.exit(tell(oracle, options, connectors))


def read_lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as lines:
        return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def golden(oracle, options, name):
    return oracle.load(os.path.join(options.oracle, "golden", f"{name}.json.gz"))


def with_cursors(oracle, options):
    names = sorted(file.removesuffix(".json.gz") for file in os.listdir(os.path.join(options.oracle, "golden")))
    return [name for name in names if "incremental" in golden(oracle, options, name)["commands"]]


def not_run():
    """The streams that the program refuses, by connector."""
    refused = collections.defaultdict(set)
    with open(os.path.join(HERE, "..", "oracle", "not_run.tsv"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, _, *streams = line.rstrip("\n").split("\t")
                refused[name].update(streams)
    return refused


class Week:
    """A time at which reads begin: the mock of that time, and both runtimes with their clocks set to it."""

    def __init__(self, oracle, options, now):
        self.oracle = oracle
        environment = dict(os.environ, ORACLE_NOW=str(now), PYTHONDONTWRITEBYTECODE="1")
        command = [sys.executable, os.path.join(options.oracle, "mock.py"), "--port", "0"]
        self.mock = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self.base = self.mock.stdout.readline().split()[-1]
        # Both take the time from here, and it is the same time of day each week, which is what comparisons look at.
        before, oracle.NOW = oracle.NOW, now
        self.environment = dict(oracle.environment())
        self.warm = oracle.Warm(oracle.WARM_REFERENCE)
        oracle.NOW = before
        self.binary = os.path.abspath(options.binary)

    def read(self, who, arguments, folder, seconds):
        """The messages of a read, and its result."""
        out, err = (os.path.join(folder, name) for name in ("stdout", "stderr"))
        if who == "python":
            command = ["warm", "reference", "read", *arguments]
            done = self.warm.run(command, folder, out, err, seconds)
            ended = "too long" if done["timed_out"] else done["rc"]
        else:
            command = [self.binary, "--source", "declarative", "read", *arguments]
            try:
                with open(out, "wb") as stdout, open(err, "wb") as stderr:
                    run = subprocess.run(
                        command, cwd=folder, env=self.environment, stdout=stdout, stderr=stderr, timeout=seconds, check=False
                    )
                ended = run.returncode
            except subprocess.TimeoutExpired:
                ended = "too long"
        with open(out, encoding="utf-8", errors="replace") as lines:
            messages = [json.loads(line) for line in lines if line.startswith("{") and line.rstrip().endswith("}")]
        return messages, ended

    def close(self):
        self.warm.close()
        self.mock.terminate()
        self.mock.wait()


class Read:
    """What a read gave: records by stream, how each stream ended, and its states in their order."""

    def __init__(self, oracle, messages, base):
        told = {}
        oracle.digest(messages, told, base, {})
        self.records = {stream: collections.Counter(found) for stream, found in told.get("records", {}).items()}
        self.statuses = {stream: each[-1] for stream, each in told.get("statuses", {}).items()}
        self.last = told.get("states", {})
        # Addresses of the mock are in a few states.
        calm = lambda state: json.loads(json.dumps(state).replace(base, oracle.mock_name()))
        self.states = collections.defaultdict(list)
        for message in messages:
            if message["type"] == "STATE" and message["state"].get("stream"):
                state = message["state"]
                self.states[oracle.descriptor(state["stream"]["stream_descriptor"])].append(calm(state))

    def end(self):
        return [states[-1] for states in self.states.values()]

    def middle(self):
        """The states at the middle of the read; a stream with one state alone had none by then."""
        return [states[(len(states) - 1) // 2] for states in self.states.values() if len(states) > 1]


class Connector:
    """The reads of a connector, and the lines of what differs, by stream."""

    def __init__(self, oracle, options, weeks, name):
        self.oracle, self.weeks, self.name = oracle, weeks, name
        self.folder = os.path.join(options.oracle, "runnable", name)
        self.until = time.monotonic() + options.budget
        known = golden(oracle, options, name)
        catalog = known["raw"].get("catalog") or {}
        left_out = set(json.loads(self.text("plan.json")).get("skip") or ()) | not_run()[name]
        self.catalog = oracle.configured(catalog, True, left_out)
        self.streams = [configured["stream"]["name"] for configured in self.catalog["streams"]]
        self.lines, self.counts, self.left_out = [], collections.Counter(), None
        if self.streams:
            try:
                self.compare()
            except TimeoutError as error:
                self.left_out = str(error)
        else:
            self.left_out = "no stream with a cursor is run"
        took = options.budget - (self.until - time.monotonic())
        print(f"{name}: {len(self.streams)} streams, {self.counts['records']} records, {took:.0f} s", flush=True)

    def text(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def read(self, who, week, states):
        """A read of one runtime, in this week, from these states."""
        if (left := self.until - time.monotonic()) <= 0:
            raise TimeoutError("it takes longer than its budget")
        week = self.weeks[week]
        with tempfile.TemporaryDirectory(prefix="exchange-") as folder:
            texts = {"manifest-path": self.text("manifest.yaml"), "config": self.text("config.json")}
            texts["catalog"] = json.dumps(self.catalog)
            if states:
                texts["state"] = json.dumps(states)
            arguments = []
            for option, text in texts.items():
                path = os.path.join(folder, "manifest.yaml" if option == "manifest-path" else f"{option}.json")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace(self.oracle.mock_name(), week.base))
                arguments += [f"--{option}", path]
            messages, ended = week.read(who, arguments, folder, left)
            for _ in range(2):
                if not any(message["type"] == "TRACE" and BY_CHANCE in json.dumps(message) for message in messages):
                    break
                messages, ended = week.read(who, arguments, folder, left)
        if ended == "too long":
            raise TimeoutError(f"a read of {who} takes longer than the budget")
        return Read(self.oracle, messages, week.base)

    def compare(self):
        firsts = {who: self.read(who, 0, None) for who in OTHER}
        self.same("first", "python", firsts["python"], "ours", firsts["ours"])
        chains = {}
        for first, second, third in CHAINS:
            reads = [firsts[first]]
            key = (first, second)
            reads.append(chains[key][1] if key in chains else self.read(second, 1, reads[-1].end()))
            reads.append(self.read(third, 2, reads[-1].end()))
            chains[key] = reads
        for who, other in OTHER.items():
            stayed, went = chains[who, who], chains[who, other]
            self.same("second", who, stayed[1], f"{who} to {other}", went[1])
            self.same("third", who, stayed[2], f"{who} to {other} and back", went[2])
            self.nothing_is_lost(who, stayed, f"{who} to {other} and back", went)
            middle = firsts[who].middle()
            stayed, went = (self.read(runtime, 1, middle) for runtime in (who, other))
            self.same("cut", who, stayed, f"{who} to {other}", went)
        for reads in chains.values():
            self.counts["records"] += sum(sum(found.values()) for read in reads for found in read.records.values())

    def same(self, which, stayed, expected, went, got):
        for stream in self.streams:
            wanted, found = (read.records.get(stream, collections.Counter()) for read in (expected, got))
            missing, extra = (wanted - found).total(), (found - wanted).total()
            if missing or extra:
                of = wanted.total()
                self.lines.append(f"{which}: {stream}: {went}: {missing} of {of} records of {stayed} missing, {extra} extra")
            ends = [read.statuses.get(stream) for read in (expected, got)]
            if ends[0] != ends[1]:
                self.lines.append(f"{which}: {stream}: {went}: {ends[1]}, and {ends[0]} on {stayed}")

    def nothing_is_lost(self, who, stayed, went, reads):
        for stream in self.streams:
            union = [set().union(*(read.records.get(stream, ()) for read in chain)) for chain in (stayed, reads)]
            if lost := union[0] - union[1]:
                self.lines.append(f"union: {stream}: {went}: {len(lost)} of {len(union[0])} records of {who} never came")


def tell(oracle, options, connectors):
    known = oracle.read_known(os.path.join(HERE, "known.tsv"))
    used, failures, counts = set(), [], collections.Counter()
    for connector in connectors:
        report = oracle.Report()
        report.lines, before = connector.lines, len(connector.lines)
        oracle.forgive(connector.name, report, [], known, used)
        failures += [f"{connector.name}: {line}" for line in report.lines]
        counts.update(connector.counts, known=before - len(report.lines), streams=len(connector.streams))
        if connector.left_out:
            print(f"left out: {connector.name}: {connector.left_out}")
            counts["left out"] += 1
    if options.all:
        failures += [f"known.tsv: nothing matches this now: {' '.join(e)}" for e in known if tuple(e) not in used]
    for failure in failures:
        print(failure)
    print(
        f"{len(connectors) - counts['left out']} connectors, {counts['streams']} streams with a cursor, {counts['records']:,} "
        f"records on four ways: {counts['known']} differences explained, {len(failures)} not"
    )
    return int(bool(failures))


if __name__ == "__main__":
    main()
