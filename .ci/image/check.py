"""Tests an image as an operator of Airbyte would run it, in its own network.

Usage: unshare --net python3 .ci/image/check.py ROOT INSPECT MOCK FOLDER

ROOT has the image's files, INSPECT the output of `buildah inspect`. MOCK is the program mock_stripe. The output of the commands
goes to FOLDER, as *.jsonl. Exit status: 0 if there are no faults. It needs root and runc.
"""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import services
from container import Container, wait_for

# The limit for all files of the image, in bytes. Without a musl target it is built with static glibc, which is larger.
LARGEST = {"musl": 18_500_000, "gnu": 19_000_000}
# The memory limit of a sync of many records.
MEMORY = 64 * 1024 * 1024
CHARGES = 20_000
# A name that only /etc/hosts has.
IN_HOSTS = "api.hosts.test"
# The commands on the image's PATH.
NAMES = ("sh", "sleep", "mv", "touch", "mkfifo", "cp", "mkdir", "cat", "ls")
# Airbyte's platform runs this script instead of a connector's entry point, in a volume of the pod. Another container reads
# the pipes. For it, the run has ended when exitCode.txt exists, so a rename creates that file.
PLATFORM = """
if [ -z "$AIRBYTE_ENTRYPOINT" ]; then echo "no entry point"; exit 127; else echo "entry point: $AIRBYTE_ENTRYPOINT"; fi
(
COMMAND
) &
CHILD_PID=$!
(while true; do if [ -f TERMINATED ]; then kill $CHILD_PID; exit 0; fi; sleep 10; done) &
wait $CHILD_PID
EXIT_CODE=$?
echo $EXIT_CODE > TEMP_EXIT_CODE.txt
mv TEMP_EXIT_CODE.txt exitCode.txt
exit $EXIT_CODE
"""
# The command of a sync: stdout and stderr are pipes that another container reads.
SYNC = """
if [ ! -f input_state.json ]; then
  eval "$AIRBYTE_ENTRYPOINT read --config config.json --catalog catalog.json" 2> stderr > stdout
else
  eval "$AIRBYTE_ENTRYPOINT read --config config.json --catalog catalog.json --state input_state.json" 2> stderr > stdout
fi
"""
# The command of any other job: stdout is a file.
JOB = 'eval "$AIRBYTE_ENTRYPOINT {}" > jobOutput.json'


def expect(condition, *values):
    """Ends the check with these values if the condition is false."""
    if not condition:
        raise SystemExit("unexpected: " + "\n".join(str(value)[:2000] for value in values))


def messages(out):
    """The protocol messages of a run."""
    return [json.loads(line) for line in out.splitlines()]


def error_of(out):
    """The first error of a run."""
    traces = [message["trace"] for message in messages(out) if message["type"] == "TRACE"]
    errors = [trace["error"] for trace in traces if trace["type"] == "ERROR"]
    expect(errors, out)
    return errors[0]


def check_config(config, source):
    """Checks the image's configuration and labels."""
    version = tomllib.loads(Path("Cargo.toml").read_text())["package"]["version"]
    env = dict(entry.split("=", 1) for entry in config["Env"])
    expect(config["User"] == "1000:1000", config["User"])
    expect(config["WorkingDir"] == "/airbyte", config["WorkingDir"])
    expect(config["Entrypoint"] == ["/airbyte/source-http"], config["Entrypoint"])
    expect(env["AIRBYTE_ENTRYPOINT"] == " ".join(config["Entrypoint"]), env)
    expect((env["AIRBYTE_SOURCE"], env["HOME"], env["PATH"]) == (source, "/airbyte", "/bin"), env)
    labels = config["Labels"]
    expect(labels["io.airbyte.name"] == f"source-{source}", labels)
    expect(labels["io.airbyte.version"] == labels["org.opencontainers.image.version"] == version, labels, version)


def check_files(root):
    """Checks that the image is small and has only the files that it needs."""
    links = {f"bin/{name}" for name in NAMES}
    etc = {"etc/passwd", "etc/group", "etc/nsswitch.conf"}
    found, size = set(), 0
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        if not path.is_dir() or path.is_symlink():
            found.add(str(path.relative_to(root)))
            size += status.st_size
        expect(not status.st_mode & (stat.S_ISUID | stat.S_ISGID), path)
    expect(found == {"airbyte/source-http", "bin/busybox"} | etc | links, found)
    for folder, mode in (("airbyte", 0o755), ("data", 0o755), ("tmp", 0o1777)):
        status = (root / folder).stat()
        expect((status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1000, 1000, mode), folder, status)
    for binary in ("airbyte/source-http", "bin/busybox"):
        headers = subprocess.run(["readelf", "-lW", root / binary], check=True, capture_output=True, text=True).stdout
        expect("INTERP" not in headers, binary, "is not static")
    connector = root / "airbyte/source-http"
    about = subprocess.run([connector, "about"], check=True, capture_output=True, text=True).stdout
    libc = next(name for name in LARGEST if f"-linux-{name}," in about)
    print(f"{size / 1e6:.2f} MB with {libc}; the connector has {connector.stat().st_size / 1e6:.2f} MB of them")
    expect(size < LARGEST[libc], f"{size} bytes, the limit is {LARGEST[libc]}")


