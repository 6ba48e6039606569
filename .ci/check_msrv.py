"""Checks that no dependency says it needs a newer Rust than this crate does.

Usage: cargo metadata --all-features --locked --format-version 1 | python3 .ci/check_msrv.py

A package's `rust-version` is what its authors state. One that states none is only counted: nothing
is known of it. Exit status: 0 when none states a newer one.
"""

import json
import sys


def version(text):
    """`1.89` and `1.89.0` as numbers that compare."""
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def main():
    packages = json.load(sys.stdin)["packages"]
    ours = next(package for package in packages if package["name"] == "source-http")["rust_version"]
    others = [package for package in packages if package["source"] is not None]
    stated = [package for package in others if package["rust_version"]]
    newer = [package for package in stated if version(package["rust_version"]) > version(ours)]
    for package in newer:
        print(f"{package['name']} {package['version']} needs Rust {package['rust_version']}, and we say {ours}")
    newest = max(stated, key=lambda package: version(package["rust_version"]))
    print(
        f"{len(others)} dependencies, {len(stated)} of them state a Rust version; the newest is "
        f"{newest['rust_version']} ({newest['name']}), ours {ours}"
    )
    return 1 if newer else 0


if __name__ == "__main__":
    sys.exit(main())
