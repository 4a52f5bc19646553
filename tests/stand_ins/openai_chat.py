"""A local server with OpenAI's chat completions, streaming, that plays a scripted conversation.

What OpenAI, DeepSeek and compatible servers have in common, as far as a dialog needs it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from .anthropic_messages import PIECE, Reply


class ChatServer:
    """Answers `POST /v1/chat/completions` with the next reply of the script; keeps headers and bodies."""

    def __init__(self, script: Iterable[Reply] = ()) -> None:
        self.left = list(script)
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """With the version, as clients of this API want it."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def chunks(reply: Reply, model: str) -> Iterator[dict[str, Any]]:
    """A reply as the chunks of a stream."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_780_000_000, "model": model}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    for start in range(0, len(reply.text), PIECE):
        yield chunk({"content": reply.text[start : start + PIECE]})
    for index, (tool, args) in enumerate(reply.calls):
        call = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": tool, "arguments": ""}}
        yield chunk({"tool_calls": [call]})
        text = json.dumps(args)
        for start in range(0, len(text), PIECE):
            part = {"index": index, "function": {"arguments": text[start : start + PIECE]}}
            yield chunk({"tool_calls": [part]})
    yield chunk({}, "tool_calls" if reply.calls else "stop")
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    yield {**base, "choices": [], "usage": usage}


def _handler(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            assert self.path == "/v1/chat/completions", self.path
            assert body["stream"] is True
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            for chunk in chunks(server.left.pop(0), body["model"]):
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
