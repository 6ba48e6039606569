"""Runs the peer, airbyte-source-stripe, many times for the price of one start.

Importing the peer takes about three seconds, far longer than a read of a few records. So it is
imported once, and each run is a fork of this process: as separate as a process started again, with
its own caches, standard output and exit code.

The peer only knows Stripe's own address. Here each request goes to the `api_url` of the config
instead, in the manifest as it is held in memory; the installed package stays as it is.

Usage: PEER_VENV/bin/python peer_server.py              serves runs, see below
       PEER_VENV/bin/python peer_server.py COMMAND ...  is one run: `read --config FILE ...`

Served: each line of standard input is a JSON object with `arguments` (a list), `stdout` and
`stderr` (files to write). Each is answered by one line, `{"exit": CODE}`, when the run has ended.
"""

import json
import os
import sys
import traceback

import yaml
from source_stripe.run import run
from source_stripe.source import SourceStripe


def redirect_requests():
    """Has the manifest take the base of all addresses from the config."""
    read_manifest = SourceStripe._read_and_parse_yaml_file

    def read_and_redirect(self, path):
        manifest = read_manifest(self, path)
        requester = manifest["definitions"]["base_requester"]
        if not requester["url_base"].startswith("https://api.stripe.com/"):
            raise RuntimeError(f"the peer's manifest has another address: {requester['url_base']}")
        requester["url_base"] = "{{ config['api_url'] }}"
        return manifest

    SourceStripe._read_and_parse_yaml_file = read_and_redirect


def run_forked(job):
    """One run in a fork of this process; its exit code."""
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
        # Not `sys.exit`: the child must not return into the loop of its parent.
        os._exit(code)


def main():
    redirect_requests()
    if sys.argv[1:]:
        sys.exit(run())
    # The same parser in C: a third of the time of a short read is spent on the manifest.
    yaml.SafeLoader = yaml.CSafeLoader
    for line in sys.stdin:
        print(json.dumps({"exit": run_forked(json.loads(line))}), flush=True)


if __name__ == "__main__":
    main()
