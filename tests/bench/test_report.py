"""The table of the benchmark: medians of ratios round by round, and a mark on what varied too much to be quoted."""

from __future__ import annotations

from tests.bench.goals import goals
from tests.bench.report import GATEWAY, PLAIN, TUTORIAL, Results, Round, Visits, plot, ratio, table


def rounds(*per_second: float) -> list[Round]:
    return [Round(each, p50_ms=1.0, p99_ms=2.0, answers=100, client_busy=0.3, processor_ms=0.5) for each in per_second]


def results() -> Results:
    made = Results(machine="a machine", hashes_per_second=[100.0], seconds=1.0)
    for database in ("SQLite", "PostgreSQL"):
        made.rounds[database]["me"].update(
            {GATEWAY: rounds(100, 100), PLAIN: rounds(200, 200), TUTORIAL: rounds(2, 10)}
        )
        made.rounds[database]["login"][GATEWAY] = rounds(90, 80)
        made.kept[database], made.mails_per_second[database] = [0.9], [300.0]
    return made


class TestRound:
    def test_tells_the_middle_and_the_slowest_answers(self) -> None:
        one = Round.of(seconds=[each / 1000 for each in range(1000, 0, -1)], duration=2.0, busy=0.1)
        assert (one.per_second, one.p50_ms, one.p99_ms, one.answers) == (500.0, 501.0, 991.0, 1000)


class TestRatio:
    def test_compares_what_was_measured_in_the_same_round(self) -> None:
        # Twice as fast in every round, although the machine was slower in the second.
        found = ratio(rounds(200, 20), rounds(100, 10))
        assert found is not None
        assert (found.median, found.spread, str(found)) == (2.0, 0.0, "2.00")

    def test_marks_what_varied_by_more_than_a_quarter(self) -> None:
        assert str(ratio(rounds(100, 100), rounds(100, 50))) == "(1.50 ±33%)"

    def test_is_none_where_there_is_nothing_to_compare_with(self) -> None:
        assert ratio(rounds(100), []) is None


class TestTable:
    def test_has_a_row_for_each_workload_and_puts_in_brackets_what_is_not_to_be_quoted(self) -> None:
        lines = table(results()).splitlines()
        assert "| SQLite | me | 100 | 1.0 | 2.0 | 0.50 | ±0% |  | 0.50 | (30 ±67%) |" in lines
        assert any("login at 0.85 of the argon2 limit" in line for line in lines)

    def test_names_the_errors_that_a_server_logged(self) -> None:
        made = results()
        made.errors.append("database is locked")
        assert "Error: database is locked" in table(made).splitlines()


class TestGoals:
    def test_has_a_row_for_each_goal_and_a_dash_for_what_was_not_measured(self) -> None:
        made = results()
        for database in ("SQLite", "PostgreSQL"):
            for workload, processor_ms in (("updateMe", 0.5), ("updateMe, values inline", 0.75)):
                made.rounds[database][workload][GATEWAY] = [Round(1.0, 1.0, 7.0, 1, 0.1, processor_ms)]
        made.visits["SQLite"] = Visits(bytes_at_once=900.4, bytes_after_a_day=250.0, purged_per_second=2345.6)
        lines = goals(made).splitlines()
        assert "| `me` of Starlette + the same SQL | 0.50 | 0.50 | 0.70 / 0.75 |" in lines
        assert "| a text never seen before, values inline: processor more | +0.25 ms | +0.25 ms | +0.30 ms |" in lines
        assert "| `login` of argon2's limit | 0.85 | 0.85 | 0.95 / 0.85 |" in lines
        assert "| mutations, p99 at 32 connections | 7 to 7 ms | 7 to 7 ms | - / 30 ms |" in lines
        assert "| what 1,000,000 visits leave after a day | 0.25 GB | - | 0.20 GB |" in lines
        assert "| sessions purged | 2,346/s | - | 2,000/s |" in lines


class TestPlot:
    def test_has_a_bar_for_each_server(self) -> None:
        assert plot(results()).count("<rect") == 1 + 3 + 2 * 4
