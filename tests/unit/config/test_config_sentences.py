"""What a user reads about a wrong value: the exact sentence, on the line of the key."""

import pytest

WRONG_VALUES = r"""
[state]
url = "postgres://h/d"
    is not a postgresql:// address; write it like url = "postgresql://syncd@db.internal/syncd"
url = "postgresql+asyncpg://h/d"
    is not a postgresql:// address; write it like url = "postgresql://syncd@db.internal/syncd"
url = "postgresql://syncd:geheim@h/d"
    has a password written into it; leave it out and add password = "credential:NAME", "file:PATH" or "env:NAME"
url = "postgresql://h/d?password=geheim"
    has a password written into it; leave it out and add password = "credential:NAME", "file:PATH" or "env:NAME"
url = "db.internal"
    is not a database URL; write it like url = "postgresql://syncd@db.internal/syncd"
password = "env:ACTION"
    is of no use without url; add url, or leave the password out
directory = 5
    must be a text in quotes, not a whole number; write it like directory = "/var/lib/syncd"
directory = "~nobody-of-that-name/x"
    begins with a home directory that is not known; write it in full
schema = "pg_syncd"
    is not a plain schema name; use lower-case letters, digits and _, not beginning with pg_
schema = "Sync d"
    is not a plain schema name; use lower-case letters, digits and _, not beginning with pg_
keep = "7d"
    must be at least 8d; write it like keep = "90d"
keep_suppressions = "6 years"
    is not a duration; write it like keep_suppressions = "6y"
keep_suppressions = "999y"
    is longer than 100 years; write it like keep_suppressions = "6y"

[service]
listen = ":9464"
    is not a host and a port; write it like listen = "127.0.0.1:9464"
listen = "127.0.0.1"
    is not a host and a port; write it like listen = "127.0.0.1:9464"
listen = "127.0.0.1:99999"
    is not a host and a port; write it like listen = "127.0.0.1:9464"
listen = "http://127.0.0.1:80"
    is not a host and a port; write it like listen = "127.0.0.1:9464"
listen = 9464
    must be a text in quotes, not a whole number; write it like listen = "127.0.0.1:9464"
log_level = "verbose"
    is not one of its choices; write "debug" or "info" or "warning" or "error"
log_format = true
    must be a text in quotes, not true or false; write it like log_format = "auto"

[notify]
urls = "mailto://x"
    must be a list in brackets, not a text; write it like urls = ["mailto://...", "credential:syncd-slack"]
urls = ["nobody"]
    is not an Apprise URL; write it like urls = ["mailto://...", "credential:syncd-slack"]
urls = ["env:NOT_SET"]
    the environment variable NOT_SET is empty or not set; put the secret there
after = 15
    must be a duration in quotes, not a whole number; write it like after = "15m"
remind = "0s"
    must be at least 1m; write it like remind = "24h"
heartbeat = "ftp://x"
    is not an http:// or https:// address; write it like heartbeat = "https://..."

[tenants.acme]
platform = "eu9b"
    is the platform as browsers show it; write platform = "eu9"
platform = "NA12"
    is not a platform: two small letters and a number; write it like platform = "na12"
platform = "na12.8x8.com/"
    is not a platform: two small letters and a number; write it like platform = "na12"
username = ""
    is empty; write it like username = "acmecorp01"
username = "a:b"
    contains a colon; write the API user name alone, without a token
username = "a\u0007"
    contains a line end or another control character; write it like username = "acmecorp01"
action_token = "geheim"
    is a secret written into the file; keep it elsewhere, as "credential:NAME" (systemd), "file:PATH" or "env:NAME"
data_token = "vault:geheim"
    is a secret written into the file; keep it elsewhere, as "credential:NAME" (systemd), "file:PATH" or "env:NAME"
data_token = "env:"
    names no secret after env:; keep it elsewhere, as "credential:NAME" (systemd), "file:PATH" or "env:NAME"
data_token = "credential:../x"
    names no secret after credential:; keep it elsewhere, as "credential:NAME" (systemd), "file:PATH" or "env:NAME"
data_token = 5
    must be a text in quotes, not a whole number; write it like data_token = "credential:acme-data-token"
add_token = "both"
    is not one of its choices; write "auto" or "action" or "data"
concurrency = 0
    must be at least 1; write it like concurrency = 8
concurrency = true
    must be a whole number without quotes, not true or false; write it like concurrency = 8
concurrency = 8.0
    must be a whole number without quotes, not a number; write it like concurrency = 8
requests_per_second = 0
    must be at least 0.01; write it like requests_per_second = 10
requests_per_second = inf
    must be at most 100000; write it like requests_per_second = 10
requests_per_second = nan
    is not a number; write it like requests_per_second = 10
requests_per_second = "10"
    must be a number without quotes, not a text; write it like requests_per_second = 10
timeout = "0s"
    must be at least 1s; write it like timeout = "30s"
timeout = 1979-05-27
    must be a duration in quotes, not a date or time; write it like timeout = "30s"
do_not_call = [1000]
    names 1000, the vendor's None; name dispositions that an agent sets
do_not_call = ["2001"]
    must be a whole number without quotes, not a text; write it like do_not_call = [2004, 2005]
do_not_call = [-1]
    must not be negative; write it like do_not_call = [2004, 2005]
dispositions = 5
    must be a section, not a whole number; write it like dispositions = { 2001 = "Promise to pay" }

[sources.crm]
url = "mysql+pymysql://reader:geheim@crm/crm"
    has a password written into it; leave it out and add password = "credential:NAME", "file:PATH" or "env:NAME"
url = "mssql+pyodbc:///?odbc_connect=DSN%3Dx%3BPWD%3Dgeheim"
    has a password written into it; leave it out and add password = "credential:NAME", "file:PATH" or "env:NAME"
url = "crm.internal"
    is not a database URL; write it like url = "mysql+pymysql://reader@crm.internal/crm"
timezone = "Mars/Olympus"
    is not a time zone of this machine's database; write it like timezone = "Europe/London"
timezone = "../etc/passwd"
    is not a time zone of this machine's database; write it like timezone = "Europe/London"
timezone = "Europe"
    is not a time zone of this machine's database; write it like timezone = "Europe/London"

[campaigns.renewals]
id = "125"
    must be a whole number without quotes, not a text; write it like id = 125
id = 0
    must be at least 1; write it like id = 125
id = 9223372036854775808
    must be at most 2147483647; write it like id = 125
tenant = "acmee"
    names a section of [tenants] that is not there; did you mean "acme"?
source = "warehouse"
    names a section of [sources] that is not there; add a section [sources.NAME], or name one that is there
suppress_source = "crn"
    names a section of [sources] that is not there; did you mean "crm"?
query = "SELECT\u0000"
    contains a null character; write it like query = "SELECT account_num AS customer_id FROM calls_due"
query = " "
    is empty; write it like query = "SELECT account_num AS customer_id FROM calls_due"
suppress = true
    must be a query or false; write the query, or suppress = false for none
every = 300
    must be a duration in quotes, not a whole number; write it like every = "5m"
cron = "5 25 * * *"
    is not a time to run at: the hour is not 0 to 23; write it like cron = "*/5 8-20 * * mon-fri"
list_every = "0s"
    must be at least 1s; write it like list_every = "1h"
mode = "miror"
    is not one of its choices; write "mirror" or "add-only"
removes = "none"
    is not one of its choices; write "owned" or "all"
vanished = ""
    is not one of its choices; write "add" or "leave"
match_on = "id"
    is not one of its choices; write "record-id" or "phone" or "ext-trans-data"
past_schedule = "drop"
    is not one of its choices; write "now" or "skip"
recall = "always"
    is not one of its choices; write "never" or "on-version"
batch_size = -1
    must be at least 1; write it like batch_size = 200
max_adds_per_week = 0
    must be at least 1; write it like max_adds_per_week = 3
park_days = 9999
    must be at most 3650; write it like park_days = 28
enabled = "yes"
    must be true or false without quotes, not a text; write it like enabled = true
guard = 5
    must be a section, not a whole number; write it like guard = { max_removals = 500 }

[campaigns.renewals.guard]
max_shrink_percent = 101
    is a share of a whole and cannot be more than 100; write it like max_shrink_percent = 50
max_removal_percent = -1
    must not be negative; write it like max_removal_percent = 30
max_growth_percent = -0.5
    must not be negative; write it like max_growth_percent = 400
max_vanished_percent = "30%"
    must be a number without quotes, not a text; write it like max_vanished_percent = 30
max_removals = 1.5
    must be a whole number without quotes, not a number; write it like max_removals = 500
few = -10
    must not be negative; write it like few = 10
"""


