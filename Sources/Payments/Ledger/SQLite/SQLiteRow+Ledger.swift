import Storage
import Timing

extension SQLiteRow {
    func time(_ column: Int32) -> Timestamp {
        Timestamp(microsecondsSinceEpoch: integer(column))
    }

    func asset(_ code: Int32, _ scale: Int32) throws(StoreFailure) -> Asset {
        guard let scale = UInt8(exactly: integer(scale)), let asset = Asset(code: text(code), scale: scale) else {
            throw StoreFailure("a row of the ledger has an asset that is none")
        }
        return asset
    }

    func account(_ column: Int32) throws(StoreFailure) -> PaymentAccount {
        guard let account = PaymentAccount(name: text(column)) else {
            throw StoreFailure("a row of the ledger has an account that is none")
        }
        return account
    }
}
