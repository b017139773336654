#!/usr/bin/env python3
"""Holds wsmlab's instances beside other servers, under one neutral client, in turns on this machine.

    scripts/peers/bench.py --yardstick FOLDER [--rounds 5] [--clients 1000] [--rate 20] [--seconds 10] [--systems a,b]

FOLDER has wsclient.c, a load client that belongs to none of them, and wsserver.c, the floor: the least that a fan-out in memory
must cost. Each round starts every system once, in an order that moves on by one, loads it, and ends it. Prints a table of medians
over the whole rounds, and of the ratios to the floor of the same round with their range. Times are milliseconds from the intended
instant of a message until a client has it; CPU is microseconds a delivery; memory is kilobytes a connection.

Systems: floor, wsmlab-memory, wsmlab-broadcast (two instances on one Redis), nchan-memory, nchan-redis (two instances).
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = os.path.join(HERE, "..", "targets")
PATIENCE = 20


class Served:
    """A system that takes clients: where, how it is published to, and whose CPU and memory are its own."""

    def __init__(self, ports, path, publish, pids):
        self.ports, self.path, self.publish, self.pids = ports, path, publish, pids


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port, process):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            sys.exit(f"{process.args[0]} ended with {process.returncode} before it listened")
        time.sleep(0.02)
    sys.exit(f"{process.args[0]} does not listen on {port} after {PATIENCE} s")


@contextlib.contextmanager
def running(command, **options):
    """A process that is ended with SIGTERM, and with SIGKILL where it takes too long."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def floor(tools):
    port = free_port()
    with running([tools.server, str(port)], stdout=subprocess.DEVNULL) as process:
        await_port(port, process)
        yield Served([port], "/any", f"http:{port}:/any", [process.pid])


