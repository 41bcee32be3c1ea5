@testable import Builds

/// Runtimes and what they are made of, for tests.
enum RuntimeFixture {
    static func items(_ files: [String: String]) -> [RuntimeItem] {
        files.map { RuntimeItem(path: $0.key, content: .file(Array($0.value.utf8), isExecutable: false)) }
    }

    static func runtime(_ name: String, _ files: [String: String]) throws -> Runtime {
        try RuntimeReader().runtime(name, items(files), source: "test")
    }

    /// An OpenFaaS template in small.
    static let openFaaS = [
        "template.yml": """
        language: python
        fprocess: python3 index.py
        build_options:
        - name: dev
          packages: [make, gcc]
        - name: db
          packages: [libpq-dev, gcc]
        welcome_message: |
          Hello!
        """,
        "Dockerfile": "FROM debian\nCOPY . /srv\n", "index.py": "import function", "function/handler.py": "sample",
        "function/requirements.txt": "",
    ]

    /// A FaaSO runtime in small.
    static let faaso = [
        "README.md": "# Flask\n\nMore.\n",
        "Dockerfile.j2": "FROM debian\nRUN apt {{ options.ship_packages | join \" \" }}\n",
        "run.sh.j2": "#!/bin/sh\necho {{ name }} {{ runtime }}\n", "plain.txt": "{{ not rendered }}",
        "template/funko.py.j2": "{{ broken",
    ]
}
