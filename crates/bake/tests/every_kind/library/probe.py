#!/usr/bin/python
# Tells what a module can see of its own process: nothing of it may depend on how it was started.

import locale
import os
import re
import resource
import signal
import sys
import tempfile
import time

import __main__

from ansible.module_utils.basic import AnsibleModule


def steady(text):
    return re.sub(r"payload_\w+", "payload", str(text))


def stream(one):
    kept = ("name", "mode", "encoding", "errors", "line_buffering", "write_through", "closed")
    return [str(getattr(one, name, None)) for name in kept] + [type(one).__name__, one.isatty(), one.fileno(), one.seekable()]


def signals():
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    return {str(number): str(getattr(handler, "__name__", handler)) for number, handler in handlers.items()}


def status():
    kept = ("Name", "Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Threads")
    with open("/proc/self/status") as file:
        pairs = [line.split(":", 1) for line in file]
    return {name: value.split() for name, value in pairs if name in kept}


def descriptors():
    links = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            links[number] = re.sub(r"\d+", "N", os.readlink("/proc/self/fd/" + number))
        except OSError:
            pass  # The one that lists them.
    return links


def seen():
    with open("/proc/self/cmdline", "rb") as file:
        command = file.read().decode()
    return {
        "argv": steady(sys.argv),
        "orig_argv": getattr(sys, "orig_argv", None),
        "cmdline": command if "python3 " not in command else "",
        "executable": sys.executable,
        "flags": str(sys.flags),
        "path": [steady(path) for path in sys.path],
        "meta_path": [steady(finder)[:60] for finder in sys.meta_path],
        "path_hooks": len(sys.path_hooks),
        "main": sorted(vars(__main__)),
        "main_file": steady(getattr(__main__, "__file__", None)),
        "streams": [stream(sys.stdin), stream(sys.stdout), stream(sys.stderr)],
        "same_streams": [sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
        "input": sys.stdin.read(),
        "environment": {name: re.sub(r"SUCCESS-\w+", "SUCCESS", value) for name, value in os.environ.items()},
        "cwd": os.getcwd(),
        "status": status(),
        "signals": signals(),
        "descriptors": descriptors(),
        "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_STACK)],
        "nice": os.nice(0),
        "time_zone": [time.tzname, time.timezone, time.strftime("%Z", time.localtime(0))],
        "encodings": [sys.getfilesystemencoding(), locale.getpreferredencoding(), locale.setlocale(locale.LC_ALL)],
        "temporary": tempfile.gettempdir(),
        "hash": hash("ovenbird") if "PYTHONHASHSEED" in os.environ else None,
        "excepthook": sys.excepthook is sys.__excepthook__,
        "dont_write_bytecode": sys.dont_write_bytecode,
        "is_leader": [os.getpid() == os.getpgid(0), os.getpid() == os.getsid(0)],
        "recursion": sys.getrecursionlimit(),
    }


def main():
    module = AnsibleModule({"word": {"type": "str"}, "loud": {"type": "bool"}, "breaks": {"type": "str"}}, supports_check_mode=True)
    breaks = module.params["breaks"]
    if breaks == "raise":
        raise ValueError("it breaks")
    if breaks == "exit":
        print("no answer")
        os._exit(5)
    if breaks == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if module.params["loud"]:
        print("before the answer")
        sys.stderr.write("aside\n")
        module.warn("a warning")
    module.exit_json(changed=True, seen=seen())


if __name__ == "__main__":
    main()
