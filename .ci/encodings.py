"""Writes the tables of encodings in `src/streams/decoders/encoding` from the codecs of this Python, and facts for tests.

    python3.11 .ci/encodings.py     the version of Python decides what is written: airbyte-cdk's tests run with 3.11

`tables.bin` has a cell for each byte, or pair of bytes, of each encoding: nothing, a character, or two of them. The cells
are written as operations (see `tables.rs`), since most encodings repeat parts of others, and then deflated.
"""

import codecs
import encodings
import encodings.aliases
import hashlib
import pkgutil
import zlib
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "src/streams/decoders/encoding"
# One or two bytes a character, or more. The order matters: later tables repeat parts of earlier ones.
PAIRS = (
    "euc_jp shift_jis cp932 euc_jis_2004 euc_jisx0213 shift_jis_2004 shift_jisx0213 gb2312 gbk gb18030 big5 cp950"
    " big5hkscs euc_kr cp949 johab"
).split()
# Encodings with code of their own.
OTHERS = (
    "utf_8 utf_8_sig utf_7 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be hz unicode_escape raw_unicode_escape"
    " iso2022_kr iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext"
).split()
# Names of Python that stand for no encoding of a whole text, and the two of Windows.
REFUSED = "idna punycode undefined mbcs oem".split()
PAIR_CELLS = 256 + 128 * 256
ESCAPES = [b"\x1b" + set_ for set_ in b"$@ $A $B $C $D $O $P $Q $(D (B (I (J".split()]


def decoded(name, data):
    try:
        return data.decode(name)
    except UnicodeDecodeError:
        return None


def cell(text):
    """0 for nothing, a character and 1, or two characters as halves and 1."""
    if not text:
        return 0
    if len(text) == 1:
        return ord(text) + 1
    first, second = text
    return (ord(first) << 16 | ord(second)) + 1


def short(name):
    return "".join(c for c in name.lower() if c.isascii() and c.isalnum())


def modules():
    names = [module.name for module in pkgutil.iter_modules(encodings.__path__)]
    return [name for name in names if name in REFUSED or name != "aliases" and codecs.lookup(name)._is_text_encoding]


def single_byte(name):
    return [cell(decoded(name, bytes([byte]))) for byte in range(256)]


def pair_tables(name):
    single = single_byte(name)
    table = list(single)
    for first in range(128, 256):
        table += [0 if single[first] else cell(decoded(name, bytes([first, second]))) for second in range(256)]
    yield table
    if name in ("euc_jp", "euc_jis_2004", "euc_jisx0213"):
        third = [cell(decoded(name, bytes([0x8F, *divmod(pair, 256)]))) for pair in range(128 * 256, 256 * 256)]
        yield [0] * 256 + third
    if name == "gb18030":
        four = []
        for number in range(39420):
            number, fourth = divmod(number, 10)
            number, third = divmod(number, 126)
            first, second = divmod(number, 10)
            sequence = bytes([0x81 + first, 0x30 + second, 0x81 + third, 0x30 + fourth])
            four.append(cell(decoded(name, sequence)))
        four += [0] * (2 * PAIR_CELLS - len(four))
        yield four[:PAIR_CELLS]
        yield four[PAIR_CELLS:]


NONE, RUN, COPY, PLAIN, HIGH, TWO = range(6)
SHORTEST_COPY = 4


def zigzag(number):
    return number << 1 if number >= 0 else (-number << 1) - 1


