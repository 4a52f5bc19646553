"""A local server that speaks the Anthropic Messages API and plays a scripted conversation.

It answers `POST /v1/messages` (whole or as server-sent events) and `GET /v1/models`, and refuses what the real one
refuses: a wrong key, an unknown model, a body that is not a conversation, a tool call left without its result.
Every request is kept, with its headers and its body as it came.

    with MessagesServer([use("load_driver", name="salesforce"), say("Done.")]) as server:
        client = anthropic.Anthropic(api_key=server.key, base_url=server.base_url)
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

KEY = "test-key-of-the-messages-stand-in"
MODELS = ("claude-sonnet-4-5", "claude-sonnet-5-5")
PIECE = 17  # characters of one streamed delta: names and JSON arrive torn


@dataclass(frozen=True)
class Reply:
    """One answer of the model: words, then tool calls. `usage` overrides the counted tokens."""

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    stop: str = ""  # "" = tool_use with calls, else end_turn
    usage: dict[str, int] = field(default_factory=dict)
    cut_after: int | None = None  # events after which the connection breaks
    hold: threading.Event | None = None  # the stream stands still after its first words until this is set


@dataclass(frozen=True)
class Refusal:
    """An HTTP error as the API words it."""

    status: int
    type: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


Answer = Reply | Refusal
Scripted = Answer | Callable[[dict[str, Any]], Answer]


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    raw: str

    @property
    def body(self) -> dict[str, Any]:
        """The body as JSON."""
        body: dict[str, Any] = json.loads(self.raw)
        return body

    @property
    def results(self) -> list[str]:
        """The texts of the tool results in the newest message."""
        return [result_text(block) for block in self.body["messages"][-1]["content"] if block["type"] == "tool_result"]


def say(text: str, **more: Any) -> Reply:
    """Words that end the turn."""
    return Reply(text, **more)


def use(tool: str, /, **args: Any) -> Reply:
    """One tool call."""
    return Reply(calls=((tool, args),))


def use_all(*calls: tuple[str, dict[str, Any]], text: str = "") -> Reply:
    """Several tool calls in one answer."""
    return Reply(text, tuple(calls))


def overloaded() -> Refusal:
    """Too busy now."""
    return Refusal(529, "overloaded_error", "Overloaded", {"retry-after": "0", "x-should-retry": "false"})


def refused() -> Refusal:
    """The key is not valid."""
    return Refusal(401, "authentication_error", "invalid x-api-key")


def result_text(block: dict[str, Any]) -> str:
    """The text of a tool_result block."""
    content = block.get("content", "")
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


class MessagesServer:
    """Plays `script`, one entry a request, in order. A function in it gets the body and returns the answer."""

    def __init__(self, script: Iterable[Scripted] = (), *, key: str = KEY, models: Iterable[str] = MODELS) -> None:
        self.key = key
        self.models = list(models)
        self.requests: list[Received] = []
        self.left = list(script)
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """What ANTHROPIC_BASE_URL must be."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def asked(self) -> list[Received]:
        """The requests for an answer of the model."""
        return [entry for entry in self.requests if entry.path.partition("?")[0] == "/v1/messages"]

    @property
    def traffic(self) -> str:
        """All that was sent here, headers and bodies, as one text."""
        return "\n".join(f"{entry.method} {entry.path}\n{entry.headers}\n{entry.raw}" for entry in self.requests)

    def add(self, *entries: Scripted) -> None:
        """Go on with these."""
        with self._lock:
            self.left.extend(entries)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, received: Received) -> Answer | dict[str, Any]:
        """What to send back for one request: an answer of the model, a refusal, or plain JSON."""
        with self._lock:
            self.requests.append(received)
            path = received.path.partition("?")[0]
            if self.key not in (received.headers.get("x-api-key"), received.headers.get("authorization", "")[7:]):
                return refused()
            if (received.method, path) == ("GET", "/v1/models"):
                entries = [{"type": "model", "id": name, "display_name": name} for name in self.models]
                return {"data": entries, "has_more": False, "first_id": None, "last_id": None}
            if (received.method, path) != ("POST", "/v1/messages"):
                return Refusal(404, "not_found_error", f"No such path: {path}")
            if problem := _problem(received):
                return Refusal(400, "invalid_request_error", problem)
            model = received.body["model"]
            if model not in self.models:
                return Refusal(404, "not_found_error", f"model: {model}")
            if not self.left:
                return Refusal(400, "invalid_request_error", "the script of the stand-in is over")
            entry = self.left.pop(0)
        return entry(received.body) if callable(entry) else entry

    def message(self, reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
        """The answer as one whole message."""
        content: list[dict[str, Any]] = [{"type": "text", "text": reply.text, "citations": None}] if reply.text else []
        for tool, args in reply.calls:
            number = next(self._ids)
            content.append({"type": "tool_use", "id": f"toolu_{number:04}", "name": tool, "input": args})
        size = len(json.dumps(body)) // 4
        return {
            "id": f"msg_{next(self._ids):04}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": reply.stop or ("tool_use" if reply.calls else "end_turn"),
            "stop_sequence": None,
            "usage": {
                "input_tokens": size,
                "output_tokens": len(json.dumps(content)) // 4,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
            }
            | reply.usage,
        }


def events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same message as the events of a stream, text and JSON in small pieces."""
    usage = message["usage"]
    begin = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": begin}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            yield {"type": "content_block_start", "index": index, "content_block": {**block, "text": ""}}
            deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
        else:
            yield {"type": "content_block_start", "index": index, "content_block": {**block, "input": {}}}
            text = json.dumps(block["input"])
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *_pieces(text)]]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))


def _problem(received: Received) -> str:
    """Why the real API would refuse this body, "" when it would not."""
    try:
        body = received.body
    except json.JSONDecodeError:
        return "the body is not valid JSON"
    if "anthropic-version" not in received.headers:
        return "anthropic-version: header is required"
    for name in ("model", "max_tokens", "messages"):
        if not body.get(name):
            return f"{name}: Field required"
    names = {tool["name"] for tool in body.get("tools", ())}
    pending: list[str] = []
    for number, message in enumerate(body["messages"]):
        blocks = message["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if message["role"] not in ("user", "assistant"):
            return f"messages.{number}.role: unexpected {message['role']}"
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if lost := [call for call in pending if call not in results]:
            return f"messages.{number}: `tool_use` ids were found without `tool_result` blocks: {', '.join(lost)}"
        if odd := [call for call in results if call not in pending]:
            return f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(odd)}"
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            return f"messages.{number}: text content blocks must be non-empty"
        calls = [block for block in blocks if block["type"] == "tool_use"]
        if message["role"] == "user" and calls:
            return f"messages.{number}: `tool_use` blocks can only be in `assistant` messages"
        pending = [block["id"] for block in calls]
        if unknown := [block["name"] for block in calls if block["name"] not in names]:
            return f"messages.{number}: no tool named {unknown[0]}"
    return "messages: the last message ends in `tool_use` without its result" if pending else ""


def _handler(server: MessagesServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, self.path, headers, raw)
            answer = server.answer(received)
            if isinstance(answer, Refusal):
                error = {"type": "error", "error": {"type": answer.type, "message": answer.message}}
                self._json(answer.status, {**error, "request_id": "req_0001"}, answer.headers)
            elif isinstance(answer, Reply):
                message = server.message(answer, received.body)
                if received.body.get("stream"):
                    self._stream(message, answer)
                else:
                    self._json(200, message)
            else:
                self._json(200, answer)

        def _json(self, status: int, data: dict[str, Any], headers: dict[str, str] | None = None) -> None:
            text = json.dumps(data).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("request-id", "req_0001")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _stream(self, message: dict[str, Any], reply: Reply) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("content-type", "text/event-stream; charset=utf-8")
            self.send_header("request-id", "req_0001")
            self.send_header("connection", "close")
            if reply.cut_after is not None:  # so that the client can tell a break from an end
                self.send_header("content-length", "1000000")
            self.end_headers()
            try:
                for number, event in enumerate(events(message)):
                    if number == reply.cut_after:
                        return
                    self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
                    self.wfile.flush()
                    if reply.hold and event["type"] == "content_block_delta":
                        reply.hold.wait(30)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client went away, as when a person presses Stop

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: what came in stands in `requests`."""

    return Handler
