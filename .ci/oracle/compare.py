#!/usr/bin/env python3
"""Real manifests against the recorded answers of Airbyte's runtime, stream by stream.

The manifests, the mock of their APIs, the answers and the tool that compares two captures lie beside the project (see
`--oracle`). That tool gives a verdict for a connector; here one is given for each stream, because some need components that
are not run yet. `not_run.tsv` says which, and each other stream has to be equal, but for what `known.tsv` explains. So a
stream that was equal and is no more is a failure, and with `--all` so is a list or a page that is no longer true.
"""

import argparse
import collections
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "compatibility-connectors.md")
# A full refresh, an incremental sync without a state, and one with the state that came out of that.
READS = ["read", "incremental", "incremental_again"]
COMMANDS = ["spec", "discover", "check", *READS]
# Stands for the check of a connector among its streams.
CHECK = "(check)"
OF_A_CHILD = re.compile(r"incremental(_again)?: missing \d+ requests ")
NOT_RUN = re.compile(r"needs a component that does not run here yet: (.*)", re.S)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", help="the program, dynamically linked, because the clock is set by preloading")
    options.add_argument("--oracle", required=True, help="the folder of oracle.py")
    options.add_argument("--all", action="store_true", help="all connectors, and the lists and the page have to be current")
    options.add_argument("--write", action="store_true", help="with --all: write the list and the page")
    options.add_argument("--captures", help="a folder for what is captured; without --binary, of what was captured")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("names", nargs="*", help="connectors, in place of those of sample.txt")
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
    sys.exit(tell(options, connectors))


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
    """What both did with a connector, and the verdicts on it."""

    def __init__(self, oracle, golden, captures, name):
        self.oracle, self.name = oracle, name
        path = os.path.join(captures, f"{name}.json.gz")
        self.golden = oracle.load(os.path.join(golden, f"{name}.json.gz"))
        self.got = oracle.load(path) if os.path.exists(path) else {"commands": {}, "records": {}}
        self.streams = sorted(self.catalog(self.golden))
        listed = self.catalog(self.got)
        # Which streams are not run, and why; and the lines of what differs, by stream. None is the connector as a whole.
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
        # The run of the oracle leaves out a few streams, and not all of them are in the catalog that it reads.
        asked = self.golden["commands"].get("read", {}).get("statuses", {})
        return None if stream in asked else "the recorded reads leave it out"

    def compare_stream(self, stream):
        """All lines about a stream. A check reads it only if it has it in common with the golden one."""
        sides = []
        for side in (self.golden, self.got):
            commands = {}
            for name, said in side["commands"].items():
                if name == "spec" or name == "check" and CHECK in self.not_run:
                    continue
                said = dict(said, rc=0, control=0, spec=None, status=None, message="")
                said["errors"] = [error for error in said["errors"] if error["stream"] == stream]
                if "catalog" in said:
                    said["catalog"] = {key: value for key, value in said["catalog"].items() if key == stream}
                commands[name] = said
            sides.append(dict(side, commands=commands))
        lines = self.oracle.compare(*sides, COMMANDS, [stream]).lines
        # A stream that is not run may be a child of this one, and have its pages asked for.
        return [line for line in lines if not (self.not_run and OF_A_CHILD.match(line))]

    def compare_whole(self):
        """All lines that are about no stream that is listed."""
        sides = []
        for side in (self.golden, self.got):
            commands = {}
            for name, said in side["commands"].items():
                if name == "check" and CHECK in self.not_run:
                    continue
                said = dict(said, catalog={}, records={}, states={}, statuses={})
                said["errors"] = [error for error in said["errors"] if error["stream"] is None]
                # Streams that are parents alone are asked for streams that are not run, too.
                said["requests"] = [r for r in said["requests"] if r.get("stream") not in self.streams]
                # A discover that would list nothing fails, because an empty catalog would look like an empty account.
                if name == "discover" and self.not_run and not self.catalog(self.got):
                    said.update(rc=0, control=0, errors=[])
                if name in READS and self.not_run:
                    said.update(rc=0, control=0, errors=[], requests=[])
                commands[name] = said
            sides.append(dict(side, commands=commands))
        lines = self.oracle.compare(*sides, COMMANDS).lines
        extra = sorted(set(self.catalog(self.got)) - set(self.streams))
        return lines + ([f"discover: extra streams: {', '.join(extra)}"] if extra else [])

    def forgive(self, known, used):
        """Takes what is known out of the differences. Gives the places that explain it, by stream."""
        forgiven = {}
        for stream, lines in self.differs.items():
            report = self.oracle.Report()
            report.lines = lines
            found = set()
            self.oracle.forgive(self.name, report, [], known, found)
            self.differs[stream] = report.lines
            used |= found
            # What differs for all connectors makes no stream different.
            places = sorted({entry[2] for entry in found if entry[0] != "*"})
            if places and not report.lines:
                forgiven[stream] = places
        return forgiven


