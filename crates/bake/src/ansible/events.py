# One JSON object per line and event, for Ovenbird, which prints, counts and logs them.
#
# Ansible hides the results of `no_log` tasks before a callback sees them. `ansible.posix.jsonl` does the same work, but does not
# say which failures are ignored.

DOCUMENTATION = """
    name: ovenbird_events
    type: stdout
    short_description: One JSON object per line and event
    description: What a play does, as it happens.
"""

import json
import sys
import time

from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.callback import CallbackBase


def place(thing):
    file, _, line = (thing.get_path() or "").rpartition(":")
    return {"file": file, "line": int(line)} if line.isdigit() else None


def message(result):
    """What a person needs to know about a failure; of a loop, about its first failed item."""
    failed = [item for item in result.get("results") or [] if isinstance(item, dict) and item.get("failed")]
    if failed:
        label = failed[0].get("_ansible_item_label", failed[0].get("item"))
        return "%s: %s" % (label, message(failed[0]))
    parts = [result.get(key) for key in ("msg", "stderr", "module_stderr", "module_stdout", "reason")]
    texts = [str(part).strip() for part in parts if part]
    kept = [text for i, text in enumerate(texts) if text and not any(text in other for other in texts[:i])]
    return "\n".join(kept) or "the module gave no reason"


def visible(value):
    """A result without Ansible's own bookkeeping."""
    if isinstance(value, dict):
        hidden = ("invocation", "exception") if not value.get("failed") else ("invocation",)
        return {k: visible(v) for k, v in value.items() if not str(k).startswith("_ansible_") and k not in hidden}
    return [visible(item) for item in value] if isinstance(value, list) else value


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ovenbird_events"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._tasks = {}

    def _emit(self, event, **fields):
        line = json.dumps(dict(fields, ovenbird=event), cls=AnsibleJSONEncoder, sort_keys=True)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def _begin(self, task):
        name = task.name or task.action
        role = task._role.get_name() if task._role else None
        known = {"name": str(name), "role": role, "place": place(task)}
        self._tasks[task._uuid] = (time.monotonic(), known)
        self._emit("task", task=known)

    def _end(self, result, status, **fields):
        task = result._task
        if task._uuid not in self._tasks:
            self._begin(task)
        started, known = self._tasks[task._uuid]
        seconds = round(time.monotonic() - started, 3)
        self._emit("done", task=known, status=status, seconds=seconds, result=visible(result._result), **fields)

    def v2_playbook_on_play_start(self, play):
        self._emit("play", name=play.get_name(), place=place(play))

    def v2_playbook_on_no_hosts_matched(self):
        self._emit("no_hosts")

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._begin(task)

    def v2_playbook_on_handler_task_start(self, task):
        self._begin(task)

    def v2_playbook_on_cleanup_task_start(self, task):
        self._begin(task)

    def v2_runner_on_ok(self, result):
        self._end(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_skipped(self, result):
        self._end(result, "skipped")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._end(result, "ignored" if ignore_errors else "failed", message=message(result._result))

    def v2_runner_on_unreachable(self, result):
        self._end(result, "unreachable", message=message(result._result))

    def v2_playbook_on_stats(self, stats):
        hosts = [stats.summarize(host) for host in sorted(stats.processed)]
        keys = ("ok", "changed", "skipped", "failures", "unreachable", "rescued", "ignored")
        self._emit("stats", hosts=len(hosts), **{key: sum(host[key] for host in hosts) for key in keys})
