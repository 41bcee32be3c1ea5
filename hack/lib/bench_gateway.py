"""Compares the CPU time per proxied call of Farebox's gateway, nginx, HAProxy and caddy.

Each proxy runs pinned to one processor, wrk and the backend to another, so that the proxies meet the same conditions.
The number to trust is CPU time per call, read from /proc/PID/task/*/schedstat: calls a second depend on the neighbours.
All of them pass the same headers about the client, and keep connections to the backend.

With --paid it compares the gateway with itself instead: calls that are paid for, from a real ledger, and calls that are free.
"""

import argparse
import json
import os
import re
import shutil
import socket
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
        listen 127.0.0.1:{port};
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
}}
http://127.0.0.1:{port} {{
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
    bind 127.0.0.1:{port}
    http-request set-header X-Request-Id %[uuid()]
    http-request set-header X-Forwarded-Proto http
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


def start_all(folder, farebox, proxy_cpu, load_cpu, paid, size):
    """Starts everything; returns the processes and, by name, the process that is measured with its port and path."""
    backend, farebox_port, internal, nginx_port, haproxy_port, caddy_port, payers, leases = free_ports(8)

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
        ports = ["--port", str(farebox_port), "--internal-port", str(internal)]
        addresses = ["--address", "127.0.0.1", "--internal-address", "127.0.0.1"]
        start("farebox", farebox_port, proxy_cpu,
              [farebox, "gateway", "--routes", routes, "--loops", "1"] + ports + addresses + access)
        if paid:
            return processes, {"paid": ("farebox", farebox_port, "/function/hello"),
                               "free": ("farebox", farebox_port, "/function/free")}
        body = NGINX_PROXY.format(port=nginx_port, backend=backend)
        path = write("nginx.conf", NGINX_COMMON.format(folder=folder, name="nginx", body=body))
        start("nginx", nginx_port, proxy_cpu, ["nginx", "-c", path])
        start("haproxy", haproxy_port, proxy_cpu,
              ["haproxy", "-db", "-f", write("haproxy.cfg", HAPROXY.format(port=haproxy_port, backend=backend))])
        path = write("Caddyfile", CADDY.format(port=caddy_port, backend=backend))
        start("caddy", caddy_port, proxy_cpu, ["caddy", "run", "--config", path, "--adapter", "caddyfile"])
    except BaseException:
        stop_all(processes)
        raise
    return processes, {name: (name, port, "/function/hello") for name, port in
                       (("farebox", farebox_port), ("nginx", nginx_port), ("haproxy", haproxy_port), ("caddy", caddy_port))}


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
          f"{'MiB':>8}{'errors':>8}")
    for name, result in results.items():
        spread = f"{result['microseconds']:.1f} ({result['minimum']:.1f}–{result['maximum']:.1f})"
        print(f"    {name:<9}{spread:>28}{result['callsPerSecond']:>10.0f}{result['p50']:>9.2f}{result['p99']:>9.2f}"
              f"{result['residentMiB']:>8.1f}{result['errors']:>8}")
    print()
    for name, ratio in ratios.items():
        verdict = "met" if verdicts[name] else "MISSED"
        print(f"    {ours} takes {ratio:.2f} times the CPU of {name}; goal at most {goals[name]:.2f}: {verdict}")


def main():
    parser = argparse.ArgumentParser(prog="hack/bench gateway", description=__doc__.split("\n")[0])
    parser.add_argument("--farebox", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--paid", action="store_true", help="calls that are paid for beside free ones, on this gateway")
    parser.add_argument("--bytes", type=int, default=0, help="the size of each answer (default: some bytes)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all proxies (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load per round and proxy (default 4)")
    parser.add_argument("--connections", type=int, default=64, help="connections held open (default 64)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers to FILE as well")
    options = parser.parse_args()

    cpus = sorted(os.sched_getaffinity(0))
    load_cpu, proxy_cpu = (cpus[0], cpus[-1]) if len(cpus) > 1 else (None, None)
    if proxy_cpu is None:
        print("    only one processor: proxies, load and backend share it")
    folder = tempfile.mkdtemp(prefix="farebox-bench-")
    os.chmod(folder, 0o755)
    goals = PAID_GOALS if options.paid else GOALS
    processes = {}
    try:
        processes, targets = start_all(folder, os.path.abspath(options.farebox), proxy_cpu, load_cpu, options.paid, options.bytes)
        members = {name: family(processes[process].pid) for name, (process, _, _) in targets.items()}
        samples = {name: [] for name in targets}
        pin = ["taskset", "-c", str(load_cpu)] if load_cpu is not None else []

        def load(name, seconds):
            _, port, path = targets[name]
            url = f"http://127.0.0.1:{port}{path}"
            return measure(
                pin + ["wrk", "-t1", f"-c{options.connections}", f"-d{seconds}s", "--latency", url], members[name])

        for name in targets:
            load(name, 1)
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
