"""Bulk API 2.0 jobs: what every job has in common, and the store that keeps them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .errors import SalesforceError, not_found
from .soql.shape import json_value

__all__ = ["Job", "Jobs", "Table", "not_now"]

Table = tuple[Sequence[str], Sequence[Sequence[str]]]  # header, rows of cells


@dataclass
class Job:
    """One job. `answer` holds the tables that its results paths give out, by the last part of the path."""

    id: str
    kind: str  # query, ingest
    operation: str
    object: str
    user: str
    version: int
    created: datetime
    line_ending: str = "LF"
    state: str = "UploadComplete"
    external_id: str = ""
    query: str = ""
    message: str = ""
    data: bytes = b""
    processed: int = 0
    failed: int = 0
    polls_left: int = 0  # status requests that still see it at work
    answer: dict[str, Table] = field(default_factory=dict)

    def as_data(self, base: str) -> dict[str, Any]:
        """What is answered about it; `base` is /services/data/vNN.0."""
        shown: dict[str, Any] = {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.user,
            "createdDate": json_value(self.created),
            "systemModstamp": json_value(self.created),
            "state": self.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.version),
            "jobType": "V2Query" if self.kind == "query" else "V2Ingest",
            "lineEnding": self.line_ending,
            "columnDelimiter": "COMMA",
        }
        if self.kind == "ingest":
            shown["contentUrl"] = f"{base.lstrip('/')}/jobs/ingest/{self.id}/batches"
            if self.external_id:
                shown["externalIdFieldName"] = self.external_id
        if self.state in ("JobComplete", "Failed", "Aborted"):
            shown |= {"numberRecordsProcessed": self.processed, "retries": 0, "totalProcessingTime": 1}
            if self.kind == "ingest":
                shown |= {"numberRecordsFailed": self.failed, "apiActiveProcessingTime": 1, "apexProcessingTime": 0}
        if self.message:
            shown["errorMessage"] = self.message
        return shown


class Jobs:
    """The jobs of one org. Switches of the control API: how long the next job takes, whether it fails, what is cut."""

    def __init__(self) -> None:
        self.slow_polls = 0  # status requests that see the next job at work
        self.next_failure = ""  # the message that the next job fails with
        self.cuts = 0  # so many of the next result pages lack their second half
        self.lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._made = 0

    def add(self, kind: str, **facts: Any) -> Job:
        """A new job with an id of its own; a failure that was switched on is used up by it."""
        with self.lock:
            self._made += 1
            job = Job(f"7505g{self._made:010}AAA", kind, **facts)
            job.polls_left, self.slow_polls = self.slow_polls, 0
            self._jobs[job.id] = job
            return job

    def find(self, kind: str, job_id: str) -> Job:
        """The job of that id. Raises NOT_FOUND."""
        job = self._jobs.get(job_id)
        if job is None or job.kind != kind:
            raise not_found()
        return job

    def all(self, kind: str) -> list[Job]:
        """Jobs of one kind, oldest first."""
        return [job for job in list(self._jobs.values()) if job.kind == kind]

    def drop(self, job: Job) -> None:
        """Forget a job that has ended."""
        if job.state in ("Open", "UploadComplete", "InProgress"):
            raise not_now(job)
        with self.lock:
            del self._jobs[job.id]

    def advance(self, job: Job) -> None:
        """One look at a job that was started: it goes on with its work."""
        with self.lock:
            if job.state not in ("UploadComplete", "InProgress"):
                return
            if job.polls_left > 0:
                job.polls_left -= 1
                job.state = "InProgress"
                return
            if self.next_failure:
                job.state, job.message, self.next_failure = "Failed", self.next_failure, ""
                job.processed, job.answer = 0, {}
                return
            job.state = "Failed" if job.message else "JobComplete"

    def calm(self) -> None:
        """Switch everything off."""
        with self.lock:
            self.slow_polls = self.cuts = 0
            self.next_failure = ""

    def cut(self) -> bool:
        """Is this result page one of those to be cut?"""
        with self.lock:
            self.cuts, was = max(0, self.cuts - 1), self.cuts
            return was > 0


def not_now(job: Job) -> SalesforceError:
    """What is asked of the job does not fit its state."""
    return SalesforceError(409, "INVALIDJOBSTATE", f"Job {job.id} is in the state {job.state}")
