# Runs inside the sandbox and saves each Ansible module the start of an interpreter: a module is a fork of this process.
#
# It is started exactly as Ansible starts a module, `/bin/sh -c '/usr/bin/python3 && sleep 0'` with the program on its standard
# input, so a fork differs from a module's own interpreter in three things only: modules of the standard library are loaded already, what
# Ansible puts into every payload (`ansible.module_utils.basic` and what that needs) is too, and sources inside a payload that were
# compiled before are not compiled again. Where a task changes the interpreter, or anything that it has loaded or looked for, this
# process starts again, so a package that a task installs is seen by the next task as it would be anyway.
#
# The connection plugin (connection.py) says how it is spoken to. What is not a module is run by the image's shell, from here too.

PRISTINE = dict(globals())

import sys

if sys.version_info < (3, 9):
    sys.exit("the image's Python is %d.%d, and the fast path needs 3.9" % sys.version_info[:2])

import atexit
import base64
import binascii
import gc
import hashlib
import importlib.machinery
import importlib.util
import io
import json
import marshal
import os
import select
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
import types
import warnings
import zipfile
import zipimport

# What modules of Ansible import from the standard library. None of them takes a variable, a file of /etc or the clock into itself
# when it is loaded, but for `time`, which is told to look again.
STANDARD = """
    argparse array ast atexit base64 bz2 calendar codecs collections.abc configparser contextlib copy csv ctypes ctypes.util
    datetime difflib email.mime.multipart email.mime.text email.utils errno fcntl filecmp fnmatch getopt glob grp gzip hashlib
    heapq html hmac http.client importlib.util inspect io itertools json locale lzma math multiprocessing numbers operator
    optparse pathlib pickle pkgutil platform pwd queue random re resource runpy select selectors shlex shutil signal socket
    stat string struct subprocess syslog tarfile tempfile termios textwrap threading traceback tty types typing
    unicodedata urllib.error urllib.parse urllib.request uuid warnings zipfile zlib
""".split()

# What the interpreter, and Ansible's part that knows distributions, look for when they are loaded.
LOOKED_AT = ("/etc/ld.so.preload", "/etc/os-release", "/usr/lib/os-release")
# The part of Ansible that every module needs.
BASIC = "ansible.module_utils.basic"

# How many compiled sources are kept at most.
KEPT = 2000

# What compiles a source out of a zip file; where Python has it no longer under this name, sources are compiled each time.
plain_compile = getattr(zipimport, "_compile_source", None)
# What executes one; where Python has no such method, each module loads all of Ansible itself.
plain_exec = getattr(zipimport.zipimporter, "exec_module", None)
# Code, by the digest of its source; and payloads, by name.
compiled, payloads = {}, {}


def load_standard_library():
    for name in STANDARD:
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # Not every image has each of them. A module that needs it fails as it would anyway.


def stamps():
    """Changes when a new interpreter might turn out other than this one: an upgrade, a package with a `.pth` file."""
    places = {os.path.realpath(sys.executable), *LOOKED_AT, *sysconfig.get_paths().values(), *filter(None, sys.path)}
    if "site" in sys.modules:
        places.update([*sys.modules["site"].getsitepackages(), sys.modules["site"].getusersitepackages()])
    for name in ("sitecustomize", "usercustomize"):
        if name in sys.modules:
            places.add(sys.modules[name].__file__)
    with open("/proc/self/maps") as maps:
        places.update(os.path.dirname(line.split(None, 5)[5].strip()) for line in maps if ".so" in line)
    return [stamp(place) for place in sorted(places)]


def stamp(place):
    try:
        found = os.stat(place)
    except OSError:
        return place, None
    return place, found.st_ino, found.st_mtime_ns, found.st_size


def shell_environment():
    """What the shell above us was given, and the next shell is to be given."""
    with open("/proc/%d/environ" % os.getppid(), "rb") as file:
        return dict(pair.split(b"=", 1) for pair in file.read().split(b"\0") if pair)


def digest(source):
    return hashlib.sha256(source).digest()


