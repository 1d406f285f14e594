"""A simulation of what the playbook uses of DigitalOcean's API: droplets, load balancers, firewalls, the records of one domain, all in memory.

Where a server of the published contract is given, each request is shown to it first, and refused as it is refused there. The contract at hand has no firewalls.
"""
import http.server
import json
import threading
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token-for-this-run"

# Of Droplets that there are.
ADDRESSES = {}


class DigitalOcean(http.server.ThreadingHTTPServer):
    def __init__(self, address, contract=None):
        super().__init__((address, 0), Requests)
        self.contract = contract
        self.kept = {"droplets": [], "load_balancers": [], "firewalls": [], "domain_records": []}
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Requests(http.server.BaseHTTPRequestHandler):
    def do(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length else None
        status, answer = self.answer(body)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do

    def answer(self, body):
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"id": "unauthorized", "message": "Unable to authenticate you."}
        url = urlsplit(self.path)
        self.server.requests.append(f"{self.command} {url.path}")
        parts = url.path.removeprefix("/v2/").split("/")
        if self.server.contract and parts[0] != "firewalls":
            asked = urllib.request.Request(self.server.contract + self.path, body, {"Authorization": f"Bearer {TOKEN}", **({"Content-Type": "application/json"} if body else {})}, method=self.command)
            try:
                urllib.request.urlopen(asked, timeout=20).close()
            except urllib.error.HTTPError as refused:
                return refused.code, {"id": "contract", "message": refused.read().decode()}
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        domain = parts[1] if parts[0] == "domains" else None
        root = "domain_records" if domain else parts[0]
        kept, number = self.server.kept[root], parts[3] if domain and len(parts) > 3 else parts[1] if not domain and len(parts) > 1 else None
        if self.command == "GET":
            rows = [row for row in kept if query.get("tag_name") in (None, *row.get("tags", [])) and query.get("type") in (None, row.get("type")) and query.get("name") in (None, f"{row.get('name')}.{domain}")]
            return 200, {root: rows, "links": {}, "meta": {"total": len(rows)}}
        given = json.loads(body)
        if self.command == "PUT":
            row = next((row for row in kept if str(row["id"]) == number), None)
            if row is None:
                return 404, {"id": "not_found", "message": "The resource you were accessing could not be found."}
            row.update(given)
            return 200, {root[:-1]: row}
        made = [self.complete(root, len(kept) + 1 + index, {**given, **({"name": name} if name else {})}) for index, name in enumerate(given.pop("names", [None]))]
        kept.extend(made)
        return 202, {root: made} if len(made) > 1 else {root[:-1]: made[0]}

    @staticmethod
    def complete(root, number, row):
        """What DigitalOcean adds to what was asked for."""
        if root == "droplets":
            return {**row, "id": number, "status": "active", "networks": {"v4": [{"type": "private", "ip_address": f"10.1.0.{number}"}, {"type": "public", "ip_address": ADDRESSES.get(row["name"], f"198.51.100.{number}")}]}}
        if root == "load_balancers":
            row["forwarding_rules"] = [{**rule, "certificate_id": ""} for rule in row["forwarding_rules"]]
            return {**row, "id": f"00000000-0000-4000-8000-{number:012}", "ip": "198.51.100.200", "status": "active"}
        if root == "firewalls":
            for rule in row["inbound_rules"] + row["outbound_rules"]:
                peers = rule.get("sources") or rule["destinations"]
                peers.update({"addresses": peers.get("addresses", [])[::-1], "droplet_ids": [], "tags": []})
            return {**row, "id": f"00000000-0000-4000-9000-{number:012}", "status": "succeeded", "inbound_rules": row["inbound_rules"][::-1]}
        return {**row, "id": number, "data": row["data"].rstrip(".") if row["type"] == "CNAME" else row["data"]}

    def log_message(self, *_):
        pass
