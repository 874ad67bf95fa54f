"""The page of figures: against outcomes made by hand."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from knowledge.models import UnrecognisedReply
from tests.troubleshoot.conftest import UNKNOWN_USER, Paster
from tests.troubleshoot.test_casework import work
from troubleshoot.charts import chart, scale
from troubleshoot.dashboard import PERIODS, dashboard_of, in_time
from troubleshoot.models import Case, Outcome


def closed(browser: Client, case: Case, cause: str, *, days_ago: float = 0, minutes: float = 60, sentence: str = "") -> Case:
    """A case that was opened so many days ago, and closed so many minutes later."""
    browser.post(f"{case.get_absolute_url()}close/", {"cause": cause, "sentence": sentence})
    opened = timezone.now() - timedelta(days=days_ago, minutes=minutes)
    Case.objects.filter(pk=case.pk).update(created_at=opened)
    Outcome.objects.filter(case=case).update(at=opened + timedelta(minutes=minutes))
    return case


def figures(days: str = "30") -> dict[str, str]:
    return {tile.label: tile.figure for tile in dashboard_of(days).tiles}


def test_the_figures_are_those_of_the_cases(client: Client, supporter: Client, paste: Paster) -> None:
    asked = paste(UNKNOWN_USER)
    for question, answer in (("has-space", "yes"), ("who-is-affected", "one")):
        client.post(f"{asked.get_absolute_url()}answer/", {"question": question, "answer": answer})
    closed(supporter, asked, "unknown-user", minutes=30)
    closed(supporter, paste(), "ip-listed", minutes=90)
    closed(supporter, paste(), "unknown-user", minutes=300)
    closed(supporter, paste(), "none", sentence="The cable.", minutes=1)
    paste()
    told = figures()
    assert told["Cases opened"] == "5"
    assert told["Causes confirmed"] == "3"
    assert told["First guess right"] == "67 %"
    assert told["Questions to a cause, median"] == "0"
    assert told["Time to a cause, median"] == "90 min"
    assert told["Open now"] == "1"


def test_the_period_stands_in_the_address(supporter: Client, paste: Paster) -> None:
    closed(supporter, paste(), "unknown-user", days_ago=20)
    paste()
    assert (figures("7")["Cases opened"], figures("30")["Cases opened"]) == ("1", "2")
    html = supporter.get("/cases/dashboard/?days=7").content.decode()
    assert 'href="?days=7" aria-current="page"' in html
    assert supporter.get("/cases/dashboard/?days=nonsense").context["board"].period.slug == "30"


def test_duplicates_and_reopened_cases_are_not_counted(supporter: Client, paste: Paster) -> None:
    duplicate, stays, reopened = paste(), paste(), paste()
    closed(supporter, duplicate, "unknown-user")
    work(supporter, duplicate, "merge/", into=stays.public_id)
    closed(supporter, reopened, "unknown-user")
    supporter.post(f"{reopened.get_absolute_url()}reopen/")
    told = figures()
    assert (told["Cases opened"], told["Causes confirmed"], told["First guess right"]) == ("2", "0", "–")


@pytest.mark.parametrize("slug", PERIODS)
def test_every_day_of_a_period_is_counted_once(supporter: Client, paste: Paster, slug: str) -> None:
    days = PERIODS[slug].days
    for ago in (0, 1, days - 1):
        case = paste()
        Case.objects.filter(pk=case.pk).update(created_at=timezone.now() - timedelta(days=ago))
    outside = paste()
    Case.objects.filter(pk=outside.pk).update(created_at=timezone.now() - timedelta(days=days))
    first = dashboard_of(slug).charts[0]
    assert sum(row.values[0] for row in first.rows) == 3
    assert len({row.label for row in first.rows}) == len(first.rows)


def test_each_chart_has_a_title_a_description_and_a_table(supporter: Client, paste: Paster) -> None:
    for cause in ("unknown-user", "ip-listed", "mailbox-full"):
        closed(supporter, paste(), cause)
    html = supporter.get("/cases/dashboard/").content.decode()
    charts = re.findall(r'<svg[^>]*role="img"[^>]*aria-labelledby="(\S+) (\S+)"', html)
    assert charts
    for title, description in charts:
        assert f'<title id="{title}">' in html
        assert f'<desc id="{description}">' in html
    assert html.count("As a table") == len(charts)
    assert "Title of ip-listed" in html
    assert "style=" not in html.split("<main")[1]


def test_replies_that_were_not_recognised_are_counted(supporter: Client, paste: Paster) -> None:
    now = timezone.now()
    for number, seen in enumerate((now, now - timedelta(days=40))):
        UnrecognisedReply.objects.create(key=str(number), text="x", shape="x", count=4, first_seen=seen, last_seen=now)
    tile = dashboard_of("30").tiles[-1]
    assert tile.figure == "1"
    assert "met 4 times; 2 wait" in tile.note


def test_the_queue_is_linked_for_those_who_may_see_it(supporter: Client, paste: Paster) -> None:
    paste()
    assert "/admin/knowledge/unrecognisedreply/" not in supporter.get("/cases/dashboard/").content.decode()
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert "/admin/knowledge/unrecognisedreply/" in root.get("/cases/dashboard/").content.decode()


def test_without_cases_it_says_so(supporter: Client) -> None:
    html = supporter.get("/cases/dashboard/").content.decode()
    assert "No case was opened or closed in this period." in html
    assert "<svg class" not in html.split("tiles")[1]


def test_it_is_for_staff(client: Client) -> None:
    assert client.get("/cases/dashboard/")["Location"].startswith("/login/?next=/cases/dashboard/")
    kim = Client()
    kim.force_login(User.objects.create_user("kim", is_staff=True))
    assert kim.get("/cases/dashboard/").status_code == 403


def test_it_takes_at_most_twelve_queries(supporter: Client, paste: Paster, django_assert_max_num_queries: Any) -> None:
    for _number in range(5):
        closed(supporter, paste(), "unknown-user")
    with django_assert_max_num_queries(12):
        supporter.get("/cases/dashboard/")


# --- charts ---


@pytest.mark.parametrize(
    ("highest", "top", "step"),
    [(0, 1, 1), (1, 1, 1), (4, 4, 1), (5, 6, 2), (9, 10, 5), (20, 20, 5), (21, 30, 10), (399, 400, 100)],
)
def test_the_axis_ends_at_a_round_number(highest: int, top: int, step: int) -> None:
    assert scale(highest) == (top, step)


def test_bars_have_lengths_in_proportion_and_stay_within_the_chart() -> None:
    for stacked in (True, False):
        drawn = chart("c", "t", "d", ["a", "b"], [("one", [2, 0]), ("two", [4, 8])], stacked=stacked)
        lengths = {(bar.series, round(bar.x) > 350): bar.height for bar in drawn.bars}
        assert len(drawn.bars) == 3
        assert lengths[2, False] == pytest.approx(2 * lengths[1, False])
        assert lengths[2, True] == pytest.approx(4 * lengths[1, False])
        for bar in drawn.bars:
            assert drawn.left <= bar.x
            assert bar.x + bar.width <= drawn.right
            assert bar.y >= 0
            assert bar.y + bar.height <= drawn.floor + 0.01


def test_stacked_bars_do_not_overlap() -> None:
    low, high = chart("c", "t", "d", ["a"], [("one", [3]), ("two", [5])], stacked=True).bars
    assert high.y + high.height == pytest.approx(low.y)


def test_a_chart_of_nothing_can_be_drawn() -> None:
    assert chart("c", "t", "d", [], [], stacked=True).bars == ()


@pytest.mark.parametrize(
    ("minutes", "words"), [(0.2, "under 1 min"), (1, "1 min"), (119, "119 min"), (120, "2 h"), (150, "2.5 h"), (2880, "2 days"), (3600, "2.5 days")]
)
def test_times_are_said_as_people_say_them(minutes: float, words: str) -> None:
    assert in_time(minutes) == words


def test_weeks_begin_on_monday() -> None:
    assert PERIODS["90"].bucket(date(2026, 11, 25)) == date(2026, 11, 23)
    assert PERIODS["365"].bucket(date(2026, 11, 25)) == date(2026, 11, 1)
