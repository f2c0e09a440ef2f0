"""One request, one answer: certificates, redirects, sizes, and what the connection itself can do."""

import asyncio
import ssl
from datetime import timedelta

import pytest
import trustme
from scripted_tenant import ACTION, DATA, ENDLESS, HANG, NOISE, say, scripted_tenant

from syncd.dialer.api import Addition
from syncd.errors import DialerUnavailable
from syncd.words import Lane, Outcome, Reason

STATUS = {"campaign": {"campaign-id": 125, "enabled": "Y", "dynamic-campaign": "Y", "status": 3}}


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_a_certificate_that_the_system_trusts_is_taken(campaign, authority, tmp_path, monkeypatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with scripted_tenant(server_side(authority)) as secure:
        secure.script = lambda asked: say(200, STATUS)
        async with campaign(base_url=secure.url) as client:
            assert (await client.status()).vendor_id == 125


async def test_a_certificate_that_nobody_vouches_for_gets_no_token_and_one_attempt(campaign, authority) -> None:
    async with scripted_tenant(server_side(authority)) as secure:
        secure.script = lambda asked: say(200, STATUS)
        async with campaign(base_url=secure.url) as client:
            with pytest.raises(DialerUnavailable) as caught:
                await client.status()
        assert secure.asked == []
    assert caught.value.what.startswith("the status call failed: the certificate of localhost is not trusted: ")
    assert "trust store" in caught.value.advice


async def test_a_certificate_for_another_name_is_not_taken(campaign, authority, tmp_path, monkeypatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    async with scripted_tenant(server_side(authority, "elsewhere.example")) as secure:
        async with campaign(base_url=secure.url) as client:
            with pytest.raises(DialerUnavailable, match="certificate of localhost is not trusted"):
                await client.status()
        assert secure.asked == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_named_and_never_followed(tenant, campaign, status) -> None:
    async with scripted_tenant() as elsewhere:
        tenant.script = lambda asked: say(status, b"", Location=f"{elsewhere.url}/api?secret=1")
        async with campaign() as client:
            with pytest.raises(DialerUnavailable) as caught:
                await client.delete(1, Lane.REMOVAL)
            with pytest.raises(DialerUnavailable):
                await client.status()
        assert elsewhere.asked == []
    assert f"redirect to 127.0.0.1 (HTTP {status})" in caught.value.sentence()
    assert "secret" not in caught.value.sentence()
    assert len(tenant.asked) == 1


@pytest.mark.parametrize("location", ["", "/login", "http://[bad", "https://login.8x8.com/x"])
async def test_a_redirect_to_anywhere_or_nowhere_is_explained(tenant, campaign, location) -> None:
    tenant.script = lambda asked: say(302, b"", Location=location)
    async with campaign() as client:
        with pytest.raises(DialerUnavailable, match=r"redirect to .*platform or base_url"):
            await client.status()


async def test_a_body_without_end_is_cut_off(tenant, campaign) -> None:
    tenant.script = lambda asked: ENDLESS
    async with campaign() as client:
        with pytest.raises(DialerUnavailable, match="more than 16 MiB"):
            await client.status()
    assert len(tenant.asked) == 4


async def test_what_is_not_http_is_no_answer(tenant, campaign) -> None:
    tenant.script = lambda asked: NOISE
    async with campaign() as client:
        with pytest.raises(DialerUnavailable, match="not HTTP"):
            await client.status()
    assert len(tenant.asked) == 4


async def test_a_body_that_cannot_be_unpacked_is_no_answer(tenant, campaign) -> None:
    tenant.script = lambda asked: say(200, b"not zipped", Content_Encoding="gzip")
    async with campaign() as client:
        verdict = await client.delete(1, Lane.REMOVAL)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.NO_ANSWER)


async def test_the_deadline_is_for_the_whole_call_even_while_bytes_trickle(tenant, campaign) -> None:
    """Each read is answered in time; the whole of it is not."""
    trickling = asyncio.Event()

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        trickling.set()
        try:
            while not writer.transport.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
        except OSError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(30):
            async with campaign(base_url=f"http://127.0.0.1:{port}", timeout=timedelta(milliseconds=200)) as client:
                with pytest.raises(DialerUnavailable, match=r"no answer from 127.0.0.1 within 0.2 s"):
                    await client.status()
    finally:
        server.close()
    assert trickling.is_set()


async def test_closing_the_client_of_a_pass_closes_its_connections(tenant, campaign) -> None:
    tenant.script = lambda asked: say(200, STATUS)
    async with campaign() as client:
        await client.status()
    async with asyncio.timeout(30):
        await tenant.quiet()


async def test_a_pass_that_is_torn_down_in_the_middle_of_a_listing_leaves_no_connection(tenant, campaign) -> None:
    def script(asked):
        records = [{"campaign-id": 125, "record-id": number} for number in range(1, 51)]
        return say(200, {"records": {"record": records}}) if asked.query in ("", "n=50") else HANG

    tenant.script = script
    async with campaign() as client:
        pages = client.listing(1000)
        assert len(await anext(pages)) == 50
        assert len(await anext(pages)) == 50
        assert tenant.connections > 1
    async with asyncio.timeout(30):
        await tenant.quiet()


async def test_the_environments_proxy_is_asked_for_the_tenant_and_not_for_loopback(
    tenant, campaign, monkeypatch
) -> None:
    monkeypatch.setenv("https_proxy", tenant.url)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    tenant.script = lambda asked: say(403) if asked.method == "CONNECT" else say(204)
    async with campaign(base_url="https://vcc-na12.example") as client:
        with pytest.raises(DialerUnavailable, match=r"proxy refuses to connect to vcc-na12.example \(HTTP 403\)"):
            await client.status()
    assert {asked.path for asked in tenant.asked} == {"vcc-na12.example:443"}
    async with campaign() as client:
        assert (await client.delete(1, Lane.REMOVAL)).outcome is Outcome.DONE


async def test_no_secret_and_no_phone_number_is_in_any_error_verdict_or_log(tenant, account, clock, capsys) -> None:
    """An unfriendly tenant echoes what it was sent, in every place where a text is read."""
    phone = "5557654321"
    shown: list[str] = []

    def echo(status: int, shape: str):
        def script(asked):
            text = f"token {asked.token} login {asked.login} header {asked.headers['authorization']}"
            record = {"campaign-id": 125, "record-id": 1, "phone-list": f"*Phone|{phone}"}
            match shape:
                case "message":
                    return say(status, {"message": text})
                case "plain":
                    return say(status, text.encode())
                case "html":
                    return say(status, f"<html>{text} {phone}</html>".encode())
                case "entries":
                    return say(status, [{"customer-id": 1, "http-status": 400, "message": text}])
                case "records":
                    return say(status, {"rec": [record], "message": text})
            return say(status, b"", Location=f"https://{asked.token}@elsewhere.example/{asked.token}")

        return script

    acme = account()
    for status in (200, 204, 206, 207, 302, 400, 401, 403, 404, 413, 429, 500, 503):
        for shape in ("message", "plain", "html", "entries", "records", "redirect"):
            tenant.script = echo(status, shape)
            for number in range(4):
                async with acme.campaign("renewals", 125) as client:
                    calls = (
                        client.status(),
                        anext(client.listing(None)),
                        client.add([Addition(1, None), Addition(2, None)], Lane.ADDITION),
                        client.delete(1, Lane.REMOVAL),
                    )
                    for other in calls[:number] + calls[number + 1 :]:
                        other.close()
                    try:
                        shown.append(repr(await calls[number]))
                    except Exception as error:
                        shown += [str(error), repr(error), repr(getattr(error, "__cause__", None))]
            async with acme.campaign("renewals", 125) as client:
                shown.append(repr(await client.check_tokens()))
    out, err = capsys.readouterr()
    everything = "\n".join([*shown, out, err, repr(acme), repr(client)])
    assert len(shown) > 300
    for secret in (ACTION, DATA, phone, "Basic YWNt"):
        assert secret not in everything