class Payload:
    """What most of a module's program is: a zip file, in base64, of the module and of the parts of Ansible that it needs."""

    def __init__(self, name, text, code):
        """Compiles what it holds, unless that is in `code`, and loads its part of Ansible, unless another has."""
        self.name, self.text, self.is_zip, self.fits = name, text.decode(), False, False
        try:
            data = base64.b64decode(text)
            with zipfile.ZipFile(io.BytesIO(data)) as payload:
                names = [name for name in payload.namelist() if name.endswith(".py")]
                sources = {name: learn_source(name, payload.read(name), code) for name in names}
        except (binascii.Error, zipfile.BadZipFile, EOFError):
            return  # Something else that is written in the same letters.
        self.is_zip = True
        loaded.load(data, sources)
        # May its module use that part?
        self.fits = loaded.fits(sources)


def learn_source(name, source, code):
    """Its digest."""
    key = digest(source)
    if key in compiled or len(compiled) >= KEPT or not plain_compile:
        return key
    if key in code:
        compiled[key] = marshal.loads(code[key])
        return key
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            code = plain_compile(name, source)
        except (SyntaxError, ValueError):
            return key  # The module shall say so itself.
    # A warning is part of what a module says, each time.
    if not said:
        compiled[key] = code
    return key


def compile_once(path, source):
    """In a fork: in place of `plain_compile`."""
    code = compiled.get(digest(source))
    if code is None:
        return plain_compile(path, source)
    import _imp

    _imp._fix_co_filename(code, path)
    return code


class Loaded:
    """Parts of Ansible that were loaded before the fork, for whoever imports them in one."""

    def __init__(self):
        self.modules, self.sources, self.finders = None, {}, []

    def is_tried(self):
        return self.modules is not None

    def load(self, payload, sources):
        """Once. What cannot be loaded here is loaded by each module, which says why it cannot."""
        if self.is_tried() or not plain_compile or not plain_exec:
            return
        self.modules, finders = {}, list(sys.meta_path)
        with tempfile.NamedTemporaryFile(dir="/run", suffix=".zip") as file:
            file.write(payload)
            file.flush()
            sys.path.insert(0, file.name)
            zipimport._compile_source = compile_once
            try:
                importlib.import_module(BASIC)
                self.modules = self.collect(file.name)
                names = [module.__spec__.origin[len(file.name) + 1 :] for module in self.modules.values()]
                self.sources = {name: sources[name] for name in names}
            except BaseException:
                self.modules = {}
            zipimport._compile_source = plain_compile
            self.finders = [finder for finder in sys.meta_path if finder not in finders]
            sys.meta_path[:] = finders
            sys.path.remove(file.name)
            sys.path_importer_cache.clear()
            zipimport._zip_directory_cache.pop(file.name, None)
            for name in [name for name in sys.modules if name.partition(".")[0] == "ansible"]:
                del sys.modules[name]

    def collect(self, archive):
        """What was loaded from the archive, but packages that look for their parts in other places too: there may be new ones."""
        found = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "ansible"}
        found = {name: module for name, module in found.items() if (module.__spec__.origin or "").startswith(archive)}
        own = lambda module: list(module.__path__) == module.__spec__.submodule_search_locations
        return {name: module for name, module in found.items() if not hasattr(module, "__path__") or own(module)}

    def fits(self, sources):
        """Has a payload with these sources the same version of all that is loaded?"""
        return bool(self.modules) and all(sources.get(name, key) == key for name, key in self.sources.items())

    def exec_module(self, importer, module):
        """In a fork: what is loaded only learns its place; anything else is executed."""
        spec = module.__spec__
        if self.modules.get(spec.name) is not module:
            return plain_exec(importer, module)
        module.__loader__, module.__file__ = importer, spec.origin
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations

    def show(self):
        """In a fork: the importer of zip files has it from now on."""
        zipimport.zipimporter.create_module = lambda _, spec: self.modules.get(spec.name)
        zipimport.zipimporter.exec_module = lambda importer, module: self.exec_module(importer, module)
        sys.meta_path += self.finders


loaded = Loaded()