def wrong_values() -> list[tuple[str, str, str, str]]:
    """Return section, key, value and sentence of each case."""
    cases, section = [], ""
    lines = iter(WRONG_VALUES.splitlines())
    for line in filter(None, lines):
        if line.startswith("["):
            section = line.strip("[]")
        else:
            key, value = line.split(" = ", 1)
            cases.append((section, key, value, next(lines).strip()))
    return cases


@pytest.mark.parametrize(("section", "key", "value", "sentence"), wrong_values())
def test_a_wrong_value_is_told_with_its_line_its_key_and_what_is_right(file, section, key, value, sentence) -> None:
    file.set(section, **{key: value})
    told = file.problems()
    assert told == [f"{file.line_of(section, key)}: {section}.{key}: {sentence}"]
    assert "geheim" not in "".join(told)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("http://8x8.example", "would send tokens in clear: http:// is taken on loopback only; write https://"),
        ("http://127.0.0.1.example", "would send tokens in clear: http:// is taken on loopback only; write https://"),
        ("https://me:geheim@host", "has a user name or password in it; write them as username and tokens"),
        ("https://host/api", "has a path or more after the host; write the scheme and the host alone"),
        ("https://host?x=geheim", "has a path or more after the host; write the scheme and the host alone"),
        ("host", 'is not an https:// address; write it like base_url = "https://vcc-na12.8x8.com"'),
        ("https://", 'is not an https:// address; write it like base_url = "https://vcc-na12.8x8.com"'),
        ("https://host:port", 'is not an address; write it like base_url = "https://vcc-na12.8x8.com"'),
        ("https://[::1", 'is not an address; write it like base_url = "https://vcc-na12.8x8.com"'),
    ],
)
def test_a_base_url_is_a_host_behind_tls(file, value, sentence) -> None:
    file.set("tenants.acme", platform=None, base_url=f'"{value}"')
    assert file.problems() == [f"{file.line_of('tenants.acme', 'base_url')}: tenants.acme.base_url: {sentence}"]


