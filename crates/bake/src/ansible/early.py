# Loads Ansible, waits for a line, and then is `ansible-playbook`, to the letter. Without the line it ends.
import gc
import os
import runpy
import signal
import sys

# Ended before its time, it takes its temporary files along.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
script = sys.argv[1]
sys.argv[:2] = [script]
# As for a script that is called: its own folder, where `-c` has the current one.
sys.path[0] = os.path.dirname(os.path.realpath(script))
try:
    import ansible.cli.playbook
except Exception:
    # It says why itself, in a moment.
    pass
gc.freeze()  # So that its forks do not copy what they only look through.
if not sys.stdin.buffer.readline():
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
runpy.run_path(script, run_name="__main__")
