#!/usr/bin/env python3
"""Compares real manifests with the recorded results of Airbyte's runtime, stream by stream.

The manifests, the mock of their APIs, the recordings and the tool that compares two captures are beside the project (see
`--oracle`). That tool compares whole connectors. This script compares streams, because some need components that do not run
yet: `not_run.tsv` lists them. Every other stream must be equal, except for the differences that `known.tsv` explains. With
`--all`, the lists and the page must be current, too.
"""

import argparse
import collections
import importlib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "compatibility-connectors.md")
# A full refresh, an incremental sync without a state, and another one from its state.
READS = ["read", "incremental", "incremental_again"]
COMMANDS = ["spec", "discover", "check", *READS]
# The name of a connector's check among its streams.
CHECK = "(check)"
OF_A_CHILD = re.compile(r"incremental(_again)?: missing \d+ requests ")
NOT_RUN = re.compile(r"needs a component that does not run here yet: (.*)", re.S)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", help="the program, dynamically linked: a preloaded library sets its clock")
    options.add_argument("--oracle", required=True, help="the folder of oracle.py")
    options.add_argument("--all", action="store_true", help="all connectors; the lists and the page must be current")
    options.add_argument("--write", action="store_true", help="with --all: write the list and the page")
    options.add_argument("--captures", help="a folder for captures; without --binary, the folder of earlier captures")
    options.add_argument("--jobs", type=int, default=2, help="connectors that run concurrently; default: 2")
    options.add_argument("names", nargs="*", help="connectors; default: those of sample.txt")
    options = options.parse_args()
    sys.dont_write_bytecode = True
    sys.path.insert(0, options.oracle)
    oracle = importlib.import_module("oracle")

    golden = os.path.join(options.oracle, "golden")
    names = options.names
    if options.all:
        names = sorted(file.removesuffix(".json.gz") for file in os.listdir(golden))
    elif not names:
        names = read_sample()
    with tempfile.TemporaryDirectory() as folder:
        captures = options.captures or folder
        if options.binary:
            capture(options, golden, captures, names, folder)
        connectors = [Connector(oracle, golden, captures, name) for name in names]
    sys.exit(print_results(options, connectors))


def read_sample():
    with open(os.path.join(HERE, "sample.txt"), encoding="utf-8") as lines:
        return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def capture(options, golden, captures, names, folder):
    listed = os.path.join(folder, "names.txt")
    with open(listed, "w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in names)
    program = f"{os.path.abspath(options.binary)} --source declarative {{command}}"
    parts = ["config {config}", "catalog {catalog}", "state {state}", "manifest-path {manifest}"]
    command = [sys.executable, os.path.join(options.oracle, "oracle.py"), "capture", "--list", listed, "--golden", golden]
    command += ["--out", captures, "--commands", ",".join(COMMANDS), "--jobs", str(options.jobs), "--budget", "90"]
    command += ["--impl", program + "".join(f" [--{part}]" for part in parts)]
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    with open(os.path.join(folder, "log.txt"), "w+", encoding="utf-8") as log:
        if subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False).returncode:
            log.seek(0)
            sys.exit(f"The capture failed:\n{log.read()[-3000:]}")