@pytest.mark.parametrize(
    ("section", "key", "sentence"),
    [
        ("tenants.acme", "platform", 'is missing; write platform = "na12", or base_url = "https://..."'),
        ("tenants.acme", "username", 'is missing; write it like username = "acmecorp01"'),
        ("tenants.acme", "action_token", 'is missing; write it like action_token = "credential:acme-action-token"'),
        ("sources.crm", "url", 'is missing; write it like url = "mysql+pymysql://reader@crm.internal/crm"'),
        ("campaigns.renewals", "id", "is missing; write it like id = 125"),
        ("campaigns.renewals", "tenant", 'is missing; write it like tenant = "acme"'),
        ("campaigns.renewals", "query", "is missing; write the query, or query_file with the name of a file"),
    ],
)
def test_a_missing_key_is_told_on_the_line_of_its_section(file, section, key, sentence) -> None:
    file.set(section, **{key: None})
    assert file.problems() == [f"{file.line_of(section)}: {section}.{key}: {sentence}"]


@pytest.mark.parametrize(
    ("section", "one", "other"),
    [
        ("tenants.acme", {"platform": '"na12"'}, {"base_url": '"https://host"'}),
        ("campaigns.renewals", {"query": '"SELECT 1"'}, {"query_file": '"q.sql"'}),
        ("campaigns.renewals", {"every": '"5m"'}, {"cron": '"* * * * *"'}),
    ],
)
def test_two_ways_to_say_one_thing_cannot_stand_side_by_side(file, section, one, other) -> None:
    (file.folder / "q.sql").write_text("SELECT 1")
    file.set(section, **one, **other)
    [(first, _)], [(second, _)] = one.items(), other.items()
    line = file.line_of(section, second)
    assert file.problems() == [f"{line}: {section}.{second}: stands beside {first}; keep one of the two"]


