"""What the comparisons found: facts to print, differences with a reason, and faults.

A difference between the peer and us is either named in a table of rules, with its reason, or it is
a fault. Rules that explain nothing in a whole run are listed, so that the tables do not rot.
"""

from collections import Counter

# How many faults of one comparison are described before the rest are only counted.
SHOWN = 40


class Report:
    """Collects what one comparison found and prints it."""

    def __init__(self, title, rules):
        """`rules` maps the name of a rule to its reason."""
        self.title = title
        self.rules = rules
        self.lines = []
        self.faults = []
        self.explained = Counter()

    def line(self, text=""):
        """A line to print, as it is."""
        self.lines.append(text)

    def table(self, header, rows):
        """Rows of a table to print; numbers are set to the right."""
        rows = [[str(cell) for cell in row] for row in rows]
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        for row in [header, *rows]:
            cells = [
                cell.rjust(width) if cell.isdigit() else cell.ljust(width)
                for cell, width in zip(row, widths)
            ]
            self.lines.append("  ".join(cells).rstrip())

    def explain(self, rule, count=1):
        """Counts differences that the rule of that name explains."""
        if rule not in self.rules:
            raise KeyError(f"{self.title}: no rule {rule}")
        self.explained[rule] += count

    def fault(self, stream, text):
        """A difference without a reason, or a failed run."""
        self.faults.append(f"{stream}: {text}")

    def check(self, condition, stream, text):
        """A fault unless the condition holds."""
        if not condition:
            self.fault(stream, text)

    def print(self):
        """Prints everything; true if there is no fault."""
        print(f"\n=== {self.title}")
        for line in self.lines:
            print(line)
        if self.explained:
            print("differences, and why:")
            for rule, count in sorted(self.explained.items()):
                print(f"  {count:6} {rule}: {self.rules[rule]}")
        unused = sorted(set(self.rules) - set(self.explained))
        if unused:
            print(f"rules without a case: {', '.join(unused)}")
        for fault in self.faults[:SHOWN]:
            print(f"FAULT {fault}")
        if len(self.faults) > SHOWN:
            print(f"FAULT ... and {len(self.faults) - SHOWN} more")
        return not self.faults
