#!/usr/bin/env python3
"""Manifests of our own on both runtimes: those of `examples/manifests/` whose kinds real connectors seldom have, jobs with
results in gzip and in a ZIP archive and streams that the API lists, and one with a Python class, which this program hands over.

The first ones have to give the same catalog, records, statuses and states, in a read and in the next one from its
states. What is handed over has to give the same lines as the runtime by itself, and the same exit code. The package is that of
the Python that runs this.
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
    options.add_argument("--binary", required=True)
    options = options.parse_args()
    commands = {"python": [RUNTIME], "ours": [os.path.abspath(options.binary), "--source", "declarative"]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        examples = [pool.submit(example, name, commands, pool) for name in EXAMPLES]
        handed = pool.submit(handed_over, options.binary)
        differences = [line for each in [*examples, handed] for line in each.result()]
    for line in differences:
        print(line)
    sys.exit(bool(differences))


def run(command, arguments, files, environment=()):
    """The lines that a command writes with these files, and its exit code."""
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
    """What a runtime makes of a manifest: the catalog, a read and the next one."""

    def __init__(self, name, command):
        with open(os.path.join(ROOT, "examples", "manifests", f"{name}.yaml"), encoding="utf-8") as file:
            # The last part of a spec: Python fails every validation of a text (docs/compatibility.md, Streams and schemas).
            self.manifest = file.read().split("    validations:\n")[0]
        self.api, self.command, self.parts = EXAMPLES[name], command, {}
        (catalog,) = self.called("discover", "CATALOG")
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

    def called(self, name, kind=None, files=()):
        with self.api() as api:
            config = {"api_url": api.url, **self.api.config}
            messages, _ = run(self.command, [name], {"manifest-path": self.manifest, "config": config, **dict(files)})
        return [message for message in messages if kind in (None, message["type"])]

    def read(self, which, files):
        records, statuses, states = collections.defaultdict(list), {}, {}
        for message in self.called("read", files=files):
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
        self.parts[f"{which}: states"] = {stream: timeless(state) for stream, state in states.items()}
        return list(states.values())


def timeless(state):
    """A state without the time that the read took."""
    return {name: value for name, value in state["stream"]["stream_state"].items() if name != "lookback_window"}


def without_defaults(stream):
    """A stream of a catalog without the members that say nothing."""
    return {name: value for name, value in stream.items() if value not in (None, False, [])}


def example(name, commands, pool):
    """What differs for a manifest of the examples."""
    outcomes = {who: pool.submit(Outcome, name, command) for who, command in commands.items()}
    theirs, ours = (outcomes[who].result().parts for who in ("python", "ours"))
    count = sum(map(len, ours["read: records"].values()))
    print(f"{name}: {len(ours['catalog'])} streams, {count} records", flush=True)
    lines = []
    for part, wanted in theirs.items():
        if wanted != ours[part]:
            lines.append(f"{name}: {part}: {json.dumps(ours[part])[:2000]}, and {json.dumps(wanted)[:2000]} by Python")
    if not count or set(ours["read: statuses"].values()) != {"COMPLETE"}:
        lines.append(f"{name}: nothing is compared: {json.dumps(ours['read: statuses'])}")
    return lines


def handed_over(binary):
    """What differs between a run that is handed over and the runtime by itself."""
    lines = []
    catalog = {"name": "notes", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    mode = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
    catalog = {"catalog": {"streams": [{"stream": catalog, **mode}]}}
    unsafe = {"AIRBYTE_ENABLE_UNSAFE_CODE": "true"}
    with Notes() as api:
        # The last one fails: there is no such page.
        for command, path, more in (("check", "notes", {}), ("read", "notes", catalog), ("read", "no", catalog)):
            files = {"manifest-path": with_class(api.url, path), "components-path": CLASS, "config": {}, **more}
            alone, by_itself = run([RUNTIME], [command], files, unsafe)
            handed = {**unsafe, "SOURCE_HTTP_PYTHON_RUNTIME": RUNTIME}
            through, here = run([os.path.abspath(binary)], [command], files, handed)
            why = through.pop(0)["log"]["message"] if through else ""
            if not why.startswith(f"Handed over to the Python runtime {RUNTIME}") or EXTRACTOR["class_name"] not in why:
                lines.append(f"handed over, {command} {path}: the first line is {why!r}")
            if calm(through) != calm(alone) or here.returncode != by_itself.returncode:
                lines.append(
                    f"handed over, {command} {path}: {here.returncode}, {calm(through)[:2000]}, and "
                    f"{by_itself.returncode}, {calm(alone)[:2000]} by Python alone"
                )
            print(f"handed over: {command} {path}: {len(alone)} lines, exit code {here.returncode}", flush=True)
    return lines


def calm(messages):
    """Messages as text, without what differs from run to run: times, folders, and the order of log lines of threads."""
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