def receive(connection):
    """A request, one JSON object on a line, and the standard streams for it."""
    text, streams, _, _ = socket.recv_fds(connection, 65536, 3)
    while text and not text.endswith(b"\n"):
        more = connection.recv(65536)
        text = text + more if more else b""
    return (json.loads(text) if text else {"do": "nothing"}), streams


def receive_files(connection):
    """The content of two files."""
    _, files, _, _ = socket.recv_fds(connection, 1, 2)
    if len(files) != 2:
        raise OSError("a payload did not arrive")
    contents = []
    for file in files:
        with open(file, "rb") as file:
            file.seek(0)
            contents.append(file.read())
    return contents


def answer(connection, **fields):
    try:
        connection.sendall(json.dumps(fields).encode() + b"\n")
    except OSError:
        pass  # Who asked is gone; the work goes on, as it would without us.


def read_script(stream, size):
    script = bytearray()
    while len(script) < size:
        part = os.read(stream, 1 << 20)
        if not part:
            raise OSError("the module arrived in part")
        script += part
    return bytes(script)


def standard_stream(number, like, mode):
    """As the interpreter makes them when it starts."""
    buffer = open(number, mode + "b", closefd=False)
    buffer.raw.name = like.name
    stream = io.TextIOWrapper(buffer, like.encoding, like.errors, newline="\n", line_buffering=like.line_buffering)
    stream.mode = mode
    return stream