class Pod:
    """The environment of a container: the mock, names, certificates."""

    def __init__(self, root, config, mock, folder):
        self.folder = folder
        self.work = folder / "pod"
        self.work.mkdir()
        self.work.chmod(0o755)
        services.bring_loopback_up()
        services.serve_dns()
        services.make_certificates(self.work, [IN_HOSTS, services.RESOLVED])
        with open(self.work / "mock.json", "w") as config_file:
            self.mock = subprocess.Popen([mock, str(CHARGES)], stdin=subprocess.DEVNULL, stdout=config_file)
        wait_for(lambda: (self.work / "mock.json").read_text().endswith("\n"))
        self.plain = json.loads((self.work / "mock.json").read_text())
        port = int(self.plain["api_url"].rsplit(":", 1)[1].split("/")[0])
        self.tls = services.serve_tls(self.work, port)
        self.odd = services.serve_oddities()
        (self.work / "hosts").write_text(f"127.0.0.1 localhost\n127.0.0.1 {IN_HOSTS}\n")
        (self.work / "resolv.conf").write_text("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
        self.container = Container(root, config, self.work)

    def __call__(self, command, *args, config=None, mounts=(), **how):
        """Runs a command with a config, and keeps its output in a file."""
        mounts = [*mounts]
        for name in ("hosts", "resolv.conf"):
            mounts.append((self.work / name, f"/etc/{name}", False))
        if config is not None:
            inputs = Path(tempfile.mkdtemp(dir=self.work))
            inputs.chmod(0o755)
            (inputs / "config.json").write_text(json.dumps({**self.plain, **config}))
            mounts.append((inputs, "/config", False))
            args = ("--config", "/config/config.json", *args)
        mounts.append((self.work / "ca.pem", "/ca.pem", False))
        status, out, err = self.container.run(command, *args, mounts=mounts, **how)
        number = sum(1 for _ in self.folder.glob("*.jsonl"))
        if "entrypoint" not in how:
            (self.folder / f"{number:02}-{command}.jsonl").write_bytes(out)
        return status, out, err


def commands(pod):
    """Runs the four commands, and the read with little memory. Returns its states."""
    status, spec, err = pod("spec")
    expect((status, err) == (0, b""), status, err)
    status, out, err = pod("check", config={})
    expect((status, err) == (0, b"") and b'"SUCCEEDED"' in out, status, out, err)
    status, out, err = pod("discover", config={})
    expect((status, err) == (0, b"") and len(messages(out)[-1]["catalog"]["streams"]) > 40, status, err)
    status, out, err = pod("read", config={}, memory=MEMORY)
    expect((status, err) == (0, b""), status, err, out[-2000:])
    expect(out.count(b'"stream":"charges","data"') == CHARGES, "not all charges are there")
    return b"".join(line + b"\n" for line in out.splitlines() if line.startswith(b'{"type":"STATE"'))


def platform_volume(pod, name, state=None):
    """Creates the folder that Airbyte's platform shares between the containers of a pod, with the pipes of a sync."""
    volume = pod.work / name
    volume.mkdir()
    os.chown(volume, 1000, 1000)
    stream = {"name": "charges", "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]}
    configured = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append"}
    (volume / "config.json").write_text(json.dumps(pod.plain))
    (volume / "catalog.json").write_text(json.dumps({"streams": [configured]}))
    if state is not None:
        (volume / "input_state.json").write_bytes(state)
    for pipe in ("stdout", "stderr"):
        os.mkfifo(volume / pipe)
        os.chown(volume / pipe, 1000, 1000)
    return volume


def read_pipes(volume):
    """Reads both pipes of a sync. Returns a function that waits for their ends and returns their contents."""
    readers = ThreadPoolExecutor()
    pipes = [readers.submit((volume / pipe).read_bytes) for pipe in ("stdout", "stderr")]
    return lambda: [pipe.result(timeout=60) for pipe in pipes]


def run_on_platform(pod, state):
    """Runs the script of Airbyte's platform, in a volume, as user 1000."""
    first_line = f"entry point: {pod.container.config['Entrypoint'][0]}\n".encode()
    variables = [("DEPLOYMENT_MODE", "OSS"), ("DATA_CHANNEL_MEDIUM", "STDIO"), ("DATA_CHANNEL_FORMAT", "JSONL")]

    def run(volume, command):
        how = {"entrypoint": ["sh", "-c"], "cwd": "/source", "mounts": [(volume, "/source", True)], "env": variables}
        status, out, err = pod(PLATFORM.replace("COMMAND", command), **how)
        expect((status, out, err) == (0, first_line, b""), command, status, out, err)
        expect((volume / "exitCode.txt").read_text() == "0\n", "no exit code")

    volume = platform_volume(pod, "source", state)
    pipes = read_pipes(volume)
    run(volume, SYNC)
    out, err = pipes()
    expect(err == b"" and b'"status":"COMPLETE"' in out and b'"type":"STATE"' in out, out, err)
    (pod.folder / "platform.jsonl").write_bytes(out)
    for command, answer in (("spec", "spec"), ("check", "connectionStatus"), ("discover", "catalog")):
        volume = platform_volume(pod, command)
        run(volume, JOB.format(command if command == "spec" else f"{command} --config config.json"))
        expect(any(answer in message for message in messages((volume / "jobOutput.json").read_bytes())), command)


def run_linked_commands(pod, root):
    """Runs the platform's script in dash, with only the linked commands. busybox's shell might run others, too."""
    volume = platform_volume(pod, "linked")
    pipes = read_pipes(volume)
    bin = root / "bin"
    expect({path.name for path in bin.iterdir()} == {"busybox", *NAMES}, sorted(bin.iterdir()))
    env = {"PATH": str(bin), "AIRBYTE_ENTRYPOINT": str(root / "airbyte/source-http"), "AIRBYTE_SOURCE": "stripe"}
    with open(volume / "script", "wb") as file:
        script = ["/bin/dash", "-c", PLATFORM.replace("COMMAND", SYNC)]
        shell = subprocess.Popen(script, cwd=volume, env=env, stdout=file, stderr=file, start_new_session=True)
    try:
        status = shell.wait(timeout=120)
    finally:
        # Otherwise the loop that waits for the other container would continue.
        os.killpg(shell.pid, signal.SIGKILL)
    out, err = pipes()
    lines = (volume / "script").read_text()
    expect((status, err) == (0, b"") and lines.startswith("entry point") and lines.count("\n") == 1, status, lines, err)
    expect((volume / "exitCode.txt").read_text() == "0\n" and b'"status":"COMPLETE"' in out, "no exit code", out)


def run_deploy_command(pod):
    """Runs the command of deploy/: it writes records to a file for each run, and a state from which the next run resumes."""
    volume = pod.work / "data"
    volume.mkdir()
    os.chown(volume, 1000, 1000)
    line = (
        'exec "$AIRBYTE_ENTRYPOINT" read --config /config/config.json --config-env on --state-file /data/state.json '
        '--streams "$STREAMS" > "/data/records-$(busybox date -u +%Y%m%dT%H%M%SZ)-$POD_NAME.jsonl"'
    )
    key, account = pod.plain["client_secret"], pod.plain["account_id"]
    config = {**pod.plain, "client_secret": "${STRIPE_API_KEY}", "account_id": "${STRIPE_ACCOUNT}"}
    inputs = pod.work / "references"
    inputs.mkdir()
    (inputs / "config.json").write_text(json.dumps(config))
    read = []
    for run in ("first", "second"):
        variables = [("STREAMS", "charges,customers"), ("POD_NAME", run), ("STRIPE_API_KEY", key), ("STRIPE_ACCOUNT", account)]
        mounts = [(volume, "/data", True), (inputs, "/config", False)]
        status, out, err = pod(line, entrypoint=["sh", "-c"], env=variables, mounts=mounts)
        found = list(volume.glob(f"records-*-{run}.jsonl"))
        expect(len(found) == 1 and re.fullmatch(r"records-\d{8}T\d{6}Z-\w+\.jsonl", found[0].name), found, err)
        records = found[0]
        expect((status, out, err) == (0, b"", b""), status, out, err, records.read_bytes()[-2000:])
        expect(key.encode() not in records.read_bytes(), "the key is in the output")
        read.append(records.read_bytes().count(b'"type":"RECORD"'))
        (pod.folder / f"{run}.jsonl").write_bytes(records.read_bytes())
    expect(read[0] > CHARGES and read[1] == 0, "the second run did not resume where the first one stopped", read)


def names_and_certificates(pod):
    """Checks names in /etc/hosts and from a resolver, and authorities of the binary, of the system and of SSL_CERT_FILE."""
    for name in (IN_HOSTS, services.RESOLVED):
        config = {"api_url": f"https://{name}:{pod.tls}/v1"}
        status, out, _ = pod("check", config=config, env=[("SSL_CERT_FILE", "/ca.pem")])
        expect(b'"SUCCEEDED"' in out, name, out)
        system = [(pod.work / "ca.pem", "/etc/ssl/certs/ca-certificates.crt", False)]
        status, out, _ = pod("check", config=config, mounts=system)
        expect(b'"SUCCEEDED"' in out, name, out)
        status, out, _ = pod("check", "--exit-status", config=config)
        expect(status == 1 and b"unknown issuer" in out, name, out)
        status, out, _ = pod("check", config=config, env=[("DEPLOYMENT_MODE", "CLOUD"), ("SSL_CERT_FILE", "/ca.pem")])
        expect(f"{name} has the address 127.0.0.1 (this machine)".encode() in out, name, out)
    status, out, _ = pod("read", "--streams", "charges", config={"api_url": "https://nosuch.test/v1"}, memory=MEMORY)
    expect(status == 1 and "(DNS): nosuch.test" in error_of(out)["message"], status, out)


def temporary_files(pod):
    """Checks that a response that is too large for memory goes to /tmp. Without /tmp, only such a response fails."""
    odd = {"api_url": f"http://127.0.0.1:{pod.odd}/v1", "start_date": "2026-01-01T00:00:00Z", "slice_range": 3650}
    large = ("read", "--streams", "shipping_rates")
    status, out, err = pod(*large, config=odd)
    expect((status, err) == (0, b"") and len(out) > services.LARGE, status, err, out[-2000:])
    status, out, err = pod(*large, config=odd, tmp=False)
    error = error_of(out)
    expect((status, error["failure_type"]) == (1, "system_error"), status, error)
    expect("Make /tmp a folder that can be written" in error["message"], error)
    status, out, err = pod("read", "--streams", "customers,bank_accounts,customer_balance_transactions", config={}, tmp=False)
    expect((status, err) == (0, b""), status, err, out[-2000:])


def signals_and_rights(pod):
    """Checks SIGTERM, a data channel that is refused, another user, and the rights of the container."""
    odd = {"api_url": f"http://127.0.0.1:{pod.odd}/v1"}
    status, out, _ = pod("read", "--streams", "charges", config=odd, stop_at=b'"STARTED"')
    expect(status == 143 and error_of(out)["failure_type"] == "transient_error", status, out)
    status, out, _ = pod("read", config={}, env=[("DATA_CHANNEL_MEDIUM", "SOCKET")])
    error = error_of(out)
    expect((status, error["failure_type"]) == (1, "config_error"), status, error)
    expect(error["message"].startswith("DATA_CHANNEL_MEDIUM is SOCKET"), error)
    # OpenShift runs each namespace as its own user, in the group 0.
    status, out, err = pod("read", "--streams", "charges", "--limit", "5", config={}, user=(1_000_650_000, 0))
    expect((status, err, out.count(b'"type":"RECORD"')) == (0, b"", 5), status, err, out)
    script = "touch /x || touch /airbyte/x || { cat /proc/self/status; touch /tmp/x && ls /tmp; }"
    status, out, err = pod(script, entrypoint=["sh", "-c"])
    expect(status == 0 and out.endswith(b"\nx\n") and err.count(b"Read-only file system") == 2, status, out, err)
    held = [line.split() for line in out.decode().splitlines() if line.startswith("Cap")]
    expect(held and all(int(capabilities, 16) == 0 for _, capabilities in held), held)


def main(root, inspect, mock, folder):
    config = json.loads(Path(inspect).read_text())["OCIv1"]["config"]
    root, folder = Path(root), Path(folder)
    check_config(config, "stripe")
    check_files(root)
    pod = Pod(root, config, mock, folder)
    try:
        state = commands(pod)
        run_on_platform(pod, state)
        run_linked_commands(pod, root)
        run_deploy_command(pod)
        names_and_certificates(pod)
        temporary_files(pod)
        signals_and_rights(pod)
    finally:
        pod.mock.kill()
    print("no faults, as the user airbyte, with only /tmp writable and without capabilities")


if __name__ == "__main__":
    main(*sys.argv[1:])
