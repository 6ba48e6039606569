"""Runs an image's commands as Kubernetes does with a strict security context: with runc, as the image's user, with a
read-only root file system, no capability, no new privileges, and a memory limit.
"""

import json
import os
import shutil
import subprocess
import uuid


class Container:
    """An image that can be run. `config` is the OCI image configuration, `root` its files."""

    def __init__(self, root, config, work):
        self.root, self.config, self.work = root, config, work

    def run(self, *args, env=(), entrypoint=None, user=None, tmp=True, mounts=(), memory=None, cwd=None, stop_at=None):
        """Runs the entry point with `args`. Returns exit code, stdout and stderr, both as bytes.

        `env`: pairs besides the image's. `entrypoint`: instead of the image's. `user`: UID and GID, instead of the
        image's. `tmp`: whether /tmp is writable. `mounts`: (host path, path, writable). `memory`: bytes.
        `stop_at`: sends SIGTERM as soon as stdout contains it."""
        name = f"image-{uuid.uuid4()}"
        bundle = self.work / name
        bundle.mkdir()
        uid, gid = user or map(int, self.config["User"].split(":"))
        mounts = [*mounts]
        if tmp:
            (bundle / "tmp").mkdir()
            (bundle / "tmp").chmod(0o1777)
            mounts.append((bundle / "tmp", "/tmp", True))
        process = {
            "user": {"uid": uid, "gid": gid},
            "args": [*(self.config["Entrypoint"] if entrypoint is None else entrypoint), *args],
            "env": [*self.config["Env"], *(f"{name}={value}" for name, value in env)],
            "cwd": cwd or self.config["WorkingDir"],
            "capabilities": {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")},
            "noNewPrivileges": True,
        }
        spec = {
            "ociVersion": "1.0.2",
            "process": process,
            "root": {"path": str(self.root), "readonly": True},
            "hostname": "connector",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755", "size=64k"]},
                *(
                    {
                        "destination": str(to),
                        "source": str(source),
                        "type": "bind",
                        "options": ["bind", "rw" if writable else "ro", "nosuid", "nodev"],
                    }
                    for source, to, writable in mounts
                ),
            ],
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                "resources": {"memory": {"limit": memory}} if memory else {},
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
                "readonlyPaths": ["/proc/sys", "/proc/bus", "/proc/fs"],
            },
        }
        (bundle / "config.json").write_text(json.dumps(spec))
        runc = ["runc", "--root", str(self.work / "runc")]
        with open(bundle / "out", "wb") as out, open(bundle / "err", "wb") as err:
            running = subprocess.Popen(
                [*runc, "run", "--bundle", str(bundle), name], stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
            try:
                if stop_at is not None:
                    wait_for(lambda: stop_at in (bundle / "out").read_bytes() or running.poll() is not None)
                    subprocess.run([*runc, "kill", name, "TERM"], check=True)
                status = running.wait(timeout=120)
            finally:
                if running.poll() is None:
                    subprocess.run([*runc, "delete", "--force", name], check=False)
        done = status, (bundle / "out").read_bytes(), (bundle / "err").read_bytes()
        shutil.rmtree(bundle)
        return done


def wait_for(condition, tries=600):
    """Waits until the condition is true. It is an error if it is false for a minute."""
    import time

    for _ in range(tries):
        if condition():
            return
        time.sleep(0.1)
    raise TimeoutError(os.strerror(110))
