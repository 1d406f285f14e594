"""The playbook for Droplets, run as an operator would, against two fresh Debian systems on this machine.

Each is a root of debootstrap, booted by systemd-nspawn with a systemd of its own and an address of its own on a bridge: what differs from a Droplet is the kernel that they share, with its clock.
AWS is moto here, a simulation; DigitalOcean's API is one of fifty lines (digitalocean.py beside this), which shows each request to a server of the published contract where there is one.
"""
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import zipfile

import digitalocean

NEEDED = ["ansible-playbook", "setpriv", "debootstrap", "systemd-nspawn", "nft", "openssl", "moto_server", "aws", "ssh"]
REPO = pathlib.Path(__file__).resolve().parent.parent
DROPLET = REPO / "functions/ItemApi/Droplet"
WORK = REPO / "artifacts/droplets"
BRIDGE, NET = "droplets0", "10.77.0"
HOSTS = {"nyc3-1": f"{NET}.11", "nyc3-2": f"{NET}.12"}
# Stands for the rest of the world: no load balancer of ours.
STRANGER = "172.30.77.1"
NAME = "app.example.com"
MOTO = f"http://{NET}.1:17600"
AWS = {"AWS_ENDPOINT_URL": MOTO, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": "us-east-1"}


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def say(text):
    print(f"{time.monotonic() - STARTED:5.0f} s  {text}", flush=True)


# --- two fresh systems -----------------------------------------------------------------------------------------------------------------------------------------

# What a program is started with, so that it ends when this one does, however that ends.
ENDS_WITH_US = ["setpriv", "--pdeathsig", "TERM", "--"]


def alone_on_this_machine():
    """Names and addresses are the machine's: one run at a time. Children hold the lock too: when it is ours, all of a run before it have ended, however that ended."""
    lock = os.open(pathlib.Path(tempfile.gettempdir(), "failover-droplets.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)

    def locked():
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True

    wait_for("another run on this machine ends", locked, 120)


def take_down_network():
    subprocess.run(["nft", "delete", "table", "ip", "droplets"], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["ip", "link", "del", BRIDGE], stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def network():
    # A run that was killed leaves its own.
    take_down_network()
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    try:
        run("ip", "address", "add", f"{NET}.1/24", "dev", BRIDGE)
        run("ip", "address", "add", f"{STRANGER}/32", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        run("sysctl", "-q", "net.ipv4.ip_forward=1")
        rules = f"table ip droplets {{\n chain out {{\n type nat hook postrouting priority 100\n ip saddr {NET}.0/24 ip daddr != {{ {NET}.0/24, {STRANGER} }} masquerade\n }}\n}}\n"
        subprocess.run(["nft", "-f", "-"], check=True, text=True, input=rules)
        yield
    finally:
        take_down_network()


def make_roots():
    # Kept for the next run on this machine; each run takes copies.
    base = WORK.with_name("droplet-base")
    if not base.exists():
        unfinished = base.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        run("debootstrap", "--variant=minbase", "--include=systemd-sysv,dbus,python3,openssh-server,ca-certificates,iproute2", "bookworm", unfinished)
        unfinished.rename(base)
    (base / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    shutil.copy(WORK / "ssh.pub", base / "root/.ssh/authorized_keys")
    shutil.copy(WORK / "ca.pem", base / "usr/local/share/ca-certificates/test.crt")
    run("chroot", base, "update-ca-certificates")
    run("chroot", base, "systemctl", "enable", "systemd-networkd", "ssh")
    # The clock is the shared kernel's: chrony runs, and does not touch it.
    (base / "etc/systemd/system/chrony.service.d").mkdir(parents=True, exist_ok=True)
    (base / "etc/systemd/system/chrony.service.d/no-clock.conf").write_text("[Unit]\nConditionCapability=\n[Service]\nType=exec\nUser=root\nExecStart=\nExecStart=/usr/sbin/chronyd -x -d\n")
    for name, address in HOSTS.items():
        root = WORK / name
        run("cp", "-a", "--reflink=auto", base, root)
        (root / "etc/hostname").write_text(name + "\n")
        (root / "etc/systemd/network/80-container-host0.network").write_text(f"[Match]\nName=host0\n[Network]\nAddress={address}/24\nGateway={NET}.1\n")


def boot(name):
    log = open(WORK / f"{name}.console", "ab")
    process = subprocess.Popen(
        [*ENDS_WITH_US, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3", "--boot", "--console=pipe", f"--machine={name}", f"--directory={WORK / name}", f"--network-bridge={BRIDGE}", "--resolv-conf=replace-host"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False)
    wait_for(f"{name} answers SSH", lambda: ssh_to(name, "true") is not None, 90)
    return process


def shut_down(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ssh_to(name, command):
    done = subprocess.run(["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={WORK / 'known_hosts'}", "-i", WORK / "ssh", f"root@{HOSTS[name]}", command],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.stdout if done.returncode == 0 else None


def wait_for(what, condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.5)
    raise SystemExit(f"Not within {seconds} s: {what}")


# --- what they are given ---------------------------------------------------------------------------------------------------------------------------------------

def make_keys():
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", WORK / "ssh")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test", "-keyout", WORK / "ca.key", "-out", WORK / "ca.pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},DNS:nyc3.{NAME}",
        "-addext", "basicConstraints=critical,CA:FALSE", "-CA", WORK / "ca.pem", "-CAkey", WORK / "ca.key", "-keyout", WORK / "key.pem", "-out", WORK / "certificate.pem")
    # As a user's: the key is encrypted by ansible-vault.
    (WORK / "vault-password").write_text("a password for this run\n")
    run("ansible-vault", "encrypt", "--vault-password-file", WORK / "vault-password", WORK / "key.pem")


def make_release(directory, program=None):
    """The released zip, or one whose program does not do."""
    directory.mkdir()
    path = directory / "ItemApi-linux-x64.zip"
    if program is None:
        shutil.copy(REPO / "artifacts/zips/ItemApi-linux-x64.zip", path)
        with zipfile.ZipFile(path, "a") as released:
            released.writestr("name", directory.name)
    else:
        with zipfile.ZipFile(path, "w") as released:
            released.writestr("bootstrap", program)
    (directory / "SHA256SUMS").write_text(run("sha256sum", path.name, cwd=directory))
    return path


def make_aws():
    stack = {
        "Resources": {"ItemApiPolicy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}]}}}},
        "Outputs": {"ItemApiPolicyArn": {"Value": {"Ref": "ItemApiPolicy"}}}}
    aws("cloudformation", "create-stack", "--stack-name", "failover", "--template-body", json.dumps(stack), "--capabilities", "CAPABILITY_IAM")
    for table, keys in (("Items", ["id"]), ("Control", ["service", "record"])):
        aws("dynamodb", "create-table", "--table-name", table, "--billing-mode", "PAY_PER_REQUEST", "--attribute-definitions", *[f"AttributeName={key},AttributeType=S" for key in keys],
            "--key-schema", *[f"AttributeName={key},KeyType={kind}" for key, kind in zip(keys, ("HASH", "RANGE"))])


# The API that tells the hosts' addresses.
GIVEN = {}


def aws(*command):
    return run("aws", *command, env={**os.environ, **AWS})


def played(playbook, inventory=DROPLET / "inventory/nyc3.yml", **variables):
    """The command that runs a playbook, and what it is run with."""
    given = {"ansible_ssh_private_key_file": str(WORK / "ssh"), "ansible_ssh_common_args": f"-o UserKnownHostsFile={WORK / 'known_hosts'}", "key_looks": 3, **GIVEN,
             "tls_certificate": str(WORK / "certificate.pem"), "tls_key": str(WORK / "key.pem"), "drain_seconds": 3, "gate_seconds": 15,
             "client_requests_per_second": 5, "extra_environment": {"AWS_ENDPOINT_URL": MOTO, "AUTHORIZATION": "off"}, **variables}
    return ([*ENDS_WITH_US, "ansible-playbook", "-i", str(inventory), "--vault-password-file", str(WORK / "vault-password"), "--extra-vars", json.dumps(given), playbook],
            {"cwd": DROPLET, "close_fds": False, "stdin": subprocess.DEVNULL, "env": {**os.environ, **AWS, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8", "DIGITALOCEAN_TOKEN": digitalocean.TOKEN}})


def play(playbook, fails=False, **variables):
    """Runs a playbook; returns what it printed, and what it says it changed on each host."""
    command, options = played(playbook, **variables)
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, **options)
    output = done.stdout + done.stderr
    with open(WORK / "plays.log", "a") as log:
        log.write(output)
    assert (done.returncode != 0) == fails, output[-6000:]
    assert digitalocean.TOKEN not in output, "the token was told"
    return output, {host: int(changed) for host, changed in re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", output, re.M)}


def play_until(condition, playbook, **variables):
    """Runs a playbook, and kills it once the condition holds."""
    command, options = played(playbook, **variables)
    with open(WORK / "plays.log", "a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
    try:
        wait_for("the moment to kill the playbook", condition, 120)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the playbook had ended"


# --- clients ---------------------------------------------------------------------------------------------------------------------------------------------------

class Client:
    """A client behind the load balancer, which tells its address by PROXY protocol."""

    def __init__(self, host, address="203.0.113.9", name=NAME, source=f"{NET}.1"):
        raw = socket.create_connection((HOSTS[host], 443), timeout=12, source_address=(source, 0))
        raw.sendall(f"PROXY TCP4 {address} {HOSTS[host]} 40000 443\r\n".encode())
        context = ssl.create_default_context(cafile=WORK / "ca.pem")
        self.connection = http.client.HTTPConnection(name)
        self.connection.sock = context.wrap_socket(raw, server_hostname=name)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return response.status, dict(response.getheaders()), response.read()


def ask(host, method, path, body=None, headers=None, **client):
    return Client(host, **client).ask(method, path, body, headers)


@contextlib.contextmanager
def load(host):
    """Reads and writes until it is over; yields what was answered."""
    answers, over = [], threading.Event()

    def go():
        number = 0
        while not over.is_set():
            number += 1
            try:
                answers.append(ask(host, "PUT", f"/items/load-{number % 10}", json.dumps({"n": number}), {"Content-Type": "application/json"}, address=f"198.18.0.{number % 250}")[0])
            except OSError as exception:
                answers.append(repr(exception))
            time.sleep(0.02)

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def serving(host):
    return ssh_to(host, "readlink /etc/nginx/item-api/active.conf").strip().removesuffix(".conf")


# --- what is shown ---------------------------------------------------------------------------------------------------------------------------------------------

def shows_a_deployment(releases):
    play("site.yml", release=str(releases["first"]))
    say("provisioned and deployed, two hosts")
    _, changed = play("site.yml", release=str(releases["first"]))
    assert changed == {host: 0 for host in HOSTS}, changed
    say("again: nothing changed")
    for host in HOSTS:
        assert ssh_to(host, "nginx -t && systemctl is-enabled nginx nftables chrony item-api@blue && systemd-analyze verify /etc/systemd/system/item-api@blue.service") is not None, host
        assert ssh_to(host, "systemctl --failed --no-legend --plain") .strip() == "", ssh_to(host, "systemctl --failed")
        exposure = float(re.search(r"exposure level for item-api@blue.service: ([\d.]+)", ssh_to(host, "systemd-analyze security --no-pager item-api@blue"))[1])
        assert exposure < 1.5, exposure
    say(f"nginx -t passes, units verify; systemd's exposure level of the service is {exposure}")


def shows_requests():
    status, headers, body = ask("nyc3-1", "PUT", "/items/hello", '{"text":"through nginx"}', {"Content-Type": "application/json"})
    assert status == 201 and headers["Failover-Region"] == "us-east-1", (status, headers, body)
    status, headers, body = ask("nyc3-2", "GET", "/items/hello", name="nyc3." + NAME)
    assert status == 200 and json.loads(body)["text"] == "through nginx", (status, body)
    assert "203.0.113.9" in ssh_to("nyc3-1", "journalctl --identifier nginx --output cat"), "the client's address is not in the log"
    with contextlib.suppress(ssl.SSLError, ConnectionResetError):
        ask("nyc3-1", "GET", "/", name="other.example.com")
        raise SystemExit("another name was given a certificate")
    status, headers, body = ask("nyc3-1", "PUT", "/items/big", b"x" * (6 << 20), {"Content-Type": "application/json"})
    assert status == 413 and json.loads(body)["type"] == "urn:failover:problem:body-too-large", (status, body)
    status, _, body = ask("nyc3-1", "PUT", "/items/big", json.dumps({"text": "x" * (3 << 20)}), {"Content-Type": "application/json"})
    assert status == 413 and "2523136" in body.decode(), (status, body)
    say("through nginx: written on one host, read on the other; the client's address; other names, and what is too large, refused")

    greedy = Client("nyc3-1", address="203.0.113.66")
    statuses = [greedy.ask("GET", "/items/hello")[0] for _ in range(600)]
    assert 429 in statuses and set(statuses) == {200, 429}, set(statuses)
    status, headers, body = next(answer for answer in iter(lambda: greedy.ask("GET", "/items/hello"), None) if answer[0] == 429)
    assert json.loads(body)["type"] == "urn:failover:problem:throttled" and headers["Retry-After"] == "1", (headers, body)
    assert greedy.ask("GET", "/health/ready")[0] == 200 and ask("nyc3-1", "GET", "/items/hello")[0] == 200
    say(f"one address too fast: {statuses.count(429)} of 600 answered 429; the others and health are not")

    for port, source, reached in ((443, STRANGER, False), (8081, STRANGER, False), (8081, f"{NET}.1", True), (22, STRANGER, True)):
        try:
            socket.create_connection((HOSTS["nyc3-1"], port), timeout=3, source_address=(source, 0)).close()
            assert reached, f"{source} reached port {port}"
        except TimeoutError:
            assert not reached, f"{source} did not reach port {port}"
    say("the firewall lets in whom it should")


def shows_an_upgrade(releases):
    before = {host: serving(host) for host in HOSTS}
    with load("nyc3-1") as answers:
        play("site.yml", release=str(releases["second"]))
    assert {host: serving(host) for host in HOSTS} == {host: "green" if colour == "blue" else "blue" for host, colour in before.items()}
    assert set(answers) <= {200, 201, 204}, set(answers)
    say(f"the next release, without a failed request of {len(answers)} meanwhile")


def shows_that_what_is_broken_is_rolled_back(releases):
    for what, changes in {
            "a program that ends": {"release": str(releases["ends"])},
            "a program that never listens": {"release": str(releases["sleeps"])},
            "a wrong setting": {"release": str(releases["second"]), "write_mode": "Sometimes"},
            "a table that is not there": {"release": str(releases["second"]), "extra_environment": {"AWS_ENDPOINT_URL": f"http://{NET}.1:9", "AUTHORIZATION": "off"}}}.items():
        before = {host: (serving(host), ssh_to(host, "stat -c %Y /etc/item-api/*/environment | sort | tail -n 1")) for host in HOSTS}
        with load("nyc3-1") as answers:
            output, _ = play("site.yml", fails=True, gate_seconds=6, **changes)
        said = re.search(r"serves as before.*?last lines:(.*?)\"", output, re.S)
        assert said, output[-3000:]
        assert [serving(host) for host in HOSTS] == [colour for colour, _ in before.values()]
        assert ssh_to("nyc3-2", "stat -c %Y /etc/item-api/*/environment | sort | tail -n 1") == before["nyc3-2"][1], "the next host was touched"
        assert set(answers) <= {200, 201, 204}, set(answers)
        if what == "a wrong setting":
            assert "WRITE_MODE" in said[1], said[1]
        say(f"rolled back: {what}; {len(answers)} requests meanwhile, none failed; the second host not touched")
    play("site.yml", release=str(releases["second"]))
    _, changed = play("site.yml", release=str(releases["second"]))
    assert changed == {host: 0 for host in HOSTS}, changed
    say("put right again, and then nothing changed")


def keys():
    return {host: json.loads(aws("iam", "list-access-keys", "--user-name", f"failover-{host}", "--query", "AccessKeyMetadata[].AccessKeyId")) for host in HOSTS}


def used(host):
    return re.search(r"aws_access_key_id = (\S+)", ssh_to(host, f"cat /etc/item-api/{serving(host)}/credentials"))[1]


def shows_that_a_killed_run_is_mended(releases):
    host = "nyc3-1"
    for moment, seconds, release in (("when the next one takes over", 0, "first"), ("while the one before drains", 5, "second")):
        before = serving(host)
        taken_over = []

        def is_time():
            if serving(host) != before:
                taken_over.append(time.monotonic())
            return taken_over and time.monotonic() > taken_over[0] + seconds

        with load(host) as answers:
            play_until(is_time, "site.yml", release=str(releases[release]), drain_seconds=60, aws_key_days=0)
            assert len(keys()[host]) == 2, "the killed run left nothing to mend"
            play("site.yml", release=str(releases[release]))
        assert set(answers) <= {200, 201, 204}, set(answers)
        for each in HOSTS:
            states = ssh_to(each, "for colour in blue green; do systemctl is-active item-api@$colour; systemctl is-enabled item-api@$colour; done; true").split()
            assert sorted(zip(states[::2], states[1::2])) == [("active", "enabled"), ("inactive", "disabled")], (each, states)
            assert keys()[each] == [used(each)], (each, keys())
        say(f"killed {moment}, and run again: no request of {len(answers)} failed, one colour runs, one key is left")


def shows_keys(releases):
    before = keys()
    assert all(len(each) == 1 for each in before.values()) and [used(host) for host in HOSTS] == [each[0] for each in before.values()], before
    with load("nyc3-2") as answers:
        play("site.yml", release=str(releases["second"]), aws_key_days=0)
    after = keys()
    assert all(len(each) == 1 for each in after.values()) and all(after[host] != before[host] for host in HOSTS) and [used(host) for host in HOSTS] == [each[0] for each in after.values()], (before, after)
    assert set(answers) <= {200, 201, 204}, set(answers)
    # The journal, the process's environment and every file of a stranger's sight: no secret.
    secret = re.search(r"aws_secret_access_key = (\S+)", ssh_to("nyc3-1", f"cat /etc/item-api/{serving('nyc3-1')}/credentials"))[1]
    shown = ssh_to("nyc3-1", "journalctl --output cat; cat /proc/$(systemctl show --value --property MainPID item-api@%s)/environ" % serving("nyc3-1"))
    assert secret not in shown and secret not in (WORK / "plays.log").read_text(), "the secret was told"
    assert "hello" not in shown.replace("Hello", ""), "a client's id was logged"
    play("site.yml", fails=True, gate_seconds=6, release=str(releases["ends"]), aws_key_days=0)
    assert keys() == after, "the key of a deployment that was rolled back is still there"
    say(f"keys are replaced, the old ones gone, no request of {len(answers)} failed; told nowhere; that of a deployment rolled back is gone too")


def shows_a_reboot(processes):
    shut_down(processes["nyc3-2"])
    processes["nyc3-2"] = boot("nyc3-2")
    wait_for("the service after a reboot", lambda: ready("nyc3-2"), 30)
    say("after a reboot it serves by itself")
    ssh_to("nyc3-2", f"systemctl kill --signal=KILL item-api@{serving('nyc3-2')}")
    wait_for("the service after it was killed", lambda: ready("nyc3-2"), 15)
    say("after it was killed, too")


def shows_digitalocean():
    api = digitalocean.DigitalOcean("127.0.0.1", os.environ.get("DIGITALOCEAN_CONTRACT_URL"))
    given = {"inventory": DROPLET / "inventory/nyc3.yml", "digitalocean_api": f"http://127.0.0.1:{api.server_port}/v2", "droplet_ssh_keys": ["3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa"]}
    play("digitalocean.yml", digitalocean_domain="example.com", **given)
    kept = json.loads(json.dumps(api.kept))
    assert [droplet["name"] for droplet in kept["droplets"]] == ["nyc3-1", "nyc3-2"] and all(droplet["region"] == "nyc3" for droplet in kept["droplets"]), kept["droplets"]
    (balancer,), (firewall,) = kept["load_balancers"], kept["firewalls"]
    assert balancer["health_check"]["path"] == "/health/ready" and balancer["enable_proxy_protocol"] and balancer["tag"] in kept["droplets"][0]["tags"] and firewall["tags"] == [balancer["tag"]], (balancer, firewall)
    assert all(rule["ports"] == "22" or (rule["sources"]["load_balancer_uids"] == [balancer["id"]] and not rule["sources"]["addresses"]) for rule in firewall["inbound_rules"]), firewall
    assert [(record["type"], record["name"], record["data"]) for record in kept["domain_records"]] == [("A", "nyc3.app", balancer["ip"]), ("CNAME", "app", "nyc3.app.example.com")], kept["domain_records"]

    api.requests.clear()
    _, changed = play("digitalocean.yml", digitalocean_domain="example.com", **given)
    assert set(changed.values()) == {0} and api.kept == kept and all(request.startswith("GET") for request in api.requests), (changed, api.requests)
    # Somebody's edits by hand.
    api.kept["load_balancers"][0]["health_check"]["path"] = "/"
    api.kept["firewalls"][0]["inbound_rules"][1]["ports"] = "0"
    api.kept["domain_records"][0]["data"] = "192.0.2.1"
    del api.kept["droplets"][1]
    play("digitalocean.yml", digitalocean_domain="example.com", **given)
    assert [row["name"] for row in api.kept["droplets"]] == ["nyc3-1", "nyc3-2"], api.kept["droplets"]
    assert (api.kept["load_balancers"][0]["health_check"], api.kept["domain_records"]) == (balancer["health_check"], kept["domain_records"]) and sorted(rule["ports"] for rule in api.kept["firewalls"][0]["inbound_rules"]) == ["22", "443", "8081"], api.kept

    zone = json.loads(aws("route53", "create-hosted-zone", "--name", "example.com", "--caller-reference", "droplets"))["HostedZone"]["Id"].split("/")[-1]
    play("digitalocean.yml", hosted_zone_id=zone, **given)
    _, changed = play("digitalocean.yml", hosted_zone_id=zone, **given)
    records = {record["Name"]: record for record in json.loads(aws("route53", "list-resource-record-sets", "--hosted-zone-id", zone))["ResourceRecordSets"]}
    assert set(changed.values()) == {0} and records[f"nyc3.{NAME}."]["ResourceRecords"] == [{"Value": balancer["ip"]}] and records[f"{NAME}."]["AliasTarget"]["DNSName"] == f"nyc3.{NAME}.", (changed, records)
    output, _ = play("digitalocean.yml", fails=True, digitalocean_domain="example.com", **{**given, "droplet_ssh_keys": [], "inventory": DROPLET / "inventory/sfo3.yml"})
    assert "droplet_ssh_keys is empty" in output, output
    say(f"DigitalOcean's side: made, unchanged the second time, put right; names there and in Route 53; each request {'as its contract wants it, but for firewalls' if api.contract else 'not shown to its contract, which is not here'}")
    return f"http://127.0.0.1:{api.server_port}/v2"


def ready(host):
    with contextlib.suppress(OSError):
        return ask(host, "GET", "/health/ready")[0] == 200


def main():
    absent = [program for program in NEEDED if not shutil.which(program)]
    if absent or os.geteuid() != 0:
        print(f"The playbook is not run: {'absent: ' + ', '.join(absent) if absent else 'it needs to be root'}.")
        return
    alone_on_this_machine()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    processes = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(network())
        with open(WORK / "moto.log", "w") as log:
            moto = subprocess.Popen([*ENDS_WITH_US, "moto_server", "-H", f"{NET}.1", "-p", "17600"], stdout=log, stderr=log, close_fds=False)
        stack.callback(moto.kill)
        make_keys()
        make_roots()
        say("two fresh Debian systems")
        for host in HOSTS:
            processes[host] = boot(host)
        stack.callback(lambda: [shut_down(process) for process in processes.values()])
        make_aws()
        releases = {"first": make_release(WORK / "first"), "second": make_release(WORK / "second"),
                    "ends": make_release(WORK / "ends", "#!/bin/sh\necho 'I do not feel like it' >&2\nexit 3\n"), "sleeps": make_release(WORK / "sleeps", "#!/bin/sh\nexec sleep 600\n")}
        digitalocean.ADDRESSES.update(HOSTS)
        GIVEN["digitalocean_api"] = shows_digitalocean()
        shows_a_deployment(releases)
        shows_requests()
        shows_an_upgrade(releases)
        shows_that_what_is_broken_is_rolled_back(releases)
        shows_that_a_killed_run_is_mended(releases)
        shows_keys(releases)
        shows_a_reboot(processes)


STARTED = time.monotonic()
if __name__ == "__main__":
    main()
