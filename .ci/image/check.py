"""Tries an image as an operator of Airbyte would, in a network of its own.

Usage: unshare --net python3 .ci/image/check.py ROOT INSPECT MOCK FOLDER

ROOT is where the image's files are mounted, INSPECT what `buildah inspect` says of it, MOCK the program mock_stripe, FOLDER
where the commands' output is kept as *.jsonl. Exit status: 0 if all is as it should be. Needs root and runc.
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

# All files of the image, in bytes. It is made with musl; where there is none to build with, glibc stands in for it, which is
# a megabyte longer when it is static.
LARGEST = {"musl": 18_500_000, "gnu": 19_000_000}
# The memory that a sync of many records has to do with.
MEMORY = 64 * 1024 * 1024
CHARGES = 20_000
# A name that is in /etc/hosts alone.
IN_HOSTS = "api.hosts.test"
# What the image has on its PATH.
NAMES = ("sh", "sleep", "mv", "touch", "mkfifo", "cp", "mkdir", "cat", "ls")
# What Airbyte's platform makes of a connector's image: the shell in place of the entry point, in a volume of the pod's.
# The container beside it reads the pipes, and takes the run for over when exitCode.txt is there, so it has to appear whole.
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
# A sync: stdout and stderr are pipes that another container reads.
SYNC = """
if [ ! -f input_state.json ]; then
  eval "$AIRBYTE_ENTRYPOINT read --config config.json --catalog catalog.json" 2> stderr > stdout
else
  eval "$AIRBYTE_ENTRYPOINT read --config config.json --catalog catalog.json --state input_state.json" 2> stderr > stdout