class Packed:
    """The operations of cells; `tables.rs` describes them."""

    def __init__(self):
        self.operations, self.arguments, self.literals = bytearray(), bytearray(), []

    def argument(self, number):
        while number >= 128:
            self.arguments.append(number & 127 | 128)
            number >>= 7
        self.arguments.append(number)

    def operation(self, kind, count):
        if count <= 31:
            self.operations.append(kind << 5 | count - 1)
        else:
            self.operations.append(kind << 5 | 31)
            self.argument(count - 32)

    def write_literals(self, cells):
        at = 0
        while at < len(cells):
            kind, end = self.kind(cells[at]), at
            while end < len(cells) and self.kind(cells[end]) == kind:
                end += 1
            self.operation(kind, end - at)
            for one in cells[at:end]:
                self.literals += [one - 1 >> 16, one - 1 & 0xFFFF] if kind == TWO else [one - 1 & 0xFFFF]
            at = end

    @staticmethod
    def kind(one):
        code = one - 1
        assert code < 0x10000 or 0x20000 <= code < 0x30000 or code > 0x10FFFF, hex(code)
        return PLAIN if code < 0x10000 else HIGH if code < 0x30000 else TWO

    def pack(self, cells):
        seen, at, previous, copied, waiting = {}, 0, 0, 0, []

        def note(start, end):
            for place in range(max(0, start), min(end, len(cells) - SHORTEST_COPY + 1)):
                seen[tuple(cells[place : place + SHORTEST_COPY])] = place

        while at < len(cells):
            end = at
            while end < len(cells) and cells[end] == 0:
                end += 1
            if end > at:
                self.write_literals(waiting)
                waiting = []
                self.operation(NONE, end - at)
                at = end
                continue
            run = 0
            while at + run < len(cells) and cells[at + run] == previous + run + 1:
                run += 1
            length, source = 0, 0
            for start in (copied, seen.get(tuple(cells[at : at + SHORTEST_COPY]))):
                count = 0
                while start is not None and at + count < len(cells) and start + count < at:
                    if cells[at + count] == 0 or cells[start + count] != cells[at + count]:
                        break
                    count += 1
                if count > length:
                    length, source = count, start
            if length >= SHORTEST_COPY and length > run:
                self.write_literals(waiting)
                waiting = []
                self.operation(COPY, length)
                self.argument(zigzag(source - copied))
                copied = source + length
            elif run >= 2 or run == 1 and not waiting:
                self.write_literals(waiting)
                waiting = []
                self.operation(RUN, run)
                length = run
            else:
                waiting.append(cells[at])
                length = 1
            note(at - SHORTEST_COPY + 1, at + length - SHORTEST_COPY + 1)
            at += length
            previous = cells[at - 1]
        self.write_literals(waiting)

    def to_bytes(self):
        high, low, before = bytearray(), bytearray(), 0
        for literal in self.literals:
            step = literal - before & 0xFFFF
            step = (step << 1 ^ (0xFFFF if step & 0x8000 else 0)) & 0xFFFF
            high.append(step >> 8)
            low.append(step & 0xFF)
            before = literal
        parts = [self.operations, self.arguments, high, low]
        lengths = b"".join(len(part).to_bytes(4, "little") for part in parts[:3])
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(lengths + b"".join(parts)) + packer.flush()


def digest(name, sequences):
    """The hash of what each sequence of bytes becomes."""
    hash_ = hashlib.sha256()
    for sequence in sequences:
        text = decoded(name, sequence)
        hash_.update(b"?\n" if text is None else text.encode() + b"\n")
    return hash_.hexdigest()[:16]


def sequences(name):
    yield from (bytes([byte]) for byte in range(256))
    if name in PAIRS:
        yield from (bytes(divmod(pair, 256)) for pair in range(0x8000, 0x10000))
    if name.startswith("euc_j"):
        yield from (bytes([0x8F, *divmod(pair, 256)]) for pair in range(0x8000, 0x10000))
    if name == "gb18030":
        for number in range(0, 126 * 10 * 126 * 10, 7):
            rest, fourth = divmod(number, 10)
            rest, third = divmod(rest, 126)
            first, second = divmod(rest, 10)
            yield bytes([0x81 + first, 0x30 + second, 0x81 + third, 0x30 + fourth])
    if name.startswith("iso2022") or name == "hz":
        for start in ESCAPES if name != "hz" else [b"~{"]:
            for first in range(0x20, 0x80):
                yield from (start + bytes([first, second]) for second in range(0x20, 0x80))


def main():
    names = {}
    for alias, module in encodings.aliases.aliases.items():
        names.setdefault(module, []).append(alias)
    known = modules()
    names.setdefault("latin_1", []).extend(["charmap", *names.pop("charmap", [])])
    single = [name for name in known if name not in PAIRS + OTHERS + REFUSED + ["charmap", "iso8859_1"]]
    cells, lines = [], []

    def written(name):
        own = [name, *names.get(name, [])] + (["iso8859_1"] if name == "latin_1" else [])
        return " ".join(dict.fromkeys(short(own_name) for own_name in own))

    for name in single:
        lines.append(written(name))
        cells += single_byte(name)
    (FOLDER / "bytes.txt").write_text("\n".join(lines) + "\n")
    lines = []
    for name in PAIRS:
        for number, table in enumerate(pair_tables(name)):
            lines.append("-" if number else written(name))
            cells += table
    (FOLDER / "pairs.txt").write_text("\n".join(lines) + "\n")
    packed = Packed()
    packed.pack(cells)
    data = packed.to_bytes()
    (FOLDER / "tables.bin").write_bytes(data)
    print(len(cells), "cells in", len(data), "bytes")
    facts = [f"{name} {digest(name, sequences(name))}" for name in known if name not in REFUSED and "escape" not in name]
    (FOLDER / "digests.txt").write_text("\n".join(facts) + "\n")
    aliases = sorted({(module, name) for module in known for name in [module, *names.get(module, [])]})
    by_module = {}
    for module, name in aliases:
        by_module.setdefault(module, []).append(name)
    (FOLDER / "names.txt").write_text("".join(" ".join([m, *n]) + "\n" for m, n in by_module.items() if m not in REFUSED))
    # Written by hand, a line for each: the name, the bytes, the text.
    for line in (FOLDER / "samples.txt").read_text().splitlines():
        name, data, text = line.split(" ", 2)
        text = text.replace("\\n", "\n").replace("\\e", "\x1b")
        assert bytes.fromhex(data).decode(name) == text, line


main()
