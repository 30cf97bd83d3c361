"""Runs a command and writes its peak resident memory in KiB: peak.py FILE COMMAND [ARGUMENTS]."""
import resource
import subprocess
import sys

code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as out:
    out.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
