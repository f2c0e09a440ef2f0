"""The unattended process: schedule, signals, health, systemd."""
