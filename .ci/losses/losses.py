#!/usr/bin/env python3
"""Counts the records that Airbyte's runtime and this program lose between reads with errors, on the same small manifests.

Both read each scenario two or three times, each time from the last state. The count is of records that the API has and no
read returns; in the rows that say so, of records that are read again needlessly. `docs/compatibility.md` has the table:
--page checks that it is current, --write writes it. The Python that runs this has the package.
"""

import argparse
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from urllib.parse import parse_qsl, urlsplit

from scenarios import scenarios

BEGIN, END = "<!-- losses: written by .ci/losses/losses.py -->\n", "<!-- losses end -->\n"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers the requests of the current read of the current scenario."""

    scenario, read = None, 0
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        target = urlsplit(self.path)
        answer = Handler.scenario.answer(Handler.read, target.path, dict(parse_qsl(target.query)))
        status, body = (answer, {}) if isinstance(answer, int) else (200, {"data": answer})
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--binary", required=True, help="the program")
    options.add_argument("--page", help="the page that has the table")
    options.add_argument("--write", action="store_true", help="write the table")
    options.add_argument("rows", nargs="*", type=int, help="numbers of rows; default: all")
    options = options.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    program = os.path.join(os.path.dirname(sys.executable), "source-declarative-manifest")
    commands = {"python": [program, "read"], "ours": [os.path.abspath(options.binary), "--source", "declarative", "read"]}
    lines, lost_here = ["| row | what happens | lost by Python | lost here |\n", "| ---: | --- | ---: | ---: |\n"], []
    for scenario in sorted(scenarios(), key=lambda one: one.row):
        if options.rows and scenario.row not in options.rows:
            continue
        Handler.scenario = scenario
        counts = {runtime: outcome(scenario, command, url) for runtime, command in commands.items()}
        warning = " and a warning" if counts["ours"][0] and counts["ours"][1] else ""
        if counts["ours"][0] and not warning and not scenario.stays:
            lost_here.append(scenario.what)
        of = f"{counts['python'][0]} of {len(scenario.wanted)}"
        lines.append(f"| {scenario.row} | {scenario.what} | {of} | {counts['ours'][0]}{warning} |\n")
        print(lines[-1], end="", flush=True)
    if lost_here:
        sys.exit(f"lost here: {'; '.join(lost_here)}")
    if options.page and not options.rows:
        sys.exit(current(options, "".join(lines)))


def current(options, table):
    with open(options.page, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    new = before + BEGIN + table + END + after
    if options.write:
        with open(options.page, "w", encoding="utf-8") as file:
            file.write(new)
    elif new != text:
        return f"{options.page} is not current. `LOSSES_WRITE=1 .ci/run losses` writes it."
    return None


def outcome(scenario, command, url):
    """The number of lost records, or of those that were read again, and whether there was a warning."""
    found, again, has_warned, states = set(), set(), False, []
    names = [one["name"] for one in scenario.streams]
    given = scenario.state
    if given is not None:
        given = given if len(names) > 1 else {names[0]: given}
        states = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": n}, "stream_state": given[n]}} for n in names]
    for number, config in enumerate(scenario.reads):
        Handler.read = number
        messages = read(command, scenario, {**config, "url": url}, states)
        last, before = {}, found.copy()
        for message in messages:
            if message["type"] == "RECORD":
                found.add(message["record"]["data"]["id"])
                again |= before & {message["record"]["data"]["id"]}
            elif message["type"] == "STATE":
                last[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
            elif message["type"] == "LOG" and message["log"]["level"] == "WARN" and scenario.warning:
                has_warned |= scenario.warning in message["log"]["message"]
        states = list(last.values()) or states
    # After the given state, every record of a single read is one that was read before.
    again = found if given is not None and len(scenario.reads) == 1 else again
    wrong = again & scenario.wanted if scenario.repeats else scenario.wanted - found
    return len(wrong), has_warned


def read(command, scenario, config, states):
    schema = {"type": "object", "additionalProperties": True, "properties": {}}
    manifest = {
        "version": "7.39.1",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": scenario.streams,
        "spec": {"type": "Spec", "connection_specification": schema},
    }
    configured = []
    for one in scenario.streams:
        stream = {"name": one["name"], "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
        configured.append({"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"})
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        files = {"config": {**config, "__injected_declarative_manifest": manifest}, "catalog": {"streams": configured}}
        if states:
            files["state"] = states
        for name, content in files.items():
            path = os.path.join(folder, f"{name}.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(content, file)
            arguments += [f"--{name}", path]
        done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]


if __name__ == "__main__":
    main()