@pytest.mark.parametrize(("key", "value"), [("mode", "add-only"), ("match_on", "phone")])
def test_removing_everybody_elses_records_needs_a_mirror_and_a_sure_key(file, key, value) -> None:
    file.set("campaigns.renewals", removes='"all"', **{key: f'"{value}"'})
    line = file.line_of("campaigns.renewals", "removes")
    assert file.problems() == [
        f'{line}: campaigns.renewals.removes: removes = "all" cannot go with {key} = "{value}"; change one of the two'
    ]


def test_what_conflicts_with_a_default_is_told_where_the_campaign_says_it(file) -> None:
    file.set("defaults", removes='"all"').set("campaigns.renewals", mode='"add-only"')
    line = file.line_of("campaigns.renewals", "mode")
    assert file.problems() == [
        f'{line}: campaigns.renewals.mode: removes = "all" cannot go with mode = "add-only"; change one of the two'
    ]


def test_two_sections_with_one_identity_are_refused_under_any_name_of_the_tenant(file) -> None:
    file.set("tenants.other", **file.sections["tenants.acme"])
    file.set("campaigns.again", **file.sections["campaigns.renewals"] | {"tenant": '"other"'})
    assert file.problems() == [
        f"{file.line_of('campaigns.again', 'id')}: campaigns.again.id: is the same campaign as [campaigns.renewals]; "
        "keep one section for each campaign"
    ]


def test_sections_of_one_account_name_its_dispositions_alike(file) -> None:
    words = '{ 2001 = "Promise to pay", 2002 = "Wrong number" }'
    same = {**file.sections["tenants.acme"], "dispositions": '{ 2002 = "Wrong number", 2001 = "Promise to pay" }'}
    file.set("tenants.acme", dispositions=words).set("tenants.slow", **same)
    assert file.load().tenants["slow"].dispositions == {2001: "Promise to pay", 2002: "Wrong number"}
    file.set("tenants.else", **same | {"username": '"other01"', "dispositions": '{ 2001 = "Sold" }'})
    assert len(file.load().tenants) == 3, "another account has words of its own"
    for other in ('{ 2001 = "Promise to pay" }', words.replace("Wrong", "No"), None):
        file.set("tenants.slow", dispositions=other)
        line = file.line_of("tenants.slow", "dispositions" if other else None)
        assert file.problems() == [
            f"{line}: tenants.slow.dispositions: is not as in [tenants.acme], which is the same account by its username"
            "; name the same dispositions in both, or keep one section for each account"
        ]
    file.set("tenants.slow", dispositions="{ x = 1 }")
    assert len(file.problems()) == 1, "what is wrong with a value is told once"


def test_sections_of_one_account_name_the_same_dispositions_by_which_nobody_is_called_again(file) -> None:
    file.set("tenants.acme", do_not_call="[2001, 2002]")
    file.set("tenants.slow", **file.sections["tenants.acme"] | {"do_not_call": "[2002, 2001]"})
    assert set(file.load().tenants["slow"].do_not_call) == {2001, 2002}
    for other in ("[2001]", None):
        file.set("tenants.slow", do_not_call=other)
        line = file.line_of("tenants.slow", "do_not_call" if other else None)
        assert file.problems() == [
            f"{line}: tenants.slow.do_not_call: is not as in [tenants.acme], which is the same account by its username"
            "; name the same dispositions in both, or keep one section for each account"
        ]


def test_one_number_at_two_tenants_is_two_campaigns(file) -> None:
    file.set("tenants.other", **file.sections["tenants.acme"] | {"username": '"other01"'})
    file.set("campaigns.again", **file.sections["campaigns.renewals"] | {"tenant": '"other"'})
    assert len(file.load().campaigns) == 2


