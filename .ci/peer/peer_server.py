"""Runs the peer, airbyte-source-stripe, many times, but starts it only once.

Importing the peer takes about three seconds, far longer than a read of a few records. So this
process imports it once, and forks for each run. A fork has its own caches, stdout and exit code,
like a new process.

The peer only knows Stripe's own address. This changes its manifest in memory, so that requests go
to the `api_url` of the config. The installed package is not changed.

Usage: PEER_VENV/bin/python peer_server.py              runs jobs from stdin, see below
       PEER_VENV/bin/python peer_server.py COMMAND ...  runs one command: `read --config FILE ...`

A job is a line of stdin: a JSON object with `arguments` (a list), `stdout` and `stderr` (files to
write). When the run has ended, the answer is one line, `{"exit": CODE}`.
"""

import json
import os
import sys
import traceback

import yaml
from source_stripe.run import run
from source_stripe.source import SourceStripe


def redirect_requests():
    """Makes the manifest take the base of all addresses from the config."""
    read_manifest = SourceStripe._read_and_parse_yaml_file

    def read_and_redirect(self, path):
        manifest = read_manifest(self, path)
        requester = manifest["definitions"]["base_requester"]
        if not requester["url_base"].startswith("https://api.stripe.com/"):
            raise RuntimeError(f"the peer's manifest has another base: {requester['url_base']}")
        requester["url_base"] = "{{ config['api_url'] }}"
        return manifest

    SourceStripe._read_and_parse_yaml_file = read_and_redirect


def run_forked(job):
    """Does one run in a fork of this process, and returns its exit code."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    code = 1
    try:
        for descriptor, path in ((1, job["stdout"]), (2, job["stderr"])):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(file, descriptor)
        sys.argv = ["source-stripe", *job["arguments"]]
        run()
        code = 0
    except SystemExit as exit:
        code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # With `sys.exit`, the child would return into the parent's loop.
        os._exit(code)


def main():
    redirect_requests()
    if sys.argv[1:]:
        sys.exit(run())
    # The parser in C: the manifest takes a third of the time of a short read.
    yaml.SafeLoader = yaml.CSafeLoader
    for line in sys.stdin:
        print(json.dumps({"exit": run_forked(json.loads(line))}), flush=True)


if __name__ == "__main__":
    main()
