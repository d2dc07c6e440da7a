#!/usr/bin/env python3
"""Runs a program at a terminal of its own and answers what it asks:

    terminal.py [QUESTION ANSWER]... -- PROGRAM [WORD]...

When QUESTION has appeared, ANSWER is typed; in it \\n and \\x03 mean what they do in Python. Prints what the program wrote, with [hidden] or
[shown] where an answer was typed, by whether the terminal would have shown it, and the same at the end. Ends as the program does.
"""
import os
import pty
import signal
import sys
import termios


def mode(terminal):
    return b"[shown]" if termios.tcgetattr(terminal)[3] & termios.ECHO else b"[hidden]"


def main():
    split = sys.argv.index("--")
    dialogue = [word.encode() for word in sys.argv[1:split]]
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # as a shell would have it, also where this runs in the background
        os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
    told, fresh = b"", b""
    while True:
        try:
            got = os.read(terminal, 4096)
        except OSError:
            break  # nobody has it open any more
        told, fresh = told + got, fresh + got
        if dialogue and dialogue[0] in fresh:
            fresh = fresh.split(dialogue[0], 1)[1]
            told += mode(terminal)
            os.write(terminal, dialogue[1].decode("unicode_escape").encode("latin-1"))
            dialogue = dialogue[2:]
    sys.stdout.buffer.write(told + mode(terminal))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