def component(reasons):
    """The component that a stream needs, of the first reason: it is one that the others follow from."""
    reason = re.split(r": (?=\w+(?:\[|\.|\b))|; |\. The other", reasons)[0]
    return reason.strip().removeprefix("the ").rstrip(".:")


def tell(options, connectors):
    known = connectors[0].oracle.read_known(os.path.join(HERE, "known.tsv"))
    used, failures, counts = set(), [], collections.Counter()
    forgiven = {c.name: c.forgive(known, used) for c in connectors}
    listed = read_not_run()
    for connector in connectors:
        before = listed.get(connector.name, {})
        for stream, lines in connector.differs.items():
            failures += [f"{connector.name}: {stream or 'as a whole'}: {line}" for line in lines]
        for stream, why in connector.not_run.items():
            if stream not in before and not options.write:
                failures.append(f"{connector.name}: {stream} is not run, and not in not_run.tsv: {why}")
        for stream in sorted(set(before) - set(connector.not_run)):
            line = f"{connector.name}: {stream} is run now. `ORACLE_WRITE=1 .ci/run oracle_all` takes it out of not_run.tsv."
            failures.append(line) if options.all and not options.write else print(line)
        counts.update(streams=len(connector.streams), not_run=len(set(connector.not_run) - {CHECK}))
        counts["different"] += sum(bool(lines) for stream, lines in connector.differs.items() if stream)
        counts["known"] += len(set(forgiven[connector.name]) - {None})
    equal = counts["streams"] - counts["not_run"] - counts["different"] - counts["known"]
    if options.all:
        unused = [entry for entry in known if tuple(entry) not in used]
        failures += [f"known.tsv: nothing matches this now: {' '.join(entry)}" for entry in unused]
        failures += current(options, not_run_text(connectors), os.path.join(HERE, "not_run.tsv"))
        failures += current(options, page(connectors, forgiven, counts, equal), PAGE)
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
    lines = ["# Streams that are not run yet: connector, the component that the first reason names, streams. Written by oracle_all.\n"]
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


def page(connectors, forgiven, counts, equal):
    total = counts["streams"]
    reasons = collections.Counter(
        why for c in connectors for stream, why in c.not_run.items() if stream != CHECK
    )
    lines = [
        "# Connectors\n\n",
        "The results of real manifests here. Each stream is read to its end from a mock of its API, and its catalog entry,\n",
        "records, requests, status and state are compared with what Airbyte's Python runtime (airbyte-cdk 7.39.1) gave for the\n",
        "same; so is the verdict of `check`. `.ci/run oracle_all` compares, and writes this page with `ORACLE_WRITE=1`.\n\n",
        f"{len(connectors)} connectors have {total:,} streams. {equal:,} are equal, {counts['known']} differ on purpose, "
        f"{counts['not_run']:,} are not run yet. Not counted is what differs for each stream: see\n"
        f"{link('Slices and states')}.\n\n",
        "| streams not run yet | need first |\n| ---: | --- |\n",
    ]
    lines += [f"| {count} | {why} |\n" for why, count in sorted(reasons.items(), key=lambda r: (-r[1], r[0]))]
    lines += ["\n| connector | streams | equal | not run yet | different on purpose |\n| --- | ---: | ---: | --- | --- |\n"]
    for connector in connectors:
        not_run = {stream: why for stream, why in connector.not_run.items() if stream != CHECK}
        why = "; ".join(f"{len(streams)}: {why}" for why, streams in by_reason(not_run))
        on_purpose = "; ".join(
            f"{stream or 'as a whole'}: {', '.join(map(link, places))}" for stream, places in forgiven[connector.name].items()
        )
        differs = sum(bool(lines) for stream, lines in connector.differs.items() if stream)
        same = len(connector.streams) - len(not_run) - differs - len(set(forgiven[connector.name]) - {None})
        lines.append(f"| {connector.name} | {len(connector.streams)} | {same} | {why} | {on_purpose} |\n")
    return "".join(lines)


if __name__ == "__main__":
    main()
