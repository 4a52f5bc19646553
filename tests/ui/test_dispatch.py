from __future__ import annotations

import asyncio
import threading

from integrator_magics.ui.dispatch import Dispatcher


def test_work_from_another_thread_is_done_in_order_on_the_thread_that_drains() -> None:
    dispatcher = Dispatcher()
    seen: list[tuple[int, threading.Thread]] = []

    def emit() -> None:
        for number in range(100):
            dispatcher.post(lambda number=number: seen.append((number, threading.current_thread())))

    threading.Thread(target=emit).start()
    assert dispatcher.drain(5, until=lambda: len(seen) == 100)
    assert seen == [(number, threading.current_thread()) for number in range(100)]


def test_draining_ends_when_time_is_over() -> None:
    assert Dispatcher().drain(0.01, until=lambda: False) is False


def test_with_a_loop_work_is_done_without_draining() -> None:
    async def main() -> threading.Thread:
        dispatcher = Dispatcher(asyncio.get_running_loop())
        done: asyncio.Future[threading.Thread] = asyncio.get_running_loop().create_future()
        threading.Thread(target=dispatcher.post, args=[lambda: done.set_result(threading.current_thread())]).start()
        return await asyncio.wait_for(done, 5)

    assert asyncio.run(main()) is threading.current_thread()


def test_one_piece_that_fails_does_not_stop_the_next(caplog) -> None:  # type: ignore[no-untyped-def]
    dispatcher = Dispatcher()
    seen = []
    dispatcher.post(lambda: 1 / 0)
    dispatcher.post(lambda: seen.append(1))
    dispatcher.run_pending()
    assert seen == [1]
    assert "ZeroDivisionError" in caplog.text
