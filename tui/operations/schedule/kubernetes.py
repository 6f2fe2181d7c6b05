"""A schedule as Kubernetes CronJobs, with the volume claim they keep backups and state in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from tui.model.fleet import Fleet, LocalStore
from tui.model.text import clean
from tui.operations.schedule.schedule import Schedule, Task, slug

CONFIG = "/etc/pgdr/pgdr.toml"
STATE = "/var/lib/pgdr"
_CLAIM, _SECRET, _CONFIG_MAP = "pgdr-backups", "pgdr", "pgdr"
_USER = 10001
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9./_-]*")
_NOT_BARE = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # YAML 1.1 reads these as others


def cron_jobs(
    fleet: Fleet, schedule: Schedule, variables: Sequence[str], image: str, files: Sequence[Path] = ()
) -> str:
    """Given a fleet, its schedule, the variables and the files that hold its secrets, and an image
    that has pgdr and PostgreSQL's programs in it, returns the manifests as YAML. Files are told, not mounted:
    where they will be is the configuration's to say."""
    lines = [
        f"# The configuration: kubectl create configmap {_CONFIG_MAP} --from-file=pgdr.toml",
        f"# Its paths start at {PurePosixPath(CONFIG).parent}, and its hosts are the names of services.",
    ]
    if variables:
        given = " ".join(f"--from-literal={name}=…" for name in variables)
        lines.append(f"# Its secrets: kubectl create secret generic {_SECRET} {given}")
    if files:
        said = ", ".join(clean(str(path)) for path in files)
        lines.append(f"# Mount these as files too, or name variables in their place: {said}")
    lines += [f"# {said}" for said in schedule.unscheduled]
    documents = ["\n".join((*lines, *_yaml(_claim())))]
    for task in schedule.tasks:
        head = [f"# {task.about}", *([f"# {task.note}"] if task.note else [])]
        documents.append("\n".join((*head, *_yaml(_cron_job(fleet, task, variables, image)))))
    return "\n---\n".join(documents) + "\n"


def _claim() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": _CLAIM},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "50Gi"}}},
    }


def _cron_job(fleet: Fleet, task: Task, variables: Sequence[str], image: str) -> dict[str, Any]:
    mounts = [
        {"name": "config", "mountPath": CONFIG, "subPath": "pgdr.toml", "readOnly": True},
        {"name": "backups", "mountPath": STATE, "subPath": "state"},
        *_stores(fleet),
    ]
    container: dict[str, Any] = {
        "name": "pgdr",
        "image": image,
        "command": ["pgdr"],
        "args": [expanded(part) for part in ("--config", CONFIG, "--state", STATE, *task.arguments)],
        "volumeMounts": mounts,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    if variables:
        container["env"] = [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": _SECRET, "key": name}}}
            for name in variables
        ]
    pod = {
        "restartPolicy": "OnFailure",
        "securityContext": {"runAsNonRoot": True, "runAsUser": _USER, "fsGroup": _USER},
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": _CONFIG_MAP}},
            {"name": "backups", "persistentVolumeClaim": {"claimName": _CLAIM}},
        ],
    }
    labels = {"app.kubernetes.io/name": "pgdr", "app.kubernetes.io/component": task.name}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": f"pgdr-{task.name}", "labels": labels},
        "spec": {
            "schedule": task.times.cron,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": max(60, min(3600, int(task.every / timedelta(seconds=2)))),
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {"backoffLimit": 2, "template": {"metadata": {"labels": labels}, "spec": pod}}
            },
        },
    }


def _stores(fleet: Fleet) -> Iterator[dict[str, Any]]:
    """A part of the volume where each local store's directory will be."""
    base = fleet.source.parent if fleet.source else Path("/")
    for store in fleet.stores:
        if isinstance(store, LocalStore):
            inside = store.path.is_relative_to(base)
            path = PurePosixPath(CONFIG).parent / store.path.relative_to(base) if inside else store.path
            yield {"name": "backups", "mountPath": str(path), "subPath": f"store-{slug(store.name)}"}


def expanded(part: str) -> str:
    """An argument as Kubernetes leaves it: `$(NAME)` would be replaced, `$$(NAME)` is not."""
    return part.replace("$(", "$$(")


def _yaml(value: Any, indent: int = 0) -> Iterator[str]:
    """Block YAML of dicts, lists, text, numbers and flags. Of all of YAML these few forms are needed, so no
    library is."""
    pad = " " * indent
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, (Mapping, list)) and item:
                yield f"{pad}{_scalar(key)}:"
                yield from _yaml(item, indent + 2)
            else:
                yield f"{pad}{_scalar(key)}: {_scalar(item)}"
        return
    for item in value:
        if isinstance(item, (Mapping, list)):
            first, *rest = _yaml(item, indent + 2)
            yield f"{pad}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{pad}- {_scalar(item)}"


def _scalar(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _BARE.fullmatch(value) and value.lower() not in _NOT_BARE:
        return value
    # Double-quoted scalars of YAML 1.2 are JSON's strings; what isn't ASCII is written by its code point,
    # as the astral ones would be two surrogates in JSON, which YAML has not.
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if " " <= char <= "~" else _code_point(char) for char in quoted)


def _code_point(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
