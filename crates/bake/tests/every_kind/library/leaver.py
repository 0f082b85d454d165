#!/usr/bin/python
# Leaves to the end of its interpreter what that is known to do: to write what was not written yet, to wait for threads, to call who
# asked for it, to remove temporary files.

import atexit
import os
import tempfile
import threading
import time

from ansible.module_utils.basic import AnsibleModule


class Held:
    """Held by nothing but itself when the module ends."""

    def __init__(self, file):
        self.own, self.file = self, file


def late(path):
    time.sleep(0.2)
    with open(path, "w") as file:
        file.write("a thread's")


def main():
    global held, temporary
    module = AnsibleModule(argument_spec={"folder": {"type": "path", "required": True}})
    inside = lambda name: os.path.join(module.params["folder"], name)
    held = open(inside("global"), "w")
    held.write("of a global")
    cycle = Held(open(inside("cycle"), "wb"))
    cycle.file.write(b"of a cycle")
    local = open(inside("local"), "w")
    local.write("of a local")
    temporary = tempfile.NamedTemporaryFile(dir=module.params["folder"])
    atexit.register(lambda: open(inside("atexit"), "w").write("at the exit"))
    threading.Thread(target=late, args=[inside("thread")]).start()
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