class Connector:
    """The captures of a connector by both, and their differences."""

    def __init__(self, oracle, golden, captures, name):
        self.oracle, self.name = oracle, name
        path = os.path.join(captures, f"{name}.json.gz")
        self.golden = oracle.load(os.path.join(golden, f"{name}.json.gz"))
        self.got = oracle.load(path) if os.path.exists(path) else {"commands": {}, "records": {}}
        self.streams = sorted(self.catalog(self.golden))
        listed = self.catalog(self.got)
        # Why streams do not run, and the differences, both by stream. None is the connector as a whole.
        self.not_run = {stream: self.why_not_run(stream) for stream in self.streams if stream not in listed}
        self.not_run = {stream: why for stream, why in self.not_run.items() if why}
        refused = NOT_RUN.search(self.got["commands"].get("check", {}).get("message") or "")
        if refused:
            self.not_run[CHECK] = component(refused[1])
        self.differs = {None: self.compare_whole()}
        for stream in self.streams:
            if stream not in self.not_run:
                self.differs[stream] = self.compare_stream(stream)

    @staticmethod
    def catalog(side):
        return side["commands"].get("discover", {}).get("catalog") or {}

    def why_not_run(self, stream):
        for command in (*READS, "discover"):
            for error in self.got["commands"].get(command, {}).get("errors", []):
                refused = NOT_RUN.search(error["message"])
                if error["stream"] == stream and refused:
                    return component(refused[1])
        # The recorded reads leave out a few streams.
        recorded = self.golden["commands"].get("read", {}).get("statuses", {})
        return None if stream in recorded else "the recorded reads leave it out"

    def compare_stream(self, stream):
        """The differences of a stream, a line each, without those of a check that does not run here."""
        sides = []
        for side in (self.golden, self.got):
            commands = {}
            for name, result in side["commands"].items():
                if name == "spec" or name == "check" and CHECK in self.not_run:
                    continue
                result = dict(result, rc=0, control=0, spec=None, status=None, message="")
                result["errors"] = [error for error in result["errors"] if error["stream"] == stream]
                if "catalog" in result:
                    result["catalog"] = {key: value for key, value in result["catalog"].items() if key == stream}
                commands[name] = result
            sides.append(dict(side, commands=commands))
        lines = self.oracle.compare(*sides, COMMANDS, [stream]).lines
        # The recorded runtime may request this stream's pages for a child that does not run here.
        return [line for line in lines if not (self.not_run and OF_A_CHILD.match(line))]

    def compare_whole(self):
        """The differences that belong to no listed stream, a line each."""
        sides = []
        for side in (self.golden, self.got):
            commands = {}
            for name, result in side["commands"].items():
                if name == "check" and CHECK in self.not_run:
                    continue
                result = dict(result, catalog={}, records={}, states={}, statuses={})
                result["errors"] = [error for error in result["errors"] if error["stream"] is None]
                # Requests of listed streams are compared with the stream.
                result["requests"] = [r for r in result["requests"] if r.get("stream") not in self.streams]
                # A discover that finds no stream fails, because an empty catalog would look like an empty account.
                if name == "discover" and self.not_run and not self.catalog(self.got):
                    result.update(rc=0, control=0, errors=[])
                # Parents that are not listed are requested also for streams that do not run here.
                if name in READS and self.not_run:
                    result.update(rc=0, control=0, errors=[], requests=[])
                commands[name] = result
            sides.append(dict(side, commands=commands))
        lines = self.oracle.compare(*sides, COMMANDS).lines
        extra = sorted(set(self.catalog(self.got)) - set(self.streams))
        return lines + ([f"discover: extra streams: {', '.join(extra)}"] if extra else [])

    def explain(self, known, used):
        """Removes the known differences. Returns the headings that explain them, by stream."""
        explained = {}
        for stream, lines in self.differs.items():
            report = self.oracle.Report()
            report.lines = lines
            found = set()
            self.oracle.forgive(self.name, report, [], known, found)
            self.differs[stream] = report.lines
            used |= found
            # A stream is not counted as different for a difference of all connectors.
            headings = sorted({entry[2] for entry in found if entry[0] != "*"})
            if headings and not report.lines:
                explained[stream] = headings
        return explained


def component(reasons):
    """The component that a stream needs, by the first reason. The other reasons follow from it."""
    reason = re.split(r": (?=\w+(?:\[|\.|\b))|; |\. The other", reasons)[0]
    return reason.strip().removeprefix("the ").rstrip(".:")


