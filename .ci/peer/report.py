"""The results of the comparisons: lines to print, differences with a reason, and faults.

A difference between the peer and us is a fault, unless a rule gives the reason. The report lists
rules that explain nothing, so that they can be removed.
"""

from collections import Counter

# Faults of one comparison that are described. The others are only counted.
SHOWN = 40


class Report:
    """Collects the results of one comparison and prints them."""

    def __init__(self, title, rules):
        """`rules` maps the name of a rule to its reason."""
        self.title = title
        self.rules = rules
        self.lines = []
        self.faults = []
        self.explained = Counter()

    def line(self, text=""):
        """Adds a line to print."""
        self.lines.append(text)

    def table(self, header, rows):
        """Adds a table to print, with numbers aligned to the right."""
        rows = [[str(cell) for cell in row] for row in rows]
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        for row in [header, *rows]:
            cells = [
                cell.rjust(width) if cell.isdigit() else cell.ljust(width)
                for cell, width in zip(row, widths)
            ]
            self.lines.append("  ".join(cells).rstrip())

    def explain(self, rule, count=1):
        """Counts differences that this rule explains."""
        if rule not in self.rules:
            raise KeyError(f"{self.title}: no rule {rule}")
        self.explained[rule] += count

    def fault(self, stream, text):
        """Adds a fault: a difference without a reason, or a failed run."""
        self.faults.append(f"{stream}: {text}")

    def check(self, condition, stream, text):
        """Adds a fault if the condition is false."""
        if not condition:
            self.fault(stream, text)

    def print(self):
        """Prints everything; true if there is no fault."""
        print(f"\n=== {self.title}")
        for line in self.lines:
            print(line)
        if self.explained:
            print("differences, with their reasons:")
            for rule, count in sorted(self.explained.items()):
                print(f"  {count:6} {rule}: {self.rules[rule]}")
        unused = sorted(set(self.rules) - set(self.explained))
        if unused:
            print(f"rules that explain nothing: {', '.join(unused)}")
        for fault in self.faults[:SHOWN]:
            print(f"FAULT {fault}")
        if len(self.faults) > SHOWN:
            print(f"FAULT ... and {len(self.faults) - SHOWN} more")
        return not self.faults
