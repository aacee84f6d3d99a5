"""`tf.train.ClusterSpec`: the jobs of a cluster and the addresses of their tasks."""

from __future__ import annotations

import collections.abc
from typing import Any


class ClusterSpec:
    """Jobs by name, each with its tasks' addresses as a list or by number (`tf.train.ClusterSpec`).

    `cluster` is a dictionary, a ClusterSpec or a `tf.train.ClusterDef`; TypeError for others.
    """

    def __init__(self, cluster: Any) -> None:
        jobs: dict[str, dict[int, str]] = {}
        if isinstance(cluster, ClusterSpec):
            jobs = {job: dict(tasks) for job, tasks in cluster._jobs.items()}
        elif isinstance(cluster, collections.abc.Mapping):
            for job, tasks in cluster.items():
                if isinstance(tasks, (list, tuple)):
                    jobs[job] = dict(enumerate(tasks))
                elif isinstance(tasks, collections.abc.Mapping):
                    jobs[job] = {int(i): address for i, address in tasks.items()}
                else:
                    raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")
        elif hasattr(cluster, "job"):
            jobs = {job.name: dict(job.tasks) for job in cluster.job}
        else:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a `ClusterDef` protocol buffer"
            )
        for job, tasks in jobs.items():
            if not isinstance(job, (str, bytes)):
                raise TypeError(f"Job name {job!r} must be bytes or unicode")
            for address in tasks.values():
                if not isinstance(address, (str, bytes)):
                    raise TypeError(f"Task address {address!r} must be bytes or unicode")
        self._jobs = {_text(job): {i: _text(a) for i, a in tasks.items()} for job, tasks in jobs.items()}

    def __bool__(self) -> bool:
        return bool(self._jobs)

    __nonzero__ = __bool__

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = self.as_dict()
        return "ClusterSpec({" + ", ".join(f"{k!r}: {shown[k]!r}" for k in sorted(shown)) + "})"

    def as_dict(self) -> dict[str, Any]:
        """Jobs by name: a list where the tasks are numbered from zero without gaps, else a dictionary."""
        return {job: list(tasks.values()) if list(tasks) == list(range(len(tasks))) else dict(tasks) for job, tasks in self._jobs.items()}

    def as_cluster_def(self) -> Any:
        """The same as a `tf.train.ClusterDef`."""
        from tf2compat.train.messages import ClusterDef

        out = ClusterDef()
        for name in sorted(self._jobs):
            job = out.job.add()
            job.name = name
            for i, address in self._jobs[name].items():
                job.tasks[i] = address
        return out

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def _job(self, job_name: str) -> dict[int, str]:
        if job_name not in self._jobs:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._jobs[job_name]

    def num_tasks(self, job_name: str) -> int:
        """How many tasks a job has; ValueError for an unknown job."""
        return len(self._job(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """The numbers of a job's tasks, ascending."""
        return sorted(self._job(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """The address of a task; ValueError for one that is not there."""
        job = self._job(job_name)
        if task_index not in job:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return job[task_index]

    def job_tasks(self, job_name: str) -> list[Any]:
        """A job's addresses by number, None where there is no task."""
        job = self._job(job_name)
        return [job.get(i) for i in range(max(job) + 1)] if job else []


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else value
