# Ansible's way into a sandbox: what it would start anew for each step of each task is asked of a worker that runs inside (worker.py).
#
# A request is a line of JSON over a Unix socket, with the standard streams of what is to be run:
#   {"do": "module", "size": …, "payload": …, "environment": {…}}   a Python program that Ansible feeds to the image's interpreter
#   {"do": "shell", "argv": [...]}                                  anything else, run as Ansible says it
# Most of a module's program is its payload, the same for each run of the module. In its place stands its name; a worker that does not
# know it answers `send`, and gets it, and what is compiled of it already, as two files. The answers are lines too: `begins` before
# anything is done, and `ended` with the exit status. Where the worker says `refused`, or is gone before it said `begins`, nothing was
# done, and the step is done the plain way; where it is gone after, nobody can know, and the task fails.

DOCUMENTATION = """
    name: ovenbird_sandbox
    short_description: Runs tasks in a sandbox of Ovenbird
    description: Runs tasks in a sandbox of Ovenbird, through a worker inside it.
    author: Ovenbird
    options:
      worker:
        description: The socket that the worker listens on.
        vars: [{name: ansible_ovenbird_worker}]
      enter:
        description: The program that runs a command in the sandbox.
        vars: [{name: ansible_chroot_exe}]
      executable:
        description: The shell inside.
        ini: [{section: defaults, key: executable}]
        env: [{name: ANSIBLE_EXECUTABLE}]
        vars: [{name: ansible_executable}]
        default: /bin/sh
"""

import hashlib
import importlib.util
import json
import marshal
import os
import re
import selectors
import shlex
import socket
import subprocess
import sys

from ansible.errors import AnsibleConnectionFailure
from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

display = Display()

INTERPRETER = "/usr/bin/python3"

# An interpreter, or a library that it loads, reads these when it starts; a fork would come too late for them.
READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "GLIBC_", "MALLOC_", "OPENSSL_", "SSL_", "HOME", "TZ", "XDG_", "VIRTUAL_ENV")

# The text of a payload: base64 of a zip file of the module and of the parts of Ansible that it needs.
PAYLOAD = re.compile(rb"""["']([A-Za-z0-9+/\n]{2000,}={0,2})["']""")


class NotBegun(Exception):
    """The worker has surely done nothing of what it was asked for."""


def module_environment(command):
    """The variables that Ansible sets for a module fed to the interpreter of the image; None for any other command."""
    try:
        shell, flag, inner = shlex.split(command)
        words = shlex.split(inner)
    except ValueError:
        return None
    pairs = [word.partition("=") for word in words[:-4]]
    environment = {name: value for name, _, value in pairs}
    # Written again, it has to be the very same text: then no word of it means anything else to a shell.
    again = ["%s=%s" % (name, shlex.quote(value)) for name, value in environment.items()]
    again = " ".join(again + [INTERPRETER, "&&", "sleep", "0"])
    plain = all(name.isidentifier() and not name.startswith(READ_AT_START) for name in environment)
    return environment if plain and command == "/bin/sh -c %s" % shlex.quote(again) else None


