"""The conversation of the product with every script at E2B, in a network of its own where names have public addresses.

Run by test_e2b_conversation.py inside bubblewrap; prints what happened as one JSON object. In this network every
address is local, and a gateway leads the ports of the named hosts to practice servers, for programs here and for the
machines of the stand-in alike. Nothing in the product knows of it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from stand_ins.e2b.cloud import Cloud
from stand_ins.e2b.gateway import Gateway, Internet
from stand_ins.e2b.init import make_all_addresses_local

CRM, DATABASE = ("acme.my.salesforce.com", "20.30.40.50"), ("db.acme.example", "20.30.40.51")
LINES = [f"{address} {name}" for name, address in (CRM, DATABASE)]
PROMPT = "Sync leads from Salesforce to PostgreSQL: name, email, how they got to us"
ANSWER = "LeadSource - and only the leads of the last 30 days"


def main(folder: Path) -> None:
    import integrator_practice
    from integrator_magics.sandbox.e2b.bundle import DRIVERS, bundle

    os.environ["INTEGRATOR_HOME"] = str(folder / "home")
    make_all_addresses_local()
    with (
        integrator_practice.start("salesforce", rows=600, tls=True) as crm,
        integrator_practice.start("postgresql", rows=600) as database,
        Cloud(_internet(int(crm.base_url.rpartition(":")[2]), int(database.env["PGPORT"]))) as cloud,
    ):
        # The registrations say that these are practice systems; without them they are systems like any other.
        for path in (folder / "home" / "practice").glob("*.json"):
            path.rename(path.with_suffix(".away"))
        found = bundle()
        cloud.add_template(found.name, found.archive, DRIVERS)
        os.environ |= {"E2B_API_URL": cloud.url, "E2B_SANDBOX_URL": cloud.url}
        env = {
            **{name: value for name, value in (crm.env | database.env).items() if name.startswith(("SALES", "PG"))},
            "SALESFORCE_DOMAIN": "acme",
            "SALESFORCE_BASE_URL": f"https://{CRM[0]}",  # else it goes where the practice server says it is
            "PGHOST": DATABASE[0],
            "PGPORT": "5432",
            "E2B_API_KEY": cloud.key,
        }
        _trust(folder, Path(crm.ca_file or ""))
        work = folder / "work"
        work.mkdir()
        (work / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in env.items()))
        (work / ".env").chmod(0o600)
        print(json.dumps(_talk(work, cloud), default=str))


def _trust(folder: Path, ca: Path) -> None:
    """Put the practice server's authority where this machine and certifi keep theirs; both are copies, see the test."""
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(ca)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (folder / "certs" / f"{name}.0").write_bytes(ca.read_bytes())
    with (folder / "cacert.pem").open("ab") as file:
        file.write(b"\n" + ca.read_bytes())


def _internet(crm: int, database: int) -> Internet:
    """The two names, also for programs in this network: a gateway without rules stands on their ports."""
    internet = Internet()
    internet.add(*CRM, {443: crm})
    internet.add(*DATABASE, {5432: database})
    gateway = Gateway(internet, {}, {})
    for port in (443, 5432):
        gateway.serve(socket.create_server(("0.0.0.0", port)))
    return internet


def _talk(work: Path, cloud: Cloud) -> dict[str, Any]:
    from integrator_magics.config import Settings
    from integrator_magics.events import Event, Previewed, Ran
    from integrator_magics.session import DIALOG, Session, run_channel

    told: dict[str, Any] = {}
    session = Session("job.ipynb", work, Settings(model="guided"))
    heard: list[Event] = []
    session.listen(DIALOG, heard.append)
    session.listen(run_channel("lead_sync"), heard.append)
    try:
        told["place"] = session.runner.describe()
        for act in (
            lambda: session.integrate(PROMPT),
            lambda: session.answer(ANSWER),
            lambda: session.run_script("lead_sync"),
        ):
            act()
            session.wait()
        preview = [event for event in heard if isinstance(event, Previewed)][-1]
        told["preview"] = {
            "sandbox": preview.sandbox,
            "practice": preview.practice,
            "has_code": bool(preview.code),
            "target": vars(preview.targets[0]),
        }
        told["before"] = len(session.runner.call("postgresql", "sample", "public.leads", 2_000))
        session.approve("lead_sync", preview.code)
        session.wait()
        ran = [event for event in heard if isinstance(event, Ran)][-1]
        told["ran"] = vars(ran.targets[0])
        told["after"] = len(session.runner.call("postgresql", "sample", "public.leads", 2_000))
        script = (
            "from salesforce_driver import SalesforceClient\n\n"
            "with SalesforceClient() as salesforce:\n"
            '    salesforce.read("Lead", fields=["Id", "LeadSource"], limit=50).to_csv("leads.csv")\n'
        )
        outcome = session.runner.run(script, mode="apply", name="leads_out")
        told["file"] = {"outcome": outcome.status, "files": outcome.files, "notes": outcome.notes}
        told["rows"] = len((work / "leads.csv").read_text().splitlines())
        told["audit"] = [
            {key: record.get(key) for key in ("event", "phase", "backend", "level", "outcome", "hosts")}
            for record in session.audit.tail(100)
            if record["event"] in ("preview", "run") and record.get("phase")
        ]
        told["verified"] = session.audit.verify().whole
    except Exception:
        told["heard"] = [repr(event)[:400] for event in heard]
        print(json.dumps(told, default=str), file=sys.stderr)
        raise
    finally:
        session.close()
    told["machines"] = len(cloud.past)
    told["left"] = len(cloud.sandboxes)
    told["seen"] = sorted({entry for sandbox in cloud.past for entry in sandbox.machine.gateway.seen})
    told["rules"] = [sandbox.networks[0]["allowOut"] for sandbox in cloud.past]
    return told


if __name__ == "__main__":
    main(Path(sys.argv[1]))
