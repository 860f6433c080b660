"""The limit of requests per minute."""

from pipeline.app.rate_limit import RequestLimit


def test_a_client_may_send_so_many_requests_per_minute() -> None:
    now = 0.0
    limit = RequestLimit(2, lambda: now)
    assert limit.refusal("192.0.2.1") is None
    now = 20.0
    assert limit.refusal("192.0.2.1") is None
    assert limit.refusal("192.0.2.1") == "You sent more than 2 requests in a minute. Try again in 40 s."
    assert limit.refusal("2001:db8::1") is None
    now = 60.0
    assert limit.refusal("192.0.2.1") is None  # the first is a minute ago, and a refused one does not count
    assert limit.refusal("192.0.2.1") == "You sent more than 2 requests in a minute. Try again in 20 s."


def test_the_serving_machine_has_no_limit() -> None:
    limit = RequestLimit(1)
    for client in ("127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"):
        assert [limit.refusal(client) for _ in range(3)] == [None] * 3
    for client in ("::ffff:192.0.2.1", "not an address"):
        assert [limit.refusal(client) is None for _ in range(2)] == [True, False]


def test_old_clients_are_forgotten() -> None:
    now = 0.0
    limit = RequestLimit(1, lambda: now)
    for number in range(100):
        assert limit.refusal(f"192.0.2.{number}") is None
    now = 61.0
    assert limit.refusal("198.51.100.1") is None
    assert list(limit._times) == ["198.51.100.1"]
