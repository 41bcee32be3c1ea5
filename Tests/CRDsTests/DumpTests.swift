import CRDs
import JSON
import Testing
import Glibc
@Test func dump() {
    for kind in CRDManifests.Kind.allCases {
        let bytes = JSONWriter(style: .pretty).write(CRDManifests.definition(of: kind))
        let f = fopen("/tmp/crd-\(kind.rawValue).json", "w")
        bytes.withUnsafeBufferPointer { _ = fwrite($0.baseAddress, 1, $0.count, f) }
        fclose(f)
    }
}
