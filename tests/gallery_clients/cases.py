"""Runs the cases of a driver. Prints one line of JSON for each, and compares it with the driver's table.

A driver is a program that points a vendor's official client at the gallery: `python3 drive_VENDOR.py ENTRY`. ENTRY is JSON
with `vendor`, `base` (the URL to give the client), `ca` (a file with the certificate to trust) and `keys`, by label.
"""

import http.client
import json
import sys
import time

# What the demo limits the key `tight` to, a minute.
TIGHT = 3


class Driver:
    """Runs cases, and counts the requests and the waits of each."""

    def __init__(self, describe):
        """Takes a function from a client's exception to its typed fields, as a dictionary."""
        self.entry = json.loads(sys.argv[1])
        self.base, self.keys = self.entry["base"], self.entry["keys"]
        self.ca = self.entry.get("ca")
        self.describe = describe
        self.requests, self.waits, self.failed = 0, [], False
        self._count_requests()

    def case(self, name, call, **expected):
        """Runs a case. Each expected field is a value, or a function that returns true for the right ones."""
        self.requests, self.waits = 0, []
        outcome = {"vendor": self.entry["vendor"], "case": name}
        try:
            outcome |= {"error": None, "result": call()}
        except Exception as error:
            outcome |= {"error": type(error).__name__, **self.describe(error)}
        outcome |= {"requests": self.requests, "waits": self.waits}
        wrong = {field: outcome.get(field) for field, value in expected.items() if not fits(outcome.get(field), value)}
        if wrong:
            outcome["wrong"] = sorted(wrong)
            self.failed = True
        print(json.dumps(outcome, default=str), flush=True)

    def use_up(self, call):
        """Spends what the key `tight` has for a minute."""
        for _ in range(TIGHT):
            call()

    def without_waits(self):
        """Notes how long the client would sleep, and goes on at once."""
        time.sleep = self.waits_of

    def waits_of(self, seconds):
        self.waits.append(seconds)

    def finish(self):
        """Ends the program; with status 1 if a case was not as expected."""
        sys.exit(1 if self.failed else 0)

    def count(self, *_):
        """Counts a request, for clients with hooks of their own."""
        self.requests += 1

    def _count_requests(self):
        # requests and urllib3 send each request through this method of the standard library, retries included.
        original = http.client.HTTPConnection.putrequest

        def putrequest(connection, *arguments, **options):
            self.requests += 1
            return original(connection, *arguments, **options)

        http.client.HTTPConnection.putrequest = putrequest


def fits(value, expected):
    return expected(value) if callable(expected) else value == expected
