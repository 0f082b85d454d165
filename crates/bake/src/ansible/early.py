# Loads Ansible, waits for a line, and then is `ansible-playbook`, to the letter. Without the line it ends.
import atexit
import gc
import os
import runpy
import signal
import sys
import threading
import time
import types

# Ended before its time, it takes its temporary files along.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


class Pauses:
    """Between looks for a result, for which Ansible wakes a thousand times a second: the longer none came, the longer each is."""

    def __init__(self):
        self.began = self.ended = 0

    def sleep(self, seconds):
        now = time.monotonic()
        if now - self.ended > 0.005:
            self.began = now  # Something was done since.
        # No result is late by more than a thirtieth of what it took, nor by more than anybody would notice.
        time.sleep(max(seconds, min((now - self.began) / 32, 0.02)))
        self.ended = time.monotonic()


folder, script = sys.argv[1:3]
sys.argv[:3] = [script]
# As for a script that is called: its own folder, where `-c` has the current one.
sys.path[0] = os.path.dirname(os.path.realpath(script))
gc.disable()  # What is loaded stays.
try:
    import ansible.cli.playbook
except Exception:
    # It says why itself, in a moment.
    pass
try:
    remember_sources(folder)
except Exception:
    # A version that packs in another way.
    pass
try:
    from ansible.plugins import strategy

    strategy.time = types.ModuleType("time")
    vars(strategy.time).update(vars(time), sleep=Pauses().sleep)
except Exception:
    # A version that waits in another way.
    pass
gc.enable()
gc.freeze()  # So that its forks do not copy what they only look through.
if not sys.stdin.buffer.readline():
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
try:
    runpy.run_path(script, run_name="__main__")
    status = 0
except SystemExit as ended:
    status = ended.code or 0
if not isinstance(status, int):
    sys.exit(status)
# What others see of its end; to take Ansible apart, as an interpreter does then, takes a tenth of a second.
threading._shutdown()
atexit._run_exitfuncs()
sys.stdout.flush()
sys.stderr.flush()
os._exit(status & 0xFF)
