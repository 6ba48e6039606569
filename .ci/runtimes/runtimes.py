#!/usr/bin/env python3
"""Runs our own manifests on both runtimes: those of `examples/manifests/` with components that real connectors seldom have
(jobs with results in gzip and in a ZIP archive, streams that the API lists), and one with a Python class, which this program
hands over.

The first ones must give the same catalog, records, statuses and states, in a read and in the next one from its states. The
last one must give the same lines and exit code as the runtime by itself. The Python that runs this has the package.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

from apis import EXAMPLES, Notes

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RUNTIME = os.path.join(os.path.dirname(sys.executable), "source-declarative-manifest")
SECONDS = 300

CLASS = '''
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor


@dataclass
class NamedNotes(RecordExtractor):
    def extract_records(self, response: requests.Response) -> Iterable[Mapping[str, Any]]:
        for name, note in response.json()["notes"].items():
            yield {"name": name, **note}
'''
EXTRACTOR = {"type": "CustomRecordExtractor", "class_name": "source_declarative_manifest.components.NamedNotes"}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", required=True, help="the program")
    options = options.parse_args()
    commands = {"python": [RUNTIME], "ours": [os.path.abspath(options.binary), "--source", "declarative"]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        comparisons = [pool.submit(compare_example, name, commands, pool) for name in EXAMPLES]
        comparisons.append(pool.submit(compare_hand_over, options.binary))
        differences = [line for comparison in comparisons for line in comparison.result()]
    for line in differences:
        print(line)
    sys.exit(bool(differences))


def run(command, arguments, files, environment=()):
    """The messages that a command writes with these files, and the finished process."""
    with tempfile.TemporaryDirectory(prefix="runtimes-") as folder:
        for option, content in files.items():
            name = {"manifest-path": "manifest.yaml", "components-path": "components.py"}.get(option, f"{option}.json")
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
            arguments = [*arguments, f"--{option}", path]
        environment = {**os.environ, **dict(environment)}
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
        )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done


class Outcome:
    """A runtime's results for a manifest: the catalog, a read and the next one."""

    def __init__(self, name, command):
        with open(os.path.join(ROOT, "examples", "manifests", f"{name}.yaml"), encoding="utf-8") as file:
            # Without the spec's validations: Python fails all those of texts (docs/compatibility.md, Streams and schemas).
            self.manifest = file.read().split("    validations:\n")[0]
        self.api, self.command, self.parts = EXAMPLES[name], command, {}
        (catalog,) = self.call("discover", "CATALOG")
        streams = catalog["catalog"]["streams"]
        self.parts["catalog"] = {stream["name"]: without_defaults(stream) for stream in streams}
        modes = {True: "incremental", False: "full_refresh"}
        configured = [
            {
                "stream": stream,
                "sync_mode": modes["incremental" in stream["supported_sync_modes"]],
                "destination_sync_mode": "append",
            }
            for stream in streams
        ]
        states = self.read("read", {"catalog": {"streams": configured}})
        self.read("next read", {"catalog": {"streams": configured}, "state": states})

    def call(self, name, kind=None, files=()):
        with self.api() as api:
            config = {"api_url": api.url, **self.api.config}
            messages, _ = run(self.command, [name], {"manifest-path": self.manifest, "config": config, **dict(files)})
        return [message for message in messages if kind in (None, message["type"])]

    def read(self, which, files):
        records, statuses, states = collections.defaultdict(list), {}, {}
        for message in self.call("read", files=files):
            if message["type"] == "RECORD":
                record = message["record"]
                records[record["stream"]].append(json.dumps(record["data"], sort_keys=True))
            elif message["type"] == "STATE":
                states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
            elif message["type"] == "TRACE" and message["trace"]["type"] == "STREAM_STATUS":
                status = message["trace"]["stream_status"]
                statuses[status["stream_descriptor"]["name"]] = status["status"]
        self.parts[f"{which}: records"] = {stream: sorted(found) for stream, found in records.items()}
        self.parts[f"{which}: statuses"] = statuses
        self.parts[f"{which}: states"] = {stream: without_lookback(state) for stream, state in states.items()}
        return list(states.values())


