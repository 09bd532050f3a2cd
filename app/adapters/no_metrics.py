"""Metrics that nobody reads: those of a process without METRICS_PORT."""

from __future__ import annotations

from app.domain.ports import ServedRequest


class NoMetrics:
    """The `Metrics` port, without the library behind the real ones, which takes 2 MiB."""

    def request_served(self, request: ServedRequest) -> None:
        """Count nothing."""

    def limit_hit(self, name: str) -> None:
        """Count nothing."""

    def login_attacked(self, target: str) -> None:
        """Count nothing."""

    def conflict_met(self, outcome: str) -> None:
        """Count nothing."""

    def password_hook_asked(self, outcome: str, seconds: float) -> None:
        """Count nothing."""

    def show_process(self, *, passwords_waiting: int, connections: int) -> None:
        """Show nothing."""

    def show_outbox(self, *, oldest_seconds: float, dead: int) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Let go of nothing."""
