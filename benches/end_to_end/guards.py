"""The servers under test: how each is started, what it costs, and how it is ended."""

import os
import pathlib
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KEYS_PER_ACCOUNT = 10
# What HAProxy and nginx know; ten keys to an account, as with the crate's own server.
PEER_KEYS = 100_000
# Requests of an account in a minute, and in an hour. A run of usual length makes some hundreds.
LIMIT = 9_999


class Failure(Exception):
    """Says why nothing could be measured."""


class Server:
    """A process that serves, with all its workers, until the `with` block ends."""

    def __init__(self, name, command, log):
        self.name, self.command, self.log = name, [str(part) for part in command], log
        self.port = None

    def __enter__(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        workers = self.processes()[1:]
        self.process.terminate()  # Workers end with the process that started them.
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            self.process.kill()
            self.process.wait()

    def processes(self):
        """The process and its children, by id."""
        found = [self.process.pid]
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    parent = int(statistics_of(entry)[1])
                except OSError:
                    continue  # It ended meanwhile.
                if parent == self.process.pid:
                    found.append(int(entry))
        return found

    def cpu_seconds(self):
        """User and system time of all processes so far."""
        ticks = 0
        for process in self.processes():
            fields = statistics_of(process)
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS_PER_SECOND

    def wait_until(self, ready, seconds):
        """Waits for the server to come up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = pathlib.Path(self.log).read_text(errors="replace").strip()
                raise Failure(f"{self.name} did not start: {said[-2000:]}")
            time.sleep(0.02)
        return self


def statistics_of(process):
    """The fields of proc_pid_stat(5) from the third on; the second may hold spaces."""
    text = pathlib.Path(f"/proc/{process}/stat").read_text()
    return text.rpartition(")")[2].split()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def hyper(
        stack, directory, program, layer, keys, keys_file="/dev/null", limit=LIMIT, seed=1, speed=1):
    """Starts the crate's server, with the gate or without."""
    address = directory / f"address-{layer}-{seed}"
    server = stack.enter_context(Server(f"hyper, layer {layer}", [
        program, "--layer", layer, "--keys", keys, "--limit", limit, "--seed", seed, "--speed", speed,
        "--keys-file", keys_file, "--address-file", address,
    ], directory / f"hyper-{layer}-{seed}.log"))
    server.wait_until(address.exists, 120)
    server.port = int(address.read_text().rpartition(":")[2])
    return server


def peer(stack, directory, name, limit=LIMIT):
    """Starts nginx or HAProxy, whose map lies in the directory."""
    template, command = {
        "nginx": ("nginx.conf", ["nginx", "-e", "stderr", "-c"]),
        "HAProxy": ("haproxy.cfg", ["haproxy", "-db", "-f"]),
    }[name]
    port = free_port()
    values = {
        "DIRECTORY": directory, "PORT": port, "LIMIT": limit,
        "PER_MINUTE": limit, "HOUR_PER_MINUTE": limit // 60 + 1, "BURST": limit,
    }
    text = (HERE / template).read_text()
    for word, value in values.items():
        text = text.replace(f"@{word}@", str(value))
    configuration = directory / f"{limit}-{template}"
    configuration.write_text(text)
    log = directory / f"{limit}-{name}.log"
    server = stack.enter_context(Server(name, [*command, configuration], log))
    server.wait_until(lambda: listens(port), 60)
    server.port = port
    return server


def write_hot(keys_file, hot_file, count):
    """Writes one key each of the first accounts of a file."""
    with open(keys_file) as file:
        keys = [key for index, key in enumerate(file) if index % KEYS_PER_ACCOUNT == 0]
    pathlib.Path(hot_file).write_text("".join(keys[:count]))


def write_maps(directory, keys_file):
    """Writes the first keys of a file as the peers' maps, and as a file of their own."""
    with open(keys_file) as file:
        keys = [key for key, _ in zip(file, range(PEER_KEYS))]
    (directory / "peer_keys").write_text("".join(keys))
    rows = [(key.strip(), index // KEYS_PER_ACCOUNT) for index, key in enumerate(keys)]
    (directory / "nginx.map").write_text(
        "".join(f'"Bearer {key}" account_{account};\n' for key, account in rows))
    (directory / "haproxy.map").write_text(
        "".join(f"{key} account_{account}\n" for key, account in rows))