@contextlib.contextmanager
def instance(tools, *flags):
    command = [tools.wsmlab, "serve", "--port", "0", "--allow-broadcast", *flags]
    with running(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        found = re.search(r":(\d+)\b", line)
        if not found:
            sys.exit(f"{command[0]} serve did not name its address: {line!r}")
        port = int(found.group(1))
        await_port(port, process)
        yield port, process.pid


@contextlib.contextmanager
def wsmlab_memory(tools):
    with instance(tools, "--manager", "memory") as (port, pid):
        yield Served([port], "/api/ws/events", f"http:{port}:/api/broadcast/events", [pid])


@contextlib.contextmanager
def wsmlab_broadcast(tools):
    redis_port = free_port()
    command = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running(command, stdout=subprocess.DEVNULL, cwd=tools.folder) as redis:
        await_port(redis_port, redis)
        url = f"redis://127.0.0.1:{redis_port}"
        with instance(tools, "--redis", url) as (first, one), instance(tools, "--redis", url) as (second, two):
            yield Served([first, second], "/api/ws/events", f"http:{first}:/api/broadcast/events", [one, two])


@contextlib.contextmanager
def nchan(tools, store):
    process = subprocess.Popen([os.path.join(TARGETS, "nchan.sh"), store], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    try:
        keys = {}
        for line in process.stdout:
            if line.strip() == "ready":
                break
            key, _, value = line.strip().partition("=")
            keys[key] = value
        else:
            sys.exit(f"nchan ({store}) did not start")
        ports = [int(port) for port in re.findall(r":(\d+)/", keys["target.clients"])]
        publish = int(re.search(r":(\d+)/publish", keys["target.publish"]).group(1))
        yield Served(ports, "/events", f"http:{publish}:/publish", json.loads(keys["target.pids"]))
    finally:
        process.stdin.close()
        process.wait(PATIENCE)


SYSTEMS = {
    "floor": floor,
    "wsmlab-memory": wsmlab_memory,
    "wsmlab-broadcast": wsmlab_broadcast,
    "nchan-memory": lambda tools: nchan(tools, "memory"),
    "nchan-redis": lambda tools: nchan(tools, "redis"),
}
FIGURES = [("p50", "ms"), ("p99", "ms"), ("server CPU", "µs"), ("client CPU", "µs"), ("memory", "KB"), ("lost", "")]


class Unmeasured(Exception):
    """A system that did not take its load: what it did instead."""


def measure(name, tools, options):
    with SYSTEMS[name](tools) as served:
        command = [tools.client, "--clients", str(options.clients), "--ports", ",".join(map(str, served.ports)),
                   "--path", served.path, "--pub", served.publish, "--rate", str(options.rate),
                   "--secs", str(options.seconds), "--hold", "1", "--pad", "256",
                   "--proc", "server:" + ",".join(map(str, served.pids))]
        answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                timeout=options.seconds + 180)
    if answer.returncode != 0:
        raise Unmeasured(f"{name}: the client ended with {answer.returncode}: {answer.stderr[-500:]}")
    seen = json.loads(answer.stdout)
    if seen["connected"] != options.clients or not seen["received"]:
        raise Unmeasured(f"{name}: {seen['connected']} of {options.clients} clients connected, {seen['received']} deliveries")
    each = 1e6 / seen["received"]
    return {"p50": seen["p50_ms"], "p99": seen["p99_ms"], "server CPU": seen["run"]["server"]["cpu_s"] * each,
            "client CPU": seen["client_cpu_s"] * each, "memory": seen["rss_kb_per_conn"]["server"], "lost": seen["lost"]}


def spread(values, digits=3):
    def text(value):
        return f"{value:.{digits}g}" if abs(value) < 10 ** digits else f"{value:.0f}"
    return f"{text(statistics.median(values))} ({text(min(values))}–{text(max(values))})"


def table(rounds, names, options):
    print(f"{options.clients} clients, {options.rate:g} messages/s, {options.seconds:g} s, {len(rounds)} rounds: median (least–most)\n")
    print("| system | " + " | ".join(f"{name}, {unit}" if unit else name for name, unit in FIGURES) + " |")
    print("|---" * (len(FIGURES) + 1) + "|")
    for name in names:
        print(f"| {name} | " + " | ".join(spread([each[name][figure] for each in rounds]) for figure, _ in FIGURES) + " |")
    if "floor" not in names or len(names) == 1:
        return
    print("\nRatio to the floor of the same round\n")
    compared = [figure for figure, _ in FIGURES[:4]]
    print("| system | " + " | ".join(compared) + " |")
    print("|---" * (len(compared) + 1) + "|")
    for name in names:
        if name == "floor":
            continue
        ratios = [[each[name][figure] / each["floor"][figure] for each in rounds] for figure in compared]
        print(f"| {name} | " + " | ".join(spread(values) for values in ratios) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--yardstick", required=True, metavar="FOLDER")
    parser.add_argument("--wsmlab", default=".build/release/wsmlab")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--systems", default="floor,wsmlab-memory,wsmlab-broadcast,nchan-memory,nchan-redis")
    options = parser.parse_args()
    names = options.systems.split(",")
    for name in names:
        if name not in SYSTEMS:
            parser.error(f"there is no system {name}: {', '.join(SYSTEMS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tools = argparse.Namespace(folder=tempfile.mkdtemp(prefix="wsmlab-peers-"), wsmlab=os.path.abspath(options.wsmlab))
    try:
        for name in ["client", "server"]:
            binary = os.path.join(tools.folder, f"ws{name}")
            source = os.path.join(options.yardstick, f"ws{name}.c")
            subprocess.run(["cc", "-O2", "-pthread", "-o", binary, source], check=True)
            setattr(tools, name, binary)
        rounds, left_out = [], []
        for number in range(options.rounds):
            order = names[number % len(names):] + names[:number % len(names)]
            try:
                rounds.append({name: measure(name, tools, options) for name in order})
                print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
            except Unmeasured as error:
                left_out.append(f"round {number + 1}: {error}")
                print(f"left out {left_out[-1]}", file=sys.stderr)
        if rounds:
            table(rounds, names, options)
        for line in left_out:
            print(f"\nLeft out {line}")
        if left_out:
            sys.exit(1)
    finally:
        shutil.rmtree(tools.folder, ignore_errors=True)


main()
