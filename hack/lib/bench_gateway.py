"""Compares the CPU time per proxied call of Farebox's gateway, nginx, HAProxy and caddy.

Each proxy runs pinned to one processor, wrk and the backend to another, so that the proxies meet the same conditions.
The number to trust is CPU time per call, read from /proc/PID/task/*/schedstat: calls a second depend on the neighbours.
All of them pass the same headers about the client, and keep connections to the backend.

With --tls callers come by TLS, with --http2 by HTTP/2 over TLS (h2load, 8 streams a connection; its p50 and p99 are the mean and
the maximum). With --websocket a call is a message that comes back. With --idle so many further connections are held open that do
nothing, and their memory is told. With --slow each round is run once more while one client in a hundred sends and takes bytes
slowly, and p99 of the others is compared.
With --paid it compares the gateway with itself instead: calls that are paid for, from a real ledger, and calls that are free. With
--loops two of its loops, on two processors that the load has to share, with one loop on one.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench_load import SLOW_BYTES, h2load, hold_idle, slow_clients, websocket, wrk
from bench_process import family, free_ports, resident_mib, stop_all, wait_for

GOALS = {"nginx": 1.0, "caddy": 0.4}
# Where the kernel moves nearly all of it, nobody takes half of what another does.
KERNEL_GOALS = {"nginx": 1.0}
PAID_GOALS = {"free": 1.15}
# Two loops that carry 1.7 times the calls of one.
LOOPS_GOALS = {"one": 2 / 1.7}
SLOW_GOALS = {"slow": 1.2}

NGINX_COMMON = """worker_processes 1;
daemon off;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    {body}
}}
"""

NGINX_BACKEND = 'server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello\\n"; }} }}'

NGINX_FILE = """sendfile on;
    server {{ listen 127.0.0.1:{port}; location / {{ root {folder}; try_files /body =404; }} }}"""

NGINX_PROXY = """upstream backend {{
        server 127.0.0.1:{backend};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port}{listen};
        {certificate}
        location /function/hello {{
            proxy_pass http://backend;
            proxy_http_version 1.1;
            {connection}
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Request-Id $request_id;
        }}
    }}"""

NGINX_UPGRADE = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'

CADDY = """{{
    admin off
    auto_https off
    default_sni localhost
    servers {{
        protocols h1 {protocol}
    }}
}}
{site}:{port} {{
    {certificate}
    reverse_proxy 127.0.0.1:{backend} {{
        header_up X-Request-Id {{http.request.uuid}}
        transport http {{
            keepalive_idle_conns_per_host 512
        }}
    }}
}}
"""

HAPROXY = """global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
    option forwardfor
frontend callers
    bind 127.0.0.1:{port}{listen}
    http-request set-header X-Request-Id %[uuid()]
    http-request set-header X-Forwarded-Proto {scheme}
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    default_backend functions
backend functions
    server one 127.0.0.1:{backend}
"""

ROUTES = 'routes:\n  - name: hello\n    endpoints: ["127.0.0.1:{backend}"]\n'
PRICE = "    price: {amount: 10, assetCode: USD, assetScale: 9, calls: 1000}\n"

PAYMENTS = """payments:
  hostPointer: $wallet.example.xyz/host
  asset: {{code: USD, scale: 9}}
  address: 127.0.0.1
  tokenPath: {folder}/token
  ledger: {{sqlite: {folder}/ledger.db}}
"""

# The most bonus calls that there can be: they are leased and settled as bought ones are.
FUNCTIONS = """functions:
  - name: hello
    namespace: farebox-functions
    price: {asset: {code: USD, scale: 9}, amount: 10, calls: 1000, bonusCalls: 1000000000}
