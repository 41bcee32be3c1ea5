#!/usr/bin/env python3
"""Checks that a module imports only modules of a lower level, and that each C library has one module that imports it.

The levels are those of docs/architecture.md. Prints one line per offence and ends with 1 if there was any.
"""

import pathlib
import re
import sys

LEVELS = {
    0: ["JSON", "YAML", "Archive", "Commands", "Cryptography", "Storage", "TLS", "Telemetry", "Threads", "Timing"],
    1: ["DNS", "HTTP", "KubernetesTypes"],
    2: ["Audit", "CRDs", "KubernetesClient", "Scaling"],
    3: ["AsyncCalls", "Builds", "ClusterAccess", "ControllerRuntime", "GitHosts", "Payments"],
    4: ["AdminService", "Operator", "Webhook", "Gateway", "BuildService", "PaymentService", "Dashboard", "CommandLine"],
    5: ["Farebox"],
}
LEVEL = {module: level for level, modules in LEVELS.items() for module in modules}
C_OWNER = {
    "CArchive": "Archive",
    "CCurl": "HTTP",
    "CEpoll": "HTTP",
    "CMalloc": "ControllerRuntime",
    "CNghttp2": "HTTP",
    "CProcess": "Builds",
    "CResolv": "DNS",
    "CNATS": "AsyncCalls",
    "COpenSSL": "Cryptography",
    "CPostgres": "Payments",
    "CSQLite": "Storage",
    "CSodium": "Cryptography",
    "CTLS": "TLS",
    "CYAML": "YAML",
}
IMPORT = re.compile(r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public |package |internal |fileprivate |private )?import\s+"
                    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?([A-Za-z_]\w*)")


def offence(module: str, imported: str) -> str | None:
    """Says why `module` may not import `imported`, or nothing."""
    if imported == "Foundation":
        return "imports Foundation: use FoundationEssentials (44 MB and 10 MiB less)"
    if imported in C_OWNER and C_OWNER[imported] != module:
        return f"imports {imported}, which only {C_OWNER[imported]} may"
    if imported in LEVEL and LEVEL[imported] >= LEVEL[module]:
        return f"(level {LEVEL[module]}) imports {imported} (level {LEVEL[imported]}): imports point to a lower level"
    return None


def check(root: pathlib.Path) -> list[str]:
    """Returns every offence below `root`/Sources as `file:line: reason`."""
    found = []
    for folder in sorted((root / "Sources").iterdir()):
        module = folder.name
        if module in C_OWNER:
            continue
        if module not in LEVEL:
            found.append(f"Sources/{module}: no level is known for it; add it to {pathlib.Path(__file__).name}")
            continue
        for path in sorted(folder.rglob("*.swift")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = IMPORT.match(line)
                reason = match and offence(module, match.group(1))
                if reason:
                    found.append(f"{path.relative_to(root)}:{number}: {module} {reason}")
    return found


if __name__ == "__main__":
    offences = check(pathlib.Path(__file__).resolve().parents[2])
    print("\n".join(offences), end="\n" if offences else "")
    sys.exit(1 if offences else 0)