def print_results(options, connectors):
    known = connectors[0].oracle.read_known(os.path.join(HERE, "known.tsv"))
    used, failures, counts = set(), [], collections.Counter()
    explained = {c.name: c.explain(known, used) for c in connectors}
    listed = read_not_run()
    for connector in connectors:
        before = listed.get(connector.name, {})
        for stream, lines in connector.differs.items():
            failures += [f"{connector.name}: {stream or 'as a whole'}: {line}" for line in lines]
        for stream, why in connector.not_run.items():
            if stream not in before and not options.write:
                failures.append(f"{connector.name}: {stream} does not run, and is not in not_run.tsv: {why}")
        for stream in sorted(set(before) - set(connector.not_run)):
            line = f"{connector.name}: {stream} runs now. `ORACLE_WRITE=1 .ci/run oracle_all` removes it from not_run.tsv."
            failures.append(line) if options.all and not options.write else print(line)
        counts.update(streams=len(connector.streams), not_run=len(set(connector.not_run) - {CHECK}))
        counts["different"] += sum(bool(lines) for stream, lines in connector.differs.items() if stream)
        counts["known"] += len(set(explained[connector.name]) - {None})
    equal = counts["streams"] - counts["not_run"] - counts["different"] - counts["known"]
    if options.all:
        unused = [entry for entry in known if tuple(entry) not in used]
        failures += [f"known.tsv: no difference matches: {' '.join(entry)}" for entry in unused]
        failures += current(options, not_run_text(connectors), os.path.join(HERE, "not_run.tsv"))
        failures += current(options, page(connectors, explained, counts, equal), PAGE)
    for failure in failures:
        print(failure)
    print(
        f"{len(connectors)} connectors, {counts['streams']} streams: {equal} equal, {counts['known']} different on purpose, "
        f"{counts['not_run']} not run yet, {counts['different']} different"
    )
    return int(bool(failures))


def read_not_run():
    listed = collections.defaultdict(dict)
    path = os.path.join(HERE, "not_run.tsv")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    name, why, *streams = line.rstrip("\n").split("\t")
                    listed[name].update(dict.fromkeys(streams, why))
    return listed


def by_reason(not_run):
    reasons = collections.defaultdict(list)
    for stream, why in not_run.items():
        reasons[why].append(stream)
    return sorted(reasons.items())


def not_run_text(connectors):
    lines = ["# Streams that do not run yet: connector, component of the first reason, streams. Written by oracle_all.\n"]
    for connector in connectors:
        lines += ["\t".join([connector.name, why, *streams]) + "\n" for why, streams in by_reason(connector.not_run)]
    return "".join(lines)


def current(options, text, path):
    if options.write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return []
    path = os.path.normpath(path)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return []
    return [f"{path} is not current. `ORACLE_WRITE=1 .ci/run oracle_all` writes it."]


def link(heading):
    return f"[{heading}](compatibility.md#{heading.lower().replace(' ', '-')})"


def page(connectors, explained, counts, equal):
    total = counts["streams"]
    reasons = collections.Counter(
        why for c in connectors for stream, why in c.not_run.items() if stream != CHECK
    )
    lines = [
        "# Connectors\n\n",
        "This page compares real manifests here and on Airbyte's Python runtime (airbyte-cdk 7.39.1). Both read each stream to its\n",
        "end from a mock of its API. The comparison covers the catalog entry, records, requests, status and state of each stream,\n",
        "and the result of `check`.\n",
        "`ORACLE_WRITE=1 .ci/run oracle_all` writes this page.\n\n",
        f"{len(connectors)} connectors have {total:,} streams. {equal:,} are equal, {counts['known']} differ on purpose, "
        f"{counts['not_run']:,} do not run yet. Differences that every stream has are not counted: see\n"
        f"{link('Slices and states')}.\n\n",
        "| streams that do not run yet | what they need first |\n| ---: | --- |\n",
    ]
    lines += [f"| {count} | {why} |\n" for why, count in sorted(reasons.items(), key=lambda r: (-r[1], r[0]))]
    lines += ["\n| connector | streams | equal | not run yet | different on purpose |\n| --- | ---: | ---: | --- | --- |\n"]
    for connector in connectors:
        not_run = {stream: why for stream, why in connector.not_run.items() if stream != CHECK}
        why = "; ".join(f"{len(streams)}: {why}" for why, streams in by_reason(not_run))
        on_purpose = "; ".join(
            f"{stream or 'as a whole'}: {', '.join(map(link, headings))}"
            for stream, headings in explained[connector.name].items()
        )
        differs = sum(bool(lines) for stream, lines in connector.differs.items() if stream)
        same = len(connector.streams) - len(not_run) - differs - len(set(explained[connector.name]) - {None})
        lines.append(f"| {connector.name} | {len(connector.streams)} | {same} | {why} | {on_purpose} |\n")
    return "".join(lines)


if __name__ == "__main__":
    main()
