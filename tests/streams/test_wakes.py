"""Keys are looked at again when they are due."""

from streams.wakes import DueQueue


def test_a_key_is_due_at_the_moment_set_last() -> None:
    queue = DueQueue()
    queue.put("a", 100)
    queue.put("b", 150)
    queue.put("a", 200)
    assert queue.pop_due(99) == []
    assert queue.pop_due(160) == [("b", 150)]
    assert queue.pop_due(300) == [("a", 200)]
    assert queue.pop_due(300) == []


def test_a_key_put_for_the_same_moment_twice_is_due_once() -> None:
    queue = DueQueue()
    queue.put("a", 100)
    queue.put("a", 100)
    assert queue.pop_due(100) == [("a", 100)]
    queue.put("a", 100)
    queue.put("a", None)
    assert queue.pop_due(100) == []
    assert len(queue) == 0
