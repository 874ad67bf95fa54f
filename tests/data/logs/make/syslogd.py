"""Writes what programs on this host send to syslog to a file, as syslogd(8) does by default."""

import re
import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
with open(sys.argv[1], "a", buffering=1) as out:
    while True:
        line = s.recv(65536).decode("utf-8", "replace").rstrip("\0\n")
        line = re.sub(r"^<\d+>", "", line)
        out.write(line[:16] + "mail " + line[16:] + "\n")
