"""Runs our connector and the peer against a mock Stripe, and reads their output.

Both are run as a platform runs them: files for config, catalog and state, messages on stdout.
"""

import json
import os
import subprocess
import time
from pathlib import Path

# The limit for a read of a few records, which takes the peer some seconds.
TIMEOUT = 120
PEER_SERVER = Path(__file__).with_name("peer_server.py")
# Requests to loopback must not use a proxy.
ENVIRONMENT = {**os.environ, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


class Run:
    """One finished run: its messages, its requests, and its times."""

    def __init__(self, connector, code, stdout, stderr, began, ended, requests):
        self.connector = connector
        self.code = code
        self.stderr = Path(stderr)
        self.began = began
        self.ended = ended
        # As the mock received them, in order.
        self.requests = requests
        # Stream -> list of records, in order.
        self.records = {}
        # Stream -> its last state.
        self.states = {}
        self.errors = []
        self.catalog = None
        with open(stdout, encoding="utf-8") as lines:
            for line in lines:
                self._take(json.loads(line))

    def _take(self, message):
        match message["type"]:
            case "RECORD":
                record = message["record"]
                self.records.setdefault(record["stream"], []).append(record["data"])
            case "STATE":
                stream = message["state"]["stream"]
                self.states[stream["stream_descriptor"]["name"]] = stream.get("stream_state")
            case "CATALOG":
                self.catalog = message["catalog"]["streams"]
            case "TRACE" if message["trace"]["type"] == "ERROR":
                self.errors.append(message["trace"]["error"]["message"])

    def failure(self):
        """The errors of a failed run, as one line, or None."""
        if self.code == 0 and not self.errors:
            return None
        stderr = self.stderr.read_text(encoding="utf-8", errors="replace").strip()
        errors = "; ".join(self.errors) or stderr[-400:].replace("\n", " ")
        return f"{self.connector} ended with exit code {self.code}: {errors}"


class Ours:
    """Our binary."""

    name = "ours"

    def __init__(self, binary):
        self.binary = binary

    def run(self, arguments, stdout, stderr):
        with open(stdout, "wb") as out, open(stderr, "wb") as err:
            return subprocess.run(
                [self.binary, *arguments], stdout=out, stderr=err, env=ENVIRONMENT, timeout=TIMEOUT
            ).returncode


class Peer:
    """The peer, which is imported once and forked for every run, see `peer_server.py`."""

    name = "peer"

    def __init__(self, python, folder):
        # The peer writes its HTTP caches into the temporary folder.
        environment = {**ENVIRONMENT, "TMPDIR": str(folder)}
        self.server = subprocess.Popen(
            [python, str(PEER_SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def run(self, arguments, stdout, stderr):
        job = {"arguments": arguments, "stdout": str(stdout), "stderr": str(stderr)}
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        answer = self.server.stdout.readline()
        if not answer:
            raise SystemExit(f"the peer ended with exit code {self.server.wait()}, see above")
        return json.loads(answer)["exit"]

    def stop(self):
        self.server.stdin.close()
        self.server.wait(TIMEOUT)


class Lane:
    """One mock Stripe, and both connectors, which read from it, one run at a time."""

    def __init__(self, folder, mock, ours, peer):
        self.folder = Path(folder)
        self.mock = mock
        self.ours = ours
        self.peer = peer
        self.runs = 0

    def discover(self, connector):
        """The streams in the connector's catalog."""
        run = self._run(connector, ["discover", "--config", self._config({})])
        if run.catalog is None:
            raise SystemExit(f"discover without a catalog: {run.failure()}")
        return run.catalog

    def read(self, connector, streams, mode, states=None, config=None):
        """Reads the streams (catalog entries) in the mode.

        `states` maps names of streams to their states; `config` has keys to add to the mock's config.
        """
        catalog = {
            "streams": [
                {
                    "stream": stream,
                    "sync_mode": mode if mode in stream["supported_sync_modes"] else "full_refresh",
                    "destination_sync_mode": "append",
                }
                for stream in streams
            ]
        }
        arguments = ["read", "--config", self._config(config or {})]
        arguments += ["--catalog", self._file("catalog", catalog)]
        if states is not None:
            messages = [message(stream, state) for stream, state in states.items()]
            arguments += ["--state", self._file("state", messages)]
        return self._run(connector, arguments)

    def _config(self, keys):
        return self._file("config", {**self.mock.config, **keys})

    def _file(self, name, content):
        path = self.folder / f"{self.runs:04}-{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def _run(self, connector, arguments):
        stdout, stderr = (
            self.folder / f"{self.runs:04}-{connector.name}.{end}" for end in ("jsonl", "log")
        )
        self.runs += 1
        self.mock.take_requests()
        began = time.time()
        code = connector.run(arguments, stdout, stderr)
        return Run(
            connector.name, code, stdout, stderr, began, time.time(), self.mock.take_requests()
        )


def message(stream, state):
    """A stream's state as a message of the protocol."""
    return {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": stream}, "stream_state": state},
    }
