#!/usr/bin/env python3
"""Tests that Airbyte's runtime and this program resume from each other's states, on real manifests and with the real package.

Each connector is read three times, a week apart, so that each read finds something new. One runtime does the first and the
third read, the other one the second, in both orders. The second and the third read must give the same records as if one
runtime did all three. So must a read from a state in the middle of the first one, which a killed read leaves. `known.tsv`
must explain every difference.

Manifests and the mock of their APIs are beside the project (see `--oracle`). The Python that runs this has the package.
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
# A random failure of Python 3.11, when several threads evaluate templates.
RANDOM_FAILURE = "AST constructor recursion depth mismatch"
# The runtimes of the first, second and third read. The others are compared with the first two, which use one runtime.
CHAINS = [("python",) * 3, ("ours",) * 3, ("python", "ours", "python"), ("ours", "python", "ours")]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--oracle", required=True, help="the folder of oracle.py")
    options.add_argument("--binary", required=True, help="the program, dynamically linked: a preloaded library sets its clock")
    options.add_argument("--all", action="store_true", help="all connectors that have a stream with a cursor")
    options.add_argument("--jobs", type=int, default=2, help="connectors that are read concurrently; default: 2")
    options.add_argument("--budget", type=float, default=400, help="seconds for a connector; default: 400")
    options.add_argument("names", nargs="*", help="connectors; default: those of sample.txt")
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
    sys.exit(print_results(oracle, options, connectors))


def read_lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as lines:
        return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def golden(oracle, options, name):
    return oracle.load(os.path.join(options.oracle, "golden", f"{name}.json.gz"))


def with_cursors(oracle, options):
    names = sorted(file.removesuffix(".json.gz") for file in os.listdir(os.path.join(options.oracle, "golden")))
    return [name for name in names if "incremental" in golden(oracle, options, name)["commands"]]


def not_run():
    """The streams that the program refuses, for each connector."""
    refused = collections.defaultdict(set)
    with open(os.path.join(HERE, "..", "oracle", "not_run.tsv"), encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, _, *streams = line.rstrip("\n").split("\t")
                refused[name].update(streams)
    return refused


class Week:
    """The time of a read: the mock of its API and both runtimes, all with their clocks set to it."""

    def __init__(self, oracle, options, now):
        self.oracle = oracle
        environment = dict(os.environ, ORACLE_NOW=str(now), PYTHONDONTWRITEBYTECODE="1")
        command = [sys.executable, os.path.join(options.oracle, "mock.py"), "--port", "0"]
        self.mock = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        self.base = self.mock.stdout.readline().split()[-1]
        # Both runtimes get this time. It is the same time of day each week, because states are compared.
        before, oracle.NOW = oracle.NOW, now
        self.environment = dict(oracle.environment())
        self.warm = oracle.Warm(oracle.WARM_REFERENCE)
        oracle.NOW = before
        self.binary = os.path.abspath(options.binary)

    def read(self, runtime, arguments, folder, seconds):
        """The messages of a read, and its exit code or "too long"."""
        out, err = (os.path.join(folder, name) for name in ("stdout", "stderr"))
        if runtime == "python":
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
    """The results of a read: for each stream its records, its last status, and its states in order."""

    def __init__(self, oracle, messages, base):
        results = {}
        oracle.digest(messages, results, base, {})
        self.records = {stream: collections.Counter(found) for stream, found in results.get("records", {}).items()}
        self.statuses = {stream: each[-1] for stream, each in results.get("statuses", {}).items()}
        self.last = results.get("states", {})
        # A few states contain the address of the mock, which differs between reads.
        without_address = lambda state: json.loads(json.dumps(state).replace(base, oracle.mock_name()))
        self.states = collections.defaultdict(list)
        for message in messages:
            if message["type"] == "STATE" and message["state"].get("stream"):
                state = message["state"]
                self.states[oracle.descriptor(state["stream"]["stream_descriptor"])].append(without_address(state))

    def end(self):
        return [states[-1] for states in self.states.values()]

    def middle(self):
        """The states in the middle of the read. A stream with only one state has none then."""
        return [states[(len(states) - 1) // 2] for states in self.states.values() if len(states) > 1]


class Connector:
    """The reads of a connector, and a line for each difference."""

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
            self.left_out = "it has no stream with a cursor that runs here"
        seconds = options.budget - (self.until - time.monotonic())
        print(f"{name}: {len(self.streams)} streams, {self.counts['records']} records, {seconds:.0f} s", flush=True)

    def text(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()

    def read(self, runtime, week, states):
        """A read by one runtime, in this week, from these states."""
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
            messages, ended = week.read(runtime, arguments, folder, left)
            for _ in range(2):
                if not any(message["type"] == "TRACE" and RANDOM_FAILURE in json.dumps(message) for message in messages):
                    break
                messages, ended = week.read(runtime, arguments, folder, left)
        if ended == "too long":
            raise TimeoutError(f"a read by {runtime} takes longer than the budget")
        return Read(self.oracle, messages, week.base)

    def compare(self):
        firsts = {runtime: self.read(runtime, 0, None) for runtime in OTHER}
        self.same("first", "python", firsts["python"], "ours", firsts["ours"])
        chains = {}
        for first, second, third in CHAINS:
            reads = [firsts[first]]
            key = (first, second)
            reads.append(chains[key][1] if key in chains else self.read(second, 1, reads[-1].end()))
            reads.append(self.read(third, 2, reads[-1].end()))
            chains[key] = reads
        for runtime, other in OTHER.items():
            alone, mixed = chains[runtime, runtime], chains[runtime, other]
            self.same("second", runtime, alone[1], f"{runtime} to {other}", mixed[1])
            self.same("third", runtime, alone[2], f"{runtime} to {other} and back", mixed[2])
            self.nothing_is_lost(runtime, alone, f"{runtime} to {other} and back", mixed)
            middle = firsts[runtime].middle()
            expected, found = (self.read(reader, 1, middle) for reader in (runtime, other))
            self.same("cut", runtime, expected, f"{runtime} to {other}", found)
        for reads in chains.values():
            self.counts["records"] += sum(sum(found.values()) for read in reads for found in read.records.values())

    def same(self, which, runtime, expected, order, found):
        """Compares two reads: the expected one of a runtime, and the one of this order of runtimes."""
        for stream in self.streams:
            counts = [read.records.get(stream, collections.Counter()) for read in (expected, found)]
            missing, extra = (counts[0] - counts[1]).total(), (counts[1] - counts[0]).total()
            if missing or extra:
                of = counts[0].total()
                self.lines.append(f"{which}: {stream}: {order}: {missing} of {of} records of {runtime} missing, {extra} extra")
            statuses = [read.statuses.get(stream) for read in (expected, found)]
            if statuses[0] != statuses[1]:
                self.lines.append(f"{which}: {stream}: {order}: {statuses[1]} instead of {statuses[0]} by {runtime}")

    def nothing_is_lost(self, runtime, expected, order, found):
        """Compares the records of all three reads together."""
        for stream in self.streams:
            union = [set().union(*(read.records.get(stream, ()) for read in chain)) for chain in (expected, found)]
            if lost := union[0] - union[1]:
                self.lines.append(f"union: {stream}: {order}: {len(lost)} of {len(union[0])} records of {runtime} missing")


def print_results(oracle, options, connectors):
    known = oracle.read_known(os.path.join(HERE, "known.tsv"))
    used, failures, counts = set(), [], collections.Counter()
    for connector in connectors:
        report = oracle.Report()
        report.lines, before = connector.lines, len(connector.lines)
        oracle.forgive(connector.name, report, [], known, used)
        failures += [f"{connector.name}: {line}" for line in report.lines]
        counts.update(connector.counts, known=before - len(report.lines), streams=len(connector.streams))
        if connector.left_out:
            print(f"skipped: {connector.name}: {connector.left_out}")
            counts["skipped"] += 1
    if options.all:
        failures += [f"known.tsv: no difference matches: {' '.join(e)}" for e in known if tuple(e) not in used]
    for failure in failures:
        print(failure)
    print(
        f"{len(connectors) - counts['skipped']} connectors, {counts['streams']} streams with a cursor, {counts['records']:,} "
        f"records in all four orders: {counts['known']} differences explained, {len(failures)} not"
    )
    return int(bool(failures))


if __name__ == "__main__":
    main()