def without_lookback(state):
    """A state without its lookback window, which is the time that the read took."""
    return {name: value for name, value in state["stream"]["stream_state"].items() if name != "lookback_window"}


def without_defaults(stream):
    """A stream of a catalog without members that have their default."""
    return {name: value for name, value in stream.items() if value not in (None, False, [])}


def compare_example(name, commands, pool):
    """The differences for a manifest of the examples, a line each."""
    outcomes = {runtime: pool.submit(Outcome, name, command) for runtime, command in commands.items()}
    theirs, ours = (outcomes[runtime].result().parts for runtime in ("python", "ours"))
    count = sum(map(len, ours["read: records"].values()))
    print(f"{name}: {len(ours['catalog'])} streams, {count} records", flush=True)
    lines = []
    for part, expected in theirs.items():
        if expected != ours[part]:
            lines.append(f"{name}: {part}: {json.dumps(ours[part])[:2000]} instead of {json.dumps(expected)[:2000]} by Python")
    if not count or set(ours["read: statuses"].values()) != {"COMPLETE"}:
        lines.append(f"{name}: there are no records, or a stream failed: {json.dumps(ours['read: statuses'])}")
    return lines


def compare_hand_over(binary):
    """The differences between a run that is handed over and the runtime by itself, a line each."""
    lines = []
    catalog = {"name": "notes", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    mode = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
    catalog = {"catalog": {"streams": [{"stream": catalog, **mode}]}}
    unsafe = {"AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
    with Notes() as api:
        # The last read fails: the API has no such path.
        for command, path, more in (("check", "notes", {}), ("read", "notes", catalog), ("read", "no", catalog)):
            files = {"manifest-path": with_class(api.url, path), "components-path": CLASS, "config": {}, **more}
            theirs, their_process = run([RUNTIME], [command], files, unsafe)
            environment = {**unsafe, "SOURCE_HTTP_PYTHON_RUNTIME": RUNTIME}
            ours, our_process = run([os.path.abspath(binary)], [command], files, environment)
            first = ours.pop(0)["log"]["message"] if ours else ""
            if not first.startswith(f"Handed over to the Python runtime {RUNTIME}") or EXTRACTOR["class_name"] not in first:
                lines.append(f"handed over, {command} {path}: the first line is {first!r}")
            count, code = len(theirs), our_process.returncode
            ours, theirs = comparable(ours), comparable(theirs)
            if (ours, code) != (theirs, their_process.returncode):
                lines.append(
                    f"handed over, {command} {path}: exit code {code}, {ours[:2000]} instead of "
                    f"exit code {their_process.returncode}, {theirs[:2000]} by Python alone"
                )
            print(f"handed over: {command} {path}: {count} lines, exit code {code}", flush=True)
    return lines


def comparable(messages):
    """Messages as text, without times and stack traces, and sorted, because the log lines of threads have no fixed order."""
    return json.dumps(sorted(json.dumps(without_times(message), sort_keys=True) for message in messages))


def without_times(value):
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name not in ("emitted_at", "stack_trace")}
    if isinstance(value, list):
        return [without_times(inner) for inner in value]
    return value


def with_class(url, path):
    """A manifest whose only stream needs a class."""
    requester = {"type": "HttpRequester", "url_base": url, "path": path}
    selector = {"type": "RecordSelector", "extractor": EXTRACTOR}
    schema = {"type": "object", "properties": {}}
    stream = {
        "type": "DeclarativeStream",
        "name": "notes",
        "retriever": {"type": "SimpleRetriever", "requester": requester, "record_selector": selector},
        "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
    }
    return json.dumps(
        {
            "version": "7.39.1",
            "type": "DeclarativeSource",
            "check": {"type": "CheckStream", "stream_names": ["notes"]},
            "streams": [stream],
            "spec": {"type": "Spec", "connection_specification": schema},
        }
    )


if __name__ == "__main__":
    main()
