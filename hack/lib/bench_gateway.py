"""Compares the CPU time per proxied call of Farebox's gateway, nginx, HAProxy and caddy.

Each proxy runs pinned to one processor, wrk and the backend to another, so that the proxies meet the same conditions.
The number to trust is CPU time per call, read from /proc/PID/task/*/schedstat: calls a second depend on the neighbours.
All of them pass the same headers about the client, and keep connections to the backend.

With --tls callers come by TLS, with --http2 by HTTP/2 over TLS (h2load, 8 streams a connection; its p50 and p99 are the mean and
the maximum). With --idle so many further connections are held open that do nothing, and their memory is told.
With --paid it compares the gateway with itself instead: calls that are paid for, from a real ledger, and calls that are free.
"""

import argparse
import json
import os
import re
import resource
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

GOALS = {"nginx": 1.0, "caddy": 0.4}
PAID_GOALS = {"free": 1.15}

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
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Request-Id $request_id;
        }}
    }}"""

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


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def family(pid):
    """The process and its descendants: nginx works in a child."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parents[int(entry)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    members = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in members} - members
        if not more:
            return members
        members |= more


def cpu_nanoseconds(pids):
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
    return total


def resident_mib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/statm") as file:
            total += int(file.read().split()[1]) * 4096
    return total / 2**20


def wait_for(port, process, name, log):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            with open(log) as file:
                sys.exit(f"{name} ended with {process.returncode} before it listened:\n{file.read()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"{name} does not listen on port {port}")


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def measure(command, pids):
    before = cpu_nanoseconds(pids)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = cpu_nanoseconds(pids) - before
    calls = int(re.search(r"(\d+) requests in", output).group(1))
    errors = sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    for line in re.findall(r"Socket errors: (.*)", output):
        errors += sum(int(number) for number in re.findall(r"\d+", line))
    return {
        "calls": calls,
        "errors": errors,
        "microseconds": spent / calls / 1000 if calls else float("inf"),
        "callsPerSecond": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "p50": milliseconds(re.search(r"(?m)^\s+50%\s+(\S+)", output).group(1)),
        "p99": milliseconds(re.search(r"(?m)^\s+99%\s+(\S+)", output).group(1)),
    }


def measure_http2(command, pids):
    before = cpu_nanoseconds(pids)
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = cpu_nanoseconds(pids) - before
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (done|succeeded|failed|errored|timeout)",
                                                            re.search(r"(?m)^requests: .*$", output).group(0))}
    codes = [int(code) for code in re.search(r"(?m)^status codes: (\d+) 2xx", output).groups()]
    times = re.search(r"(?m)^time for request:\s+\S+\s+(\S+)\s+(\S+)", output).groups()
    calls = codes[0]
    return {
        "calls": calls,
        "errors": counts["failed"] + counts["errored"] + counts["timeout"],
        "microseconds": spent / calls / 1000 if calls else float("inf"),
        "callsPerSecond": float(re.search(r"finished in \S+ ([\d.]+) req/s", output).group(1)),
        "p50": milliseconds(times[1]),
        "p99": milliseconds(times[0]),
    }


