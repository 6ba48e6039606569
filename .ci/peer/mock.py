"""Runs the project's mock Stripe as a process: its config, its requests, its changes."""

import json
import subprocess
import time
import urllib.request
from urllib.parse import parse_qsl, urlsplit

# Without the environment's proxy, because the mock is on loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Request:
    """One request, from a line of the mock's log."""

    def __init__(self, line):
        self.method, target, self.version = line.split()
        parts = urlsplit(target)
        self.path = parts.path
        self.query = parse_qsl(parts.query, keep_blank_values=True)


class Mock:
    """A running mock, see `examples/mock_stripe.rs` for its arguments and commands."""

    def __init__(self, binary, arguments, log=None):
        if log:
            # The mock appends to the file.
            log.unlink(missing_ok=True)
        command = [str(binary), *map(str, arguments), *(["--log", str(log)] if log else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        first = self.process.stdout.readline()
        if not first:
            raise SystemExit(f"the mock ended with exit code {self.process.wait()}, see above")
        self.config = json.loads(first)
        self.log = open(log, encoding="utf-8") if log else None

    def take_requests(self):
        """The requests since the last call."""
        return [Request(line) for line in self.log]

    def set_now(self, now=None):
        """Sets the mock's clock, in seconds since 1970: to now by default. It does not run by itself."""
        self._send(f"now {int(time.time()) if now is None else now}")

    def create(self, resource, members=None):
        """Creates an object. Returns its id, and the event that reports it, if Stripe has one."""
        return self._change(f"create {resource} {json.dumps(members or {})}")

    def update(self, resource, key, members):
        """Sets members of an object. Returns the event that reports it, if Stripe has one."""
        return self._change(f"update {resource} {key} {json.dumps(members)}")[1]

    def delete(self, resource, key):
        """Deletes an object. Returns the event that reports it, if Stripe has one."""
        return self._change(f"delete {resource} {key}")[1]

    def add_event(self, kind, resource, key):
        """Adds an event of this type with an object as it is now, and returns it."""
        return self._change(f"event {kind} {resource} {key}")[1]

    def ids(self, resource):
        """The ids of a resource's objects, newest first."""
        return self._send(f"ids {resource}").split()

    def _change(self, command):
        """Sends a command that changes an object. Returns the answer and the event."""
        before = set(self.ids("events"))
        answer = self._send(command)
        added = [key for key in self.ids("events") if key not in before]
        return answer, self._event(added[0]) if added else None

    def _event(self, key):
        request = urllib.request.Request(
            f"{self.config['api_url']}/events/{key}",
            headers={"Authorization": f"Bearer {self.config['client_secret']}"},
        )
        with OPENER.open(request) as response:
            return json.load(response)

    def _send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        status, _, answer = self.process.stdout.readline().strip().partition(" ")
        if status != "ok":
            raise SystemExit(f"the mock refused `{command}`: {answer}")
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait()
        if self.log:
            self.log.close()
