"""Runs a program in a pseudo-terminal of its own, and tells what a person saw there, by an emulator that others wrote (pyte).

terminal.py COLUMNS ROWS INTERRUPT PROGRAM [ARGUMENT…]: presses Ctrl-C once INTERRUPT stands on the screen; never where it is
empty. Prints JSON: {"code": the exit code, "frames": [the lines of each frame that was drawn in place], "scrolled": how many
lines had left the screen upwards when the last of them was drawn, "hidden": whether the cursor was hidden in each frame, "colors":
[all that were seen], "last": [all lines at the end, those that have left the screen too], "isCursorHidden": …}.
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

import pyte

DEADLINE = 60
# What ends each frame: the rest of the screen is erased.
FRAME_END = b"\x1b[J"


class Terminal:
    def __init__(self, columns, rows):
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self.stream = pyte.ByteStream(self.screen)
        self.frames, self.hidden, self.colors, self.scrolled = [], [], set(), 0

    def feed(self, data):
        """Up to the end of each frame at a time, so that none is missed and none is seen half drawn."""
        while data:
            end = data.find(FRAME_END)
            part = data if end < 0 else data[:end + len(FRAME_END)]
            data = data[len(part):]
            self.stream.feed(part)
            if end >= 0 and self.screen.cursor.hidden:
                self.note()

    def note(self):
        lines = [line.rstrip() for line in self.screen.display]
        self.frames.append([line for line in lines if line])
        self.hidden.append(self.screen.cursor.hidden)
        self.scrolled = len(self.screen.history.top)
        self.note_colors(self.screen.buffer.values())

    def note_colors(self, rows):
        for row in rows:
            self.colors.update(cell.fg for cell in row.values() if cell.fg != "default")

    def all(self):
        past = ["".join(row[column].data for column in range(self.screen.columns)).rstrip()
                for row in self.screen.history.top]
        return [line for line in past + [line.rstrip() for line in self.screen.display] if line]


def main(columns, rows, interrupt, *command):
    terminal = Terminal(int(columns), int(rows))
    pid, descriptor = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))
        os.execv(command[0], command)
    deadline = time.monotonic() + DEADLINE
    tail = b""
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            raise RuntimeError(f"not over within {DEADLINE} s; the screen: {terminal.all()}")
        try:
            data = tail + os.read(descriptor, 1 << 16)
        except OSError:
            break
        if data == tail:
            break
        # A frame's end may come in two parts.
        cut = next((n for n in (2, 1) if data.endswith(FRAME_END[:n])), 0)
        tail = data[len(data) - cut:]
        terminal.feed(data[:len(data) - cut])
        if interrupt and any(interrupt in line for line in terminal.screen.display):
            os.write(descriptor, b"\x03")
            interrupt = ""
    terminal.feed(tail)
    terminal.note_colors(list(terminal.screen.history.top) + list(terminal.screen.buffer.values()))
    _, status = os.waitpid(pid, 0)
    print(json.dumps({
        "code": os.waitstatus_to_exitcode(status), "frames": terminal.frames, "scrolled": terminal.scrolled,
        "hidden": terminal.hidden, "colors": sorted(terminal.colors), "last": terminal.all(),
        "isCursorHidden": terminal.screen.cursor.hidden}))


main(*sys.argv[1:])
