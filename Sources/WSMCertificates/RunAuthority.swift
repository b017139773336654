internal import Crypto
package import Foundation
internal import SwiftASN1
internal import X509

/// A certificate authority that lives as long as a run: it signs the certificates of the run's own servers, and the run's
/// clients trust it and nobody else.
///
/// Its key exists in memory only and is never written anywhere. Values are as good from any thread.
package struct RunAuthority: Sendable {
    /// A server's certificate with its key, in PEM.
    package struct Identity: Sendable, Hashable {
        package var certificate: String
        package var privateKey: String
    }

    /// The authority's own certificate in PEM: what clients verify with.
    package let certificate: String

    private let key: P256.Signing.PrivateKey
    private let name: DistinguishedName
    private let validFrom: Date
    private let validUntil: Date

    /// Certificates begin that much before `now`, for peers whose clock is a little behind.
    private static let leeway: TimeInterval = 60

    /// A new authority.
    ///
    /// - Parameters:
    ///   - now: The wall clock; certificates begin a minute before it.
    ///   - lifetime: Seconds until its certificates end. Both a run's and its tests' are short.
    package init(now: Date, lifetime: TimeInterval = 24 * 3600) throws {
        key = P256.Signing.PrivateKey()
        name = try DistinguishedName { CommonName("wsmlab run authority") }
        validFrom = now.addingTimeInterval(-Self.leeway)
        validUntil = now.addingTimeInterval(lifetime)
        let own = Certificate.PrivateKey(key)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: own.publicKey,
            notValidBefore: validFrom, notValidAfter: validUntil, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
            }, issuerPrivateKey: own)
        self.certificate = try certificate.serializeAsPEM().pemString
    }

    /// A server's certificate for these names and addresses.
    ///
    /// - Parameters:
    ///   - names: DNS names; addresses are told apart by their form.
    ///   - until: When it ends, if not with the authority; an instant in the past makes one that has expired.
    package func issue(
        for names: [String] = ["localhost", "127.0.0.1", "::1"], until: Date? = nil
    ) throws -> Identity {
        let end = min(until ?? validUntil, validUntil)
        let serverKey = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PrivateKey(serverKey).publicKey,
            notValidBefore: min(validFrom, end.addingTimeInterval(-Self.leeway)), notValidAfter: end, issuer: name,
            subject: try DistinguishedName { CommonName(names.first ?? "localhost") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names.map(Self.generalName))
            }, issuerPrivateKey: Certificate.PrivateKey(key))
        return Identity(
            certificate: try certificate.serializeAsPEM().pemString, privateKey: serverKey.pemRepresentation)
    }

    private static func generalName(_ name: String) -> GeneralName {
        if let address = IPAddressBytes(name) { return .ipAddress(ASN1OctetString(contentBytes: address.bytes[...])) }
        return .dnsName(name)
    }
}

/// The bytes of an IP address as a certificate holds them: four, or sixteen.
private struct IPAddressBytes {
    let bytes: [UInt8]

    /// `nil` for what is no address.
    init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            bytes = withUnsafeBytes(of: &v4) { Array($0) }
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            bytes = withUnsafeBytes(of: &v6) { Array($0) }
        } else {
            return nil
        }
    }
}
