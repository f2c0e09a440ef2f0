"""What page, health and metrics say of a campaign after real passes, from a real state."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from syncd.config import GuardSettings
from syncd.report import web
from syncd.report.metrics import Metrics
from syncd.report.shown import Shown
from syncd.simulator import Call, Fault, FaultKind
from syncd.state.database import connect
from syncd.state.overview import overview
from syncd.sync import PassReport
from syncd.vendor import RecordStatus
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage, open_stage


@dataclass
class Daemon:
    """Looks at the stage's state as the daemon does."""

    stage: Stage
    metrics: Metrics = field(default_factory=Metrics)

    def loop_turns(self) -> bool:
        return True

    def now(self) -> datetime:
        return self.stage.clock.now()

    async def overviews(self) -> list[Shown]:
        campaign = self.stage.campaign
        async with connect(self.stage.database) as connection:
            found = await overview(connection, {"renewals": (campaign.account, CAMPAIGN)}, self.now())
        return [Shown(campaign.settings, found["renewals"])]

    async def once(self) -> PassReport:
        report = await self.stage.once()
        self.metrics.passed("renewals", report)
        return report

    async def get(self, path: str) -> httpx.Response:
        self.metrics.tenants([self.stage.world.tenant])
        transport = httpx.ASGITransport(web.application(self))
        async with httpx.AsyncClient(transport=transport, base_url="http://syncd") as client:
            return await client.get(path)

    async def metric(self, name: str, **labels: str) -> float:
        """Return the value of the campaign's series of this name, or of the one with these labels."""
        labels = labels or {"campaign": "renewals"}
        families = text_string_to_metric_families((await self.get("/metrics")).text)
        [value] = [
            one.value for family in families for one in family.samples if (one.name, one.labels) == (name, labels)
        ]
        return value

    async def counted(self, name: str, **labels: str) -> float:
        """Return the value of a series of the campaign that has more labels."""
        return await self.metric(name, campaign="renewals", **labels)


async def test_metrics_count_what_real_passes_did(tmp_path: Path, database: str) -> None:
    async with open_stage(tmp_path, database) as stage:
        daemon = Daemon(stage)
        stage.crm.want(1, 2, 3)
        await daemon.once()
        await daemon.once()
        assert await daemon.metric("syncd_desired_customers") == 3
        assert await daemon.metric("syncd_listed_records") == 3
        assert await daemon.counted("syncd_passes_total", result="good") == 2
        assert await daemon.counted("syncd_passes_total", result="failed") == 0
        assert await daemon.counted("syncd_changes_total", change="add", outcome="done") == 3
        assert await daemon.metric("syncd_calls_total", tenant="acme", call="add", answer="207") == 1
        assert await daemon.counted("syncd_campaign_condition", condition="ok") == 1
        assert await daemon.metric("syncd_pass_duration_seconds_count") == 2
        assert await daemon.counted("syncd_pass_step_duration_seconds_count", step="apply") == 2
        assert await daemon.metric("syncd_last_good_pass_timestamp_seconds") > 0


async def test_a_suppressed_customer_with_an_agent_is_told_with_its_age_until_it_is_out(
    tmp_path: Path, database: str
) -> None:
    async with open_stage(tmp_path, database) as stage:
        daemon = Daemon(stage)
        stage.crm.want(1, 2)
        await daemon.once()
        stage.tenant.set_record(CAMPAIGN, 1, status=RecordStatus.ACCEPTED)
        stage.crm.suppress(1)
        await daemon.once()
        stage.clock.move(hours=2)
        await daemon.once()
        age = "syncd_suppressed_in_campaign_oldest_age_seconds"
        assert await daemon.metric(age) > 7000
        assert "late suppression" in (await daemon.get("/")).text
        stage.tenant.set_record(CAMPAIGN, 1, status=RecordStatus.QUEUED)
        await daemon.once()
        assert await daemon.metric(age) == 0
        assert await daemon.metric("syncd_suppressions_total") == 1
        assert await daemon.metric("syncd_suppression_delay_seconds_count") == 1
        assert "late suppression" not in (await daemon.get("/")).text


async def test_a_held_plan_stands_on_the_page_with_why_and_the_command(tmp_path: Path, database: str) -> None:
    async with open_stage(tmp_path, database) as stage:
        daemon = Daemon(stage)
        stage.settings(guard=GuardSettings(max_new_query_additions=20, few=0))
        stage.crm.want(*range(1, 31))
        report = await daemon.once()
        assert report.exit_status is Exit.HELD
        assert report.guarded is not None
        page = (await daemon.get("/")).text
        assert f"syncd approve renewals {report.guarded.digest}</code>" in page
        assert "30 additions held since" in page
        for refusal in report.guarded.judgement.refusals:
            assert refusal.sentence.partition("`")[0] in page
        assert await daemon.counted("syncd_held_changes", change="addition") == 30
        assert (await daemon.get("/readyz")).status_code == 200


async def test_a_failing_tenant_is_told_by_all_and_a_good_pass_ends_it(tmp_path: Path, database: str) -> None:
    async with open_stage(tmp_path, database, every=timedelta(minutes=5)) as stage:
        daemon = Daemon(stage)
        stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=401, count=None, calls=frozenset({Call.STATUS})))
        assert (await daemon.once()).exit_status is Exit.FAILED
        ready = await daemon.get("/readyz")
        assert ready.status_code == 503
        assert "campaign renewals: failing since" in ready.text
        assert "1 of 1 campaign needs you." in (await daemon.get("/")).text
        assert await daemon.metric("syncd_calls_total", tenant="acme", call="status", answer="401") > 0
        stage.tenant.faults.clear()
        await daemon.once()
        assert (await daemon.get("/readyz")).text == "ready\n"
        assert "Nothing needs you." in (await daemon.get("/")).text
        stage.clock.move(minutes=16)
        assert "overdue" in (await daemon.get("/readyz")).text
