"""A state that lasts is in the log when it begins, hourly, and when it is over; not every time that it is seen."""

from structlog.testing import capture_logs

from oracle.notice import Notice


def test_a_state_is_said_when_it_begins_hourly_and_when_it_ends() -> None:
    seconds = 0.0
    notice = Notice("low", "enough", clock=lambda: seconds)
    with capture_logs() as logs:
        notice.ends()
        for seconds in (0.0, 30.0, 3_599.0, 3_600.0, 7_199.0):
            notice.lasts(wei=int(seconds))
        notice.ends()
        notice.ends()
        notice.lasts(wei=1)
    assert [(line["log_level"], line["event"], line.get("wei")) for line in logs] == [
        ("warning", "low", 0),
        ("warning", "low", 3_600),
        ("info", "enough", None),
        ("warning", "low", 1),
    ]