def hold_idle(port, count, secure, http2):
    """Opens connections that ask once and are then idle, and returns them."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if http2:
        context.set_alpn_protocols(["h2"])
    held = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port), 30)
        if secure:
            connection = context.wrap_socket(connection, server_hostname="localhost")
        if http2:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        else:
            connection.sendall(b"GET /function/hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(4096)
        held.append(connection)
    return held


def start_all(folder, farebox, proxy_cpu, load_cpu, paid, size, secure, http2):
    """Starts everything; returns the processes and, by name, the process that is measured with its port and path."""
    backend, farebox_port, internal, nginx_port, haproxy_port, caddy_port, payers, leases, farebox_secure = free_ports(9)

    def write(name, text):
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def start(name, port, cpu, command):
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        path = os.path.join(folder, f"{name}.out")
        with open(path, "w") as log:
            process = subprocess.Popen(pin + command, stdout=log, stderr=log, env=dict(os.environ, HOME=folder))
        processes[name] = process
        wait_for(port, process, name, path)

    processes = {}
    try:
        body = NGINX_BACKEND.format(port=backend)
        if size:
            with open(os.path.join(folder, "body"), "wb") as file:
                file.write(os.urandom(size))
            body = NGINX_FILE.format(port=backend, folder=folder)
        path = write("backend.conf", NGINX_COMMON.format(folder=folder, name="backend", body=body))
        start("backend", backend, load_cpu, ["nginx", "-c", path])
        routes = ROUTES.format(backend=backend)
        access = []
        if paid:
            routes += PRICE + routes.split("\n", 1)[1].replace("hello", "free")
            token = write("token", "the token of this measurement\n")
            access = ["--payments", f"http://127.0.0.1:{leases}", "--payments-token", token]
            configuration = write("payments.yaml", PAYMENTS.format(folder=folder))
            start("payments", leases, load_cpu,
                  [farebox, "payments", "--config", configuration, "--functions", write("functions.yaml", FUNCTIONS),
                   "--port", str(payers), "--internal-port", str(leases)])
        routes = write("routes.yaml", routes)
        pem = {name: os.path.join(folder, name) for name in ("tls.crt", "tls.key", "both.pem")}
        if secure:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                            "-keyout", pem["tls.key"], "-out", pem["tls.crt"]], check=True, capture_output=True)
            with open(pem["tls.crt"]) as certificate, open(pem["tls.key"]) as key:
                write("both.pem", certificate.read() + key.read())
            os.chmod(pem["tls.key"], 0o644)
            access += ["--tls-folder", folder, "--tls-port", str(farebox_secure)]
        ports = ["--port", str(farebox_port), "--internal-port", str(internal)]
        addresses = ["--address", "127.0.0.1", "--internal-address", "127.0.0.1"]
        start("farebox", farebox_port, proxy_cpu,
              [farebox, "gateway", "--routes", routes, "--loops", "1"] + ports + addresses + access)
        if paid:
            return processes, {"paid": ("farebox", farebox_port, "/function/hello"),
                               "free": ("farebox", farebox_port, "/function/free")}
        body = NGINX_PROXY.format(
            port=nginx_port, backend=backend, listen=(" ssl" if secure else "") + (" http2" if http2 else ""),
            certificate=f"ssl_certificate {pem['tls.crt']}; ssl_certificate_key {pem['tls.key']};" if secure else "")
        path = write("nginx.conf", NGINX_COMMON.format(folder=folder, name="nginx", body=body))
        start("nginx", nginx_port, proxy_cpu, ["nginx", "-c", path])
        start("haproxy", haproxy_port, proxy_cpu,
              ["haproxy", "-db", "-f", write("haproxy.cfg", HAPROXY.format(
                  port=haproxy_port, backend=backend, scheme="https" if secure else "http",
                  listen=f" ssl crt {pem['both.pem']}" + (" alpn h2,http/1.1" if http2 else "") if secure else ""))])
        path = write("Caddyfile", CADDY.format(
            port=caddy_port, backend=backend, protocol="h2" if http2 else "", site="" if secure else "http://127.0.0.1",
            certificate=f"tls {pem['tls.crt']} {pem['tls.key']}" if secure else ""))
        start("caddy", caddy_port, proxy_cpu, ["caddy", "run", "--config", path, "--adapter", "caddyfile"])
    except BaseException:
        stop_all(processes)
        raise
    return processes, {name: (name, port, "/function/hello") for name, port in
                       (("farebox", farebox_secure if secure else farebox_port), ("nginx", nginx_port), ("haproxy", haproxy_port), ("caddy", caddy_port))}


def stop_all(processes):
    for process in processes.values():
        process.terminate()
    for process in processes.values():
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def show(ours, results, ratios, verdicts, goals):
    print(f"\n    {'proxy':<9}{'CPU µs per call (min–max)':>28}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}"
          f"{'MiB':>8}{'errors':>8}{'KiB/idle':>10}")
    for name, result in results.items():
        spread = f"{result['microseconds']:.1f} ({result['minimum']:.1f}–{result['maximum']:.1f})"
        print(f"    {name:<9}{spread:>28}{result['callsPerSecond']:>10.0f}{result['p50']:>9.2f}{result['p99']:>9.2f}"
              f"{result['residentMiB']:>8.1f}{result['errors']:>8}"
              f"{result['idleKiB']:>10.1f}")
    print()
    for name, ratio in ratios.items():
        verdict = "met" if verdicts[name] else "MISSED"
        print(f"    {ours} takes {ratio:.2f} times the CPU of {name}; goal at most {goals[name]:.2f}: {verdict}")


def main():
    parser = argparse.ArgumentParser(prog="hack/bench gateway", description=__doc__.split("\n")[0])
    parser.add_argument("--farebox", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--paid", action="store_true", help="calls that are paid for beside free ones, on this gateway")
    parser.add_argument("--tls", action="store_true", help="callers come by TLS")
    parser.add_argument("--http2", action="store_true", help="callers come by HTTP/2 over TLS")
    parser.add_argument("--idle", type=int, default=0, help="connections that do nothing beside (default 0)")
    parser.add_argument("--bytes", type=int, default=0, help="the size of each answer (default: some bytes)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all proxies (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load per round and proxy (default 4)")
    parser.add_argument("--connections", type=int, default=64, help="connections held open (default 64)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to FILE as well")
    options = parser.parse_args()

    secure = options.tls or options.http2
    if options.idle:
        # One descriptor for each of ours, and as many in each proxy, which inherit the limit.
        limit = max(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 4 * options.idle + 1024)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    cpus = sorted(os.sched_getaffinity(0))
    load_cpu, proxy_cpu = (cpus[0], cpus[-1]) if len(cpus) > 1 else (None, None)
    if proxy_cpu is None:
        print("    only one processor: proxies, load and backend share it")
    folder = tempfile.mkdtemp(prefix="farebox-bench-")
    os.chmod(folder, 0o755)
    goals = PAID_GOALS if options.paid else GOALS
    processes = {}
    try:
        processes, targets = start_all(folder, os.path.abspath(options.farebox), proxy_cpu, load_cpu, options.paid, options.bytes,
                                       options.tls or options.http2, options.http2)
        members = {name: family(processes[process].pid) for name, (process, _, _) in targets.items()}
        samples = {name: [] for name in targets}
        pin = ["taskset", "-c", str(load_cpu)] if load_cpu is not None else []

        def load(name, seconds):
            _, port, path = targets[name]
            url = f"{'https' if secure else 'http'}://127.0.0.1:{port}{path}"
            if options.http2:
                clients = max(1, options.connections // 8)
                return measure_http2(pin + ["h2load", "-t1", f"-c{clients}", "-m8", f"-D{seconds}", url], members[name])
            return measure(
                pin + ["wrk", "-t1", f"-c{options.connections}", f"-d{seconds}s", "--latency", url], members[name])

        for name in targets:
            load(name, 1)
        idle, held = {name: 0.0 for name in targets}, []
        for name in targets if options.idle else ():
            before = resident_mib(members[name])
            held += hold_idle(targets[name][1], options.idle, secure, options.http2)
            idle[name] = (resident_mib(members[name]) - before) * 1024 / options.idle
        for number in range(options.rounds):
            for name in targets:
                sample = load(name, options.seconds)
                samples[name].append(sample)
                print(f"    round {number + 1}  {name:<9}{sample['microseconds']:>7.1f} µs per call"
                      f"{sample['callsPerSecond']:>10.0f} calls/s", flush=True)
        results = {}
        for name, all_of_it in samples.items():
            costs = [sample["microseconds"] for sample in all_of_it]
            results[name] = {
                "microseconds": statistics.median(costs), "minimum": min(costs), "maximum": max(costs),
                "residentMiB": resident_mib(members[name]), "errors": sum(sample["errors"] for sample in all_of_it),
                "idleKiB": idle[name],
                **{key: statistics.median(sample[key] for sample in all_of_it)
                   for key in ("callsPerSecond", "p50", "p99")},
            }
    finally:
        stop_all(processes)
        shutil.rmtree(folder, ignore_errors=True)

    ours = next(iter(targets))
    # Neighbours change between rounds, not within one: ratios are taken round by round.
    ratios = {
        name: statistics.median(
            ours["microseconds"] / theirs["microseconds"]
            for ours, theirs in zip(samples[ours], samples[name]))
        for name in goals
    }
    verdicts = {name: ratio <= goals[name] for name, ratio in ratios.items()}
    failed_calls = sum(result["errors"] for result in results.values())
    show(ours, results, ratios, verdicts, goals)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"results": results, "ratios": ratios, "goals": goals, "verdicts": verdicts,
                       "samples": samples}, file, indent=2)
    if failed_calls:
        print(f"    {failed_calls} calls failed: the numbers above mean little")
    sys.exit(0 if all(verdicts.values()) and not failed_calls else 1)


if __name__ == "__main__":
    main()
