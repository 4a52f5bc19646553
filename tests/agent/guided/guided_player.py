"""Plays dialogs with the guided planner: real messages, tools answered from manifests and schemas held in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from integrator_drivers.manifest import Manifest
from integrator_magics.agent.guided.model import _respond

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@dataclass
class System:
    """One driver and what is in it: object -> {"label", "records", "fields"}."""

    manifest: Manifest
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    connected: bool = True

    def row(self) -> dict[str, Any]:
        entry = self.manifest
        return {
            "name": entry.name,
            "label": entry.label,
            "purpose": entry.purpose,
            "aliases": list(entry.aliases),
            "kind": entry.kind,
            "stability": entry.stability,
            "connected": self.connected,
            "practice": False,
        }

    def facts(self) -> dict[str, Any]:
        entry = self.manifest
        module, _, client = entry.client.partition(":")
        return {
            **self.row(),
            "module": module,
            "client": client,
            "cursor": entry.cursor,
            "created": entry.created,
            "joins": [{"start": j.start, "to": j.to, "keep": j.keep, "words": list(j.words)} for j in entry.joins],
            "questions": [
                {"words": list(q.words), "object": q.object, "choices": [dict(choice) for choice in q.choices]}
                for q in entry.questions
            ],
            "words": {obj: list(words) for obj, words in entry.words.items()},
            "missing": [] if self.connected else [variable.name for variable in entry.env if variable.auth],
        }


@dataclass
class Player:
    """A dialog with the planner. `failures` maps (tool, system) to errors that come back instead, one per call."""

    systems: dict[str, System]
    count: int = 412
    filled: dict[str, float] = field(default_factory=dict)
    messages: list[ModelMessage] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    question: str = ""
    options: list[dict[str, str]] = field(default_factory=list)
    scripts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failures: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    final: str = ""
    _waiting: str = ""
    check: Callable[[str], None] = lambda code: None

    @property
    def code(self) -> str:
        """The newest script."""
        return str(self.latest["code"])

    @property
    def latest(self) -> dict[str, Any]:
        return list(self.scripts.values())[-1][-1]

    @property
    def labels(self) -> list[str]:
        return [option["label"] for option in self.options]

    def say(self, text: str) -> Player:
        """A prompt, or the answer to the question that waits."""
        if self._waiting:
            part: Any = ToolReturnPart("ask_user", text, tool_call_id=self._waiting, timestamp=NOW)
            done = self._returns
            self.messages.append(ModelRequest(parts=[*done, part]))
        else:
            self.messages.append(ModelRequest(parts=[UserPromptPart(text, timestamp=NOW)]))
        self._waiting = self.question = self.final = ""
        self.options = []
        return self._go_on()

    def _go_on(self) -> Player:
        for _ in range(40):
            response: ModelResponse = _respond(self.messages, None)  # type: ignore[arg-type, assignment]
            again: ModelResponse = _respond(self.messages, None)  # type: ignore[arg-type, assignment]
            assert [repr(part) for part in response.parts] == [repr(part) for part in again.parts]
            self.messages.append(response)
            calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
            self.words += [part.content for part in response.parts if isinstance(part, TextPart)]
            if not calls:
                self.final = self.words[-1]
                return self
            self._returns: list[Any] = []
            for call in calls:
                arguments = call.args_as_dict()
                self.calls.append((call.tool_name, arguments))
                if call.tool_name == "ask_user":
                    self._waiting = call.tool_call_id
                    self.question = arguments["question"]
                    self.options = arguments["options"]
                    continue
                metadata = self._tool(call.tool_name, arguments)
                json.dumps(metadata)
                self._returns.append(
                    ToolReturnPart(
                        call.tool_name, "text for a model", tool_call_id=call.tool_call_id, metadata=metadata
                    )
                )
            if self._waiting:
                return self
            self.messages.append(ModelRequest(parts=self._returns))
        raise AssertionError(f"no end: {self.calls[-6:]}")

    def _tool(self, tool: str, args: Mapping[str, Any]) -> dict[str, Any]:
        system = str(args.get("system") or args.get("name") or "")
        waiting = self.failures.get((tool, system))
        if waiting:
            return {"error": waiting.pop(0), "system": system}
        if tool == "find_drivers":
            return {"drivers": [entry.row() for entry in self.systems.values()]}
        if tool == "load_driver":
            return {"driver": self.systems[system].facts()}
        if tool == "search_docs":
            return {"hits": [{"id": f"{system}/README.md#1", "driver": system, "path": "README.md", "heading": "x"}]}
        if tool == "read_doc":
            return {"doc": {"id": args["id"]}}
        if tool == "list_objects":
            rows = [
                {
                    "name": name,
                    "label": entry.get("label", name),
                    "purpose": entry.get("purpose", ""),
                    "records": entry.get("records"),
                    "fields": len(entry["fields"]),
                }
                for name, entry in self.systems[system].objects.items()
            ]
            return {"system": system, "objects": rows, "verified": True}
        if tool == "get_fields":
            found = self.systems[system].objects.get(args["object"])
            if found is None:
                return {
                    "error": {"type": "ObjectNotFoundError", "message": f"no {args['object']}", "next": "", "near": []}
                }
            return {"system": system, "object": args["object"], "fields": found["fields"], "verified": True}
        if tool == "sample":
            return {
                "system": system,
                "object": args["object"],
                "rows": [{}] * 20 if self.filled else [],
                "fill": self.filled,
            }
        if tool == "run_discovery":
            compile(args["code"], "discovery", "exec")
            self.check(args["code"])
            return {"tables": [], "values": {"count": self.count}}
        if tool == "current_scripts":
            return {"scripts": [versions[-1] for versions in self.scripts.values()]}
        if tool == "write_script":
            versions = self.scripts.setdefault(args["name"], [])
            compile(args["code"], args["name"], "exec")
            self.check(args["code"])
            versions.append(
                {
                    "name": args["name"],
                    "version": len(versions) + 1,
                    "code": args["code"],
                    "explanation": list(args["explanation"]),
                    "schedule": None,
                }
            )
            return {"script": {"name": args["name"], "sha256": "0" * 64, "version": len(versions), "problems": []}}
        raise AssertionError(f"unknown tool {tool}")