@pytest.mark.parametrize(
    ("section", "key", "right"),
    [
        ("campaigns.renewals", "evry", 'did you mean "every"?'),
        ("campaigns.renewals", "listen", "it belongs in [service]"),
        ("campaigns.renewals", "max_removals", "it belongs in [campaigns.NAME.guard]"),
        ("campaigns.renewals.guard", "every", "it belongs in [campaigns.NAME]"),
        ("defaults", "query", "it belongs in [campaigns.NAME]"),
        ("defaults", "gard", 'did you mean "guard"?'),
        ("tenants.acme", "timeouts", 'did you mean "timeout"?'),
        ("service", "url", "it belongs in [state] or [sources.NAME]"),
        ("service", "zzz", "write one of listen, log_level, log_format"),
    ],
)
def test_an_unknown_key_is_told_with_the_one_that_may_be_meant(file, section, key, right) -> None:
    file.set(section, **{key: "1"})
    assert file.problems() == [f"{file.line_of(section, key)}: {section}.{key}: is not a key of this section; {right}"]


@pytest.mark.parametrize(
    ("lines", "sentences"),
    [
        ("[campaign.renewals]\nid = 1", ['1: campaign: is not a section of this file; did you mean "campaigns"?']),
        ("every = '5m'", ["1: every: is not a section of this file; it belongs in [campaigns.NAME]"]),
        ("[guard]\nfew = 1", ["1: guard: is not a section of this file; it belongs in [campaigns.NAME]"]),
        ("state = 5", ["1: state: must be a section; write its keys under [state]"]),
        ("campaigns = 5", ["1: campaigns: must be a section; write its keys under [campaigns.NAME]"]),
        ("[[campaigns]]\nid = 1", ["1: campaigns: must be a section; write its keys under [campaigns.NAME]"]),
        ("[campaigns]\nid = 1", ["2: campaigns.id: stands in no section with a name; write [campaigns.NAME] above it"]),
        ("[tenants]\nacme = 'x'", ["2: tenants.acme: must be a section; write its keys under [tenants.acme]"]),
    ],
)
def test_a_misplaced_section_is_told_with_where_it_belongs(file, lines, sentences) -> None:
    told = file.problems(lines)
    assert [one for one in told if "campaigns: is missing" not in one] == sentences


@pytest.mark.parametrize(
    ("name", "key"),
    [("-x", "sources.-x"), ("a b ", 'sources."a b "'), ("", 'sources.""'), ("a\\nb", 'sources."a\\nb"')],
)
def test_a_name_that_no_command_could_be_given_is_refused(file, name, key) -> None:
    file.set(f'sources."{name}"', url='"sqlite://"')
    line = file.line_of(f'sources."{name}"')
    assert file.problems() == [f"{line}: {key}: is no name that a command could be given; use letters and digits"]


def test_a_number_beyond_all_measure_is_told_like_any_other(file) -> None:
    file.set("tenants.acme", requests_per_second="1" + "0" * 400)
    [told] = file.problems()
    assert told.endswith("must be at most 100000; write it like requests_per_second = 10")


def test_an_empty_section_lacks_what_it_needs(file) -> None:
    file.set("sources.other")
    [told] = file.problems()
    assert told == (
        f"{file.line_of('sources.other')}: sources.other.url: is missing; "
        'write it like url = "mysql+pymysql://reader@crm.internal/crm"'
    )


@pytest.mark.parametrize("text", ["", "\n# only a comment\n"])
def test_an_empty_file_is_one_problem(file, text) -> None:
    assert file.problems(text) == ["is empty; copy config.example.toml and edit it"]