class Server:
    """Does one thing after the other; what it started runs meanwhile."""

    def __init__(self, listener):
        self.listener = listener
        self.environment = shell_environment()
        self.stamps = None
        self.running = {}
        self.forked = self.shells = 0
        # The end of a child wakes the loop.
        self.woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def prepare(self):
        """Gets ready for forks, once; it takes a moment in which Ansible starts."""
        if self.stamps is None:
            load_standard_library()
            self.settle()

    def settle(self):
        """After something was loaded."""
        self.stamps = stamps()
        gc.collect()
        gc.freeze()  # So that a fork does not copy what it only looks through.

    def learn(self, connection, name):
        """The payload of this name, which is asked for if it is new."""
        if name in payloads:
            return payloads[name]
        answer(connection, send=True)
        text, code = receive_files(connection)
        magic, code = marshal.loads(code)
        was_loaded = loaded.is_tried()
        payload = Payload(name, text, code if magic == importlib.util.MAGIC_NUMBER else {})
        if not was_loaded and loaded.is_tried():
            self.settle()
        if payload.is_zip:
            payloads[name] = payload
        return payload

    def serve(self):
        """Returns in a fork only, with the program that the fork is to be, and its payload."""
        while True:
            ready, _, _ = select.select([self.listener, self.woken], [], [])
            if self.woken in ready:
                self.reap()
            if self.listener in ready:
                connection, _ = self.listener.accept()
                program = self.take(connection, *receive(connection))
                if program is not None:
                    return program

    def reap(self):
        os.read(self.woken, 4096)
        for pid, (connection, errors) in list(self.running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self.running[pid]
                code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else self.killed(os.WTERMSIG(status), errors)
                os.close(errors)
                answer(connection, ended=code)
                connection.close()

    def killed(self, number, errors):
        """What the shell that Ansible puts above a module says of its end, and the exit status that it makes of it."""
        once_more = "/bin/sh -c 'kill -%d $$' && sleep 0" % number
        return subprocess.call(["/bin/sh", "-c", once_more], stderr=errors, env=self.environment)

    def take(self, connection, request, streams):
        pid = None
        try:
            if request["do"] == "module":
                self.prepare()
                if stamps() != self.stamps:
                    self.start_again(connection)
                else:
                    payload = request["payload"] and self.learn(connection, request["payload"])
                    answer(connection, begins=True)
                    script = read_script(streams[0], request["size"])
                    pid = self.fork()
                    if pid == 0:
                        self.become_module(streams, connection, request["environment"], payload and payload.fits)
                        return script, payload
            elif request["do"] == "shell":
                answer(connection, begins=True)
                pid = self.run_shell(request["argv"], streams)
            elif request["do"] == "hello":
                answer(connection, python="%d.%d.%d" % sys.version_info[:3])
                self.prepare()
            elif request["do"] == "end":
                answer(connection, forked=self.forked, shells=self.shells)
                sys.exit(0)
        except OSError as error:
            answer(connection, refused=str(error))
        for stream in streams if pid is None else streams[:2]:
            os.close(stream)
        if pid is None:
            connection.close()
        else:
            self.running[pid] = connection, streams[2]
        return None

    def fork(self):
        pid = os.fork()
        self.forked += 1
        return pid

    def run_shell(self, argv, streams):
        child = subprocess.Popen(argv, stdin=streams[0], stdout=streams[1], stderr=streams[2], env=self.environment)
        child.returncode = 0  # The loop reaps it.
        self.shells += 1
        return child.pid

    def start_again(self, connection):
        """A new interpreter in this process's place, unless something runs."""
        if self.running:
            answer(connection, refused="the image's Python changed while something runs")
            return
        sys.stderr.write("%d modules forked, %d shells; then the image's Python changed\n" % (self.forked, self.shells))
        sys.stderr.flush()
        answer(connection, again=True)
        connection.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.lseek(0, 0, os.SEEK_SET)
        os.dup2(self.listener.fileno(), 1)
        os.execv(sys.executable, sys.orig_argv)

    def become_module(self, streams, connection, environment, fits):
        """In a fork: leaves nothing of the server in reach of the module."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for one in (self.listener, connection, *(other for other, _ in self.running.values())):
            one.detach()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 1024)
        sys.stdin = sys.__stdin__ = standard_stream(0, sys.stdin, "r")
        sys.stdout = sys.__stdout__ = standard_stream(1, sys.stdout, "w")
        sys.stderr = sys.__stderr__ = standard_stream(2, sys.stderr, "w")
        os.environ.update(environment)
        time.tzset()
        sys.path_importer_cache.clear()
        if plain_compile:
            zipimport._compile_source = compile_once
        if fits:
            loaded.show()


def compile_program(script, payload):
    """As the interpreter does, but that it does not read through the payload, only through the name in its place."""
    code = compile(script, "<stdin>", "exec", dont_inherit=True)
    if payload:
        code, filled = fill_in(code, payload)
        if not filled:
            # It is no constant of its own there.
            whole = script.replace(payload.name.encode(), payload.text.encode())
            code = compile(whole, "<stdin>", "exec", dont_inherit=True)
    return code


def fill_in(code, payload):
    """The code with the payload where its name is a constant, and in how many places that was."""
    constants, filled = [], 0
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            constant, more = fill_in(constant, payload)
            filled += more
        elif constant == payload.name:
            constant, filled = payload.text, filled + 1
        constants.append(constant)
    return code.replace(co_consts=tuple(constants)), filled


def execute(script, payload):
    """Runs a program as the interpreter runs what it reads from its standard input."""
    main = types.ModuleType("__main__")
    main.__dict__.update(PRISTINE)
    sys.modules["__main__"] = main
    try:
        exec(compile_program(script, payload), main.__dict__)
    except Exception as error:
        # This function's frame is no part of it.
        error = error.with_traceback(error.__traceback__.tb_next)
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)


def write_out(file):
    try:
        if not file.closed and file.writable():
            file.flush()
    except (OSError, ValueError):
        pass  # Nobody is left to be told.


def end(status):
    """What others see of the end of an interpreter. To take all of it apart, as it does then, takes as long as many a module."""
    threading._shutdown()
    atexit._run_exitfuncs()
    for one in gc.get_objects():
        if issubclass(type(one), io.IOBase):
            write_out(one)
    # What only its destructor ends: temporary files.
    gc.collect()
    os._exit(status)


if __name__ == "__main__":
    server = Server(socket.socket(fileno=os.dup(1)))
    program = server.serve()
    # Keeps this module alive, whose place another takes.
    own_module = sys.modules["__main__"]
    try:
        execute(*program)
        status = 0
    except SystemExit as ended:
        status = 0 if ended.code is None else ended.code
    if not isinstance(status, int):
        sys.exit(status)
    end(status & 0xFF)
