"""The TOML file that a user edits, as typed settings."""

from syncd.config.crontab import Crontab
from syncd.config.durations import parse_duration
from syncd.config.load import find_config, load_config
from syncd.config.secrets import Secret
from syncd.config.settings import (
    CampaignSettings,
    Config,
    GuardSettings,
    LogFormat,
    LogLevel,
    MatchOn,
    Mode,
    NotifySettings,
    PastSchedule,
    RecallWhen,
    Removes,
    ServiceSettings,
    SourceSettings,
    StateSettings,
    TenantSettings,
    TokenChoice,
    Vanished,
)

__all__ = [
    "CampaignSettings",
    "Config",
    "Crontab",
    "GuardSettings",
    "LogFormat",
    "LogLevel",
    "MatchOn",
    "Mode",
    "NotifySettings",
    "PastSchedule",
    "RecallWhen",
    "Removes",
    "Secret",
    "ServiceSettings",
    "SourceSettings",
    "StateSettings",
    "TenantSettings",
    "TokenChoice",
    "Vanished",
    "find_config",
    "load_config",
    "parse_duration",
]
