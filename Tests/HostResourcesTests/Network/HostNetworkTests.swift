import Foundation
import HostResources
import TestSupport
import Testing

/// Bridges and addresses of one host.
@Suite(.ends(withinMinutes: 5)) struct HostNetworkTests {
  let folder = BridgeLinkTests.Folder()

  private func network() -> HostNetwork { HostNetwork(world: OutsideWorld(), folder: folder.path) }

  @Test func sixtyBridges() throws {
    let network = network()
    let bridges = try (0..<60).map { try network.bridge("b\($0)", isShared: false) }
    #expect(throws: NetworkError("no bridge b60: there are 60 bridges, and no more")) { try network.bridge("b60", isShared: false) }
    #expect(try network.bridge("b7", isShared: false) === bridges[7])
  }

  @Test func addressesAreUnique() throws {
    let network = network()
    let wanted = try #require(MACAddress("00:16:3e:00:00:02"))
    #expect(try network.claim(wanted, for: "web") == wanted)
    #expect(throws: NetworkError("mail cannot have the address 00:16:3e:00:00:02: web has it")) {
      try network.claim(wanted, for: "mail")
    }
    // Made-up ones go round what is taken.
    let made = try (0..<3000).map { try network.claim(nil, for: "nic\($0)") }
    #expect(Set(made + [wanted]).count == 3001)
    #expect(throws: NetworkError("mail cannot have the address \(made[5]): nic5 has it")) {
      try network.claim(made[5], for: "mail")
    }
    network.release(wanted)
    #expect(try network.claim(wanted, for: "mail") == wanted)
  }

  /// Two processes on one bridge; each is a registry of its own.
  @Test func addressesOfOtherProcesses() throws {
    let address = try #require(MACAddress("02:00:00:00:00:01"))
    let other = network()
    do {
      let network = network()
      _ = try network.bridge("lan", isShared: true)
      _ = try other.bridge("lan", isShared: true)
      #expect(try network.claim(address, for: "nic0", bridge: "lan") == address)
      #expect(
        throws: NetworkError("nic0 cannot have the address 02:00:00:00:00:01: another process on bridge lan has it")
      ) { try other.claim(address, for: "nic0", bridge: "lan") }
      // On another bridge it is nobody's.
      #expect(try other.claim(address, for: "nic0") == address)
      other.release(address)
      withExtendedLifetime(network) {}
    }
    #expect(try other.claim(address, for: "nic0", bridge: "lan") == address)
  }

  @Test func specifications() throws {
    let bridge = try BridgeSpecification(parsing: "lan,uplink=eth1,uplink=tap0")
    #expect(bridge.name == "lan" && bridge.uplinks == ["eth1", "tap0"])
    for (text, message) in [
      ("lan", "a bridge without uplinks needs no --bridge"), ("lan,uplink=", "\"uplink=\" is not an option: uplink=INTERFACE"),
      ("lan,uplink=a,uplink=a", "uplink a is given twice"),
      ("../lan,uplink=a", "\"../lan\" cannot be the name of a bridge: up to 32 letters, digits, and . _ -"),
    ] {
      #expect(problem { _ = try BridgeSpecification(parsing: text) } == message)
    }
    #expect(throws: NetworkError("uplink nosuch0: the host has no network interface of this name")) {
      try network().connect(BridgeSpecification(parsing: "lan,uplink=nosuch0")) { _ in }
    }
  }
}
