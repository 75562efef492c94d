import HostResources
import Testing

@Suite struct SpecificationTests {
  private func parse(_ text: String) throws -> NICSpecification { try NICSpecification(parsing: text) }

  @Test func connections() throws {
    #expect(try parse("none").connection == .none)
    #expect(try parse("user").connection == .user(.init()))
    #expect(try parse("bridge=lan0").connection == .bridge(name: "lan0", isShared: nil))
    #expect(try parse("bridge=lan0,shared=on").connection == .bridge(name: "lan0", isShared: true))
    #expect(try parse("tap=tap0,model=e1000").connection == .tap(name: "tap0"))
  }

  @Test func options() throws {
    let nic = try parse(
      "user,mac=52-54-00-12-34-56,capture=/tmp/a=b.pcapng,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.20:5353")
    #expect(nic.address?.description == "52:54:00:12:34:56")
    #expect(nic.capture == "/tmp/a=b.pcapng")
    guard case .user(let user) = nic.connection else { return #expect(Bool(false)) }
    #expect(user.forwards.map(\.hostPort) == [2222, 53])
    #expect(user.forwards.map(\.guestPort) == [22, 5353])
    #expect(user.forwards.map(\.isUDP) == [false, true])
    #expect(user.forwards[1].hostAddress == 0x7F00_0001)
    #expect(user.forwards[1].guestAddress == 0x0A00_0214)
    guard case .user(let other) = try parse("user,restrict=on,net=192.168.7.9/26").connection else { return #expect(Bool(false)) }
    #expect(other.isRestricted)
    #expect(other.network.address == 0xC0A8_0700)
    #expect(other.network.host(15) == 0xC0A8_070F)
  }

  @Test(arguments: [
    ("", "is not none, user, bridge=NAME or tap=NAME"), ("usr", "is not none"), ("bridge", "bridge needs a name"),
    ("bridge=", "cannot be the name of a bridge"), ("bridge=../x", "cannot be the name of a bridge"), ("tap=", "tap needs a name"),
    ("user,model=ne2k", "there is e1000"), ("user,mac=1:2", "is not an Ethernet address"),
    ("user,mac=01:00:5e:00:00:01", "cannot have this address"), ("user,mac=00:00:00:00:00:00", "cannot have this address"),
    ("user,hostfwd=tcp::22", "is not of the form"), ("user,hostfwd=tcp::0-:22", "is not of the form"),
    ("user,hostfwd=sctp::1-:2", "is not of the form"), ("user,net=10.0.2.0/30", "is not a network"),
    ("user,restrict=maybe", "on or off"),
    ("bridge=a,hostfwd=tcp::1-:2", "is an option of user"), ("user,shared=on", "is an option of bridge"),
    ("user,foo=1", "is not an option"),
    ("user,foo", "OPTION=VALUE"), ("user,mac=52:54:00:12:34:56,mac=52:54:00:12:34:57", "given twice"),
    ("none,model=e1000", "takes no options"),
  ])
  func mistakes(_ text: String, _ words: String) {
    do {
      _ = try parse(text)
      Issue.record("\(text) was accepted")
    } catch {
      #expect("\(error)".contains(words), "\(text): \(error)")
      #expect(!"\(error)".contains("\n"))
    }
  }

  @Test func automaticAddresses() {
    let addresses = (0..<200).flatMap { segment in (0..<8).map { MACAddress.automatic(segment: segment, index: $0) } }
    #expect(Set(addresses).count == addresses.count)
    #expect(addresses.allSatisfy { $0.description.hasPrefix("00:16:3e:") && !$0.isGroup })
  }
}