fi
"""
# Any other job: stdout is a file.
JOB = 'eval "$AIRBYTE_ENTRYPOINT {}" > jobOutput.json'


def expect(is_so, *seen):
    """Ends the check if it is not so."""
    if not is_so:
        raise SystemExit("not as it should be: " + "\n".join(str(thing)[:2000] for thing in seen))


def messages(out):
    """The protocol messages of a run."""
    return [json.loads(line) for line in out.splitlines()]


def error_of(out):
    """The failure of a run, as a whole."""
    traces = [message["trace"] for message in messages(out) if message["type"] == "TRACE"]
    errors = [trace["error"] for trace in traces if trace["type"] == "ERROR"]
    expect(errors, out)
    return errors[0]


def check_config(config, source):
    """What the image says of itself."""
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
    """Nothing is in the image that it has no use for, and it is small."""
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
    print(f"{size / 1e6:.2f} MB with {libc}, of which the connector is {connector.stat().st_size / 1e6:.2f}")
    expect(size < LARGEST[libc], f"{size} bytes are too many")


class Pod:
    """A container's surroundings: the mock, names, certificates."""

    def __init__(self, root, config, mock, folder):
        self.folder = folder
        self.work = folder / "pod"
        self.work.mkdir()
        self.work.chmod(0o755)
        services.bring_loopback_up()
        services.serve_dns()
        services.make_certificates(self.work, [IN_HOSTS, services.RESOLVED])
        with open(self.work / "mock.json", "w") as said:
            self.mock = subprocess.Popen([mock, str(CHARGES)], stdin=subprocess.DEVNULL, stdout=said)
        wait_for(lambda: (self.work / "mock.json").read_text().endswith("\n"))
        self.plain = json.loads((self.work / "mock.json").read_text())
        port = int(self.plain["api_url"].rsplit(":", 1)[1].split("/")[0])
        self.tls = services.serve_tls(self.work, port)
        self.odd = services.serve_oddities()
        (self.work / "hosts").write_text(f"127.0.0.1 localhost\n127.0.0.1 {IN_HOSTS}\n")
        (self.work / "resolv.conf").write_text("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
        self.container = Container(root, config, self.work)

    def __call__(self, command, *args, config=None, mounts=(), **how):
        """Runs a command with a config, and keeps what it says."""
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
    """The four commands, within little memory."""
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
    """The folder that Airbyte's platform shares between the containers of a pod, with the pipes of a sync."""
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
    """Reads both pipes of a sync. Returns what waits for their ends and gives what was in them."""
    readers = ThreadPoolExecutor()
    pipes = [readers.submit((volume / pipe).read_bytes) for pipe in ("stdout", "stderr")]
    return lambda: [pipe.result(timeout=60) for pipe in pipes]


def as_the_platform_does(pod, state):
    """Airbyte's platform runs a shell in a folder of its own, as user 1000."""
    said = f"entry point: {pod.container.config['Entrypoint'][0]}\n".encode()
    variables = [("DEPLOYMENT_MODE", "OSS"), ("DATA_CHANNEL_MEDIUM", "STDIO"), ("DATA_CHANNEL_FORMAT", "JSONL")]

    def run(volume, command):
        how = {"entrypoint": ["sh", "-c"], "cwd": "/source", "mounts": [(volume, "/source", True)], "env": variables}
        status, out, err = pod(PLATFORM.replace("COMMAND", command), **how)
        expect((status, out, err) == (0, said, b""), command, status, out, err)
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


def with_linked_names_alone(pod, root):
    """The platform's script again, by a shell that has no commands of its own: busybox may have more than its links."""
    volume = platform_volume(pod, "linked")
    pipes = read_pipes(volume)
    bin = root / "bin"
    expect({path.name for path in bin.iterdir()} == {"busybox", *NAMES}, sorted(bin.iterdir()))
    env = {"PATH": str(bin), "AIRBYTE_ENTRYPOINT": str(root / "airbyte/source-http"), "AIRBYTE_SOURCE": "stripe"}
    with open(volume / "said", "wb") as said:
        script = ["/bin/dash", "-c", PLATFORM.replace("COMMAND", SYNC)]
        shell = subprocess.Popen(script, cwd=volume, env=env, stdout=said, stderr=said, start_new_session=True)
    try:
        status = shell.wait(timeout=120)
    finally:
        # The loop that waits for the other container would go on.
        os.killpg(shell.pid, signal.SIGKILL)
    out, err = pipes()
    said = (volume / "said").read_text()
    expect((status, err) == (0, b"") and said.startswith("entry point") and said.count("\n") == 1, status, said, err)
    expect((volume / "exitCode.txt").read_text() == "0\n" and b'"status":"COMPLETE"' in out, "no exit code", out)


def as_the_manifests_do(pod):
    """The line of deploy/: records to a file of the run, the state to one that the next run resumes from."""
    volume = pod.work / "data"
    volume.mkdir()
    os.chown(volume, 1000, 1000)
    line = (
        'exec "$AIRBYTE_ENTRYPOINT" read --config /config/config.json --config-env on --state-file /data/state.json '
        '--streams "$STREAMS" > "/data/records-$(busybox date -u +%Y%m%dT%H%M%SZ)-$POD_NAME.jsonl"'
    )
    key, account = pod.plain["client_secret"], pod.plain["account_id"]
    config = {**pod.plain, "client_secret": "${STRIPE_KEY}", "account_id": "${STRIPE_ACCOUNT}"}
    inputs = pod.work / "references"
    inputs.mkdir()
    (inputs / "config.json").write_text(json.dumps(config))
    read = []
    for run in ("first", "second"):
        variables = [("STREAMS", "charges,customers"), ("POD_NAME", run), ("STRIPE_KEY", key), ("STRIPE_ACCOUNT", account)]
        mounts = [(volume, "/data", True), (inputs, "/config", False)]
        status, out, err = pod(line, entrypoint=["sh", "-c"], env=variables, mounts=mounts)
        found = list(volume.glob(f"records-*-{run}.jsonl"))
        expect(len(found) == 1 and re.fullmatch(r"records-\d{8}T\d{6}Z-\w+\.jsonl", found[0].name), found, err)
        records = found[0]
        expect((status, out, err) == (0, b"", b""), status, out, err, records.read_bytes()[-2000:])
        expect(key.encode() not in records.read_bytes(), "the key is in what was read")
        read.append(records.read_bytes().count(b'"type":"RECORD"'))
        (pod.folder / f"{run}.jsonl").write_bytes(records.read_bytes())
    expect(read[0] > CHARGES and read[1] == 0, "the second run did not resume where the first one stopped", read)


def names_and_certificates(pod):
    """Names come from /etc/hosts and from a resolver; the authorities are those of the binary, unless others are given."""
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
    """A response that is too large for memory goes to /tmp. Without it, that response fails and no other."""
    odd = {"api_url": f"http://127.0.0.1:{pod.odd}/v1", "start_date": "2026-01-01T00:00:00Z", "slice_range": 3650}
    fat = ("read", "--streams", "shipping_rates")
    status, out, err = pod(*fat, config=odd)
    expect((status, err) == (0, b"") and len(out) > services.FAT, status, err, out[-2000:])
    status, out, err = pod(*fat, config=odd, tmp=False)
    error = error_of(out)
    expect((status, error["failure_type"]) == (1, "system_error"), status, error)
    expect("Make /tmp a folder that can be written" in error["message"], error)
    status, out, err = pod("read", "--streams", "customers,bank_accounts,customer_balance_transactions", config={}, tmp=False)
    expect((status, err) == (0, b""), status, err, out[-2000:])


def ends_and_refusals(pod):
    """Asked to end, it ends; and what it does not speak, it refuses."""
    odd = {"api_url": f"http://127.0.0.1:{pod.odd}/v1"}
    status, out, _ = pod("read", "--streams", "charges", config=odd, stop_at=b'"STARTED"')
    expect(status == 143 and error_of(out)["failure_type"] == "transient_error", status, out)
    status, out, _ = pod("read", config={}, env=[("DATA_CHANNEL_MEDIUM", "SOCKET")])
    error = error_of(out)
    expect((status, error["failure_type"]) == (1, "config_error"), status, error)
    expect(error["message"].startswith("DATA_CHANNEL_MEDIUM is SOCKET"), error)
    # OpenShift gives each namespace a user of its own, in the group 0.
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
        as_the_platform_does(pod, state)
        with_linked_names_alone(pod, root)
        as_the_manifests_do(pod)
        names_and_certificates(pod)
        temporary_files(pod)
        ends_and_refusals(pod)
    finally:
        pod.mock.kill()
    print("as the user airbyte, with nothing but /tmp to write and no capability: all is well")


if __name__ == "__main__":
    main(*sys.argv[1:])
