import KubernetesTypes
import Testing

@testable import ControllerRuntime

@Suite("What an informer holds")
struct ObjectStoreTests {
    func widget(_ name: String, uid: String = "u", version: String = "1", note: String = "") -> Widget {
        var widget = Widget(name, note: note)
        widget.metadata.uid = uid
        widget.metadata.resourceVersion = version
        return widget
    }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "test", name: name) }

    /// Events in a form that can be compared.
    func summary(_ events: [InformerEvent<Widget>]) -> [String] {
        events.map { event in
            switch event {
            case .added(let object, let isInitial): "added \(object.metadata.name)\(isInitial ? " initially" : "")"
            case .updated(let old, let new):
                "updated \(new.metadata.name) \(old.metadata.resourceVersion)→\(new.metadata.resourceVersion)"
            case .deleted(let object, let isUnknown): "deleted \(object.metadata.name)\(isUnknown ? "?" : "")"
            }
        }
        .sorted()
    }

    @Test("A new list in the place of the old tells what was added, updated and missed to be deleted")
    func relist() {
        var store = ObjectStore<Widget>()
        _ = store.store(widget("kept"), key: key("kept"))
        _ = store.store(widget("gone"), key: key("gone"))

        let changes = store.replaceAll(
            with: [key("kept"): widget("kept", version: "2"), key("new"): widget("new")], keeping: [], isInitial: false)

        #expect(summary(changes) == ["added new", "deleted gone?", "updated kept 1→2"])
        #expect(Set(store.objects.keys) == [key("kept"), key("new")])
    }

    @Test("The first list is marked as initial")
    func firstList() {
        var store = ObjectStore<Widget>()

        let changes = store.replaceAll(with: [key("a"): widget("a")], keeping: [], isInitial: true)

        #expect(summary(changes) == ["added a initially"])
    }

    @Test("What cannot be read in a new list stays as it was")
    func unreadableStays() {
        var store = ObjectStore<Widget>()
        _ = store.store(widget("odd"), key: key("odd"))

        let changes = store.replaceAll(with: [:], keeping: [key("odd")], isInitial: false)

        #expect(changes.isEmpty)
        #expect(store.objects[key("odd")] != nil)
    }

    @Test("An object made again under its name is another one")
    func recreated() {
        var store = ObjectStore<Widget>()
        _ = store.store(widget("a", uid: "first"), key: key("a"))

        let changes = store.store(widget("a", uid: "second"), key: key("a"))

        #expect(summary(changes) == ["added a", "deleted a?"])
    }

    @Test("A deletion tells the last state; of an unknown object it tells nothing")
    func removal() {
        var store = ObjectStore<Widget>()
        _ = store.store(widget("a", version: "1"), key: key("a"))

        let changes = store.remove(key("a"), last: widget("a", version: "9"))
        let again = store.remove(key("a"), last: widget("a", version: "9"))

        #expect(summary(changes) == ["deleted a"])
        #expect(changes.first?.object.metadata.resourceVersion == "9")
        #expect(again.isEmpty)
    }

    @Test("Indexes follow every change, whenever they were added")
    func indexes() {
        var store = ObjectStore<Widget>()
        _ = store.store(widget("a", note: "red"), key: key("a"))
        store.addIndex("note") { [$0.spec.note] }
        _ = store.store(widget("b", note: "red"), key: key("b"))
        _ = store.store(widget("a", version: "2", note: "blue"), key: key("a"))
        _ = store.store(widget("c", note: "red"), key: key("c"))
        _ = store.remove(key("c"), last: nil)

        let red = store.objects(index: "note", value: "red")?.map(\.metadata.name)
        let blue = store.objects(index: "note", value: "blue")?.map(\.metadata.name)

        #expect(red == ["b"])
        #expect(blue == ["a"])
        #expect(store.objects(index: "note", value: "green")?.isEmpty == true)
        #expect(store.objects(index: "other", value: "red") == nil)
    }
}
