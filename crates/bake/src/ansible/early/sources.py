# To pack a module, Ansible parses each source that may go into its payload, to learn what that imports; a Python in the image compiles
# it. Both depend on the source alone, so both are kept by its digest, in memory and in a folder, and no source is parsed or
# compiled twice, also not by the bakes to come. What a payload is made of, and what those files hold now, Ansible finds each time.
import ast
import hashlib
import io
import marshal
import os
import shutil
import sys
import time
import warnings
import zipfile
import zipimport

# With so many files, a folder begins anew.
FULL = 5000
# A folder that no bake has used for so long, in seconds, is of an Ansible or a Python that has gone: thirty days.
UNUSED = 30 * 24 * 3600


class Source:
    """What is known of a source."""

    def __init__(self, imports, code):
        # By the name that it goes by in a payload, and whether it is a package: what it imports, and what of that it can do without.
        self.imports, self.code = imports, code


class Sources:
    def __init__(self, folder):
        self.folder, self.known = folder, {}
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            found = os.stat(folder)
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                self.folder = os.devnull  # What others can write is not believed.
            os.utime(folder)
            names = os.listdir(self.folder)
            for name in names if len(names) > FULL else []:
                os.unlink(os.path.join(folder, name))
        except OSError:
            pass  # Nothing is kept, then.

    def find(self, text):
        key = hashlib.sha256(text).digest()
        if key not in self.known:
            self.known[key] = self.read(key)
        return self.known[key]

    def add(self, text):
        self.known[hashlib.sha256(text).digest()] = Source({}, compiled(text))

    def learn(self, text, name, found):
        key = hashlib.sha256(text).digest()
        self.known[key].imports[name] = found
        self.write(key, self.known[key])

    def path(self, key):
        return os.path.join(self.folder, key.hex())

    def read(self, key):
        try:
            with open(self.path(key), "rb") as file:
                seal, data = file.read(32), file.read()
            return Source(*marshal.loads(data)) if hashlib.sha256(data).digest() == seal else None
        except (OSError, ValueError, EOFError, TypeError):
            return None

    def write(self, key, source):
        part = "%s.%d" % (self.path(key), os.getpid())
        data = marshal.dumps((source.imports, source.code))
        try:
            with open(part, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
            os.rename(part, self.path(key))
        except OSError:
            pass

    def code(self):
        """What is compiled of all that was asked for, by digest."""
        return {key: source.code for key, source in self.known.items() if source and source.code}


def is_as_usual():
    """Does this interpreter compile as one that was told nothing?"""
    return not sys.flags.optimize and not ("no_debug_ranges" in sys._xoptions or os.environ.get("PYTHONNODEBUGRANGES"))


def compiled(text):
    """As an importer of zip files compiles it. Where Python has something to say about it, each module is to say so: nothing, then."""
    if not is_as_usual():
        return None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            code = zipimport._compile_source("<source>", text)
        except (AttributeError, SyntaxError, ValueError):
            return None
    return None if said else marshal.dumps(code)


class Unparsed:
    """In place of the tree of a source that is known. It is parsed for whoever looks into it after all."""

    def __init__(self, text, how):
        self.text, self.how, self.parsed = text, how, None

    def __getattr__(self, name):
        return getattr(self.tree(), name)

    def tree(self):
        if self.parsed is None:
            self.parsed = compile(self.text, *self.how)
        return self.parsed


class Packing:
    """In place of what Ansible calls when it packs: a parse, and a walk through what that gave."""

    def __init__(self, sources, module_common):
        self.sources, self.module_common = sources, module_common
        self.walk_plainly = module_common.ModuleDepFinder.__init__
        module_common.compile = self.compile
        module_common.ModuleDepFinder.__init__ = lambda *arguments, **more: self.walk(*arguments, **more)

    def undo(self):
        self.module_common.compile, self.module_common.ModuleDepFinder.__init__ = compile, self.walk_plainly

    def compile(self, text, *how):
        if how[-1:] != (ast.PyCF_ONLY_AST,) or not isinstance(text, bytes):
            return compile(text, *how)
        if self.sources.find(text):
            return Unparsed(text, how)
        tree = compile(text, *how)
        tree.text = text
        self.sources.add(text)
        return tree

    def walk(self, finder, name, tree, is_package=False, **more):
        text = getattr(tree, "text", None)
        source = self.sources.find(text) if text is not None and not more else None
        if source and (name, is_package) in source.imports:
            finder.submodules, finder.optional_imports = map(set, source.imports[name, is_package])
            return
        self.walk_plainly(finder, name, tree.tree() if isinstance(tree, Unparsed) else tree, is_package, **more)
        if source:
            self.sources.learn(text, (name, is_package), (finder.submodules, finder.optional_imports))


def drop_unused(folder):
    """Removes what is known of the sources of versions that no bake uses any more."""
    try:
        for known in os.scandir(folder):
            if known.stat(follow_symlinks=False).st_mtime < time.time() - UNUSED:
                shutil.rmtree(known, ignore_errors=True)
    except OSError:
        pass  # Next time, then.


def remember_sources(folder):
    from ansible.executor import module_common

    with open(module_common.__file__, "rb") as file:
        version = hashlib.sha256(repr((sys.version, is_as_usual())).encode() + file.read()).hexdigest()
    sources = Sources(os.path.join(folder, version))
    drop_unused(folder)
    packing = Packing(sources, module_common)
    try:
        # What every module needs (`module_utils.basic` and what that needs) is asked for here, so the forks in which Ansible packs have it.
        module_common.recursive_finder("none", "ansible.modules.none", b"", zipfile.ZipFile(io.BytesIO(), "w"))
    except TypeError:
        pass  # A version that wants to know more.
    except Exception:
        # One that packs in another way.
        packing.undo()
        return
    # The connection plugin gives what is compiled to the image's Python.
    sys.modules["ovenbird_sources"] = sources
