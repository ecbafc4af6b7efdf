"""A calendar server behind Fairgate, Radicale, with a CalDAV client in front: through the gateway it does what it does straight,
with the settings of docs/webdav.md.
"""

import datetime
import re
import sys

import caldav
import httpx
import pytest

from gateway_process import ROOT, GatewayProcess
from server_process import HOST, ServerProcess, free_port

EVENT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20261130T100000Z\r\nDTSTART:20261201T100000Z\r\nDTEND:20261201T110000Z\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
DAY = datetime.datetime(2026, 12, 1), datetime.datetime(2026, 12, 2)


def settings():
    """The settings of docs/webdav.md: what is above the tables, and the lines of [upstream] and [keys]."""
    page = (ROOT / "docs" / "webdav.md").read_text()
    block = re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    tables = re.split(r"^\[(\w+)\]\n", block, flags=re.MULTILINE)
    top, named = tables[0], dict(zip(tables[1::2], tables[2::2], strict=True))
    assert set(named) == {"upstream", "keys"}
    upstream = "\n".join(line for line in named["upstream"].splitlines() if not line.startswith("url"))
    return top, f"[keys]\n{named['keys']}", upstream


def radicale(folder):
    """A calendar server without authentication: the gateway has checked the key."""
    port = free_port()
    (folder / "rights").write_text("[all]\nuser: .*\ncollection: .*\npermissions: RrWw\n")
    (folder / "config").write_text(
        f"[server]\nhosts = {HOST}:{port}\n[auth]\ntype = none\n[rights]\ntype = from_file\nfile = {folder}/rights\n"
        f"[storage]\nfilesystem_folder = {folder}/collections\n[logging]\nlevel = warning\n"
    )
    return ServerProcess("radicale", [sys.executable, "-m", "radicale", "--config", folder / "config"], port, folder)


def session(base, user):
    """What a client does with a calendar, and what it finds."""
    found = {}
    with caldav.DAVClient(url=f"{base}/", username=user, password="unused") as client:
        found["collection"] = client.request(f"{base}/shop/", "MKCOL", "", {}).status
        calendar = client.calendar(url=f"{base}/shop/work/")
        body = '<?xml version="1.0"?><C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:set><D:prop><D:displayname>Work</D:displayname></D:prop></D:set></C:mkcalendar>'
        found["made"] = client.mkcalendar(f"{base}/shop/work/", body).status
        found["made twice"] = refused(lambda: client.mkcalendar(f"{base}/shop/work/", body))
        event = calendar.save_event(EVENT.format(uid="one", summary="Meeting"))
        found["names"] = [str(one.icalendar_component["summary"]) for one in calendar.events()]
        found["on the day"] = len(calendar.search(start=DAY[0], end=DAY[1], event=True))
        found["on another day"] = len(calendar.search(start=DAY[1], end=DAY[1] + datetime.timedelta(1), event=True))
        found["properties"] = sorted(calendar.get_properties([caldav.elements.dav.DisplayName()]).values())
        token = calendar.objects_by_sync_token()
        calendar.save_event(EVENT.format(uid="two", summary="Lunch"))
        found["changed"] = len(list(token.sync()[0]))
        event.delete()
        found["left"] = [str(one.icalendar_component["summary"]) for one in calendar.events()]
    return found


def refused(deed):
    try:
        return deed().status
    except caldav.lib.error.DAVError as error:
        return type(error).__name__


def raw(base, user):
    """The statuses and the XML of errors that mean something to clients."""
    auth = (user, "unused")
    found = {}
    with httpx.Client(base_url=base, auth=auth) as client:
        put = {"Content-Type": "text/calendar"}
        client.put("/shop/work/x.ics", content=EVENT.format(uid="x", summary="X"), headers=put)
        sync = '<D:sync-collection xmlns:D="DAV:"><D:sync-token>http://radicale.org/ns/sync/nonsense</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>'
        xml = {"Content-Type": "application/xml"}
        for name, answer in {
            "an old token": client.request("REPORT", "/shop/work/", content=sync, headers=xml),
            "there already": client.put("/shop/work/x.ics", content=EVENT.format(uid="x", summary="X"), headers={**put, "If-None-Match": "*"}),
            "changed meanwhile": client.put("/shop/work/x.ics", content=EVENT.format(uid="x", summary="Y"), headers={**put, "If-Match": '"no"'}),
            "the same uid": client.put("/shop/work/y.ics", content=EVENT.format(uid="x", summary="Y"), headers=put),
            "no parent": client.request("MKCOL", "/shop/none/none/"),
        }.items():
            found[name] = answer.status_code, re.findall(r"<(?:\w+:)?([a-z-]+) */>", answer.text)
    return found


@pytest.fixture(scope="module")
def straight(start):
    return start(radicale)


@pytest.fixture(scope="module")
def gateway(start):
    top, more, upstream = settings()
    return start(GatewayProcess, start(radicale).url, top=top, more=more, upstream_table=upstream)


def test_a_calendar_through_the_gateway_is_what_it_is_straight(straight, gateway):
    key = gateway.new_key()
    plain = session(straight.url, "anybody")
    assert plain["names"] == ["Meeting"] and plain["left"] == ["Lunch"], plain
    assert session(gateway.url, key.secret) == plain
    assert raw(gateway.url, key.secret) == raw(straight.url, "anybody")
    assert gateway.used(key) > 5
