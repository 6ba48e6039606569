"""The project's own mock Stripe as a process: its config, its requests, its changes."""

import json
import subprocess
import time
import urllib.request
from urllib.parse import parse_qsl, urlsplit

# No proxy, whatever the environment says: the mock is on loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Request:
    """One request as the mock saw it, from a line of its log."""

    def __init__(self, line):
        self.method, target, self.version = line.split()
        parts = urlsplit(target)
        self.path = parts.path
        self.query = parse_qsl(parts.query, keep_blank_values=True)


class Mock:
    """A running mock, see `examples/mock_stripe.rs` for its arguments and commands."""

    def __init__(self, binary, arguments, log=None):
        if log:
            # The mock appends to it.
            log.unlink(missing_ok=True)
        command = [str(binary), *map(str, arguments), *(["--log", str(log)] if log else [])]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        first = self.process.stdout.readline()
        if not first:
            raise SystemExit(f"the mock cannot be run: exit code {self.process.wait()}, see above")
        self.config = json.loads(first)
        self.log = open(log, encoding="utf-8") if log else None

    def take_requests(self):
        """The requests since this was last asked for."""
        return [Request(line) for line in self.log]

    def set_now(self):
        """Sets the mock's clock to now; it stands still otherwise."""
        self._tell(f"now {int(time.time())}")

    def create(self, resource, members=None):
        """Makes an object; its id, and the event that reports it, if Stripe has one."""
        return self._change(f"create {resource} {json.dumps(members or {})}")

    def update(self, resource, key, members):
        """Sets members of an object; the event that reports it, if Stripe has one."""
        return self._change(f"update {resource} {key} {json.dumps(members)}")[1]

    def delete(self, resource, key):
        """Removes an object; the event that reports it, if Stripe has one."""
        return self._change(f"delete {resource} {key}")[1]

    def tell_event(self, kind, resource, key):
        """Adds an event of that type about an object as it is, and returns it."""
        return self._change(f"event {kind} {resource} {key}")[1]

    def ids(self, resource):
        """The ids of a resource's objects, newest first."""
        return self._tell(f"ids {resource}").split()

    def _change(self, command):
        """The answer to a command that changes something, and the event of it."""
        before = set(self.ids("events"))
        answer = self._tell(command)
        added = [key for key in self.ids("events") if key not in before]
        return answer, self._event(added[0]) if added else None

    def _event(self, key):
        request = urllib.request.Request(
            f"{self.config['api_url']}/events/{key}",
            headers={"Authorization": f"Bearer {self.config['client_secret']}"},
        )
        with OPENER.open(request) as response:
            return json.load(response)

    def _tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        verdict, _, answer = self.process.stdout.readline().strip().partition(" ")
        if verdict != "ok":
            raise SystemExit(f"the mock refused `{command}`: {answer}")
        return answer

    def stop(self):
        self.process.terminate()
        self.process.wait()
        if self.log:
            self.log.close()