"""


class Bench:
    """The proxies before one backend, and the load on them; `with Bench(options) as bench`."""

    def __init__(self, options):
        self.options = options
        self.secure = options.tls or options.http2
        self.folder = tempfile.mkdtemp(prefix="farebox-bench-")
        os.chmod(self.folder, 0o755)
        self.farebox = os.path.abspath(options.farebox)
        cpus = sorted(os.sched_getaffinity(0))
        self.load_cpu, self.proxy_cpu = (cpus[0], cpus[-1]) if len(cpus) > 1 else (None, None)
        if self.proxy_cpu is None:
            print("    only one processor: proxies, load and backend share it")
        self.pin = ["taskset", "-c", str(self.load_cpu)] if self.load_cpu is not None else []
        self.processes = {}
        # By name: the process that is measured, its port and path.
        self.targets = {}
        self.members = {}

    def __enter__(self):
        try:
            self.start_all()
        except BaseException:
            self.__exit__()
            raise
        self.members = {name: family(self.processes[process].pid) for name, (process, _, _) in self.targets.items()}
        return self

    def __exit__(self, *_):
        stop_all(self.processes)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(self, name, port, cpu, command):
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        path = os.path.join(self.folder, f"{name}.out")
        with open(path, "w") as log:
            process = subprocess.Popen(pin + command, stdout=log, stderr=log, env=dict(os.environ, HOME=self.folder))
        self.processes[name] = process
        wait_for(port, process, name, path)

    def start_backend(self, port):
        if self.options.websocket:
            load = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench_load.py")
            return self.start("backend", port, self.load_cpu, [sys.executable, load, "echo", str(port)])
        for name, size in (("body", self.options.bytes), ("big", SLOW_BYTES)):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(os.urandom(size))
        body = (NGINX_FILE if self.options.bytes else NGINX_BACKEND).format(port=port, folder=self.folder)
        path = self.write("backend.conf", NGINX_COMMON.format(folder=self.folder, name="backend", body=body))
        return self.start("backend", port, self.load_cpu, ["nginx", "-c", path])

    def certificate(self):
        """Makes one for localhost and returns the paths of certificate, key and both."""
        crt, key = (os.path.join(self.folder, name) for name in ("tls.crt", "tls.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", crt],
                       check=True, capture_output=True)
        with open(crt) as first, open(key) as second:
            both = self.write("both.pem", first.read() + second.read())
        os.chmod(key, 0o644)
        return crt, key, both

    def start_gateway(self, name, cpu, loops, routes, access):
        port, internal = free_ports(2)
        self.start(name, port, cpu,
                   [self.farebox, "gateway", "--routes", routes, "--loops", str(loops), "--port", str(port),
                    "--internal-port", str(internal), "--address", "127.0.0.1", "--internal-address", "127.0.0.1"] + access)
        return port

    def start_payments(self):
        """Starts what paid calls are leased from, and returns the gateway's options for it."""
        payers, leases = free_ports(2)
        token = self.write("token", "the token of this measurement\n")
        configuration = self.write("payments.yaml", PAYMENTS.format(folder=self.folder))
        self.start("payments", leases, self.load_cpu,
                   [self.farebox, "payments", "--config", configuration, "--functions", self.write("functions.yaml", FUNCTIONS),
                    "--port", str(payers), "--internal-port", str(leases)])
        return ["--payments", f"http://127.0.0.1:{leases}", "--payments-token", token]

    def start_all(self):
        backend, secure_port = free_ports(2)
        self.start_backend(backend)
        routes, access = ROUTES.format(backend=backend), []
        if self.options.paid:
            routes += PRICE + routes.split("\n", 1)[1].replace("hello", "free")
            access = self.start_payments()
        routes = self.write("routes.yaml", routes)
        if self.options.loops:
            one = self.start_gateway("one", self.proxy_cpu, 1, routes, access)
            two = self.start_gateway("two", None, 2, routes, access)
            self.targets = {"two": ("two", two, "/function/hello"), "one": ("one", one, "/function/hello")}
            return
        crt, key, both = self.certificate() if self.secure else ("", "", "")
        if self.secure:
            access += ["--tls-folder", self.folder, "--tls-port", str(secure_port)]
        port = self.start_gateway("farebox", self.proxy_cpu, 1, routes, access)
        if self.options.paid:
            self.targets = {name: ("farebox", port, f"/function/{path}") for name, path in (("paid", "hello"), ("free", "free"))}
            return
        self.targets = {"farebox": ("farebox", secure_port if self.secure else port, "/function/hello")}
        self.start_peers(backend, crt, key, both)

    def start_peers(self, backend, crt, key, both):
        ports = dict(zip(("nginx", "haproxy", "caddy"), free_ports(3)))
        listen = (" ssl" if self.secure else "") + (" http2" if self.options.http2 else "")
        body = NGINX_PROXY.format(
            port=ports["nginx"], backend=backend, listen=listen,
            connection=NGINX_UPGRADE if self.options.websocket else 'proxy_set_header Connection "";',
            certificate=f"ssl_certificate {crt}; ssl_certificate_key {key};" if self.secure else "")
        path = self.write("nginx.conf", NGINX_COMMON.format(folder=self.folder, name="nginx", body=body))
        self.start("nginx", ports["nginx"], self.proxy_cpu, ["nginx", "-c", path])
        listen = f" ssl crt {both}" + (" alpn h2,http/1.1" if self.options.http2 else "") if self.secure else ""
        path = self.write("haproxy.cfg", HAPROXY.format(
            port=ports["haproxy"], backend=backend, scheme="https" if self.secure else "http", listen=listen))
        self.start("haproxy", ports["haproxy"], self.proxy_cpu, ["haproxy", "-db", "-f", path])
        path = self.write("Caddyfile", CADDY.format(
            port=ports["caddy"], backend=backend, protocol="h2" if self.options.http2 else "",
            site="" if self.secure else "http://127.0.0.1", certificate=f"tls {crt} {key}" if self.secure else ""))
        self.start("caddy", ports["caddy"], self.proxy_cpu, ["caddy", "run", "--config", path, "--adapter", "caddyfile"])
        self.targets |= {name: (name, port, "/function/hello") for name, port in ports.items()}

    def load(self, name, seconds):
        """Loads one target and returns what that was like."""
        _, port, path = self.targets[name]
        pids, count = self.members[name], self.options.connections
        if self.options.websocket:
            return websocket(self.pin, pids, port, seconds, count)
        url = f"{'https' if self.secure else 'http'}://127.0.0.1:{port}{path}"
        if self.options.http2:
            return h2load(self.pin, pids, url, seconds, count)
        # Two loops share both processors with the load.
        pin, threads = ([], 2) if name == "two" else (self.pin, 1)
        sample = wrk(pin, pids, url, seconds, count, threads)
        if self.options.slow:
            with slow_clients(port, max(1, count // 100)):
                sample["slowP99"] = wrk(pin, pids, url, seconds, count, threads)["p99"]
        return sample

    def hold_idle(self):
        """Opens idle connections to each target, and returns them and what each took in KiB."""
        held, kibibytes = [], {}
        for name, (_, port, _) in self.targets.items():
            before = resident_mib(self.members[name])
            held += hold_idle(port, self.options.idle, self.secure, self.options.http2)
            kibibytes[name] = (resident_mib(self.members[name]) - before) * 1024 / self.options.idle
        return held, kibibytes


def show(ours, results, ratios, verdicts, goals):
    print(f"\n    {'proxy':<9}{'CPU µs per call (min–max)':>28}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}"
          f"{'MiB':>8}{'errors':>8}{'KiB/idle':>10}{'p99 + slow':>12}")
    for name, result in results.items():
        spread = f"{result['microseconds']:.1f} ({result['minimum']:.1f}–{result['maximum']:.1f})"
        print(f"    {name:<9}{spread:>28}{result['callsPerSecond']:>10.0f}{result['p50']:>9.2f}{result['p99']:>9.2f}"
              f"{result['residentMiB']:>8.1f}{result['errors']:>8}"
              f"{result['idleKiB']:>10.1f}{result['slowP99']:>12.2f}")
    print()
    for name, ratio in ratios.items():
        verdict = "met" if verdicts[name] else "MISSED"
        what = ("times the time of a call at the 99th percentile, of itself" if name == "slow"
                else f"times the CPU of {name}")
        print(f"    {ours} takes {ratio:.2f} {what}; goal at most {goals[name]:.2f}: {verdict}")


def parse():
    parser = argparse.ArgumentParser(prog="hack/bench gateway", description=__doc__.split("\n")[0])
    parser.add_argument("--farebox", required=True, help=argparse.SUPPRESS)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--paid", action="store_true", help="calls that are paid for beside free ones, on this gateway")
    kind.add_argument("--loops", action="store_true", help="two loops on two processors beside one on one, of this gateway")
    kind.add_argument("--websocket", action="store_true", help="messages through WebSockets that come back")
    kind.add_argument("--slow", action="store_true", help="besides, the same with one client in a hundred that is slow")
    kind.add_argument("--tls", action="store_true", help="callers come by TLS")
    kind.add_argument("--http2", action="store_true", help="callers come by HTTP/2 over TLS")
    parser.add_argument("--idle", type=int, default=0, help="connections that do nothing beside (default 0)")
    parser.add_argument("--bytes", type=int, default=0, help="the size of each answer (default: some bytes)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all proxies (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load per round and proxy (default 4)")
    parser.add_argument("--connections", type=int, help="connections held open (default 64; 200 with --slow)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to FILE as well")
    options = parser.parse_args()
    options.connections = options.connections or (200 if options.slow else 64)
    return options


def measure(bench):
    """Loads each target, round after round; returns the samples of each and the memory of their idle connections."""
    options, samples = bench.options, {name: [] for name in bench.targets}
    for name in bench.targets:
        bench.load(name, 1)
    held, idle = bench.hold_idle() if options.idle else ([], dict.fromkeys(bench.targets, 0.0))
    for number in range(options.rounds):
        for name, found in samples.items():
            found.append(bench.load(name, options.seconds))
            print(f"    round {number + 1}  {name:<9}{found[-1]['microseconds']:>7.1f} µs per call"
                  f"{found[-1]['callsPerSecond']:>10.0f} calls/s", flush=True)
    for connection in held:
        connection.close()
    return samples, idle


def main():
    options = parse()
    if options.idle:
        # One descriptor for each of ours, and as many in each proxy, which inherit the limit.
        limit = max(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4 * options.idle + 1024)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    goals = (PAID_GOALS if options.paid else LOOPS_GOALS if options.loops
             else KERNEL_GOALS if options.websocket or options.bytes else GOALS | (SLOW_GOALS if options.slow else {}))
    with Bench(options) as bench:
        samples, idle = measure(bench)
        results = {}
        for name, all_of_it in samples.items():
            costs = [sample["microseconds"] for sample in all_of_it]
            results[name] = {
                "microseconds": statistics.median(costs), "minimum": min(costs), "maximum": max(costs),
                "residentMiB": resident_mib(bench.members[name]), "errors": sum(sample["errors"] for sample in all_of_it),
                "idleKiB": idle[name], "slowP99": statistics.median(sample.get("slowP99", 0) for sample in all_of_it),
                **{key: statistics.median(sample[key] for sample in all_of_it)
                   for key in ("callsPerSecond", "p50", "p99")},
            }

    ours = next(iter(results))
    # Neighbours change between rounds, not within one: ratios are taken round by round.
    ratios = {
        name: statistics.median(
            mine["slowP99"] / mine["p99"] if name == "slow" else mine["microseconds"] / theirs["microseconds"]
            for mine, theirs in zip(samples[ours], samples.get(name, samples[ours])))
        for name in goals
    }
    verdicts = {name: ratio <= goals[name] for name, ratio in ratios.items()}
    failed_calls = sum(result["errors"] for result in results.values())
    show(ours, results, ratios, verdicts, goals)
    if options.loops:
        print(f"    So two loops on two processors carry {2 / ratios['one']:.2f} times the calls of one")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"results": results, "ratios": ratios, "goals": goals, "verdicts": verdicts,
                       "samples": samples}, file, indent=2)
    if failed_calls:
        print(f"    {failed_calls} calls failed: the numbers above mean little")
    sys.exit(0 if all(verdicts.values()) and not failed_calls else 1)


if __name__ == "__main__":
    main()