def test_a_file_without_campaigns_is_one_problem(file) -> None:
    del file.sections["campaigns.renewals"]
    assert file.problems() == ["campaigns: is missing; add a section like [campaigns.renewals]"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[state]\nkeep = 90d", "2: is not TOML: expected newline or end of document after a statement"),
        ("[state]\n\nschema = ", "3: is not TOML: invalid value"),
        ("[state]\nschema = 'a'\nschema = 'b'", "3: is not TOML: cannot overwrite a value"),
        ('[state]\nschema = """', "2: is not TOML: unterminated string"),
        ("[state]\r\nschema = a\r\n", "2: is not TOML: invalid value"),
        ("a = 1" + "0" * 5000, "is not TOML: a value is out of range"),
    ],
)
def test_a_syntax_error_is_one_problem_with_its_line(file, text, sentence) -> None:
    assert file.problems(text) == [f"{sentence}; texts stand in quotes, and each key = value on a line of its own"]


def test_a_file_that_is_nested_beyond_reason_is_one_problem(file) -> None:
    [told] = file.problems("a = " + "[" * 100_000)
    assert told == "is not TOML that can be read: it is nested too deeply; lists and tables need no such depth"


def test_every_problem_is_told_at_once_in_the_order_of_the_file(file) -> None:
    file.set("tenants.acme", platform='"eu9b"', concurrency="0", do_not_call="[1000, true]")
    file.set("sources.crm", timezone='"Nowhere"')
    file.set("campaigns.renewals", every="5", tenant='"acne"', colour='"red"')
    file.set("campaigns.renewals.guard", max_shrink_percent="200", few="-1")
    file.set("campaigns.second", id="true", source='"crm"', mode='"both"')
    told = file.problems()
    assert [one.split(": ")[1] for one in told] == [
        "tenants.acme.platform",
        "tenants.acme.concurrency",
        "tenants.acme.do_not_call",
        "tenants.acme.do_not_call",
        "sources.crm.timezone",
        "campaigns.renewals.every",
        "campaigns.renewals.tenant",
        "campaigns.renewals.colour",
        "campaigns.renewals.guard.max_shrink_percent",
        "campaigns.renewals.guard.few",
        "campaigns.second.tenant",
        "campaigns.second.query",
        "campaigns.second.id",
        "campaigns.second.mode",
    ]


def test_a_wrong_default_is_told_once_however_many_campaigns_take_it(file) -> None:
    file.set("defaults", batch_size="0").set("defaults.guard", few="-1", fw="1")
    file.set("campaigns.second", **file.sections["campaigns.renewals"] | {"id": "126"})
    assert file.problems() == [
        f"{file.line_of('defaults', 'batch_size')}: defaults.batch_size: must be at least 1; "
        "write it like batch_size = 200",
        f"{file.line_of('defaults.guard', 'few')}: defaults.guard.few: must not be negative; write it like few = 10",
        f'{file.line_of("defaults.guard", "fw")}: defaults.guard.fw: is not a key of this section; did you mean "few"?',
    ]


def test_a_wrong_element_of_a_list_is_told_on_its_own_line(file) -> None:
    file.set("notify", urls='[\n  "mailto://fine",\n  "wrong",\n]')
    line = file.line_of("notify", "urls") + 2
    assert file.problems() == [
        f'{line}: notify.urls: is not an Apprise URL; write it like urls = ["mailto://...", "credential:syncd-slack"]'
    ]


def test_a_disposition_that_is_no_number_is_told_on_its_own_line(file) -> None:
    file.set("tenants.acme.dispositions", promise='"Promise to pay"')
    line = file.line_of("tenants.acme.dispositions", "promise")
    assert file.problems() == [
        f"{line}: tenants.acme.dispositions.promise: is not the number of a disposition; "
        'write it like 2001 = "Promise to pay"'
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "cannot be read (No such file or directory); name a file with the query"),
        (b" \n", "is empty; write the query into it"),
        (b"\xff", "is not UTF-8 text; save the query as UTF-8"),
    ],
)
def test_a_query_file_that_holds_no_query_is_told_with_its_path(file, content, what) -> None:
    query_file = file.folder / "due.sql"
    if content is not None:
        query_file.write_bytes(content)
    file.set("campaigns.renewals", query=None, query_file='"due.sql"')
    line = file.line_of("campaigns.renewals", "query_file")
    assert file.problems() == [f"{line}: campaigns.renewals.query_file: {query_file} {what}"]
