"""The front end's half of the bridge, spoken message by message to a real kernel."""

from __future__ import annotations

import time
from typing import Any


class FrontEnd:
    """Says what a page says, and keeps what the kernel asks for."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.comm = ""
        self.asked: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {}

    def run(self, code: str, metadata: dict[str, Any] | None = None, *, person: bool = False) -> str:
        """Run code; returns what it printed. With `person` as a page does, else as a program that executes."""
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": person}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        printed = []
        while True:
            reply = self.listen(10)
            if reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if reply["msg_type"] == "stream":
                printed.append(reply["content"]["text"])
            if reply["msg_type"] == "error":
                raise AssertionError("\n".join(reply["content"]["traceback"]))
            if reply["msg_type"] == "status" and reply["content"]["execution_state"] == "idle":
                return "".join(printed).strip()

    def listen(self, timeout: float) -> Any:
        message = self.client.get_iopub_msg(timeout=timeout)
        if message["msg_type"] == "comm_open" and message["content"]["target_name"] == "integrator_magics":
            self.comm = message["content"]["comm_id"]
        if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == self.comm:
            data = message["content"]["data"]
            if data["type"] == "state":
                self.state = data["state"]
            else:
                self.asked.append(data)
        return message

    def wait_for(self, count: int, timeout: float = 5) -> list[dict[str, Any]]:
        """The requests so far, once there are that many."""
        end = time.monotonic() + timeout
        while len(self.asked) < count:
            self.listen(end - time.monotonic())
        return self.asked

    def say(self, **data: Any) -> None:
        self.client.shell_channel.send(self.client.session.msg("comm_msg", {"comm_id": self.comm, "data": data}))

    def hello(self, client: str) -> None:
        self.say(type="hello", protocol=1, client=client, path="a.ipynb")

    def until(self, code: str) -> None:
        """Until an expression in the kernel is true; each look is a round trip."""
        end = time.monotonic() + 8
        while self.run(f"print(bool({code}))") != "True":
            assert time.monotonic() < end, code

    def until_state(self, fits: Any, timeout: float = 20) -> dict[str, Any]:
        """The pushed state, once it fits."""
        end = time.monotonic() + timeout
        while not self.state or not fits(self.state):
            self.listen(end - time.monotonic())
        return self.state
