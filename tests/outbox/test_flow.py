"""How much is sent to each endpoint at once."""

from orchestrator.outbox.flow import Endpoint, Flight, Flow

ONE, OTHER = ("AC1", "https://one.example.com/"), ("AC1", "https://other.example.com/")


class Elapsed:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def flow(concurrency: int = 16, per_endpoint: int = 8) -> tuple[Flow, Elapsed]:
    elapsed = Elapsed()
    return Flow(concurrency, per_endpoint, elapsed), elapsed


def start(flow: Flow, rooms: dict[Endpoint, int]) -> list[Flight]:
    return [flow.begin(endpoint) for endpoint, room in rooms.items() for _ in range(room)]


def dead(count: int) -> list[Endpoint]:
    return [("AC1", f"https://dead.example.com/{number:04d}") for number in range(count)]


def test_an_endpoint_begins_with_one_and_has_one_more_for_each_success() -> None:
    running, _ = flow()
    assert running.rooms([ONE]) == {ONE: 1}
    flights = start(running, {ONE: 1})
    assert running.rooms([ONE]) == {}
    for flight in flights:
        running.succeeded(ONE)
        running.end(flight)
    assert running.rooms([ONE]) == {ONE: 2}
    for _ in range(20):
        running.succeeded(ONE)
    assert running.rooms([ONE]) == {ONE: 8}


def test_a_failure_takes_half_of_it() -> None:
    running, _ = flow()
    for _ in range(7):
        running.succeeded(ONE)
    for left in (4, 2, 1, 1):
        running.failed(ONE)
        assert running.rooms([ONE]) == {ONE: left}


def test_one_place_stays_one() -> None:
    running, _ = flow(per_endpoint=1)
    running.succeeded(ONE)
    assert running.rooms([ONE]) == {ONE: 1}


def test_what_there_is_is_shared() -> None:
    running, _ = flow(concurrency=10)
    for _ in range(7):
        running.succeeded(ONE)
        running.succeeded(OTHER)
    rooms = running.rooms([ONE, OTHER])
    assert sum(rooms.values()) == 10
    assert min(rooms.values()) >= 2


def test_many_dead_endpoints_leave_room_for_one_that_answers() -> None:
    running, elapsed = flow(concurrency=16)
    running.succeeded(ONE)
    for _ in range(20):
        start(running, running.rooms(dead(500)))
        elapsed.seconds += 2
    assert len(running) == 3 * 16
    assert running.rooms([*dead(500), ONE]) == {ONE: 2}
    assert not running.is_full()


def test_what_waits_for_an_answer_counts_no_more_than_four_times() -> None:
    running, elapsed = flow(concurrency=4, per_endpoint=100)
    for _ in range(50):
        running.succeeded(ONE)
    for _ in range(10):
        start(running, running.rooms([ONE]))
        elapsed.seconds += 2
    assert len(running) == 4 * 4
    assert running.is_full()


def test_the_next_of_a_flight_has_its_own_second() -> None:
    running, elapsed = flow(concurrency=1)
    (flight,) = start(running, running.rooms([ONE]))
    elapsed.seconds += 2
    assert not running.is_full()
    running.again(flight)
    assert running.is_full()
