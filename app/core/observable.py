"""Observable: a value that calls its listeners when it is set. Qt-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Part = TypeVar("Part")


class Observable(Generic[T]):
    """A value that calls its listeners, in the order of their subscriptions, each time it is set."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._listeners: list[Callable[[T], None]] = []

    @property
    def value(self) -> T:
        return self._value

    def set(self, value: T) -> None:
        """Set the value and call every listener, also when the value is equal to the last one."""
        self.put(value)
        self.tell()

    def put(self, value: T) -> None:
        """Set the value without calling the listeners; call `tell` later."""
        self._value = value

    def tell(self) -> None:
        """Call every listener with the present value."""
        for listener in tuple(self._listeners):
            listener(self._value)

    def subscribe(self, listener: Callable[[T], None], now: bool = True) -> Callable[[], None]:
        """Call `listener` with each new value, and if `now` at once with the present one. Returns a function that ends this."""
        self._listeners.append(listener)
        if now:
            listener(self._value)
        return lambda: self._listeners.remove(listener)

    def subscribe_part(self, part: Callable[[T], Part], listener: Callable[[Part], None]) -> Callable[[], None]:
        """Call `listener` with `part(value)`: at once, and then each time that a new value has another part."""
        last: list[Part] = []

        def tell(value: T) -> None:
            found = part(value)
            if not last or found != last[0]:
                last[:] = [found]
                listener(found)

        return self.subscribe(tell)