class Connection(ConnectionBase):
    transport = "ovenbird_sandbox"
    has_pipelining = True
    has_tty = False

    def _connect(self):
        self._connected = True
        return self

    def close(self):
        self._connected = False

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        display.vvv("EXEC %s" % cmd, host=self._play_context.remote_addr)
        environment = module_environment(cmd) if in_data else None
        if environment is None:
            return self._run(cmd, in_data)
        try:
            script, payload = split(in_data)
            request = {"do": "module", "size": len(script), "payload": payload and payload.name, "environment": environment}
            return self._ask(request, script, payload=payload)
        except NotBegun as reason:
            display.vvv("a new interpreter: %s" % reason)
            return self._run(cmd, in_data)

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        with open(in_path, "rb") as file:
            code, _, said = self._run("cat >%s" % shlex.quote(absolute(out_path)), stdin=file)
        if code:
            raise AnsibleError("could not copy %s to %s: %s" % (in_path, out_path, said.decode(errors="replace")))

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with open(out_path, "wb") as file:
            code, _, said = self._run("cat <%s" % shlex.quote(absolute(in_path)), stdout=file)
        if code:
            raise AnsibleError("could not fetch %s to %s: %s" % (in_path, out_path, said.decode(errors="replace")))

    def _run(self, command, data=None, stdin=None, stdout=None):
        """Runs a command of the shell, by the worker or by a program of its own."""
        argv = [self.get_option("executable"), "-c", command]
        try:
            return self._ask({"do": "shell", "argv": argv}, data, stdin, stdout)
        except NotBegun as reason:
            display.warning("plain Ansible: %s" % reason)
        argv = [self.get_option("enter"), self._play_context.remote_addr] + argv
        process = subprocess.Popen(
            argv, stdin=stdin or subprocess.PIPE, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, said = process.communicate(data)
        return process.returncode, out or b"", said

    def _ask(self, request, data=None, stdin=None, stdout=None, payload=None):
        """Has the worker do it; answers as `Popen.communicate` does, with the exit status."""
        for _ in range(3):
            with Streams(stdin, stdout) as streams, socket.socket(socket.AF_UNIX) as worker:
                said = begin(worker, self.get_option("worker"), request, streams, payload)
                if said == {"again": True}:
                    continue
                out, err = streams.exchange(data)
                said = line(worker)
            if "ended" in said:
                return said["ended"], out, err
            if "refused" in said:
                raise NotBegun(said["refused"])
            raise AnsibleConnectionFailure("the worker in the sandbox ended while it did this, so nobody knows how much is done")
        raise NotBegun("the image's Python changes all the time")


def absolute(path):
    return os.path.normpath(os.path.join("/", path))


def begin(worker, path, request, streams, payload):
    """Sends the request; returns when its work begins, or why it does not."""
    try:
        worker.connect(path)
        socket.send_fds(worker, [json.dumps(request).encode() + b"\n"], streams.theirs)
        said = line(worker)
        if said == {"send": True}:
            payload.send(worker)
            said = line(worker)
    except OSError as error:
        raise NotBegun("the worker in the sandbox is gone: %s" % error)
    finally:
        streams.close_theirs()
    if not said:
        raise NotBegun("the worker in the sandbox is gone")
    if "refused" in said:
        raise NotBegun(said["refused"])
    return said


def line(worker):
    """One answer; nothing if there is none any more."""
    text = b""
    while not text.endswith(b"\n"):
        part = worker.recv(1)
        if not part:
            return {}
        text += part
    return json.loads(text)


class Payload:
    def __init__(self, text):
        self.text = text
        self.name = "ovenbird-payload-" + hashlib.sha256(text).hexdigest()

    def send(self, worker):
        # What Ansible's own Python compiled (early/sources.py), and for which Python.
        sources = sys.modules.get("ovenbird_sources")
        code = marshal.dumps((importlib.util.MAGIC_NUMBER, sources.code() if sources else {}))
        with as_file(self.text) as text, as_file(code) as code:
            socket.send_fds(worker, [b"\n"], [text.fileno(), code.fileno()])


def split(script):
    """The program with the name of its payload in place of that, and the payload, if it has one."""
    found = max(PAYLOAD.finditer(script), key=lambda found: len(found[1]), default=None)
    if found is None:
        return script, None
    payload = Payload(found[1])
    return script[: found.start(1)] + payload.name.encode() + script[found.end(1) :], payload


def as_file(data):
    file = open(os.memfd_create("ovenbird"), "w+b")
    file.write(data)
    file.flush()
    return file


class Streams:
    """Both ends of the three standard streams; a file stands for itself."""

    def __init__(self, stdin=None, stdout=None):
        self.input = self.output = None
        if stdin is None:
            read, self.input = os.pipe()
        else:
            read = os.dup(stdin.fileno())
        if stdout is None:
            self.output, write = os.pipe()
        else:
            write = os.dup(stdout.fileno())
        self.errors, said = os.pipe()
        self.theirs = [read, write, said]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close_theirs()
        for end in (self.input, self.output, self.errors):
            if end is not None:
                os.close(end)

    def close_theirs(self):
        while self.theirs:
            os.close(self.theirs.pop())

    def exchange(self, data):
        """Writes the data and reads both streams to their ends."""
        rest = memoryview(data or b"")
        got = {self.output: bytearray(), self.errors: bytearray()}
        with selectors.DefaultSelector() as selector:
            for end in filter(None, got):
                selector.register(end, selectors.EVENT_READ)
            if self.input is not None:
                os.set_blocking(self.input, False)
                selector.register(self.input, selectors.EVENT_WRITE)
            while selector.get_map():
                for key, _ in selector.select():
                    if key.fd == self.input:
                        rest = self._feed(rest)
                        if not rest:
                            selector.unregister(self.input)
                            os.close(self.input)
                            self.input = None
                        continue
                    part = os.read(key.fd, 65536)
                    got[key.fd] += part
                    if not part:
                        selector.unregister(key.fd)
        return bytes(got[self.output]), bytes(got[self.errors])

    def _feed(self, rest):
        try:
            return rest[os.write(self.input, rest[:65536]) :] if rest else rest
        except BrokenPipeError:
            return rest[:0]  # It does not want to read it all.
