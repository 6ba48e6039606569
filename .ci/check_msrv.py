"""Checks that no dependency states a newer `rust-version` than this crate.

Usage: cargo metadata --all-features --locked --format-version 1 | python3 .ci/check_msrv.py

It only counts packages that state none. Exit status: 0 if none states a newer one.
"""

import json
import sys


def version(text):
    """`1.89` or `1.89.0` as a tuple of three numbers."""
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def main():
    packages = json.load(sys.stdin)["packages"]
    ours = next(package for package in packages if package["name"] == "source-http")["rust_version"]
    others = [package for package in packages if package["source"] is not None]
    stated = [package for package in others if package["rust_version"]]
    newer = [package for package in stated if version(package["rust_version"]) > version(ours)]
    for package in newer:
        print(f"{package['name']} {package['version']} needs Rust {package['rust_version']}, ours is {ours}")
    newest = max(stated, key=lambda package: version(package["rust_version"]))
    print(
        f"{len(others)} dependencies, {len(stated)} of them state a Rust version; the newest is "
        f"{newest['rust_version']} ({newest['name']}), ours {ours}"
    )
    return 1 if newer else 0


if __name__ == "__main__":
    sys.exit(main())
